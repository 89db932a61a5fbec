"""Several codecs at the same bytes, the same rate or the same PSNR: the real files that come nearest."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mae_viz import computing, metrics
from mae_viz.app import computed
from mae_viz.app.computed import Picture
from mae_viz.codecs.interface import AnyRate, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL, codec
from mae_viz.codecs.search import Found, Known, UnreachableError, compress_to
from mae_viz.ladders import ladder
from mae_viz.rates import Rate
from mae_viz.viewer import pane_text

KINDS = {"bytes": "same bytes", "bpp": "same bits per pixel", "psnr_db": "same PSNR"}
UNITS = {"bytes": "bytes", "bpp": "bpp", "psnr_db": "dB"}
FORMS = {"bytes": ",.0f", "bpp": ".4f", "psnr_db": ".2f"}


@dataclass(frozen=True)
class Matched:
    """What a match gave, for the panes that it chose."""

    panes: str
    text: str


def controls(picture: Picture, rate: Rate, panes: list[dict], show: Callable[[list[dict]], None]) -> None:
    """A row of widgets that match the codecs in the panes; ``show`` receives the panes with the rates found."""
    coded = [pane for pane in panes if codec(pane["codec"]) is not ORIGINAL]
    if not coded:
        return
    st.subheader("Match")
    title = codec(lead(coded)["codec"]).title
    kind, value, go = st.columns([2, 3, 2], vertical_alignment="bottom")
    unit = kind.selectbox("Bring all panes to", KINDS, format_func=KINDS.__getitem__, key="match")
    target = value.number_input(
        f"Target in {UNITS[unit]}; empty: what {title} has now", min_value=0.0, value=None, format="%g", key="target"
    )
    if go.button("Match", type="primary", width="stretch"):
        with st.spinner("Coding for the target …", show_time=True):
            found, text = match(picture, rate, coded, unit, target)
        moved = [{**pane, **found.get(pane["codec"], {})} for pane in panes]
        st.session_state["matched"] = Matched(pane_text.write(moved), text)
        show(moved)
        st.rerun()
    matched = st.session_state.get("matched")
    if matched and matched.panes == pane_text.write(panes):
        st.markdown(matched.text)


def lead(panes: list[dict]) -> dict:
    """The pane that the others are brought to: the first that follows λ."""
    return next((pane for pane in panes if isinstance(codec(pane["codec"]).axis, LambdaAxis)), panes[0])


def match(
    picture: Picture, rate: Rate, panes: list[dict], unit: str, target: float | None
) -> tuple[dict[str, dict], str]:
    """For every codec in ``panes`` the rate that meets the target (None: what `lead` has), and a table of them."""
    if not target:
        now = now_shown(picture, rate, lead(panes))
        target = {"bytes": now.bytes, "bpp": metrics.bpp(now.bytes, *picture.image.size[::-1]), "psnr_db": now.psnr_db}[
            unit
        ]
    states, rows, sentences = {}, [], []
    for name in dict.fromkeys(pane["codec"] for pane in panes):
        try:
            found, ms_ssim_db = computed.run(nearest, picture, name, unit, target, known(picture, name))
        except UnreachableError as error:
            low, high = (format(value, FORMS[unit]) for value in (error.low, error.high))
            sentences.append(
                f"**{codec(name).title}** cannot be brought to {target:{FORMS[unit]}} {UNITS[unit]}: the "
                f"range is {low} … {high} {UNITS[unit]}."
            )
            continue
        states[name] = {"follow": "own", "own": found.rate.at}
        rows.append(row(found, ms_ssim_db, unit))
    return states, "\n\n".join([head(unit, target), "\n".join(TABLE + rows) if rows else "", *sentences])


TABLE = ["| codec | rate | bytes | left over | bpp | PSNR | MS-SSIM |", "|---|---|--:|--:|--:|--:|--:|"]


def head(unit: str, target: float) -> str:
    sense = "the smallest file that reaches" if unit == "psnr_db" else "the largest file not above"
    return f"Of each codec {sense} **{target:{FORMS[unit]}} {UNITS[unit]}**:"


def nearest(picture: Picture, name: str, unit: str, target: float, known: list[Known]) -> tuple[Found, float | None]:
    """The file of one codec that meets a target, and its MS-SSIM [dB]."""
    asked: dict[str, Any] = {unit: target}
    found = compress_to(picture.image, name, **asked, known=known, progress=computing.go_on)
    return found, metrics.ms_ssim_db(np.asarray(found.codec.decode(found.stream)), picture.pixels)


def row(found: Found, ms_ssim_db: float | None, unit: str) -> str:
    rate = found.codec.axis.name(found.rate)
    left = f"+{found.left:.3f} dB" if unit == "psnr_db" else f"{100 * found.left:.2f} %"
    quality = "n/a" if ms_ssim_db is None else f"{ms_ssim_db:.2f} dB"
    cells = [rate, f"{found.bytes:,}", left, f"{found.bpp:.4f}", f"{found.psnr_db:.2f} dB", quality]
    return f"| {found.codec.title} | {' | '.join(cell.replace(' ', chr(0xA0)) for cell in cells)} |"  # numbers unbroken


def known(picture: Picture, name: str) -> list[Known]:
    """What the ladder has coded of the picture already."""
    frames = list(ladder.shared().offer(picture.image, name).frames.items())
    return [Known(rate, f.bytes, f.psnr_db) for rate, f in frames if f.bytes and f.psnr_db and math.isfinite(f.psnr_db)]


def now_shown(picture: Picture, rate: Rate, pane: dict) -> Known:
    """The file that a pane shows: of its own rate, or of λ."""
    axis = codec(pane["codec"]).axis
    own, of_lmbda = pane.get("follow") == "own", isinstance(axis, LambdaAxis)
    at = pane["own"] if own else rate.at if of_lmbda else axis.start.at
    there = axis.at(min(max(at, axis.first.at), axis.last.at))
    assert there is not None  # it lies on the axis
    return shown(picture, pane["codec"], there)


def shown(picture: Picture, name: str, rate: AnyRate) -> Known:
    """The file that the viewer shows of a codec at a rate."""
    ladders = ladder.shared()
    frame = ladders.frame(ladders.offer(picture.image, name), rate)
    assert frame.bytes is not None  # those of an original alone are
    assert frame.psnr_db is not None
    return Known(rate, frame.bytes, frame.psnr_db)


def equal_bytes(picture: Picture, rate: Rate, model: str, other: str) -> tuple[Known, Found]:
    """One model's file at a rate, and the largest of another's that is not above it."""
    first = shown(picture, model, rate)
    return first, computed.run(nearest, picture, other, "bytes", first.bytes, known(picture, other))[0]
