"""The colour, marker and dash of every curve, read from ``palette.json``; one for pages, figures and the viewer.

Codecs that can be on show together differ in colour for every kind of colour vision; published curves have the colour
of their kind where there is one, and always another dash. Codecs of one's own get the file's spare ones in the order
in which they turn up. Markers and dashes carry plotly's names.
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

_OWN = "own"
_given: dict[str, int] = {}
"""Spare entries that have been given away, by name."""


@dataclass(frozen=True)
class Drawing:
    """How a curve is drawn."""

    colour: str
    """ "#rrggbb" """
    marker: str
    """ "none", or a plotly symbol."""
    dash: str
    """A plotly dash."""


@cache
def drawings() -> dict[str, Drawing]:
    """Every codec and published curve that has colours of its own, by name."""
    return {name: Drawing(**entry) for name, entry in _file().items() if name != _OWN}


def drawing(name: str) -> Drawing:
    """How the curve of this name is drawn. The paper's own curves are drawn as ours, or the published ones, that they
    correspond to, those of refined models in the colour of the model."""
    model, refined, _ = name.partition("-refined-")
    if refined:  # its model's colour, and a mark and dash that no model has
        return replace(drawing(model), marker="star", dash="dot")
    known = drawings()
    theirs = name.removeprefix("paper-")
    for same in (name, theirs, f"published-{theirs}") if theirs != name else (name,):
        if same in known:
            return known[same]
    spare = _file()[_OWN]
    return Drawing(**spare[_given.setdefault(name, len(_given)) % len(spare)])


@cache
def _file() -> dict:
    return json.loads(Path(__file__).with_name("palette.json").read_text(encoding="utf-8"))
