"""The list of pages, and links from one to another that carry what is on show.

A page is named by the last part of its address; what it shows lies in the address too (`mae_viz.app.address`).
"""

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from mae_viz.app import address
from mae_viz.rates import Rate

TITLES = {
    "start": ("Start", ":material/home:"),
    "explore": ("Explore", ":material/image_search:"),
    "feature-maps": ("Feature maps", ":material/grid_view:"),
    "bits": ("Where the bits go", ":material/data_usage:"),
    "gains": ("Gains", ":material/tune:"),
    "curves": ("R-D curves", ":material/show_chart:"),
    "file": ("File", ":material/data_object:"),
    "how": ("How it works", ":material/school:"),
}
"""Pages by name, in the menu's order: title and icon. ``feature-maps`` is `mae_viz.app.pages.feature_maps`."""


def pages() -> dict[str, st.Page]:
    """All pages by name; the first is where a visit without an address begins."""
    first = next(iter(TITLES))
    return {
        name: st.Page(_runner(name), title=title, icon=icon, url_path=name, default=name == first)
        for name, (title, icon) in TITLES.items()
    }


def link(name: str, label: str, **state: str | float | Rate) -> None:
    """A link to a page, with the state that it is to show: ``link("explore", "See it", image="china", lambda_=64)``.

    The picture on show goes along where ``image`` is not given. A trailing underscore of a name is dropped.
    """
    given = {key.rstrip("_"): str(value) for key, value in state.items()}
    st.page_link(pages()[name], label=label, query_params=address.carried("image") | given)


def _runner(name: str) -> Callable[[], None]:
    """Imports a page when it is opened, not before: so the first one shows sooner."""

    def run() -> None:
        import_module(f"mae_viz.app.pages.{name.replace('-', '_')}").page()

    run.__name__ = name.replace("-", "_")
    return run
