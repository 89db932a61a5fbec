"""The picture that all pages look at: a bundled photograph, named in the address, or one's own for as long as the visit
lasts."""

from contextlib import suppress

import streamlit as st

from mae_viz.app import address, computed
from mae_viz.app.computed import Picture
from mae_viz.app.parts.literal import literal
from mae_viz.formats import SUFFIXES
from mae_viz.images import ImageError, gallery
from mae_viz.viewer import streamlit_host

PREVIEW = 320
"""Pixels that an upload's preview is wide, on a screen with two of them to a point."""

_OWN = "own"


def choose() -> Picture | None:
    """The choice of a photograph (kept in the address as ``image``) or of one's own, the same in the bar of every page.

    Returns None, and shows a sentence, where an upload is no picture. What to say of it below: `caption`.
    """
    _choose()
    with st.popover("Your own"):
        _upload("A picture of yours: it stays on this computer")
    return _picture()


def caption() -> None:
    """What to look for in the photograph, and whose it is."""
    if _own_on():
        st.caption(
            f"{literal(st.session_state[_OWN][0])}: your picture, for as long as this visit lasts. What is computed of "
            "it stays in the cache of whoever runs this app, for nobody else to read, until newer pictures need the "
            "room."
        )
        return
    photograph = gallery()[st.session_state["image"]]
    but = f" **The counterexample:** {photograph.counterexample}." if photograph.counterexample else ""
    st.caption(f"Look for {photograph.look_for}.{but} Photograph: {photograph.credit}.")


def _choose() -> None:
    photographs = gallery()
    named = address.read("image")
    own = st.session_state.get(_OWN)
    titles = {name: photograph.title for name, photograph in photographs.items()} | ({_OWN: own[0]} if own else {})
    st.session_state["image"] = _OWN if _own_on() else named if named in photographs else next(iter(photographs))
    st.selectbox(
        "Photograph",
        titles,
        format_func=titles.__getitem__,
        key="image",
        on_change=_name_picture,
        label_visibility="collapsed",
    )


def _upload(label: str) -> None:
    st.file_uploader(label, type=sorted(suffix[1:] for suffix in SUFFIXES), key="upload", on_change=_keep)
    if _own_on():
        name, data = st.session_state[_OWN]
        with suppress(ImageError):  # `_picture` says why
            whole = computed.picture_from(name, data).image
            st.image(whole.reduce(max(1, whole.width // PREVIEW)), width=PREVIEW // 2, caption=literal(name))


def _own_on() -> bool:
    return st.session_state.get(_OWN) is not None and st.session_state.get("own on", True)


def _picture() -> Picture | None:
    if not _own_on():
        return computed.photograph(st.session_state["image"])
    name, data = st.session_state[_OWN]
    try:
        picture = computed.picture_from(name, data)
    except ImageError as error:
        st.error(f"{literal(name)}: {error}")
        return None
    for note in picture.image.info.get("notes", ()):
        st.info(note[0].upper() + note[1:])
    return picture


def _keep() -> None:
    """An upload stays when its widget goes with the page; taken away by hand it goes."""
    streamlit_host.turn_away()
    file = st.session_state["upload"]
    st.session_state[_OWN] = (file.name, file.getvalue()) if file else None
    st.session_state["own on"] = True


def _name_picture() -> None:
    streamlit_host.turn_away()
    chosen = st.session_state["image"]
    st.session_state["own on"] = chosen == _OWN
    if chosen != _OWN:
        address.turn_to({"image": chosen})
