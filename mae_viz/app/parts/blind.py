"""A blind test: the MAE against bottleneck scaling at equal bytes, called A and B in an order drawn by chance."""

import secrets
from dataclasses import dataclass

import streamlit as st

from mae_viz import viewer
from mae_viz.app.computed import Picture
from mae_viz.app.parts import matching
from mae_viz.codecs.interface import FRAME_STEP, AnyRate
from mae_viz.codecs.registry import codec
from mae_viz.codecs.search import UnreachableError
from mae_viz.ladders import ladder
from mae_viz.numbers import decibels, in_bytes, percent
from mae_viz.rates import Rate
from mae_viz.viewer import streamlit_host

PAIR = ("mae", "bottleneck-scaling")
ANSWERS = ("A looks better", "B looks better", "I see no difference")
DRAWN = [Rate(index) for index in range(0, Rate.near(1024).index + 1, FRAME_STEP)]
"""λ of the MAE that a round may have: above λ = 1024 hardly anyone sees a difference."""


@dataclass
class Round:
    """Two files of one picture; ``order`` are the models behind A and B."""

    picture: str
    order: tuple[str, str]
    rates: dict[str, AnyRate]
    bytes: dict[str, int]
    answer: str | None = None


def running() -> bool:
    return st.session_state.get("blind", False)


def offer() -> None:
    st.subheader("Blind test")
    st.markdown(
        "Which of the two would you rather have, if you did not know? Equal bytes, no names, any number of rounds."
    )
    st.button("Start a blind test", on_click=lambda: st.session_state.update(blind=True, round=None))


def page(picture: Picture) -> None:
    """A round on this picture in the place of the viewer."""
    st.markdown(
        "**A** and **B** are the same photograph in files of equal size, one by the MAE, one by bottleneck scaling. "
        "Look for blurred texture and ringing edges: zoom in, wipe, blink; key O shows the original."
    )
    now: Round | None = st.session_state.get("round")
    if now is None or now.picture != picture.key:
        with st.spinner("Coding a pair of equal size …", show_time=True):
            now = st.session_state["round"] = draw(picture)
    with st.container(horizontal=True):
        if now.answer is None:
            for answer in ANSWERS:
                st.button(answer, on_click=give, args=(answer,))
        else:
            st.button("Next round", type="primary", on_click=lambda: st.session_state.update(round=None))
        st.button("End the test", on_click=lambda: st.session_state.update(blind=False, round=None))
    if now.answer:
        reveal(picture, now)
    tally()
    panes = [{"codec": name, "layer": "picture", "follow": "own", "own": now.rates[name].at} for name in now.order]
    manifest = viewer.manifest(
        ladder.shared(), picture.image, "A and B", codecs=PAIR, panes=panes, blind=now.answer is None
    )
    streamlit_host.viewer(manifest, key=f"blind {'-'.join(map(str, now.rates.values()))} {now.order[0]}")


def draw(picture: Picture) -> Round:
    """Two files of equal size at a rate drawn by chance, in an order drawn by chance."""
    drawn = list(DRAWN)
    while True:
        rate = drawn.pop(secrets.randbelow(len(drawn)))
        try:
            first, second = matching.equal_bytes(picture, rate, *PAIR)
        except UnreachableError:
            if not drawn:
                raise
            continue  # bottleneck scaling cannot make a file so small: another rate
        order = PAIR if secrets.randbelow(2) else PAIR[::-1]
        found = dict(zip(PAIR, (rate, second.rate), strict=True))
        return Round(picture.key, order, found, dict(zip(PAIR, (first.bytes, second.bytes), strict=True)))


def give(answer: str) -> None:
    """The person's answer: into the round and the tally."""
    now: Round = st.session_state["round"]
    now.answer = answer
    preferred = dict(zip(ANSWERS, (*now.order, "neither"), strict=True))[answer]
    counts = st.session_state.setdefault("tally", dict.fromkeys((*PAIR, "neither"), 0))
    counts[preferred] += 1


def reveal(picture: Picture, now: Round) -> None:
    lines = []
    for letter, name in zip("AB", now.order, strict=True):
        rate = now.rates[name]
        psnr = matching.shown(picture, name, rate).psnr_db
        lines.append(
            f"**{letter}** was {codec(name).title}, λ = {rate}: {in_bytes(now.bytes[name])}, PSNR {decibels(psnr)}"
        )
    most, least = max(now.bytes.values()), min(now.bytes.values())
    st.success(f"{now.answer}. {'. '.join(lines)}. The two files differ by {percent(1 - least / most, '.2f')}.")


def tally() -> None:
    counts = st.session_state.get("tally")
    if counts:
        mae, scaling, neither = counts.values()
        st.markdown(f"**So far:** MAE {mae}, bottleneck scaling {scaling}, no difference {neither}.")
