"""Page *Gains*: m_k(λ) and d_k(λ) of every modulated layer, beside s(λ) of bottleneck scaling; is d ≈ 1/m?"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st

from mae_viz import probe, rates
from mae_viz.app import address, computed, site
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, plots, subject
from mae_viz.app.parts.literal import literal
from mae_viz.app.parts.waking import AWAKE_BITS
from mae_viz.codecs.registry import codec, names
from mae_viz.coding.checkpoints import Checkpoint
from mae_viz.numbers import NARROW, grouped, number
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

RATES = [Rate(index) for index in range(0, rates.LAST_INDEX + 1, rates.STEPS_PER_OCTAVE // 8)]
"""Of the curves: eighths of an octave, trained λ and points between them."""

LINES, HEATMAP = "lines", "heatmap"
DRAWN = {LINES: "lines", HEATMAP: "heatmap"}
ABSOLUTE, RELATIVE = "absolute", "relative"
LEVELS = {ABSOLUTE: "absolute", RELATIVE: "relative to the largest λ"}
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
HIGHLIGHTS = ("#c0392b", "#2c7fb8", "#1e8449", "#8e44ad", "#b9770e", "#117a8b")


def page() -> None:
    with site.bar():
        picture = subject.choose()
    st.title("Gains")
    st.markdown(
        "A small perceptron turns λ into one gain per channel, in *every* layer: m(λ) multiplies in the encoder, d(λ) "
        "in the decoder. **Look for lines that cross or fall off**: channels that the MAE lets go at low λ. Bottleneck "
        "scaling has one such layer, s(λ), and its lines can only shrink the latents before rounding."
    )
    modulated = [name for name in names() if "gains" in codec(name).looks]
    with controls.row():
        chosen = controls.choose_model("Model", modulated, "model")
        rate = controls.choose_rate("λ", 512.0, "lambda")
        drawn = controls.choose("Draw", DRAWN, LINES, "draw")
        levels = controls.choose("Gains", LEVELS, ABSOLUTE, "gains")
    checkpoint = computed.checkpoint(chosen)
    model = checkpoint.model
    layers = {layer.name: layer for layer in probe.layers(model)}
    which, some = st.columns(2)
    with which:
        bottleneck = [layer.name for layer in layers.values() if layer.part == "g_a"][-1]
        name = st.selectbox(
            "Layer",
            list(layers),
            format_func=lambda name: symbol(layers[name]),
            **address.held("layer", bottleneck, layers),
        )
    with some:
        marked = st.multiselect(
            "Channels in colour",
            range(model.channels),
            max_selections=len(HIGHLIGHTS),
            placeholder="those that change most, least and as the median",
            **address.held(
                "channels", [], None, channels_in(model.channels), lambda chosen: ",".join(map(str, chosen))
            ),
        )
    layer = layers[name]
    rate = min(max(rate, Rate.near(model.lmbdas[0])), Rate.near(model.lmbdas[-1]))
    show_curves(layer, rate, drawn, levels, marked)
    show_inverses(checkpoint, rate)
    if picture is not None:
        say_awake(checkpoint, chosen, picture)
    links(chosen, rate)


def channels_in(count: int) -> Callable[[str], list[int]]:
    """Reads channels from the address: "3,14"."""

    def read(text: str) -> list[int]:
        named = [int(part) for part in text.split(",")][: len(HIGHLIGHTS)]
        if not all(0 <= c < count for c in named):
            raise ValueError("no such channel")
        return named

    return read


def symbol(layer: probe.Layer) -> str:
    """A layer's gains as a formula writes them, and where they act: "m₁ (g_a, layer 1)"."""
    return f"{layer.name.removeprefix('h').translate(SUBSCRIPTS)} ({layer.part}, layer {layer.number})"


def show_curves(layer: probe.Layer, rate: Rate, drawn: str, levels: str, marked: list[int]) -> None:
    """The gains of a layer over λ, beside the scales of bottleneck scaling on the same axes."""
    lmbdas = [at.lmbda for at in RATES]
    scaling = cast("probe.BottleneckScale", computed.checkpoint("bottleneck-scaling").model.scale)
    curves = {
        symbol(layer): probe.gains(layer.modulation, lmbdas),
        "s, bottleneck scaling": probe.gains(scaling, lmbdas),
    }
    if levels == RELATIVE:
        curves = {name: gains / gains[-1] for name, gains in curves.items()}
    now = probe.gains(layer.modulation, [rate.lmbda])[0]
    span = np.log2(curves[symbol(layer)]).max(axis=0) - np.log2(curves[symbol(layer)]).min(axis=0)
    order = np.argsort(span, kind="stable")
    marked = marked or [int(order[-1]), int(order[len(order) // 2]), int(order[0])]
    here = rate.lmbda
    figure = lines(lmbdas, curves, here, marked) if drawn == LINES else heatmaps(lmbdas, curves)
    plots.show(figure, "curves plot", f"Gains of {symbol(layer)} and s against λ")
    scale = curves["s, bottleneck scaling"]
    stretch = np.log2(scale[-1] / scale[0])
    st.markdown(
        f"At λ = {rate} the gains of {symbol(layer)} lie between {number(now.min())} and {number(now.max())}. "
        f"From λ = 64 to 4096 (six octaves) they change by {number(span.min())} to {number(span.max())} octaves, "
        f"{number(np.median(span))} at the median; s(λ) of bottleneck scaling by {number(stretch.min())} to "
        f"{number(stretch.max())}. The classical answer would be √λ for every channel: 3 octaves (dotted). In colour: "
        + ", ".join(f"channel {c} ({number(now[c])} at λ = {rate})" for c in marked)
        + "."
    )


def lines(lmbdas: list[float], curves: dict[str, np.ndarray], here: float, marked: list[int]) -> "Figure":
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=list(curves), shared_yaxes="all")
    for column, gains in enumerate(curves.values(), 1):
        place = {"row": 1, "col": column}
        # one trace for all channels, with gaps between them, is many times faster than one for each
        x = np.tile([*lmbdas, np.nan], gains.shape[1])
        y = np.concatenate([gains, np.full((1, gains.shape[1]), np.nan)]).T.ravel()
        thin = {"color": "rgba(110,120,135,0.45)", "width": 0.7}
        figure.add_trace(
            go.Scatter(x=x, y=y, line=thin, name="all channels", showlegend=column == 1, hoverinfo="skip"), **place
        )
        root = np.median(gains[-1]) * np.sqrt(np.array(lmbdas) / lmbdas[-1])
        dots = {"color": plots.INK, "dash": "dot", "width": 1.5}
        figure.add_trace(go.Scatter(x=lmbdas, y=root, line=dots, name="∝ √λ", showlegend=column == 1), **place)
        for c, colour in zip(marked, HIGHLIGHTS, strict=False):
            look = {"line": {"color": colour, "width": 2.2}, "name": f"channel {c}", "showlegend": column == 1}
            says = f"channel {c}, λ = %{{x:.4g}}: %{{y:.4g}}"
            figure.add_trace(
                go.Scatter(x=lmbdas, y=gains[:, c], hovertemplate=says, legendgroup=str(c), **look), **place
            )
        figure.add_vline(here, line={"color": plots.INK, "width": 1}, **place)
    figure.update_xaxes(plots.logarithmic())
    figure.update_yaxes(type="log", exponentformat="power")
    return framed(figure, 460)


def heatmaps(lmbdas: list[float], curves: dict[str, np.ndarray]) -> "Figure":
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 2, subplot_titles=list(curves))
    reach = max(float(np.abs(np.log2(gains)).max()) for gains in curves.values())
    scale = [[i / 4, colour] for i, colour in enumerate(plots.MAPS["diverging"])]
    for column, gains in enumerate(curves.values(), 1):
        order = np.argsort(np.log(gains[-1] / gains[0]), kind="stable")
        says = "channel %{customdata}, λ = %{x:.4g}: log₂ gain %{z:.2f}"
        names = np.repeat(order[:, None], len(lmbdas), axis=1)
        look = {"colorscale": scale, "zmin": -reach, "zmax": reach, "hovertemplate": says, "customdata": names}
        bar = {"title": "log₂ gain"}
        heat = go.Heatmap(x=lmbdas, z=np.log2(gains[:, order]).T, showscale=column == 2, colorbar=bar, **look)
        figure.add_trace(heat, row=1, col=column)
    figure.update_xaxes(plots.logarithmic())
    figure.update_yaxes(title="channels, the steepest above", col=1)
    return framed(figure, 560)


def framed(figure: "Figure", height: int) -> "Figure":
    figure.update_layout(height=height, margin=plots.MARGIN | {"r": 26})
    figure.update_layout(legend={"orientation": "h", "y": -0.15})
    return figure


def show_inverses(checkpoint: Checkpoint, rate: Rate) -> None:
    """log d against −log m over channels, for every pair of layers that face each other."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    st.subheader("Does the decoder undo the encoder: is d ≈ 1/m?")
    model = checkpoint.model
    pairs, across = probe.mirrors(model), 4
    rows = -(-len(pairs) // across)
    columns = min(across, len(pairs))
    here = rate.lmbda
    titles = [f"{short(d)} against 1/{short(m)}" for m, d in pairs]
    figure = make_subplots(rows, columns, subplot_titles=titles)
    said = []
    sizes = [*model.lmbdas] if here in model.lmbdas else sorted([*model.lmbdas, here])
    table = [["λ", *(f"{lmbda:.4g}" for lmbda in sizes), "channels with r > 0 over λ"]]
    for k, (m, d) in enumerate(pairs):
        place = {"row": k // columns + 1, "col": k % columns + 1}
        gain, inverse = (probe.gains(layer.modulation, [here])[0] for layer in (m, d))
        ends = [min((1 / gain).min(), inverse.min()), max((1 / gain).max(), inverse.max())]
        line = {"color": plots.INK, "dash": "dot", "width": 1}
        figure.add_trace(go.Scatter(x=ends, y=ends, mode="lines", line=line, hoverinfo="skip"), **place)
        says = "channel %{customdata}: 1/m = %{x:.3g}, d = %{y:.3g}"
        dots = go.Scatter(x=1 / gain, y=inverse, mode="markers", customdata=np.arange(len(gain)), hovertemplate=says)
        dots.marker.update(size=4, color="#c0392b", opacity=0.6)
        figure.add_trace(dots, **place)
        decades = {"type": "log", "exponentformat": "power", "dtick": -(-np.log10(ends[1] / ends[0]) // 5)}
        figure.update_xaxes(decades, **place)
        figure.update_yaxes(decades, **place)
        over = [probe.gains(layer.modulation, sizes) for layer in (m, d)]
        r = [probe.inverse_correlation(*one) for one in zip(*over, strict=True)]
        trained = (probe.gains(layer.modulation, model.lmbdas).T for layer in (m, d))
        undone = sum(probe.inverse_correlation(*one) > 0 for one in zip(*trained, strict=True))
        table.append([f"{short(m)}, {short(d)}", *(grouped(value, ".3f") for value in r), f"{undone} of {len(gain)}"])
        said.append((r[sizes.index(here)], float(np.exp(np.log(gain * inverse).mean())), m, d))
    figure.update_xaxes(title="1/m", tickangle=0)
    figure.update_yaxes(title="d", col=1)
    figure.update_layout(height=340, margin=plots.MARGIN | {"r": 26}, showlegend=False)
    plots.show(figure, "inverses plot", "d against 1/m, one dot per channel")
    lines = [
        f"- **{short(m)}, {short(d)}: r = {grouped(r, '.3f')}**, mean of m · d {number(product)}: {verdict(r)}"
        for r, product, m, d in said
    ]
    st.markdown(
        f"At λ = {rate}, over {model.channels} channels: correlation r of log d with −log m, and geometric "
        "mean of m · d (1 where the decoder undoes the encoder; GDN and IGDN lie between, so it need not).\n\n"
        + "\n".join(lines)
        + "\n\nDotted: d = 1/m. The same correlation at every trained λ and at the one chosen, and in how many "
        "channels d falls where m rises over the trained λ:"
    )
    head, *body = [" | ".join(cells) for cells in zip(*table, strict=True)]
    st.markdown("\n".join([head, ":-- " + "| --: " * len(pairs), *body]))


def say_awake(checkpoint: Checkpoint, name: str, picture: Picture) -> None:
    """The bottleneck's pair once more: channels that this picture uses at the lowest λ, and those that wake above."""
    model = checkpoint.model
    m, d = next(pair for pair in probe.mirrors(model) if pair[0].part == "g_a")
    over = (probe.gains(layer.modulation, model.lmbdas).T for layer in (m, d))
    r = np.array([probe.inverse_correlation(*one) for one in zip(*over, strict=True)])
    low = model.lmbdas[0]
    with st.spinner("Encoding the picture …", show_time=True):
        awake = computed.latents(picture, name, Rate.near(low))[1].sum(axis=(1, 2)) >= AWAKE_BITS
    groups = {"awake": awake, "asleep": ~awake}
    lines = [
        f"- **{np.sum(which)} channels {state} at λ = {low:g}**: d falls where m rises in {np.sum(r[which] > 0)} of "
        f"them, r is {grouped(np.median(r[which]), '.3f')} at the median: {over_lambda(float(np.median(r[which])))}"
        for state, which in groups.items()
        if which.any()
    ]
    st.markdown(
        f"**So is it the inverse or not?** That depends on the channel. Here r is taken over the trained λ, for each "
        f"channel of the bottleneck ({short(m)} and {short(d)}) by itself; {literal(picture.name)} tells which of them "
        f"a file uses at the lowest λ (awake: {AWAKE_BITS:g}{NARROW}bit or more), and which wake only above:\n\n"
        + "\n".join(lines)
    )
    site.link("bits", "At which λ each of them wakes, and what the file grows by there", mae=name)


def over_lambda(r: float) -> str:
    """What a channel's correlation over λ says."""
    if r > 0.5:
        return "as λ falls the encoder makes the channel smaller and the decoder larger again, an inverse."
    if r < -0.5:
        return "as λ falls encoder and decoder both make the channel smaller, it is faded out."
    return "the two go their own ways."


def verdict(r: float) -> str:
    """What a correlation over channels says about d ≈ 1/m."""
    if r > 0.5:
        return "yes, at large: where the encoder makes a channel small the decoder makes it large again."
    if r < -0.5:
        return "no, the opposite: a channel that the encoder makes small, the decoder makes small too: it is let go."
    return "no: the two are hardly related."


def short(layer: probe.Layer) -> str:
    return symbol(layer).partition(" (")[0] + (f" of {layer.part}" if layer.part.startswith("h") else "")


def links(model: str, rate: Rate) -> None:
    with controls.row():
        site.link("feature-maps", "What the gains do to the maps", mae=model)
        site.link("bits", "What they do to the bits", base=rate, mae=model)
        site.link("laboratory", "And to the pictures", lambda_=rate, **controls.preset(model))
