"""Where a link lands on a page: at a heading, named in the address."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def at(anchor: str | None) -> None:
    """Bring the heading with this anchor to the top of the window, once for an address; without one the page begins
    where it begins."""
    _component(key="landing", data={"anchor": anchor})


_component = st.components.v2.component(
    "mae_viz_landing", html="<i></i>", js=(_HERE / "landing.js").read_text(encoding="utf-8")
)
