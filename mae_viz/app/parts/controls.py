"""Controls that several pages share, with their values in the address: λ as any number, channels, models."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mae_viz import rates
from mae_viz.codecs.registry import codec
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


def kept(
    key: str,
    start: object,
    options: Container[object] | None = None,
    read: Callable[[str], object] = str,
    write: Callable[[Any], str] = str,
) -> dict:
    """Arguments of a widget whose value the address keeps under ``key``: ``st.selectbox("Layer", names, **kept(…))``.

    Streamlit's own ``bind="query-params"`` replaces the address at a change; here every change is a step of the
    browser's history, so that Back returns to the state before. The value starts at ``start``, which the address
    leaves out, and goes back to it where the address holds what is not among the ``options``.
    """
    value = start
    if key in st.query_params:
        try:
            value = read(st.query_params[key])
        except ValueError:
            value = start
    st.session_state[key] = value if options is None or value in options else start
    return {"key": key, "on_change": lambda: put(key, st.session_state[key], start, write)}


def put(key: str, value: object, start: object, write: Callable[[Any], str] = str) -> None:
    """Write a value into the address, as one step of the browser's history; ``start`` leaves it out."""
    others = {name: text for name, text in st.query_params.to_dict().items() if name != key}
    st.query_params.from_dict(others if value == start else others | {key: write(value)})


def choose(label: str, options: dict[str, str], start: str, key: str, help: str | None = None) -> str:
    """One of a few options, by name in the address, with the label that the button shows."""
    chosen = st.segmented_control(
        label, options, required=True, format_func=options.__getitem__, help=help, **kept(key, start, options)
    )
    return chosen or start  # one always is, which Streamlit's types do not know


def choose_model(label: str, models: Sequence[str], key: str) -> str:
    return choose(label, {model: title(model) for model in models}, models[0], key)


def models() -> tuple[str, ...]:
    """The models of all rates that pages look into; the one with hyperprior where it is there."""
    return (*MODELS, HYPERPRIOR) if HYPERPRIOR in checkpoints.available() else MODELS


def preset(model: str) -> dict[str, str]:
    """What the address of Explore needs for its pictures to be this model's; nothing where they are so anyway."""
    return {"preset": "hyperprior"} if model == HYPERPRIOR else {}


def choose_pair() -> tuple[str, str]:
    """The MAE to look at, without or with hyperprior where one is there, and bottleneck scaling beside it."""
    mae, rival = MODELS
    if HYPERPRIOR not in models():
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
        **kept(key, AUTOMATIC, options),
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
    text = st.selectbox(label, offered, accept_new_options=True, width=130, help=help, **kept(key, f"{start:g}"))
    try:
        return Rate.near(float(text.replace(",", ".")))
    except ValueError:
        st.error(f"{text} is no λ of these models: type a number from 64 to 4096. Shown: λ = {start:g}.")
        return Rate.near(start)
