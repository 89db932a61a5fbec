"""What all figures share: IEEE widths and type, one look per curve, and figures drawn from boxes and arrows.

Type is 8 pt in STIX, the Times-like fonts that come with matplotlib, embedded as Type 42. Curves are told apart by
marker and dash as well as by colour, so that they read in grey.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class Look:
    """How a curve is drawn and called, in every figure."""

    label: str
    colour: str
    marker: str
    dash: str | tuple = "-"

    @property
    def line(self) -> dict:
        """Keyword arguments of `Axes.plot`."""
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dash, "label": self.label}


MODELS = {
    "independent": Look("Independent models", "#000000", "s"),
    "mae": Look("MAE", "#c0392b", "o"),
    "bottleneck-scaling": Look("Bottleneck scaling", "#2c7fb8", "^", (0, (4, 1.5))),
    "independent-hyperprior": Look("Independent models + hyperprior", "#5c5c5c", "D", (0, (6, 1, 1, 1))),
    "mae-hyperprior": Look("MAE + hyperprior", "#7b3294", "v", (0, (5, 1))),
}
"""The paper's five curves."""

OTHERS = {
    "jpeg": Look("JPEG (4:2:0)", "#8a8a8a", "", (0, (1, 1))),
    "jpeg2000": Look("JPEG 2000", "#8a8a8a", "", "-."),
    "hevc-intra-444": Look("HEVC-intra 4:4:4", "#3d3d3d", "", (0, (7, 1.5))),
    "published-bpg-444": Look("BPG 4:4:4 (published)", "#3d3d3d", "", (0, (3, 1.5))),
}
"""Codecs to compare with, on the data set that they were measured on."""

_OWN = (("#117733", "P"), ("#b07d00", "X"), ("#117799", "*"), ("#aa3377", "p"), ("#555500", "h"))


def own(titles: dict[str, str]) -> dict[str, Look]:
    """Looks for curves of one's own: {name: title} → {name: look}."""
    return {
        name: Look(title, *_OWN[i % len(_OWN)], (0, (3, 1, 1, 1, 1, 1)))
        for i, (name, title) in enumerate(titles.items())
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
