"""Page *Feature maps*: the bottleneck's channels at two λ and their ratio, as in the paper's Fig. 4, on any picture."""

from contextlib import suppress

import numpy as np
import streamlit as st

from mae_viz import probe
from mae_viz.app import address, computed, site
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, plots, subject
from mae_viz.app.parts.contact_sheet import contact_sheet
from mae_viz.app.parts.controls import title
from mae_viz.app.parts.literal import literal
from mae_viz.codecs.interface import FRAME_STEP
from mae_viz.numbers import decibels, grouped, in_bits, in_bytes, number, percent, power, share
from mae_viz.rates import LAST_INDEX, Rate

FIRST, SECOND, RATIO = "first", "second", "ratio"
SHEETS = {FIRST: "maps at λ₁", SECOND: "maps at λ₂", RATIO: "ratio λ₁ / λ₂"}
BITS, CONSTANCY = "bits", "constancy"
RANKINGS = {BITS: "bits at λ₁", CONSTANCY: "constancy score"}
OWN, SAME = "own", "same"
SCALES = {OWN: "own scale", SAME: "same scale"}
NO = "no"
ALIVE = 0.5
"""|y| that a channel must reach somewhere to count as alive."""


def page() -> None:
    with site.bar():
        picture = subject.choose()
    st.title("Feature maps")
    st.markdown(
        "What does λ do to the bottleneck? Divide a channel at a high λ by the same channel at a low one. **Look for "
        "structure in the ratio**: under bottleneck scaling there can be none, λ is one number per channel; under the "
        "MAE it may differ from place to place (the paper's Fig. 4). The numbers say by how much, and whether it "
        "follows the picture's contrast."
    )
    if picture is None:
        return
    subject.caption()
    choose_both()
    with controls.row():
        pair = controls.choose_pair()
        high = controls.choose_rate("λ₁", 4096.0, "lambda")
        low = controls.choose_rate("λ₂ (divisor)", 64.0, "base")
        ranking = controls.choose("Ranked by", RANKINGS, BITS, "rank")
        scale = controls.choose(
            "Colours of the maps",
            SCALES,
            OWN,
            "scale",
            "Own: each map from minus to plus its largest size. Same: both maps of a channel by the larger of the two.",
        )
    with st.spinner("Running both encoders at both λ …", show_time=True):
        looked = {name: Look(picture, name, high, low) for name in pair}
    channels = choose_channels(looked, ranking)
    with st.container(key="figure"):
        show_channel(picture, looked, channels, scale)
    with controls.row():
        model = controls.choose_model("Sheet of", pair, "of")
        sheet = controls.choose("Sheet", SHEETS, FIRST, "sheet")
    show_sheet(looked[model], sheet, ranking, scale)
    say_what_all_channels_do(looked)
    switch_off(picture, looked, channels)
    links(pair[0], channels[pair[0]], high, low)


def choose_both() -> None:
    """λ₁ and λ₂ on one slider, in quarter octaves; the boxes below it take any other λ."""

    def keep() -> None:
        low, high = st.session_state[key]
        address.turn_to({"lambda": None if high == 4096 else f"{high:g}", "base": None if low == 64 else f"{low:g}"})

    def said(key: str, start: float) -> float:
        with suppress(ValueError):
            return Rate.near(float(address.read(key, f"{start:g}"))).lmbda
        return start

    low, high = sorted((said("base", 64.0), said("lambda", 4096.0)))
    grid = {Rate(index).lmbda for index in range(0, LAST_INDEX + 1, FRAME_STEP)}
    key = f"both {low} {high}"  # a slider of two ends takes these from its arguments alone: others are another slider
    st.select_slider(
        "λ₂ (divisor) and λ₁, in octaves",
        sorted(grid | {low, high}),
        (low, high),
        format_func="{:.4g}".format,
        key=key,
        on_change=keep,
    )


class Look:
    """One model's latents of a picture at two λ."""

    def __init__(self, picture: Picture, model: str, high: Rate, low: Rate):
        self.model, self.rates, self.large = model, (high, low), picture.large
        network = computed.checkpoint(model).model
        self.modulated, self.stride = network.facts.modulated, network.stride
        (y1, bits), (y2, _) = (computed.latents(picture, model, rate) for rate in self.rates)
        self.maps = (y1, y2)
        self.bits = bits.sum(axis=(1, 2), dtype=np.float64)
        self.ratios = computed.run(lambda: list(map(probe.ratio, y1, y2)), large=self.large)
        self.constancy = np.array([ratio.constancy for ratio in self.ratios])
        self.alive = [np.abs(y).max(axis=(1, 2)) >= ALIVE for y in self.maps]

    def ranked(self, ranking: str) -> list[int]:
        """Channels by bits at λ₁, or by constancy score, the highest first; those that are off at λ₂ last."""
        score = self.bits if ranking == BITS else np.nan_to_num(self.constancy, nan=-1, posinf=1e30)
        return np.argsort(-score, kind="stable").tolist()

    def label(self, channel: int) -> str:
        off = "" if self.alive[1][channel] else ", off at λ₂"
        part = percent(self.bits[channel] / self.bits.sum(), ".1f")
        return f"channel {channel}: {part} of the bits, constancy score {score_text(self.constancy[channel])}{off}"

    def colours(self, channel: int, what: str, scale: str) -> np.ndarray:
        """RGBA of what the sheet calls ``what``."""
        if what == RATIO:
            ratio = self.ratios[channel]
            return (
                plots.coloured("ratio", ratio.values, ratio.mean)
                if self.modulated
                else plots.flat(ratio.values, self.model)
            )
        k = (FIRST, SECOND).index(what)
        return plots.coloured("y", self.maps[k][channel], self.top(channel, k, scale))

    def top(self, channel: int, k: int, scale: str) -> float:
        """The largest |y| that the colours of a channel's map at λ₁ (k = 0) or λ₂ (k = 1) reach to."""
        tops = [float(np.abs(y[channel]).max()) for y in self.maps]
        return max(tops) if scale == SAME else tops[k]


def score_text(score: float) -> str:
    return power(score) if 0 < score < 1e-3 else number(score)


def show_sheet(look: Look, sheet: str, ranking: str, scale: str) -> None:
    """All channels; a click chooses one, for the model that the sheet shows."""
    order = look.ranked(ranking)
    key = "channel" if look.modulated else "partner"
    named = address.read(key)
    chosen = int(named) if named in map(str, order) else order[0] if key == "channel" else -1

    def choose() -> None:
        address.turn_to({key: str(st.session_state["contact-sheet"].chosen)})

    st.caption(
        f"All {len(order)} channels of {title(look.model)}, {SHEETS[sheet]}, the highest {RANKINGS[ranking]} first. "
        "Click one, or walk with Tab and the arrow keys and press Enter: it stands above at once. Dashed: "
        "off at λ₂, where |y| stays below ½."
    )
    maps = computed.run(lambda: np.stack([look.colours(c, sheet, scale) for c in range(len(order))]), large=look.large)
    labels = [look.label(c) for c in range(len(order))]
    off = np.flatnonzero(~look.alive[1]).tolist()
    contact_sheet(maps, order, labels, chosen, off, f"Channels of {title(look.model)}", "contact-sheet", choose)


def choose_channels(looked: dict[str, Look], ranking: str) -> dict[str, int]:
    """The MAE's channel, and the channel of bottleneck scaling that stands beside it."""
    mae, scaling = looked.values()
    with controls.row():
        channel = controls.choose_channel(
            f"Channel of {title(mae.model)}", "the first of its ranking", mae.ranked(ranking), "channel"
        )
        partner = controls.choose_channel(
            f"Channel of {title(scaling.model)} beside it",
            "the one most alike",
            scaling.ranked(ranking),
            "partner",
            "The two networks number their channels independently: the one most alike has the largest |correlation| "
            "with the MAE's map at λ₁.",
        )
    channel = mae.ranked(ranking)[0] if channel is None else channel
    like, alike = computed.run(probe.most_alike, mae.maps[0][channel], scaling.maps[0], large=mae.large)
    if partner is None:
        st.caption(
            f"Channel {like} of bottleneck scaling: its |correlation| with the MAE's channel {channel} at λ₁ is "
            f"{alike:.2f}."
        )
    return {mae.model: channel, scaling.model: like if partner is None else partner}


def show_channel(picture: Picture, looked: dict[str, Look], channels: dict[str, int], scale: str) -> None:
    """Maps at both λ and ratio, of both models, with the numbers beside them."""
    for row, (model, look) in enumerate(looked.items()):
        c = channels[model]
        ratio = look.ratios[c]
        ranges = [(float(y[c].min()), float(y[c].max())) for y in look.maps]
        said = describe(look, c, ranges) + (follows(picture, ratio, look) if look.modulated else "")
        facts = f'<div style="font-size:0.875rem;word-break:keep-all">{said}</div>'
        if row == 0:
            facts = f"<div>{facts}{plots.figure(plots.url(small(picture)), picture.name, '')}</div>"
        cells = [facts]
        for k, (low, high) in enumerate(ranges):
            name, top = f"λ = {look.rates[k]}", look.top(c, k, scale)
            cells.append(
                plots.figure(
                    plots.url(look.colours(c, (FIRST, SECOND)[k], scale)),
                    f"{title(model)}, channel {c}, {name}",
                    f"<b>{name}</b>: {number(low)} … {number(high)}",
                    bar=plots.colour_bar("y", [number(-top), "0", number(top)]),
                )
            )
        kept = ratio.values[~np.isnan(ratio.values)]
        negative = f"{share(float(np.mean(kept < 0)))} of the others negative" if len(kept) else "none left"
        cells.append(
            plots.figure(
                plots.url(look.colours(c, RATIO, scale)),
                f"{title(model)}, channel {c}: ratio",
                f"<b>ratio</b>: mean {number(ratio.mean)}; {share(ratio.masked_share)} masked, {negative}",
                value=None if look.modulated else number(ratio.mean),
                bar=plots.ratio_bar(ratio.mean) if look.modulated else "",
            )
        )
        st.html(plots.beside(*cells, least=160))
    st.caption(
        "Under a ratio: its mean in the middle, a quarter and four times of it at the ends; lower bar: negative. "
        f"Hatched: masked, |y(λ₂)| is under {percent(probe.MASK_SHARE)} of its channel's largest. "
        "**Constancy score**: standard deviation over |mean| of the ratio at the other places, weighted by y(λ₂)². "
        f"One place is 16 × 16 pixels of {literal(picture.name)}."
    )


def follows(picture: Picture, ratio: probe.Ratio, look: Look) -> str:
    """How a ratio goes with the contrast of the picture, as HTML; nothing where too few places are left."""
    contrast = computed.run(probe.contrast, picture.image, look.stride, large=picture.large)
    r = probe.ratio_and_contrast(ratio, contrast)
    return "" if np.isnan(r) else f"<br>correlation of log₂ ratio with the picture's contrast: {number(r)}"


def small(picture: Picture) -> np.ndarray:
    """The picture, to stand beside its maps."""
    reduced = picture.image.copy()
    reduced.thumbnail((480, 480))
    return np.asarray(reduced)


def describe(look: Look, c: int, ranges: list[tuple[float, float]]) -> str:
    """The numbers of a channel, as HTML."""
    width = [high - low for low, high in ranges]
    wider = f", {number(width[0] / width[1])} times as wide as at&nbsp;λ₂" if width[1] > 0 else ""
    score = look.constancy[c]
    if np.isnan(score):
        verdict = "the channel is off at λ₂: there is nothing to divide by"
    elif not look.modulated:
        known = f"constant by construction (below {power(1e-5)}), it is s(λ₁)/s(λ₂)"
        verdict = f"constancy score {score_text(score)}: {known}"
    else:
        verdict = f"constancy score {score_text(score)}: the ratio varies by {percent(score)} of its mean"
    part = percent(look.bits[c] / look.bits.sum(), ".1f")
    return (
        f"<b>{title(look.model)}, channel {c}</b><br>{in_bits(look.bits[c])} at λ₁ ({part} of all)<br>"
        f"range {number(width[0])} at λ₁{wider}<br>{verdict}"
    )


def say_what_all_channels_do(looked: dict[str, Look]) -> None:
    """The paper's two observations, counted over all channels of this picture."""
    lines = []
    for look in looked.values():
        y1, y2 = (y.max(axis=(1, 2)) - y.min(axis=(1, 2)) for y in look.maps)
        alive = look.alive
        scores = look.constancy[np.isfinite(look.constancy) & alive[1]]
        lines.append(
            f"- **{title(look.model)}**: the range of values is larger at λ₁ = {look.rates[0]} than at λ₂ = "
            f"{look.rates[1]} in {np.sum(y1 > y2)} of {len(y1)} channels. {np.sum(alive[0])} channels are alive "
            f"(|y| reaches ½ somewhere) at λ₁, {np.sum(alive[1])} at λ₂. Constancy score of those alive at λ₂: "
            f"{score_text(np.median(scores))} at the median, {score_text(scores.max())} at most."
        )
    st.markdown(
        "The paper remarks that the range of values is larger at λ = 4096 than at λ = 64, and that the ratio of the "
        "MAE is no constant. On this picture, over all channels:\n\n" + "\n".join(lines)
    )


def switch_off(picture: Picture, looked: dict[str, Look], channels: dict[str, int]) -> None:
    """What the file and the picture lose without the chosen channel."""
    st.subheader("Switch the channel off")
    options = {
        f"{model}-{which}": (model, rate)
        for model, look in looked.items()
        for which, rate in zip((FIRST, SECOND), look.rates, strict=True)
    }
    labels = {name: f"{title(model)}, λ = {rate}" for name, (model, rate) in options.items()}
    chosen = controls.choose("Decode without it", {NO: "no"} | labels, NO, "off")
    if chosen == NO:
        st.caption(
            "All its symbols become 0, the decoder sees the prior's median everywhere: which part of the picture goes, "
            "and how many bits with it?"
        )
        return
    model, rate = options[chosen]
    channel = channels[model]
    with st.spinner("Writing and decoding both files …", show_time=True):
        off = computed.switched_off(picture, model, rate, channel)
        spent = computed.cost(picture, model, rate).y[channel].sum(dtype=np.float64)
    saved = len(off.before) - len(off.after)
    median = probe.medians(computed.checkpoint(model).model, rate)[channel]
    change = decibels(off.after_db - off.before_db, "+.2f")
    st.markdown(
        f"{title(model)} at λ = {rate} without channel {channel} (its symbols 0, ŷ = {number(median)}, the "
        f"prior's median): the real file shrinks by **{in_bytes(saved)}** ({in_bits(8 * saved)}), from "
        f"{grouped(len(off.before))} to {grouped(len(off.after))}; by the entropy estimate the channel's symbols cost "
        f"{in_bits(spent)}. PSNR changes by **{change}**, from {off.before_db:.2f} to {decibels(off.after_db)}. "
        "Both pictures are what the decoder makes of the files."
    )
    difference = off.after_pixels.astype(np.int16) - off.before_pixels
    amplified = np.clip(128 + 4 * difference, 0, 255).astype(np.uint8)
    st.html(
        plots.beside(
            plots.figure(plots.url(off.before_pixels), f"decoded with channel {channel}", "with the channel"),
            plots.figure(plots.url(off.after_pixels), f"decoded without channel {channel}", "without it"),
            plots.figure(plots.url(amplified), "difference", "without − with, 4 times, about a middle grey"),
            least=230,
        )
    )


def links(model: str, channel: int, high: Rate, low: Rate) -> None:
    maps = f"{model}:y.{channel},{model}:y.{channel}@{low},{model}:ratio.{channel}/{low},original"
    with controls.row():
        site.link("laboratory", "These maps in the laboratory, with zoom", lambda_=high, panes=maps, mode="side")
        site.link("bits", "The bits of this channel and their prior", lambda_=high, channel=channel, mae=model)
        site.link("gains", "The gains that do it", channels=channel, model=model)
