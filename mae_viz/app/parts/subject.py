"""The picture that all pages look at: a bundled photograph, named in the address, or an upload."""

import streamlit as st

from mae_viz.app import address, computed
from mae_viz.app.computed import Picture
from mae_viz.formats import SUFFIXES
from mae_viz.images import ImageError, gallery


def choose_picture() -> Picture | None:
    """The choice of a photograph (kept in the address as ``image``) or an upload, the same on every page.

    Returns None, and shows a sentence, where an upload is no picture.
    """
    photographs = gallery()
    named = address.read("image")
    st.session_state["image"] = named if named in photographs else next(iter(photographs))
    chooser, upload = st.columns(2, gap="large")
    with chooser:
        name = st.selectbox(
            "Photograph",
            photographs,
            format_func=lambda key: photographs[key].title,
            key="image",
            on_change=_name_picture,
        )
        photograph = photographs[name]
        st.caption(f"Look for {photograph.look_for}. Photograph: {photograph.credit}.")
    with upload:
        file = st.file_uploader(
            "… or your own (it stays on this computer)",
            type=sorted(suffix[1:] for suffix in SUFFIXES),
            key="upload",
        )
    try:
        if file is None:
            return computed.picture_from(photograph.title, photograph.path.read_bytes())
        picture = computed.picture_from(file.name, file.getvalue())
        for note in picture.image.info.get("notes", ()):
            st.info(note[0].upper() + note[1:])
        return picture
    except ImageError as error:
        st.error(f"{file.name if file else name}: {error}")
        return None


def _name_picture() -> None:
    address.turn_to({"image": st.session_state["image"]})
