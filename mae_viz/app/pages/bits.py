"""Page *Where the bits go*: bits per block and per channel at two λ, and the prior that they are paid to."""

import numpy as np
import streamlit as st

from mae_viz import probe, rates
from mae_viz.app import address, computed, site
from mae_viz.app.computed import Picture
from mae_viz.app.parts import controls, plots, side_information, subject, waking
from mae_viz.app.parts.controls import title
from mae_viz.codecs.registry import codec
from mae_viz.numbers import NARROW, grouped, in_bpp, in_bytes, number, percent
from mae_viz.rates import Rate

FIRST, SECOND, DIFFERENCE = "first", "second", "difference"
SHOWN = {FIRST: "at λ₁", SECOND: "at λ₂", DIFFERENCE: "λ₁ − λ₂"}
WIDEST = 200
"""The histogram reaches this far to either side; what lies outside is counted in words."""


def page() -> None:
    with site.bar():
        picture = subject.choose()
    st.title("Where the bits go")
    st.markdown(
        "Every 16 × 16 block of the picture costs bits in every channel. **Compare the two λ**: on the way down, for "
        "which places and channels does each model stop paying? The sentences below count both."
    )
    if picture is None:
        return
    subject.caption()
    with controls.row():
        models = controls.choose_pair()
        high = controls.choose_rate("λ₁", 4096.0, "lambda")
        low = controls.choose_rate("λ₂", 64.0, "base")
        shown = controls.choose("Bits", SHOWN, FIRST, "bits")
        opacity = st.slider(
            "Opacity over the picture",
            *(0, 100),
            step=5,
            format=f"%d{NARROW}%%",
            width=200,
            **address.held("opacity", 60, range(101), int),
        )
    with st.spinner("Coding the picture with both models at both λ …", show_time=True):
        spent = {(model, rate): Spent(picture, model, rate) for model in models for rate in (high, low)}
    stride = computed.checkpoint(models[0]).model.stride
    contrast = computed.run(probe.contrast, picture.image, stride, large=picture.large)
    st.markdown("\n".join(say_where(spent[models[0], rate], contrast) for rate in dict.fromkeys((low, high))))
    show_totals(spent, high, low)
    show_blocks(picture, spent, (high, low), shown, opacity / 100)
    show_channels(spent, (high, low), shown)
    waking.show(picture, models[0])
    say_what_doubling_costs(picture, models[0], high, low)
    if computed.checkpoint(models[0]).hyper:
        side_information.show(picture, models[0], high, low)
    show_prior(picture, *(spent[model, high] for model in models))
    links(models[0], high)


class Spent:
    """What a picture's file costs with one model at one rate."""

    def __init__(self, picture: Picture, model: str, rate: Rate):
        self.model, self.rate = model, rate
        cost = computed.cost(picture, model, rate)
        self.blocks = cost.places.astype(np.float64)
        self.channels = cost.y.sum(axis=(1, 2), dtype=np.float64)
        self.total = cost.bits
        self.bytes = len(computed.stream(picture, model, rate))
        self.bpp = 8 * self.bytes / (picture.image.width * picture.image.height)

    def needed(self, parts: np.ndarray, share: float) -> int:
        """How many of the parts, the most expensive first, hold that share of their bits."""
        return int(np.searchsorted(np.cumsum(np.sort(parts.ravel())[::-1]), share * parts.sum()) + 1)


def say_where(spent: Spent, contrast: np.ndarray) -> str:
    """Where the bits lie, in the picture and among the channels: a line of markdown."""
    half = spent.needed(spent.blocks, 0.5)
    busiest = np.argsort(-spent.blocks.ravel(), kind="stable")
    busy, calm = (contrast.ravel()[part].mean() if len(part) else np.nan for part in (busiest[:half], busiest[half:]))
    flat = contrast.std() == 0 or spent.blocks.std() == 0
    correlation = np.nan if flat else np.corrcoef(contrast.ravel(), spent.blocks.ravel())[0, 1]
    top = int(np.argmax(spent.channels))
    needed, off = spent.needed(spent.channels, 0.9), int(np.sum(spent.channels < 1))
    return (
        f"- **At λ = {spent.rate} the {title(spent.model)}** pays {in_bytes(spent.bytes)} ({in_bpp(spent.bpp)}). "
        f"Half of the bits lie in {percent(half / spent.blocks.size)} of the blocks: the standard deviation of luma in "
        f"these is {number(busy)}, in the others {number(calm)} (its correlation with a block's bits: "
        f"{number(correlation)}). {needed} of {len(spent.channels)} channels hold {percent(0.9)} of the bits, channel "
        f"{top} alone {percent(spent.channels[top] / spent.total)}; "
        f"{off} {'channel costs' if off == 1 else 'channels cost'} under one bit."
    )


def show_totals(spent: dict, high: Rate, low: Rate) -> None:
    """The estimate against the real file, for both models at both λ."""
    lines = ["| | real file [bytes] | estimate [bytes] | estimate − file | bpp (file) |", "|:--|--:|--:|--:|--:|"]
    for model in models_in(spent):
        a, b = spent[model, high], spent[model, low]
        for name, s in (("λ₁", a), ("λ₂", b)):
            off = percent((s.total / 8 - s.bytes) / s.bytes, "+.2f")
            what = f"{title(model)}, {name} = {s.rate}"
            lines.append(f"| {what} | {grouped(s.bytes)} | {grouped(s.total / 8, ',.0f')} | {off} | {s.bpp:.4f} |")
        difference = (
            f"{grouped(a.bytes - b.bytes)} | {grouped((a.total - b.total) / 8, ',.0f')} | | "
            f"{grouped(a.bpp - b.bpp, '.4f')}"
        )
        lines.append(f"| {title(model)}, λ₁ − λ₂ | {difference} |")
    st.markdown("\n".join(lines))
    st.caption(
        "The maps and bars below are the entropy estimate, −log₂ p of every symbol; the file holds a header besides, "
        "and the rounding of its integer tables."
    )


def models_in(spent: dict) -> list[str]:
    return list(dict.fromkeys(model for model, _ in spent))


def show_blocks(picture: Picture, spent: dict, pair: tuple[Rate, Rate], shown: str, opacity: float) -> None:
    """Bits per block over the picture and as a map, both models in the same colours."""
    st.subheader(f"Per block, {SHOWN[shown]}")
    maps = {model: chosen([spent[model, rate].blocks for rate in pair], shown) for model in models_in(spent)}
    top = max(float(np.abs(blocks).max()) for blocks in maps.values())
    kind = "y" if shown == DIFFERENCE else "bits"
    source = plots.url(picture.pixels)
    cells = []
    for model, blocks in maps.items():
        rgba = np.repeat(np.repeat(plots.coloured(kind, blocks, top), 16, axis=0), 16, axis=1)
        over = plots.url(rgba[: picture.image.height, : picture.image.width])
        about = f"{number(blocks.min())} … {number(blocks.max())}{NARROW}bits, mean {number(blocks.mean())}"
        cells.append(plots.figure(source, f"{picture.name} under the bits of {title(model)}", "", over, opacity))
        cells.append(plots.figure(over, f"Bits per block, {title(model)}", f"<b>{title(model)}</b>: {about}"))
    st.html(plots.beside(*cells, least=220))
    labels = [number(-top), "0", number(top)] if kind == "y" else ["0", number(top / 2), number(top)]
    st.html(
        plots.colour_bar(kind, labels, f"Bits per block of 16 × 16 pixels, {SHOWN[shown]}; the same for both models.")
    )


def chosen(pair: list[np.ndarray], shown: str) -> np.ndarray:
    return {FIRST: pair[0], SECOND: pair[1], DIFFERENCE: pair[0] - pair[1]}[shown]


def show_channels(spent: dict, pair: tuple[Rate, Rate], shown: str) -> None:
    """Bits per channel, sorted, and their running total."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    st.subheader(f"Per channel, {SHOWN[shown]}")
    models = models_in(spent)
    titles = [*(f"{title(model)}: bits" for model in models), "running total [%]"]
    figure = make_subplots(1, 3, subplot_titles=titles)
    for column, model in enumerate(models, 1):
        bits = chosen([spent[model, rate].channels for rate in pair], shown)
        order = np.argsort(-bits, kind="stable")
        rank, look = np.arange(1, len(order) + 1), {"name": title(model), "customdata": order, "showlegend": False}
        colour, says = codec(model).colour, "channel %{customdata}: %{y:,.1f}"
        bar = go.Bar(x=rank, y=bits[order], marker={"color": colour, "line": {"width": 0}}, hovertemplate=says, **look)
        total = 100 * np.cumsum(bits[order]) / bits.sum()
        look["showlegend"] = True
        line = go.Scatter(x=rank, y=total, line={"color": colour}, hovertemplate=f"{says}{NARROW}%", **look)
        figure.add_traces([bar, line], rows=1, cols=[column, 3])
    figure.update_layout(height=340, margin=plots.MARGIN, bargap=0)
    figure.update_layout(legend={"orientation": "h", "x": 1, "xanchor": "right", "y": -0.25})
    figure.update_xaxes(title="rank of the channel")
    figure.update_yaxes(matches="y", col=2)
    plots.show(figure, "channels plot", "Bits per channel, sorted, and running total")


def say_what_doubling_costs(picture: Picture, model: str, high: Rate, low: Rate) -> None:
    """Real files of the MAE on show at λ and 2 λ, at both ends of the pair."""
    last = Rate.near(rates.LMBDA_MAX).higher(-1)
    st.subheader("What twice the λ costs")
    lines = []
    for rate in dict.fromkeys((min(low, last), min(high, last))):
        with st.spinner("Coding at twice the λ …"):
            once, twice = (len(computed.stream(picture, model, k)) for k in (rate, rate.higher(1)))
        lines.append(
            f"- from λ = {rate} to {rate.higher(1)}: {grouped(once)} → {in_bytes(twice)}, "
            f"**{in_bytes(twice - once, '+,')} ({percent(twice / once - 1, '+.0f')})**"
        )
    st.markdown(f"Real files of the {title(model)}, this picture:\n\n" + "\n".join(lines))


def show_prior(picture: Picture, *ranked: Spent) -> None:
    """The learned prior of a channel against the histogram of its symbols, at a λ and the trained ones around it."""
    st.subheader("What the prior expects, and what comes")
    with controls.row():
        by_model = {spent.model: spent for spent in ranked}
        spent = by_model[controls.choose_model("Prior of", list(by_model), "prior-of")]
        order = np.argsort(-spent.channels, kind="stable").tolist()
        channel = controls.choose_channel("Channel, most bits first", "most bits at λ₁", order, "channel")
        rate = controls.choose_rate("λ of the prior", 700.0, "at")
    channel = order[0] if channel is None else channel
    model = computed.checkpoint(spent.model).model
    below, above, weight = probe.prior_mix(model, rate)
    st.markdown(which_tables(spent.model, rate, below, above, weight))
    shown = [rate] if weight in (0, 1) else [Rate.near(below), rate, Rate.near(above)]
    with st.spinner("Coding the picture at these λ …", show_time=True):
        drawn = [Drawn(picture, spent.model, k, channel) for k in shown]
    draw_priors(drawn)
    st.markdown("\n".join(one.sentence() for one in drawn))


def which_tables(model: str, rate: Rate, below: float, above: float, weight: float) -> str:
    """Which entropy model a λ uses, in words."""
    facts = computed.checkpoint(model).model.facts
    side = facts.hyperprior
    if weight in (0, 1):
        whose = "the prior of z" if side else "the prior"
        return f"At λ = {rate} {whose} has a table of its own: nothing is interpolated."
    what = "the entropy model of z" if side else "its entropy model"
    own = "its gains come from λ itself" if facts.modulated else "log s(λ) is mixed in the same way"
    own += ", and so do the σ that y is coded with" if side else ""
    return (
        f"λ = {rate} lies between two λ with tables of their own, {below:.4g} and {above:.4g}: {what} is "
        f"**{1 - weight:.3f} × the table of {below:.4g} + {weight:.3f} × the table of {above:.4g}** (cumulative "
        f"logits and medians, linear in log₂ λ); {own}."
    )


class Drawn:
    """A channel's symbols in a real file, and the probabilities that they were coded with."""

    def __init__(self, picture: Picture, model: str, rate: Rate, channel: int):
        self.rate = rate
        symbols = computed.symbols(picture, model, rate)[channel].ravel()
        reach = min(WIDEST, max(3, int(np.abs(symbols).max()) + 1))
        self.k = np.arange(-reach, reach + 1)
        self.share = np.array([np.mean(symbols == k) for k in self.k])
        self.outside = int(np.sum(np.abs(symbols) > reach))
        checkpoint, cost = computed.checkpoint(model), computed.cost(picture, model, rate)
        if cost.sigma is None:
            self.prior = probe.prior_pmf(checkpoint.model, rate, reach)[channel]
        else:
            self.prior = computed.run(probe.expected_pmf, checkpoint, cost.sigma[channel], reach, large=picture.large)
        self.cost = float(cost.y[channel].mean(dtype=np.float64))
        self.entropy = float(probe.histogram_bits(symbols[None])[0]) / len(symbols)

    def sentence(self) -> str:
        beyond = f"; {self.outside} symbols lie beyond ±{WIDEST}" if self.outside else ""
        if self.cost < self.entropy:
            verdict = f"knowing each place's σ saves {number(self.entropy - self.cost)}"
        else:
            verdict = f"not knowing this picture costs {number(self.cost - self.entropy)}"
        return (
            f"- λ = {self.rate}: the prior's code costs {number(self.cost)}{NARROW}bits a symbol, the histogram's own "
            f"entropy is {number(self.entropy)}: {verdict}{NARROW}bits a symbol{beyond}."
        )


def draw_priors(drawn: list[Drawn]) -> None:
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = [f"λ = {one.rate}" for one in drawn]
    figure = make_subplots(1, len(drawn), subplot_titles=titles, shared_yaxes="all")
    for column, one in enumerate(drawn, 1):
        first = {"showlegend": column == 1, "hovertemplate": "symbol %{x}: %{y:.4f}"}
        bars = go.Bar(x=one.k, y=one.share, name="this picture's symbols", marker={"color": "#9aa7b5"}, **first)
        line = {"color": plots.INK, "shape": "hvh" if one.k[-1] <= 20 else "linear", "width": 1.5}
        prior = go.Scatter(x=one.k, y=one.prior, name="learned prior", mode="lines", line=line, **first)
        figure.add_traces([bars, prior], rows=1, cols=column)
    figure.update_layout(height=320, margin=plots.MARGIN, bargap=0.1)
    figure.update_layout(legend={"orientation": "h", "y": -0.25})
    figure.update_xaxes(title="symbol")
    figure.update_yaxes(title="probability", col=1)
    plots.show(figure, "priors plot", "Histogram of symbols and learned prior")


def links(model: str, rate: Rate) -> None:
    with controls.row():
        site.link("feature-maps", "The channels themselves", lambda_=rate, mae=model)
        site.link("gains", "The gains that switch channels off", model=model)
        site.link("laboratory", "The pictures at this λ", lambda_=rate, **controls.preset(model))
