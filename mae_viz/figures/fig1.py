"""Fig. 1: three ways to serve many rates - independent models, bottleneck scaling, the modulated autoencoder."""

from typing import TYPE_CHECKING

from mae_viz.figures import style, table1

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Fig. 1. Three ways to serve many rates. (a) Independent models: one autoencoder for each λ. (b) Bottleneck "
    "scaling: one autoencoder, trained for the best quality; per λ, a scale for each channel before rounding, undone "
    "after it. (c) Modulated autoencoder (MAE): λ sets a gain for every channel of every layer of encoder (m) and "
    "decoder (d). Parameters are those of the transforms and what serves the rates, for the paper's λ, without "
    "hyperprior."
)

_PANEL, _LINE = style.PAGE_IN / 3, 1.36  # width of a panel; height of the signal's line
_BARS = ((0.38, 0.66), (0.55, 0.50), (0.72, 0.36))  # offset and height of an encoder's layers
_WIDTH = 0.115
_QUANTISER, _APART = 1.13, 0.235


def draw() -> "Figure":
    """The drawing, with the parameters of the real models."""
    from matplotlib import rc_context

    from mae_viz.rates import LMBDAS

    found = {name: table1.millions(pair[0]).replace("M", "million") for name, pair in table1.counts().items()}
    panels = (
        ("(a) Independent models", _independent, f"{len(LMBDAS)} networks, {found['Independent models']}"),
        ("(b) Bottleneck scaling", _scaling, f"1 network, {found['Bottleneck scaling']}"),
        ("(c) Modulated autoencoder (MAE)", _modulated, f"1 network, {found['MAE']}"),
    )
    with rc_context(style.RC):
        figure, axes = style.drawing(style.PAGE_IN, 2.34)
        for i, (title, panel, size) in enumerate(panels):
            left = i * _PANEL + 0.03
            axes.text(left + _QUANTISER, 2.21, title, ha="center", va="center", size=9, weight="bold")
            panel(axes, left)
            axes.text(left + _QUANTISER, 0.11, f"{size} parameters", ha="center", va="center")
            if i:
                axes.plot([left - 0.03] * 2, [0.05, 2.25], color="#cccccc", linewidth=0.6)
    return figure


def _mirrored(offset: float) -> float:
    return 2 * _QUANTISER - offset


def _autoencoder(axes: "Axes", left: float, y: float, size: float = 1.0, names: bool = True) -> None:
    """x → three layers → Q → three layers → x̂ on a line at height y."""
    start, end = 0.12, _mirrored(0.12)
    parts = (
        (start + 0.07, _BARS[0][0] - _WIDTH / 2, True),
        (_BARS[0][0], _BARS[2][0], False),
        (_BARS[2][0], _QUANTISER - 0.085, True),
        (_QUANTISER + 0.085, _mirrored(_BARS[2][0]) - _WIDTH / 2, True),
        (_mirrored(_BARS[2][0]), _mirrored(_BARS[0][0]), False),
        (_mirrored(_BARS[0][0]), end - 0.07, True),
    )
    for a, b, head in parts:
        style.arrow(axes, (left + a, y), (left + b, y), head=head)
    for offset, height in _BARS:
        for x, colours in ((offset, style.ENCODER), (_mirrored(offset), style.DECODER)):
            style.box(axes, left + x, y, _WIDTH, size * height, colours=colours, round_in=0.015)
    style.box(axes, left + _QUANTISER, y, 0.17, 0.17, "Q", round_in=0.02)
    for x, text in ((start, "$x$"), (end, r"$\hat{x}$")):
        axes.text(left + x, y, text, ha="center", va="center", size=9)
    if names:
        middle = _BARS[1][0]
        for x, text, (_, colour) in ((middle, "$g_a$", style.ENCODER), (_mirrored(middle), "$g_s$", style.DECODER)):
            axes.text(left + x, y + 0.42, text, ha="center", va="center", size=9, color=colour)


def _independent(axes: "Axes", left: float) -> None:
    from mae_viz.rates import LMBDAS

    for y, lmbda in ((1.83, LMBDAS[0]), (1.32, LMBDAS[1]), (0.55, LMBDAS[-1])):
        _autoencoder(axes, left, y, 0.55, names=False)
        axes.text(left + _QUANTISER, y + 0.17, f"$\\lambda = {lmbda:g}$", ha="center", va="center", size=7.5)
    for k in range(3):
        axes.plot(left + _QUANTISER, 1.0 - 0.07 * k, marker="o", markersize=1.6, color="#303030")


def _scaling(axes: "Axes", left: float) -> None:
    _autoencoder(axes, left, _LINE)
    y = 0.62
    for x, text, align in ((-_APART, r"$s(\lambda)$", "right"), (_APART, r"$1/s(\lambda)$", "left")):
        x += _QUANTISER
        style.times(axes, left + x, _LINE)
        corner = (left + x, y)
        style.arrow(axes, (left + _QUANTISER, y), corner, (left + x, _LINE - 0.075), colour=style.MODULATION[1])
        axes.text(left + x + (0.05 if align == "left" else -0.05), 0.88, text, ha=align, va="center", size=7.5)
    _lambda(axes, left, y)


def _modulated(axes: "Axes", left: float) -> None:
    _autoencoder(axes, left, _LINE)
    red, y, nets = style.MODULATION[1], 0.43, 0.74
    for side, text in ((lambda x: x, r"$m(\lambda)$"), (_mirrored, r"$d(\lambda)$")):
        middle = left + side(_BARS[1][0])
        style.box(axes, middle, nets, 0.52, 0.19, text, style.MODULATION, size=7.5)
        style.arrow(axes, (left + _QUANTISER, y), (middle, y), (middle, nets - 0.095), colour=red)
        for offset, _ in _BARS:
            x = left + side(offset)
            style.arrow(axes, (x, nets + 0.095), (x, _LINE - 0.055), colour=red, above=True)
            style.times(axes, x, _LINE, radius=0.05)
    _lambda(axes, left, y)


def _lambda(axes: "Axes", left: float, y: float) -> None:
    style.box(axes, left + _QUANTISER, y, 0.19, 0.19, r"$\lambda$", style.MODULATION, size=8.5)
