"""Fig. 4: reconstructions and latent channels of the MAE at two λ, and the ratio that bottleneck scaling cannot have.

The paper shows that the element-wise ratio of a channel before quantisation at two λ varies over the picture, and says
that under bottleneck scaling it would be constant. Here both are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mae_viz import probe
from mae_viz.figures import style
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RIVAL = "bottleneck-scaling"
"""What the MAE is compared with."""

LMBDAS = (4096.0, 64.0)
"""The two λ of the ratio, unless others are asked for."""

CHANNELS = 2
"""How many channels are shown where none are named: those with the most bits at the higher λ."""

_COLUMNS = 4


@dataclass(frozen=True)
class Decoded:
    """A picture after a codec."""

    title: str
    pixels: np.ndarray  # uint8 (H, W, 3)
    bpp: float
    psnr_db: float


@dataclass(frozen=True)
class View:
    """What the figure shows of one picture; maps are (C, h, w), before quantisation, by λ."""

    name: str  # of the MAE, in the caption
    original: np.ndarray  # uint8 (H, W, 3)
    lmbdas: tuple[float, float]  # λ1 and λ2 of the ratio y(λ1) / y(λ2)
    decoded: list[Decoded]
    mae: dict[float, np.ndarray]
    scaling: dict[float, np.ndarray]
    channels: list[int]  # of the MAE
    bits: np.ndarray  # (C,), of the MAE at the lower λ: the entropy estimate
    likes: list[tuple[int, float]]  # for each, the most alike channel of bottleneck scaling and |correlation|
    rule: str  # how the channels were chosen, in words


def look(
    picture: Image.Image,
    channels: Sequence[int] | None = None,
    lmbdas: tuple[float, float] = LMBDAS,
    model: str = "mae",
) -> View:
    """Code a picture with a MAE at two λ and with bottleneck scaling at the second, and keep their latents.

    ``channels``: of the MAE; without them the two that cost the most bits at the higher λ. ``model``: the MAE, one with
    hyperprior perhaps. Raises ValueError for a model that is none, a channel that it lacks, or two equal λ.
    """
    from mae_viz import metrics
    from mae_viz.codecs.registry import codec
    from mae_viz.coding.checkpoints import open_checkpoint

    facts = open_checkpoint(model).model.facts
    if not facts.modulated:
        raise ValueError(f"{model} modulates nothing: choose a MAE, such as mae.")
    title = facts.title
    high, low = lmbdas = Rate.near(lmbdas[0]).lmbda, Rate.near(lmbdas[1]).lmbda
    if high == low:
        raise ValueError("a ratio needs two different λ: write --lambdas 4096,64.")
    last = open_checkpoint(model).model.channels - 1
    if wrong := [c for c in channels or [] if not 0 <= c <= last]:
        raise ValueError(f"there is no channel {wrong[0]}: choose from 0 … {last}.")
    found = {
        name: {lmbda: probe.latents(open_checkpoint(name), picture, Rate.near(lmbda)) for lmbda in lmbdas}
        for name in (model, RIVAL)
    }
    bits = found[model][max(lmbdas)][1].sum(axis=(1, 2))
    chosen = list(channels) if channels else np.argsort(-bits, kind="stable")[:CHANNELS].tolist()
    rule = "as asked for" if channels else f"those that cost the most bits at λ = {max(lmbdas):g}"
    decoded = []
    for made, lmbda in ((codec(model), high), (codec(model), low), (codec(RIVAL), low)):
        stream = made.encode(picture, Rate.near(lmbda))
        pixels = np.asarray(made.decode(stream))
        bpp = metrics.bpp(len(stream), picture.height, picture.width)
        psnr = metrics.psnr_db(np.asarray(picture), pixels)
        decoded.append(Decoded(f"{made.short}, λ = {lmbda:g}", pixels, bpp, psnr))
    mae, scaling = ({lmbda: y for lmbda, (y, _) in by_rate.items()} for by_rate in found.values())
    likes = [probe.most_alike(mae[high][c], scaling[high]) for c in chosen]
    low_bits = found[model][min(lmbdas)][1].sum(axis=(1, 2))
    return View(title, np.asarray(picture), lmbdas, decoded, mae, scaling, chosen, low_bits, likes, rule)


def draw(view: View) -> "Figure":
    """The figure: a row of pictures, then a row for each channel: at both λ, its ratio, and that of scaling."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    high, low = view.lmbdas
    ratios = [
        (probe.ratio(view.mae[high][c], view.mae[low][c]), probe.ratio(view.scaling[high][k], view.scaling[low][k]))
        for c, (k, _) in zip(view.channels, view.likes, strict=True)
    ]
    octaves = reach([modulated for modulated, _ in ratios])
    rows = 1 + len(view.channels)
    height, width, _ = view.original.shape
    cell = (style.PAGE_IN - 0.1 - 3 * 0.06) / _COLUMNS  # inches
    tall = min(cell * height / width, 1.5 * cell)
    total = rows * (tall + 0.3) + 0.5
    with rc_context(style.RC | {"axes.grid": False}):
        figure = Figure(figsize=(style.PAGE_IN, total))
        axes = [
            [
                figure.add_axes(
                    (
                        (0.05 + column * (cell + 0.06)) / style.PAGE_IN,
                        1 - ((row + 1) * (tall + 0.3) - 0.02) / total,
                        cell / style.PAGE_IN,
                        tall / total,
                    )
                )
                for column in range(_COLUMNS)
            ]
            for row in range(rows)
        ]
        _pictures(axes[0], view)
        for row, channel, (like, _), pair in zip(axes[1:], view.channels, view.likes, ratios, strict=True):
            _channel(row, view, channel, like, pair, octaves)
        for axis in (axis for row in axes for axis in row):
            axis.set_xticks([])
            axis.set_yticks([])
        _bar(figure, octaves, total, cell, negative=any((r.values < 0).any() for pair in ratios for r in pair))
    return figure


_PINK = 0.2, 0.65
"""Part of the colour map of negative ratios: no hue and no depth of it can be taken for a place of viridis."""


def reach(ratios: list[probe.Ratio]) -> float:
    """Octaves about the mean that the colours cover: 95 % of the places of every ratio, in quarter octaves."""
    widest = 0.25
    for ratio in ratios:
        sizes = np.abs(ratio.values[np.isfinite(ratio.values)] / ratio.mean)
        if len(sizes):
            widest = max(widest, float(np.quantile(np.abs(np.log2(np.maximum(sizes, 1e-9))), 0.95)))
    return min(np.ceil(4 * widest) / 4, 4.0)


def coloured(ratio: probe.Ratio, octaves: float) -> np.ndarray:
    """A ratio as RGBA (h, w, 4): log2 of its size about its mean's in viridis, negative places in another hue, masked
    ones transparent."""
    from matplotlib import colormaps

    with np.errstate(invalid="ignore", divide="ignore"):
        level = 0.5 + np.log2(np.abs(ratio.values) / abs(ratio.mean)) / (2 * octaves)
    level = np.clip(np.nan_to_num(level, nan=0.5), 0, 1)
    opposite = ratio.values * np.sign(ratio.mean) < 0
    rgba = np.where(
        opposite[..., None], colormaps["RdPu"](_PINK[0] + (_PINK[1] - _PINK[0]) * level), colormaps["viridis"](level)
    )
    rgba[~np.isfinite(ratio.values), 3] = 0
    return rgba


def _pictures(axes: "list[Axes]", view: View) -> None:
    axes[0].imshow(view.original)
    axes[0].set_title("original", pad=3)
    for axis, shown in zip(axes[1:], view.decoded, strict=True):
        axis.imshow(shown.pixels)
        axis.set_title(f"{shown.title}: {shown.bpp:.3f} bpp, {shown.psnr_db:.1f} dB", pad=3)


def _channel(
    axes: "list[Axes]",
    view: View,
    channel: int,
    like: int,
    ratios: tuple[probe.Ratio, probe.Ratio],
    octaves: float,
) -> None:
    for axis, lmbda in zip(axes, view.lmbdas, strict=False):
        y = view.mae[lmbda][channel]
        low, high = np.percentile(y, (1, 99))
        _map(axis, view, y, cmap="cividis", vmin=low, vmax=high)
        span = f"{low:.1f} … {high:.1f}".replace("-", "−")
        axis.set_title(f"ch. {channel}, λ = {lmbda:g}: $y$ = {span}", pad=3)
    for axis, ratio, name in zip(axes[2:], ratios, (f"MAE, ch. {channel}", f"scaling, ch. {like}"), strict=True):
        _hatch(axis, view)
        _map(axis, view, coloured(ratio, octaves))
        spread = "constant" if ratio.constancy < 1e-5 else f"±{100 * ratio.constancy:.1f} %"
        axis.set_title(f"{name}: ratio {ratio.mean:.2f}, {spread}".replace("-", "−"), pad=3)
        axis.set_xlabel(f"{style.share(ratio.masked_share)} masked", size=6, labelpad=1)


def _map(axis: "Axes", view: View, values: np.ndarray, **how: Any) -> None:
    """A map in the coordinates of the picture, whose right and lower border the last latents may overlap."""
    height, width, _ = view.original.shape
    axis.imshow(values, extent=(0, 16 * values.shape[1], 16 * values.shape[0], 0), interpolation="nearest", **how)
    axis.set(xlim=(0, width), ylim=(height, 0))


def _hatch(axis: "Axes", view: View) -> None:
    """Diagonals on grey below a map: drawn as lines, because readers of PDF differ in what they make of patterns."""
    from matplotlib.collections import LineCollection

    height, width, _ = view.original.shape
    starts = np.arange(-height, width, max(width, height) / 42)
    lines = [((x, height), (x + height, 0)) for x in starts]
    axis.set_facecolor("#dedede")
    axis.add_collection(LineCollection(lines, colors="#9a9a9a", linewidths=0.4, zorder=-1), autolim=False)


def _bar(figure: "Figure", octaves: float, total: float, cell: float, negative: bool) -> None:
    """What the colours of the ratios mean, below the two columns of ratios."""
    from matplotlib import colormaps

    left = 0.05 + 2 * (cell + 0.06)
    note = f"hatched: |y| at the second λ under {100 * probe.MASK_SHARE:g} % of the channel's largest"
    figure.text(0.05 / style.PAGE_IN, 0.245 / total, note, va="center", size=7)
    shown = np.linspace(0, 1, 256)[None]
    places = [("viridis", shown, "ratio / its mean", left + 0.9)]
    if negative:
        places.append(("RdPu", np.linspace(*_PINK, 256)[None], "negative", left + 0.9 + 1.55))
    for name, levels, label, x in places:
        axis = figure.add_axes((x / style.PAGE_IN, 0.2 / total, 0.95 / style.PAGE_IN, 0.09 / total))
        axis.imshow(colormaps[name](levels), aspect="auto", extent=(-octaves, octaves, 0, 1))
        axis.set_yticks([])
        axis.set_xticks([-octaves, 0, octaves], [f"{2**t:.2g}" for t in (-octaves, 0, octaves)], size=6)
        axis.tick_params(length=2, pad=1)
        axis.set_ylabel(label, rotation=0, ha="right", va="center", size=7, labelpad=4)


def caption(view: View, title: str = "") -> str:
    """What the figure shows, which channels and why, and how constant the ratios are."""
    high, low = view.lmbdas
    order = np.argsort(-view.bits, kind="stable")
    most = order[: 1 + int(np.searchsorted(np.cumsum(view.bits[order]), 0.9 * view.bits.sum()))]
    scores = probe.constancies(view.mae[high][most], view.mae[low][most])
    scaled = probe.constancies(view.scaling[high], view.scaling[low])
    alike = ", ".join(
        f"{k} is most like {c} (|correlation| {r:.3f})" for c, (k, r) in zip(view.channels, view.likes, strict=True)
    )
    masked = f"{100 * probe.MASK_SHARE:g} %"
    return (
        f"Fig. 4. {title + ': ' if title else ''}reconstructions, and channels {', '.join(map(str, view.channels))} of "
        f"the {view.name}'s bottleneck before quantisation at λ = {high:g} and {low:g} ({view.rule}), with their "
        f"element-wise ratio y({high:g}) / y({low:g}). Right: the same ratio under bottleneck scaling, for its most "
        f"similar channel ({alike}). Hatched: places where |y({low:g})| is under {masked} of the largest in its "
        "channel. ± is the coefficient of variation of the ratio over the other places, weighted by y². Over the "
        f"{len(most)} channels that hold 90 % of the bits at λ = {min(view.lmbdas):g} its median is "
        f"{np.nanmedian(scores):.3f} for the {view.name}; for bottleneck scaling the largest of all is "
        f"{np.nanmax(scaled):.0e}, the rounding of float32: there the ratio is one number per channel. Channels: from "
        "the 1st percentile of y (dark) to the 99th (light), which stand above them.\n"
    )
