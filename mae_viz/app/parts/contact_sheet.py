"""All channels of a model as a sheet of small maps: click one, or move with the arrow keys, to choose it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from mae_viz.app.parts import plots

COLUMNS = 16
"""Columns of the picture that holds all maps; on the page there are as many as fit."""

_HERE = Path(__file__).parent


def contact_sheet(
    maps: np.ndarray,
    order: Sequence[int],
    labels: Sequence[str],
    chosen: int,
    off: Sequence[int],
    title: str,
    key: str,
    on_choice: Callable[[], None],
) -> int | None:
    """Show maps (C, h, w, 4), RGBA, in an order of channels; ``labels`` are read out and shown on hovering, those
    channels that are ``off`` are marked.

    Returns the channel just clicked, else None; a click runs the page again, after ``on_choice``.
    """
    count, height, width = maps.shape[:3]
    data = {
        "sprite": plots.url(plots.tiles(maps, COLUMNS)),
        "columns": COLUMNS,
        "rows": -(-count // COLUMNS),
        "shape": [height, width],
        "order": [int(c) for c in order],
        "labels": list(labels),
        "chosen": int(chosen),
        "off": list(off),
        "title": title,
        "masked": plots.HATCH,
    }
    return _component(key=key, data=data, on_chosen_change=on_choice).chosen


_component = st.components.v2.component(
    "mae_viz_contact_sheet",
    css=(_HERE / "contact_sheet.css").read_text(encoding="utf-8"),
    js=(_HERE / "contact_sheet.js").read_text(encoding="utf-8"),
)
