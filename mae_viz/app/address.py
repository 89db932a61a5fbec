"""The address: what a page shows, as query parameters, so that a link brings it again and Back the state before.

The address alone holds this state. A page reads it at every run; what a person changes is written into it, as one step
of the browser's history, and defaults are left out. (Streamlit's own ``bind="query-params"`` replaces the address
instead, and Back cannot return.) ``image`` and ``lambda`` mean the same on every page, the others belong to their page.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st


def read(key: str, start: str = "") -> str:
    """What the address says under a key; ``start`` where it says nothing."""
    return st.query_params.get(key, start)


def turn_to(values: Mapping[str, str | Sequence[str] | None]) -> None:
    """Write values into the address, all as one step of the browser's history; None takes one out."""
    after = {key: st.query_params.get_all(key) for key in st.query_params} | dict(values)
    st.query_params.from_dict({key: value for key, value in after.items() if value is not None})


def carried(*keys: str) -> dict[str, str]:
    """What the address says under these keys, for a link that takes it along."""
    return {key: st.query_params[key] for key in keys if key in st.query_params}


def held(
    key: str,
    start: Any,
    options: Collection[Any] | None = None,
    read_as: Callable[[str], Any] = str,
    write_as: Callable[[Any], str] = str,
) -> dict[str, Any]:
    """Arguments of a widget whose value the address holds under ``key``: ``st.selectbox("Layer", names, **held(…))``.

    ``start``: the value where the address says nothing, or what is not among the ``options``, or what ``read_as``
    raises ValueError for.
    """
    value = start
    if key in st.query_params:
        with suppress(ValueError):
            value = read_as(read(key))
    return _widget(key, value if options is None or value in options else start, start, write_as)


def held_all(key: str, start: list[str], options: Collection[str]) -> dict[str, Any]:
    """The same for a widget of many values, each with the key once; an empty one where none is chosen."""
    said = st.query_params.get_all(key)
    value = [text for text in said if text in options]
    return _widget(key, value if value or said == [""] else start, start, lambda chosen: chosen or "")


def _widget(key: str, value: Any, start: Any, write_as: Callable[[Any], str | list[str]]) -> dict[str, Any]:
    def keep() -> None:
        chosen = st.session_state[key]
        turn_to({key: None if chosen == start else write_as(chosen)})

    st.session_state[key] = value
    return {"key": key, "on_change": keep}
