"""Channels that are off at a low λ: where each wakes on the way up, and what the file grows by there."""

from itertools import pairwise

import numpy as np
import streamlit as st

from mae_viz.app import computed
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, plots
from mae_viz.codecs.registry import codec
from mae_viz.ladders.frame import middle
from mae_viz.numbers import NARROW, number, percent
from mae_viz.rates import Rate

AWAKE_BITS = 1.0
"""What a channel must cost in a file, all places together, to count as awake."""


def show(picture: Picture, model: str) -> None:
    """Steps of a quarter octave from the lowest λ to the highest: growth of the real file, and channels awake."""
    st.subheader("Channels that are off, and where they wake")
    part = middle(picture.image)
    shown = picture if part is picture.image else Picture(picture.name, part)
    with st.spinner("Coding the picture at 25 λ …", show_time=True):
        steps = computed.over_lambda(shown, model)
    awake = steps.bits >= AWAKE_BITS
    growth = steps.bytes[1:] / steps.bytes[:-1] - 1
    woken = [np.flatnonzero(now & ~before) for before, now in pairwise(awake)]
    st.markdown(sentences(model, steps.rates, awake, growth, woken, part is not picture.image))
    draw(model, steps.rates, awake, growth, woken)


def sentences(
    model: str, rates: list[Rate], awake: np.ndarray, growth: np.ndarray, woken: list[np.ndarray], of_part: bool
) -> str:
    first, last = rates[0], rates[-1]
    most = int(np.argmax(growth))
    counts = np.array([len(channels) for channels in woken])
    named = f": {listed(woken[most])}" if len(woken[most]) else ""
    together = np.nan if not counts.std() else float(np.corrcoef(counts, growth)[0, 1])
    whose = "On the middle of this picture" if of_part else "On this picture"
    return (
        f"A channel that is off is 0 at every place: it costs nothing, and the decoder sees the prior's median there. "
        f"{whose} {awake[0].sum()} of the {awake.shape[1]} channels of the {controls.title(model)} are awake (cost "
        f"{AWAKE_BITS:g}{NARROW}bit or more) at λ = {first}, {awake[-1].sum()} at λ = {last}. "
        f"The file grows by {100 * growth.min():.1f} to {percent(growth.max(), '.1f')} a "
        f"quarter octave, most from λ = {rates[most]} to {rates[most + 1]}, where {counts[most]} channels wake{named}. "
        f"Correlation of the growth with the number that wake: {number(together)}."
    )


def listed(channels: np.ndarray, most: int = 12) -> str:
    text = ", ".join(map(str, channels[:most]))
    return text if len(channels) <= most else f"{text} and {len(channels) - most} more"


def draw(model: str, rates: list[Rate], awake: np.ndarray, growth: np.ndarray, woken: list[np.ndarray]) -> None:
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = ["growth of the real file over a quarter octave [%]", "channels awake"]
    figure = make_subplots(1, 2, subplot_titles=titles)
    lmbdas = [rate.lmbda for rate in rates]
    colour = codec(model).colour
    says = [f"{len(channels)} wake: {listed(channels)}" if len(channels) else "none wakes" for channels in woken]
    bars = go.Bar(
        x=[f"{rate.lmbda:.0f}" for rate in rates[1:]],
        y=100 * growth,
        customdata=says,
        hovertemplate=f"up to λ = %{{x}}: +%{{y:.1f}}{NARROW}%<br>%{{customdata}}<extra></extra>",
        marker={"color": colour},
    )
    figure.add_trace(bars, row=1, col=1)
    line = go.Scatter(
        x=lmbdas,
        y=awake.sum(axis=1),
        customdata=["", *says],
        mode="lines+markers",
        line={"color": colour, "shape": "hv"},
        hovertemplate="λ = %{x:.4g}: %{y} awake<br>%{customdata}<extra></extra>",
    )
    figure.add_trace(line, row=1, col=2)
    figure.update_xaxes(title="λ", type="category", tickangle=0, nticks=8, col=1)
    figure.update_xaxes(plots.logarithmic(), col=2)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(height=320, margin=plots.MARGIN, showlegend=False)
    plots.show(figure, "waking plot", "Growth of the file and number of channels awake, over λ")
