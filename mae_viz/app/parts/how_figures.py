"""The figures of *How it works*: each computed by the real models on a picture at a λ, and small."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike

from mae_viz import probe, rates
from mae_viz.app import computed
from mae_viz.app.computed import Coded, Picture
from mae_viz.app.pages import bits
from mae_viz.app.pages.bits import Drawn, which_tables
from mae_viz.app.parts import plots
from mae_viz.app.parts.controls import MODELS, title
from mae_viz.app.parts.literal import literal
from mae_viz.app.parts.results import measurements
from mae_viz.app.parts.text_table import table
from mae_viz.codecs import palette
from mae_viz.codecs.registry import codec
from mae_viz.measured import collected, findings, refinement
from mae_viz.measured.between import rate_at
from mae_viz.numbers import NARROW, decibels, grouped, in_bytes, number, percent, power, prose
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HIGHLIGHTS = ("#c0392b", "#b9770e", "#8e44ad", "#1e8449", "#117a8b", "#2c7fb8", plots.INK)
LOW, HIGH = Rate.near(rates.LMBDA_MIN), Rate.near(rates.LMBDA_MAX)
SHOWN = tuple(Rate.near(lmbda) for lmbda in rates.LMBDAS)
BETWEEN = Rate.near(700)
"""Of λ between the trained ones, the example."""


@dataclass(frozen=True)
class Look:
    """What all figures look at."""

    picture: Picture
    rate: Rate

    @cached_property
    def y(self) -> np.ndarray:
        return computed.latents(self.picture, "mae", self.rate)[0]

    @cached_property
    def ranked(self) -> np.ndarray:
        """The MAE's channels at this λ, those with most bits first."""
        spent = computed.cost(self.picture, "mae", self.rate).y.sum(axis=(1, 2), dtype=np.float64)
        return np.argsort(-spent, kind="stable")

    def coded(self, model: str, rate: Rate) -> Coded:
        return computed.coded(self.picture, model, rate)


def bargain(look: Look) -> None:
    """The same picture at the lowest λ, the chosen one and the highest."""
    cells = []
    for rate in dict.fromkeys((LOW, look.rate, HIGH)):
        coded = look.coded("mae", rate)
        about = f"λ = {rate}: <b>{in_bytes(len(coded.stream))}</b>, {decibels(coded.psnr_db)}"
        cells.append(picture(coded.png, f"{look.picture.name} at λ = {rate}", about))
    st.html(plots.beside(*cells, least=105))
    once = min(look.rate, HIGH.higher(-1))
    twice = once.higher(1)
    a, b = (look.coded("mae", rate) for rate in (once, twice))
    growth = percent(len(b.stream) / len(a.stream) - 1, "+.0f")
    st.markdown(
        f"**What twice the λ costs here**: from λ = {once} to {twice} the file grows from "
        f"{grouped(len(a.stream))} to {in_bytes(len(b.stream))} ({growth}), for {decibels(b.psnr_db - a.psnr_db)}."
    )


def maps(look: Look) -> None:
    cells = []
    for channel in look.ranked[:4]:
        y = look.y[channel]
        source = plots.url(plots.coloured("y", y, float(np.abs(y).max())))
        about = f"channel {channel}: {number(y.min())} … {number(y.max())}"
        cells.append(plots.figure(source, f"Channel {channel} of y", about))
    st.html(plots.beside(*cells, least=200))
    height, width = look.y.shape[1:]
    st.caption(
        f"{len(look.y)} × {height} × {width} = {grouped(look.y.size)} numbers for "
        f"{grouped(look.picture.pixels.size)} of the picture; blue is negative, orange positive, each map on a scale "
        "of its own."
    )


def gdn(look: Look) -> None:
    """The first GDN of the encoder at work: what comes in and what goes out at many places of the picture."""
    channel, u, v, linear = responses(look.picture.key, look.picture, look.rate)
    figure = chart("input u of the channel", "output v")
    ends = np.array([u.min(), u.max()])
    add(figure, ends, linear * ends, "without the division by activity", "#5f6b7a", dash="dot")
    add(figure, u, v, "at places of this picture", "#c0392b", mode="markers")
    figure.update_traces(marker={"size": 4, "opacity": 0.5}, selector={"mode": "markers"})
    show(figure, "gdn", f"Output of GDN against its input, channel {channel} of the first layer")
    st.caption(
        f"First GDN of the encoder, channel {channel}, one that it changes much, at λ = {look.rate}. The "
        "same input gives different outputs, because the other channels differ from place to place."
    )


@st.cache_data(max_entries=64, show_spinner=False)
def responses(key: str, _picture: Picture, rate: Rate) -> tuple[int, np.ndarray, np.ndarray, float]:
    """A channel, its inputs and outputs at 500 places of the picture's middle, and the slope without activity."""
    import torch
    from torch import Tensor

    from mae_viz.coding.coder import to_tensor

    width, height = _picture.image.size
    left, top = max(0, width // 2 - 160), max(0, height // 2 - 160)
    part = _picture.image.crop((left, top, min(width, left + 320), min(height, top + 320)))
    model = computed.checkpoint("mae").model
    layer, lmbda = model.g_a[0], rate.tensor(model.device)
    gdn: Any = layer.nonlinearity  # CompressAI's, which has no types

    @torch.inference_mode()
    def bent() -> tuple[Tensor, Tensor, Tensor, int]:
        """Before and after, the slopes of the straight lines, and the channel that leaves its line the most."""
        assert layer.modulation is not None  # in a MAE λ reaches every layer
        u = layer.modulation(lmbda) * layer.conv(to_tensor(part, model.stride).to(lmbda) - 0.5)
        v = gdn(u)
        slopes = gdn.beta_reparam(gdn.beta) ** -0.5
        removed = (slopes[:, None, None] * u[0] - v[0]).square().mean((1, 2))
        share = removed / (slopes[:, None, None] * u[0]).square().mean((1, 2)).clamp(min=1e-9)
        channel = int(torch.argmax(share * v[0].square().mean((1, 2))))
        return u.cpu(), v.cpu(), slopes.cpu(), channel

    u, v, slopes, channel = computed.run(bent)
    inputs, outputs = (t[0, channel].double().numpy().ravel() for t in (u, v))
    step = max(1, len(inputs) // 500)
    return channel, inputs[::step], outputs[::step], float(slopes[channel])


@st.fragment
def rounding(look: Look) -> None:
    channel = int(look.ranked[0])
    median = np.median(look.y[channel].astype(np.float64))
    y = look.y[channel].astype(np.float64) - median
    steps = [2.0**-k for k in range(8)]
    scale = st.select_slider("Multiply the map before rounding by", steps[::-1], 1.0, format_func=lambda s: f"{s:.4g}")
    q = np.rint(y * scale)
    counts = np.unique(q, return_counts=True)[1]
    p = counts / counts.sum()
    entropy = abs(float(-(p * np.log2(p)).sum()))
    top = float(np.abs(y + median).max()) or 1.0  # coloured as in step 2
    sources = [(y, "before"), (q / scale, "after rounding, scaled back")]
    cells = [
        plots.figure(plots.url(plots.coloured("y", values + median, top)), f"The map {when}", when)
        for values, when in sources
    ]
    st.html(plots.beside(*cells, least=200))
    st.markdown(
        f"Channel {channel}: **{len(counts)} different integers** are left, at least "
        f"{number(entropy)}{NARROW}bits each ({in_bytes(entropy * y.size / 8)} for the map); mean squared error of the "
        f"map {number(float(np.mean((q / scale - y) ** 2)))}."
    )


def prior(look: Look) -> None:
    channel = int(look.ranked[0])
    drawn = Drawn(look.picture, "mae", look.rate, channel)
    bits.draw_priors([drawn])
    st.markdown(f"Channel {channel}:\n\n{drawn.sentence()}")


def error(look: Look) -> None:
    coded = look.coded("mae", look.rate)
    difference: np.ndarray = decoded(coded) - look.picture.pixels.astype(np.int16)
    amplified = np.clip(128 + 4 * difference, 0, 255).astype(np.uint8)
    mse = float(np.mean((difference / 255.0) ** 2))
    st.html(
        plots.beside(
            picture(coded.png, "Decoded picture", f"x̂ at λ = {look.rate}"),
            plots.figure(plots.url(amplified), "Error, four times amplified", "x̂ − x, four times amplified"),
            least=200,
        )
    )
    st.markdown(
        f"D = {power(mse, 2)}, {decibels(coded.psnr_db)}. The bargain here: R + λD = {coded.bpp:.3f} + "
        f"{look.rate.lmbda * mse:.3f} = **{coded.bpp + look.rate.lmbda * mse:.3f}**. "
        f"{of_transforms(look, coded.psnr_db)}"
    )


def of_transforms(look: Look, psnr_db: float) -> str:
    """How much of the error of a PSNR is there without rounding too, in words; nothing where there is none."""
    if np.isinf(psnr_db):
        return ""
    alone_db = computed.unrounded_psnr_db(look.picture, "mae", look.rate)
    share = 10 ** ((psnr_db - alone_db) / 10)  # of mean squared errors
    return (
        f"Without rounding the same transforms reach {decibels(alone_db)}: an error of {percent(share)} of D, "
        "which is theirs alone."
    )


@st.cache_data(show_spinner=False)
def counted() -> dict:
    from mae_viz.figures import table1

    return computed.run(table1.counts)


def parameters(look: Look) -> None:
    from mae_viz.figures.table1 import millions

    found = {name: count for name, (count, _) in counted().items()}
    base = found["Bottleneck scaling"]
    rows = [
        {"": name, "parameters": grouped(count), "times one network": f"{count / base:.2f}"}
        for name, count in found.items()
    ]
    table(rows, numbers=("parameters", "times one network"))
    st.caption(
        f"Transforms and modulation, for {len(rates.LMBDAS)} λ; the paper's Table I: the MAE {millions(found['MAE'])}. "
        f"{literal(prose(codec('independent').history))}"
    )


def scaling(look: Look) -> None:
    """Both models at every trained λ on this picture, and what that means."""
    coded = {model: [look.coded(model, rate) for rate in SHOWN] for model in MODELS}
    bpp, db = ([getattr(one, name) for one in coded["mae"]] for name in ("bpp", "psnr_db"))
    figure = chart("bits per pixel", "PSNR [dB]")
    names = [f"λ = {rate}" for rate in SHOWN]
    for model in MODELS:
        x, y = [one.bpp for one in coded[model]], [one.psnr_db for one in coded[model]]
        add(figure, x, y, title(model), codec(model).colour, mode="lines+markers", text=names)
    show(figure, "scaling", "PSNR against bits per pixel of both models on this picture")
    theirs = coded["bottleneck-scaling"]
    excess = [
        (rate, one.bpp / same - 1)
        for rate, one in zip(SHOWN, theirs, strict=True)
        if (same := float(rate_at(bpp, db, one.psnr_db))) == same
    ]
    high, here = (computed.latents(look.picture, "bottleneck-scaling", rate)[0] for rate in (HIGH, look.rate))
    channel = int(np.argmax(np.abs(here).sum(axis=(1, 2))))
    ratio = probe.ratio(high[channel], here[channel])
    said = ""
    if excess:
        (worst, most), (best, least) = (f(excess, key=lambda pair: pair[1]) for f in (max, min))
        said = (
            f"**Bottleneck scaling's bytes beside those of a MAE's file of the same PSNR: {percent(most, '+.0f')} at "
            f"its λ = {worst}, {percent(least, '+.0f')} at its λ = {best}**, the extremes among the trained λ whose "
            "PSNR the MAE reaches too. "
        )
    said += (
        f"At λ = 64, the smallest, its file has {in_bytes(len(theirs[0].stream))}, the MAE's "
        f"{grouped(len(coded['mae'][0].stream))}. "
    )
    at = look.rate
    said += (
        f"y(4096)/y({at}) of its channel {channel} is {number(ratio.mean)} at every place (it varies by "
        f"{power(ratio.constancy)} of that): λ chooses how finely a map is rounded, and nothing else."
    )
    st.markdown(said)
    st.caption(literal(prose(codec("bottleneck-scaling").history)))


def gains(look: Look) -> None:
    lmbdas = [Rate(k).lmbda for k in range(0, rates.LAST_INDEX + 1, 16)]
    model = computed.checkpoint("mae").model
    layer = [layer for layer in probe.layers(model) if layer.part == "g_a"][-1]
    values = probe.gains(layer.modulation, lmbdas)
    values = values / values[-1]
    order = np.argsort(values[0], kind="stable")
    figure = chart("λ", f"gain {layer.name}(λ), relative to λ = 4096")
    for place, colour in zip(np.linspace(0, len(order) - 1, 7).astype(int), HIGHLIGHTS, strict=False):
        channel = int(order[place])
        add(figure, lmbdas, values[:, channel], f"channel {channel}", colour)
    figure.update_xaxes(plots.logarithmic())
    figure.update_yaxes(type="log", exponentformat="power")
    figure.add_vline(look.rate.lmbda, line={"color": plots.INK, "width": 1})
    show(figure, "gains", "Gains of seven channels against λ")
    low, high = (computed.latents(look.picture, "mae", rate)[0] for rate in (LOW, HIGH))
    spent = computed.cost(look.picture, "mae", LOW).y.sum(axis=(1, 2), dtype=np.float64)
    alive = spent >= 1
    scores = computed.run(probe.constancies, high[alive], low[alive])
    st.markdown(
        f"At λ = 64, {int(np.sum(~alive))} of {len(spent)} channels cost less than one bit for the whole picture: they "
        f"are off. Between λ = 64 and 4096 the maps of the other {int(np.sum(alive))} do not only stretch: "
        f"y(4096)/y(64) varies over its places by {percent(float(np.nanmedian(scores)))} of its mean "
        "(the median channel; 0 for bottleneck scaling)."
    )


def between(look: Look) -> None:
    model = computed.checkpoint("mae").model
    for rate in dict.fromkeys((look.rate, BETWEEN)):
        st.markdown("- " + which_tables("mae", rate, *probe.prior_mix(model, rate)))
    below, above, _ = probe.prior_mix(model, BETWEEN)
    channel = int(look.ranked[0])
    reach = 12
    figure = chart("symbol", "probability")
    for rate, colour in ((Rate.near(below), "#2c7fb8"), (BETWEEN, plots.INK), (Rate.near(above), "#c0392b")):
        pmf = probe.prior_pmf(model, rate, reach)[channel]
        add(figure, np.arange(-reach, reach + 1), pmf, f"λ = {rate}", colour)
    show(figure, "between", f"Priors of channel {channel} at three λ")
    estimate = computed.cost(look.picture, "mae", look.rate).bits / 8
    real = len(computed.stream(look.picture, "mae", look.rate))
    st.markdown(
        f"At λ = {look.rate} the estimate is {in_bytes(estimate)}, the file has {grouped(real)} "
        f"({percent(real / estimate - 1, '+.2f')}), header included."
    )


def refined(look: Look) -> None:
    """The MAE on Kodak, coded in one pass and refined, and what was found there."""
    measured = collected.curves(measurements(), "kodak")
    figure = chart("bits per pixel", "PSNR [dB]")
    for curve in ("mae", *(name for name in measured if name.startswith("mae-refined-"))):
        drawn, (name, bpp, db) = palette.drawing(curve), measured[curve]
        add(figure, bpp, db, name, drawn.colour, drawn.dash, mode="lines+markers")
    show(figure, "refined", "PSNR against bits per pixel on Kodak, coded in one pass and refined")
    rows = computed.run(refinement.rows)
    said = [findings.effort(rows), *findings.whose_loss(rows, "bottleneck-scaling"), findings.waking(rows, "mae")]
    st.markdown("\n".join(f"- {literal(sentence)}" for sentence in said))
    st.caption(
        "Measured on Kodak, whatever picture is chosen here: a search takes some seconds for each file. "
        f"In brackets: {percent(0.95)} intervals over the photographs. Notebook 7 has the rest."
    )


# Small parts


def picture(png: bytes, alt: str, caption: str) -> str:
    return plots.figure(computed.data_url(png), alt, caption)


def decoded(coded: Coded) -> np.ndarray:
    """The pixels of a decoded picture, wide enough for differences."""
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(coded.png))).astype(np.int16)


def chart(x: str, y: str) -> "Figure":
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(height=350, margin=plots.MARGIN, legend={"orientation": "h", "y": -0.25})
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    return figure


def add(
    figure: "Figure",
    x: ArrayLike,
    y: ArrayLike,
    name: str,
    colour: str,
    dash: str = "solid",
    mode: str = "lines",
    text: list[str] | None = None,
) -> None:
    import plotly.graph_objects as go

    line = {"color": colour, "dash": dash, "width": 2}
    says = ("%{text}: " if text else "") + "%{x:.4g}, %{y:.4g}"
    figure.add_trace(go.Scatter(x=x, y=y, name=name, mode=mode, line=line, text=text, hovertemplate=says))


def show(figure: "Figure", key: str, alt: str) -> None:
    st.plotly_chart(figure, key=f"figure {key}", config=plots.CONFIG, alt=alt)
