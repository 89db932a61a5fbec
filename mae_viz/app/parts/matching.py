"""Every codec at the same rate, the same bytes or the same PSNR: the real files that come nearest, and which wins.

What is asked for lies in the address as ``match``: "bpp@0.3", "bytes@14000", "psnr_db@32".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from mae_viz import computing, metrics
from mae_viz.app import address, computed
from mae_viz.app.computed import Picture
from mae_viz.app.parts.literal import literal
from mae_viz.codecs.interface import AnyRate, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL, codec, names
from mae_viz.codecs.search import Found, Known, UnreachableError, compress_to
from mae_viz.ladders import ladder
from mae_viz.numbers import NARROW, decibels, grouped, in_bytes, percent
from mae_viz.rates import Rate

KINDS = {"bpp": "bits per pixel", "bytes": "bytes", "psnr_db": "dB of PSNR"}
UNITS = {"bytes": "bytes", "bpp": "bpp", "psnr_db": "dB"}
FORMS = {"bytes": ",.0f", "bpp": ".4f", "psnr_db": ".2f"}
FIRST = {"bpp": 0.3, "bytes": None, "psnr_db": None}
"""What is asked for at first."""


@dataclass(frozen=True)
class Target:
    """What every codec is to meet: so many ``bytes`` or ``bpp`` at most, or so many ``psnr_db`` at least."""

    unit: str
    value: float

    def __str__(self) -> str:
        form = ".4g" if self.unit == "bpp" else FORMS[self.unit]
        return f"{grouped(self.value, form)}{NARROW}{UNITS[self.unit]}"

    @property
    def text(self) -> str:
        return f"{self.unit}@{self.value:.7g}"

    @classmethod
    def read(cls, text: str) -> "Target | None":
        """The reverse of `text`; None for anything else."""
        unit, _, value = text.partition("@")
        try:
            number = float(value)
        except ValueError:
            return None
        return cls(unit, number) if unit in KINDS and 0 < number < math.inf else None


@dataclass(frozen=True)
class Row:
    """The file of one codec that comes nearest to a target from the right side; see `codecs.search.Found`."""

    codec: str
    rate: AnyRate
    bytes: int
    bpp: float
    psnr_db: float
    ms_ssim_db: float | None
    left: float


@dataclass(frozen=True)
class OutOfReach:
    """A codec that no rate brings to a target; ``low`` and ``high`` bound what it can do, in the target's unit."""

    codec: str
    low: float
    high: float


Answer = Row | OutOfReach
Show = Callable[[list[dict]], None]
"""Brings two panes onto the stage, under the wipe."""


def controls(picture: Picture, rate: Rate, panes: list[dict], show: Show) -> None:
    """Asks for a target, and shows which codec wins; the stage stays as it is until two of them are opened on it."""
    st.subheader("Which codec wins?")
    asked = Target.read(address.read("match"))
    kind, value, go = st.columns([2, 3, 2], vertical_alignment="bottom")
    units = list(KINDS)
    unit = kind.selectbox(
        "All codecs at the same", units, units.index(asked.unit) if asked else 0, format_func=KINDS.__getitem__
    )
    coded = [pane for pane in panes if codec(pane["codec"]) is not ORIGINAL]
    of_lead = f"; empty: what {_title(lead(coded)['codec'])} has now" if coded else ""
    typed = value.number_input(
        f"Target in {UNITS[unit]}{of_lead}",
        min_value=0.0,
        value=asked.value if asked and asked.unit == unit else FIRST[unit],
        format="%g",
    )
    if go.button("Compare all codecs", type="primary", width="stretch", disabled=not (typed or coded)):
        target = Target(unit, typed or now_shown(picture, rate, lead(coded), unit))
        address.turn_to({"match": target.text})
        st.rerun()
    if asked:
        answered(answers(picture, asked), asked, show)


def answered(found: list[Answer], target: Target, show: Show) -> None:
    """The winner in a sentence, all codecs in a table, and any two of them under the wipe."""
    rows = [row for row in found if isinstance(row, Row)]
    st.markdown("\n\n".join([winners(rows, target), table(rows, target), out_of_reach(found, target)]))
    if len(rows) < 2:
        return

    def open_two() -> None:
        if len(st.session_state["two"]) == 2:
            rates = {row.codec: row.rate.at for row in rows}
            two = [{"codec": name, "follow": "own", "own": rates[name]} for name in st.session_state["two"]]
            st.session_state["two"] = []
            show(two)

    st.pills(
        "Open two of them under the wipe",
        [row.codec for row in rows],
        selection_mode="multi",
        format_func=_title,
        key="two",
        on_change=open_two,
    )


def answers(picture: Picture, target: Target) -> list[Answer]:
    """What every codec answers, one after another: meanwhile the other workers serve the stage."""
    asked = names()
    bar = st.progress(0.0)
    out = []
    for done, name in enumerate(asked):
        bar.progress(done / len(asked), f"{_title(name)}: coding for {target} … {done} of {len(asked)} codecs")
        out.append(_answer(picture.key, picture, name, codec(name).identity, target))
    bar.empty()
    return out


@computed.kept(400)
def _answer(key: str, _picture: Picture, name: str, identity: str, target: Target) -> Answer:
    try:
        return computed.run(
            nearest, _picture, name, target, known(_picture, name), large=_picture.large, urgency=computing.SOON
        )
    except UnreachableError as error:
        return OutOfReach(name, error.low, error.high)


def nearest(picture: Picture, name: str, target: Target, known: list[Known]) -> Row:
    """The file of one codec that meets a target. Raises UnreachableError."""
    found = _search(picture, name, target, known)
    ms_ssim_db = metrics.ms_ssim_db(np.asarray(found.codec.reconstruct(picture.image, found.stream)), picture.pixels)
    return Row(name, found.rate, found.bytes, found.bpp, found.psnr_db, ms_ssim_db, found.left)


def _search(picture: Picture, name: str, target: Target, known: list[Known]) -> Found:
    asked: dict[str, Any] = {target.unit: target.value}
    return compress_to(picture.image, name, **asked, known=known, progress=computing.go_on)


def winners(rows: list[Row], target: Target) -> str:
    """The sentence: who is best, by what."""
    if not rows:
        return f"**No codec here can be brought to {target}.**"

    def title(row: Row) -> str:
        return f"**{_title(row.codec)}**"

    judged = [row for row in rows if row.ms_ssim_db is not None]
    if target.unit == "psnr_db":
        first, *others = sorted(rows, key=lambda row: row.bytes)
        more = f"; next is {title(others[0])} with {grouped(others[0].bytes)}" if others else ""
        return f"{title(first)} has the smallest file that reaches {target}: {in_bytes(first.bytes)}{more}."
    best = max(rows, key=lambda row: row.psnr_db)
    by_psnr = f"Within {target}, {title(best)} has the highest PSNR, {decibels(best.psnr_db)}"
    if not judged:
        return f"{by_psnr} (the picture is too small for MS-SSIM)."
    sharp = max(judged, key=lambda row: row.ms_ssim_db or 0)
    also = "and also" if sharp is best else title(sharp)
    return f"{by_psnr}, {also} the highest MS-SSIM, {decibels(sharp.ms_ssim_db or 0)}."


def table(rows: list[Row], target: Target) -> str:
    """Codecs from the best down, the best numbers with a star."""
    if not rows:
        return ""
    by_psnr = target.unit == "psnr_db"
    ordered = sorted(rows, key=lambda row: row.bytes if by_psnr else -row.psnr_db)
    sense = "the smallest file that reaches" if by_psnr else "the largest file not above"
    least = min(row.bytes for row in rows) if by_psnr else None
    most = None if by_psnr else max(row.psnr_db for row in rows)
    most_ms_ssim = max((row.ms_ssim_db for row in rows if row.ms_ssim_db is not None), default=None)

    def star(text: str, value: float | None, best: float | None) -> str:
        return f"**{text}** ★" if best is not None and value == best else text

    lines = ["| codec | rate | bytes | left over | bpp | PSNR | MS-SSIM |", "|---|---|--:|--:|--:|--:|--:|"]
    for row in ordered:
        cells = [
            codec(row.codec).axis.name(row.rate),
            star(grouped(row.bytes), row.bytes, least),
            decibels(row.left, "+.3f") if by_psnr else percent(row.left, ".2f"),
            f"{row.bpp:.4f}",
            star(decibels(row.psnr_db), row.psnr_db, most),
            "n/a" if row.ms_ssim_db is None else star(decibels(row.ms_ssim_db), row.ms_ssim_db, most_ms_ssim),
        ]
        unbroken = [cell.replace(" ", chr(0xA0)) for cell in cells]
        lines.append(f"| {_title(row.codec)} | {' | '.join(unbroken)} |")
    return f"Of each codec {sense} {target}; a star marks the best:\n\n" + "\n".join(lines)


def out_of_reach(found: list[Answer], target: Target) -> str:
    form, unit = FORMS[target.unit], UNITS[target.unit]
    return "\n\n".join(
        f"{_title(one.codec)} cannot be brought to {target}: it can give {grouped(one.low, form)} … "
        f"{grouped(one.high, form)}{NARROW}{unit}."
        for one in found
        if isinstance(one, OutOfReach)
    )


def lead(panes: list[dict]) -> dict:
    """The pane that the others are brought to: the first that follows λ."""
    return next((pane for pane in panes if isinstance(codec(pane["codec"]).axis, LambdaAxis)), panes[0])


def known(picture: Picture, name: str) -> list[Known]:
    """What the ladder has coded of the picture already."""
    frames = list(ladder.shared().offer(picture.image, name).frames.items())
    return [Known(rate, f.bytes, f.psnr_db) for rate, f in frames if f.bytes and f.psnr_db and math.isfinite(f.psnr_db)]


def now_shown(picture: Picture, rate: Rate, pane: dict, unit: str) -> float:
    """What the file has that a pane shows: of its own rate, or of λ."""
    axis = codec(pane["codec"]).axis
    own, of_lmbda = pane.get("follow") == "own", isinstance(axis, LambdaAxis)
    at = pane["own"] if own else rate.at if of_lmbda else axis.start.at
    there = axis.at(min(max(at, axis.first.at), axis.last.at))
    assert there is not None  # it lies on the axis
    file = shown(picture, pane["codec"], there)
    bpp = metrics.bpp(file.bytes, *picture.image.size[::-1])
    return {"bytes": file.bytes, "bpp": bpp, "psnr_db": file.psnr_db}[unit]


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
    return first, computed.run(_search, picture, other, Target("bytes", first.bytes), known(picture, other))


def _title(name: str) -> str:
    return literal(codec(name).title)
