"""The list of pages, the bar on top of each, and links from one to another that carry what is on show.

A page is named by the last part of its address; what it shows lies in the address too (`mae_viz.app.address`).
"""

from collections.abc import Callable
from contextvars import ContextVar
from importlib import import_module

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mae_viz.app import address
from mae_viz.app.parts import glossary
from mae_viz.rates import Rate

TITLES = {
    "laboratory": ("Laboratory", ":material/science:"),
    "feature-maps": ("Feature maps", ":material/grid_view:"),
    "bits": ("Where the bits go", ":material/data_usage:"),
    "gains": ("Gains", ":material/tune:"),
    "curves": ("R-D curves", ":material/show_chart:"),
    "file": ("File", ":material/data_object:"),
    "how": ("How it works", ":material/school:"),
}
"""Pages by name, in the menu's order: title and icon. ``feature-maps`` is `mae_viz.app.pages.feature_maps`."""

FORMER = {"start": "laboratory", "explore": "laboratory"}
"""Names that pages had, and what has taken their place: their addresses still lead there."""

PRESETS = {
    "pictures": {"show": "compare"},
    "schemes": {"panes": "original,independent,bottleneck-scaling,mae", "mode": "side", "panels": "curve"},
    "ratios": {"panes": "mae,bottleneck-scaling,mae:ratio,bottleneck-scaling:ratio", "mode": "side", "panels": "maps"},
    "maps-mae": {"panes": "mae:y,mae:y@64,mae:ratio,bottleneck-scaling:ratio", "mode": "side", "panels": "maps"},
    "maps-scaling": {
        "panes": "bottleneck-scaling:y,bottleneck-scaling:y@64,bottleneck-scaling:ratio,mae:ratio",
        "mode": "side",
        "panels": "maps",
    },
    "lost": {
        "panes": "mae:difference,bottleneck-scaling:difference,mae:bits,bottleneck-scaling:bits",
        "mode": "side",
        "panels": "bits,curve",
    },
    "hyperprior": {"show": "hyperprior"},
    "classical": {"show": "classical"},
}
"""What the former addresses called ``preset``, in today's words."""

_bar: ContextVar[DeltaGenerator] = ContextVar("bar")
_here: ContextVar[str] = ContextVar("here", default="")
"""The name of the page that runs."""


def pages() -> dict[str, st.Page]:
    """All pages by name, the former ones last; the first is where a visit without an address begins, and its name as an
    address leads there too."""
    first = next(iter(TITLES))
    there = {
        name: st.Page(_runner(name), title=title, icon=icon, url_path=name) for name, (title, icon) in TITLES.items()
    }
    # The first has the address "", whatever it is called here; another has the name, so this one must not.
    title, icon = TITLES[first]
    there[first] = st.Page(_runner(first), title=title, icon=icon, url_path="front", default=True)
    there[f"/{first}"] = st.Page(_leads_to(first, dict), title=first, url_path=first)
    return there | {name: st.Page(_leads_to(now, today), title=name, url_path=name) for name, now in FORMER.items()}


def show_bar() -> None:
    """The bar on top: the pages, the words that they use, and what a page puts there itself (`bar`)."""
    with st.container(key="bar", horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover("Pages", key="menu"):
            _links()
            with st.expander("Words"):
                glossary.show()
        with st.container(key="pages", horizontal=True, gap=None, vertical_alignment="center", width="content"):
            _links()
        with st.popover("Words", key="words"):
            glossary.show()
        _bar.set(st.container(key="subject", horizontal=True, gap="small", vertical_alignment="center"))


def _links() -> None:
    """Streamlit's own menu forgets what is on show: these carry it along."""
    there = pages()
    for name in TITLES:
        st.page_link(there[name], query_params=address.carried("image", "lambda"))


def bar() -> DeltaGenerator:
    """Room in the bar for what a page chooses."""
    return _bar.get()


def link(name: str, label: str, **state: str | float | Rate) -> None:
    """A link to a page, with the state that it is to show: ``link("laboratory", "See it", image="china", lambda_=64)``.

    The picture on show goes along where ``image`` is not given. A trailing underscore of a name is dropped.
    """
    given = {key.rstrip("_"): str(value) for key, value in state.items()}
    if name in FORMER:
        given = today(given)
    target, given = FORMER.get(name, name), address.carried("image") | given
    if target == _here.get():  # Streamlit's links to the page that they stand on do nothing

        def turn() -> None:
            address.turn_to(dict.fromkeys(st.query_params) | given)

        st.button(label, key=f"to {label}", type="tertiary", on_click=turn)
    else:
        st.page_link(pages()[target], label=label, query_params=given)


def today(given: dict[str, str]) -> dict[str, str]:
    """What a former address said, as the laboratory says it."""
    preset = PRESETS.get(given.get("preset", ""), {})
    side = {"mode": "side"} if "panes" in given else {}
    return preset | side | {key: value for key, value in given.items() if key != "preset"}


def _leads_to(name: str, said: Callable[[dict], dict]) -> Callable[[], None]:
    """A page that opens another one, which shows what the address asks for, in that page's words."""

    def lead() -> None:
        st.switch_page(pages()[name], query_params=said(st.query_params.to_dict()))

    lead.__name__ = f"leads_to_{name}"
    return lead


def _runner(name: str) -> Callable[[], None]:
    """Imports a page when it is opened, not before: so the first one shows sooner."""

    def run() -> None:
        _here.set(name)
        import_module(f"mae_viz.app.pages.{name.replace('-', '_')}").page()

    run.__name__ = name.replace("-", "_")
    return run
