"""Controls that several pages share: λ as any number, and the two models that the pages compare."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mae_viz import ladder, rates

MODELS = ("mae", "bottleneck-scaling")


def title(model: str) -> str:
    """What a model is called in the app."""
    return ladder.source(model).title


def named(index: int) -> str:
    """λ of a rate index, as text: "4096", "702.2"."""
    return f"{rates.at_index(index):.4g}"


def row() -> DeltaGenerator:
    """A row of controls or links, which goes on in the next line where a screen is narrow."""
    return st.container(horizontal=True, gap="medium", vertical_alignment="top")


def choose_rate(label: str, start: float, key: str, about: str | None = None) -> int:
    """λ, one of the trained ones or typed, kept in the address under ``key``. Returns its rate index.

    Where what was typed is no λ, a sentence says so and the page goes on with ``start``.
    """
    offered = sorted({*rates.LMBDAS, start})
    text = st.selectbox(
        label,
        [f"{lmbda:g}" for lmbda in offered],
        index=offered.index(start),
        key=key,
        bind="query-params",
        accept_new_options=True,
        width=130,
        help=about
        or "Choose a trained λ, or type any number from 64 to 4096: it moves to the nearest λ that a file "
        "can name, 1/64 octave apart.",
    )
    try:
        return rates.grid_index(float(str(text).replace(",", ".")))
    except ValueError:
        st.error(f"{text} is no λ of these models: type a number from 64 to 4096. Shown: λ = {start:g}.")
        return rates.grid_index(start)
