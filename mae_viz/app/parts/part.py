"""The part of a large picture that the viewer scrubs through, moved on a preview of the whole."""

from pathlib import Path

import numpy as np
import streamlit as st

from mae_viz.app.computed import Picture
from mae_viz.app.parts import plots
from mae_viz.ladders.frame import middle

STEP = 16
"""Pixels that the part moves by at least: one place of the latents."""

PREVIEW = 360
"""The longer side of the preview, in pixels."""

_HERE = Path(__file__).parent


def choose(picture: Picture) -> tuple[Picture, tuple[int, int]]:
    """The picture itself, or of a large one the part that the viewer scrubs through, and where that lies: left, top.

    It stays where it was put as long as the visit lasts.
    """
    width, height = picture.image.size
    first = middle(picture.image)
    if first is picture.image:
        return picture, (0, 0)
    size, key = first.size, picture.key  # what `keep` needs: it stays with the visit, the picture must not
    kept: dict[str, tuple[int, int]] = st.session_state.setdefault("parts", {})
    left, top = kept.get(key, ((width - size[0]) // 2, (height - size[1]) // 2))

    def keep() -> None:
        at = st.session_state["part"].at
        kept[key] = within(at[0], width - size[0]), within(at[1], height - size[1])

    with st.container(key="scrubbed", horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{width} × {height} pixels are too many to scrub through: λ moves in a part of {size[0]} × {size[1]}. The "
            "viewer's button “Whole picture” shows all of it at the λ released.",
            width="stretch",
        )
        with st.popover("Move the part"):
            preview = picture.image.copy()
            preview.thumbnail((PREVIEW, PREVIEW))
            data = {
                "source": plots.url(np.asarray(preview)),
                "whole": [width, height],
                "part": size,
                "at": [left, top],
                "step": STEP,
                "label": f"Part of {picture.name} that λ moves in",
            }
            _component(key="part", data=data, on_at_change=keep)
    left, top = kept.get(key, (left, top))
    box = (left, top, left + size[0], top + size[1])
    return Picture(picture.name, picture.image.crop(box)), (left, top)


def within(at: float, room: int) -> int:
    """A place on the grid of STEP, or the far edge."""
    return min(max(0, round(at / STEP) * STEP), room)


_component = st.components.v2.component(
    "mae_viz_part",
    css=(_HERE / "part.css").read_text(encoding="utf-8"),
    js=(_HERE / "part.js").read_text(encoding="utf-8"),
)
