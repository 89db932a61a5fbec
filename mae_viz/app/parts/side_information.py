"""Part of the page *Where the bits go*: what a hyperprior's side information z costs, saves and tells."""

import html

import numpy as np
import streamlit as st

from mae_viz import probe
from mae_viz.app import computed
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, plots
from mae_viz.numbers import grouped, in_bytes, number, percent
from mae_viz.rates import Rate

Z_BLOCK, Y_BLOCK = 64, 16
"""Sides of the pixels' squares that one place of z and one of y stand for."""


def show(picture: Picture, model: str, high: Rate, low: Rate) -> None:
    """The cost of z at two rates; at the first where its bits lie, and σ of a channel beside its symbols."""
    st.subheader("Side information: what z costs, and what it tells")
    with st.spinner("Counting symbols …"):
        st.markdown("\n".join(say_what_it_saves(picture, model, rate) for rate in dict.fromkeys((high, low))))
    cost, symbols = computed.cost(picture, model, high), computed.symbols(picture, model, high)
    order = np.argsort(-cost.y.sum(axis=(1, 2)), kind="stable").tolist()
    channel = controls.choose_channel("σ of channel, most bits first", "most bits at λ₁", order, "sigma")
    channel = order[0] if channel is None else channel
    show_maps(picture, high, cost, channel, np.abs(symbols[channel]))
    st.caption(
        "The encoder writes z first. From it and λ the decoder computes σ of every latent, and both code the latent's "
        "symbol as a Gaussian of that width: narrow where nothing is expected. Where z is right, the last two maps "
        "look alike."
    )


def say_what_it_saves(picture: Picture, model: str, rate: Rate) -> str:
    """What z costs, and what y would cost without it: a line of markdown."""
    cost = computed.cost(picture, model, rate)
    assert cost.z is not None  # a model with hyperprior
    z = float(cost.z.sum(dtype=np.float64))
    symbols = computed.symbols(picture, model, rate)
    without = float(computed.run(probe.histogram_bits, symbols, large=picture.large).sum())
    saved = 1 - cost.bits / without if without else 0.0
    verdict = f"{percent(saved, '.1f')} less" if saved >= 0 else f"{percent(-saved, '.1f')} more: here z does not pay"
    return (
        f"- **At λ = {rate} z takes {in_bytes(z / 8)}, {percent(z / cost.bits, '.1f')} of the bits**, y "
        f"{grouped((cost.bits - z) / 8, ',.0f')}. Without z, even a prior that knew each channel's histogram on this "
        f"very picture would pay {in_bytes(without / 8)} for the symbols of y; "
        f"with z, both together cost {verdict}."
    )


def show_maps(picture: Picture, rate: Rate, cost: probe.Cost, channel: int, size: np.ndarray) -> None:
    """Bits of z over the picture; σ of a channel and its symbols' ``size`` (h, w) in the same colours."""
    assert cost.z is not None  # a model with hyperprior
    assert cost.sigma is not None
    z, sigma = cost.z.sum(axis=0, dtype=np.float64), cost.sigma[channel]
    levels = [np.log2(1 + values) for values in (sigma, size)]
    top = float(max(level.max() for level in levels))
    varied = min(level.std() for level in levels) > 0
    alike = np.corrcoef(*(level.ravel() for level in levels))[0, 1] if varied else np.nan
    cost_text = f"<b>Bits of z</b>: {number(z.min())} … {number(z.max())} a place"
    sigma_text = f"<b>σ</b>: {number(sigma.min())} … {number(sigma.max())}"
    size_text = f"<b>|symbols|</b>: 0 … {size.max()}; correlation with σ {number(alike)}"
    maps = (
        (z, float(z.max()), Z_BLOCK, "Bits of z", cost_text),
        (levels[0], top, Y_BLOCK, f"σ of channel {channel}", sigma_text),
        (levels[1], top, Y_BLOCK, f"Size of the symbols of channel {channel}", size_text),
    )
    name = f"{html.escape(picture.name)}; maps at λ = {rate}, channel {channel}"
    cells = [plots.figure(plots.url(picture.pixels), picture.name, name)]
    for values, most, side, alt, caption in maps:
        rgba = np.repeat(np.repeat(plots.coloured("bits", values, most), side, axis=0), side, axis=1)
        cells.append(plots.figure(plots.url(rgba[: picture.image.height, : picture.image.width]), alt, caption))
    st.html(plots.beside(*cells, least=220))
    ends = [number(2 ** (share * top) - 1) for share in (0, 0.5, 1)]
    st.html(plots.colour_bar("bits", ends, "σ and |symbols|, the same for both: log₂(1 + value)."))
