"""The laboratory: a stage with panels beside it in one window, and the named arrangements of both."""

from collections.abc import Sequence
from dataclasses import dataclass

from mae_viz.ladders.frame import sources
from mae_viz.viewer import pane_text

PAIR = ("mae", "bottleneck-scaling")
"""The modulated codec that panels look into unless the stage shows another, and its rival."""

PANELS = {
    "curve": "Rate and quality",
    "price": "Who pays",
    "maps": "Channel maps",
    "gains": "Gains",
    "bits": "Bits",
}
"""Panels by name, and their titles."""

MODES = ("side", "wipe", "blink")


@dataclass(frozen=True)
class Arrangement:
    """What is on show at once: panes on the stage, how they are compared, and the panels beside them."""

    title: str
    panes: str
    """As `pane_text` writes them."""
    mode: str
    """One of MODES."""
    panels: tuple[str, ...]
    """Of PANELS."""


ARRANGEMENTS = {
    "compare": Arrangement("Compare", "mae,bottleneck-scaling", "wipe", ("curve", "maps", "gains")),
    "maps": Arrangement("Maps", "mae:y,bottleneck-scaling:y", "side", ("maps", "gains")),
    "bits": Arrangement("Bits", "mae:bits,bottleneck-scaling:bits", "side", ("bits", "curve")),
    "gains": Arrangement("Gains", "mae,bottleneck-scaling", "wipe", ("gains", "maps")),
    "classical": Arrangement("Classical codecs", "mae,jpeg,webp,avif", "side", ("curve", "price")),
    "hyperprior": Arrangement(
        "Hyperprior", "mae,mae-hyperprior,mae:bits,mae-hyperprior:bits", "side", ("curve", "price")
    ),
}
"""By name in the address; the first is what a visit begins with."""


def offered(codecs: Sequence[str] | None = None) -> dict[str, Arrangement]:
    """The arrangements whose codecs are all among these, or all here."""
    here = codecs or sources()
    return {
        name: made
        for name, made in ARRANGEMENTS.items()
        if all(pane.partition(":")[0] in here for pane in made.panes.split(","))
    }


def laboratory(
    mode: str | None = None, panels: Sequence[str] | None = None, codecs: Sequence[str] | None = None
) -> dict:
    """What `mae_viz.viewer.manifest` takes as ``laboratory``. ``mode`` and ``panels``: what is open at first, those of
    the first arrangement unless told otherwise. ``codecs``: those that the viewer has, where they are not all."""
    first = next(iter(ARRANGEMENTS.values()))
    arrangements = [
        {"name": name, "title": a.title, "panes": pane_text.read(a.panes), "mode": a.mode, "panels": a.panels}
        for name, a in offered(codecs).items()
    ]
    return {
        "arrangements": arrangements,
        "titles": PANELS,
        "pair": PAIR,
        "mode": mode or first.mode,
        "panels": list(first.panels if panels is None else panels),
    }
