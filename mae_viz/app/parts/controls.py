"""Controls that several pages share, with their values in the address: λ as any number, channels, models."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mae_viz import rates
from mae_viz.app import address
from mae_viz.app.parts.literal import literal
from mae_viz.codecs.registry import codec, names
from mae_viz.coding import checkpoints
from mae_viz.rates import Rate

HYPERPRIOR = "mae-hyperprior"
MODELS = ("mae", "bottleneck-scaling")
AUTOMATIC = "auto"
TYPE_ANY = (
    "Choose a trained λ, or type any number from 64 to 4096: it moves to the nearest λ that a file can name, "
    "1/64 octave apart."
)


def title(model: str) -> str:
    """What a model is called in the app."""
    return codec(model).title


def choose(label: str, options: dict[str, str], start: str, key: str, help: str | None = None) -> str:
    """One of a few options, by name in the address, with the label that the button shows."""
    asked = address.held(key, start, options)
    chosen = st.segmented_control(label, options, required=True, format_func=options.__getitem__, help=help, **asked)
    return chosen or start  # one always is, which Streamlit's types do not know


def choose_model(label: str, models: Sequence[str], key: str) -> str:
    return choose(label, {model: title(model) for model in models}, models[0], key)


def models() -> tuple[str, ...]:
    """The models of all rates that pages look into; the one with hyperprior where it is there."""
    return tuple(name for name in (*MODELS, HYPERPRIOR) if name in names())


def preset(model: str) -> dict[str, str]:
    """What the laboratory's address needs to show this model's pictures; nothing where it does so anyway."""
    return {"show": "hyperprior"} if checkpoints.facts(model).hyperprior else {}


def choose_pair() -> tuple[str, str]:
    """The MAE to look at, without or with hyperprior where one is there, and bottleneck scaling beside it."""
    mae, rival = MODELS
    if len(models()) == len(MODELS):
        return MODELS
    return choose("MAE", {mae: "without hyperprior", HYPERPRIOR: "with hyperprior"}, mae, "mae"), rival


def choose_channel(label: str, automatic: str, order: Sequence[int], key: str, help: str | None = None) -> int | None:
    """A channel from a list, or None for the first of the list's entries, which a page explains as ``automatic``."""
    options = [AUTOMATIC, *map(str, order)]
    choice = st.selectbox(
        label,
        options,
        format_func=lambda name: automatic if name == AUTOMATIC else name,
        help=help,
        width=250,
        **address.held(key, AUTOMATIC, options),
    )
    return None if choice == AUTOMATIC else int(choice)


def row() -> DeltaGenerator:
    """A row of controls or links, which goes on in the next line where a screen is narrow."""
    return st.container(horizontal=True, gap="medium", vertical_alignment="top")


def choose_rate(label: str, start: float, key: str, help: str = TYPE_ANY) -> Rate:
    """λ, one of the trained ones or typed, kept in the address under ``key``.

    Where what was typed is no λ, a sentence says so and the page goes on with ``start``.
    """
    offered = [f"{lmbda:g}" for lmbda in sorted({*rates.LMBDAS, start})]
    text = st.selectbox(
        label, offered, accept_new_options=True, width=130, help=help, **address.held(key, f"{start:g}")
    )
    try:
        asked = float(text.replace(",", "."))
        rate = Rate.near(asked)
        if abs(rate.lmbda / asked - 1) > 1e-4:
            st.caption(f"A file names λ in steps of 1/64 octave: {asked:g} is {rate}.", width=190)
        return rate
    except ValueError:
        st.error(f"{literal(text)} is no λ of these models: type a number from 64 to 4096. Shown: λ = {start:g}.")
        return Rate.near(start)
