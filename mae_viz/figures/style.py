"""What all figures share: IEEE widths and type, one look per curve, and figures drawn from boxes and arrows.

Type is 8 pt in STIX, the Times-like fonts that come with matplotlib, embedded as Type 42. Curves are told apart by
marker and dash as well as by colour, so that they read in grey.
"""

from typing import TYPE_CHECKING, Any

from mae_viz.architectures import FACTS
from mae_viz.codecs import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

COLUMN_IN, PAGE_IN = 3.5, 7.16
"""Widths of one column and of two in IEEE journals, in inches."""

RC: "dict[RcKeyType, Any]" = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#404040",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.6,
    "axes.grid": True,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.4,
    "axes.axisbelow": True,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "mae_viz",
}

ENCODER, DECODER, MODULATION, CODING = (
    ("#d8e6f3", "#27567d"),
    ("#fbe5d0", "#9c5416"),
    ("#f6d5d2", "#b3261e"),
    ("#e8e8e8", "#505050"),
)
"""Fill and edge of what belongs to the encoder, the decoder, the modulation and the entropy coder."""


PAPERS = {
    "independent": "Independent",
    "mae": "MAE",
    "bottleneck-scaling": "BottleneckScaling",
    "independent-hyperprior": "IndependentHyperprior",
    "mae-hyperprior": "MAEHyperprior",
}
"""The paper's five curves, and the architectures behind them."""

OTHERS = ("jpeg", "jpeg-444", "mozjpeg", "jpeg2000", "hevc-intra-444", "published-bpg-444")
"""Codecs to compare with, on the data set that they were measured on."""

_MARKERS = {
    "none": "",
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "triangle-down": "v",
    "cross": "P",
    "plus": "+",
    "x": "X",
    "star": "*",
    "pentagon": "p",
    "hexagon": "h",
}
_DASHES = {
    "solid": "-",
    "dash": (0, (4, 1.5)),
    "dot": (0, (1, 1)),
    "dashdot": "-.",
    "longdash": (0, (7, 1.5)),
    "longdashdot": (0, (6, 1, 1, 1)),
}


def title(name: str) -> str:
    """What one of the paper's curves is called, whether its weights ship or not."""
    facts = FACTS[PAPERS[name]]
    return facts.group_title or facts.title


def line(name: str, label: str) -> dict:
    """Keyword arguments of `Axes.plot` for the curve of this name: the palette's colour, marker and dash."""
    drawn = palette.drawing(name)
    return {
        "color": drawn.colour,
        "marker": _MARKERS[drawn.marker],
        "linestyle": _DASHES[drawn.dash],
        "label": label,
    }


def drawing(width: float, height: float) -> tuple["Figure", "Axes"]:
    """An empty figure whose coordinates are inches from its lower left corner."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return figure, axes


def box(
    axes: "Axes",
    x: float,
    y: float,
    width: float,
    height: float,
    text: str = "",
    colours: tuple[str, str] = CODING,
    turned: bool = False,
    size: float = 7.0,
    round_in: float = 0.03,
) -> None:
    """A rounded box with its centre at (x, y) and a text in its middle."""
    from matplotlib.patches import FancyBboxPatch

    fill, edge = colours
    shape = FancyBboxPatch(
        (x - width / 2 + round_in, y - height / 2 + round_in),
        width - 2 * round_in,
        height - 2 * round_in,
        boxstyle=f"round,pad={round_in}",
        facecolor=fill,
        edgecolor=edge,
        linewidth=0.8,
        zorder=2,
    )
    axes.add_patch(shape)
    if text:
        axes.text(x, y, text, size=size, rotation=90 * turned, ha="center", va="center", zorder=3, linespacing=1.15)


def times(axes: "Axes", x: float, y: float, colours: tuple[str, str] = MODULATION, radius: float = 0.07) -> None:
    """⊙, an element-wise product, at (x, y)."""
    from matplotlib.patches import Circle

    edge = colours[1]
    axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor=edge, linewidth=0.9, zorder=4))
    axes.add_patch(Circle((x, y), radius / 3.2, facecolor=edge, edgecolor="none", zorder=5))


def arrow(
    axes: "Axes", *points: tuple[float, float], colour: str = "#303030", head: bool = True, above: bool = False
) -> None:
    """A line through points (x, y), with a head at its end; ``above`` boxes or below them."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    shape = FancyArrowPatch(
        path=Path(points),
        arrowstyle="-|>,head_length=2.2,head_width=1.3" if head else "-",
        linewidth=0.8,
        color=colour,
        shrinkA=0,
        shrinkB=0,
        mutation_scale=1,
        joinstyle="miter",
        capstyle="butt",
        zorder=3.5 if above else 1.5,
    )
    axes.add_patch(shape)


def share(part: float) -> str:
    """A share 0…1 in per cent: "0 %" only where it is nothing."""
    return "under 1 %" if 0 < part < 0.005 else f"{100 * part:.0f} %"
