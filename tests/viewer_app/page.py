"""The page that the tests look at: a photograph chosen in the URL, in the viewer, and what the viewer reports."""

import json

import streamlit as st

from mae_viz import viewer
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.viewer.streamlit_host import viewer as show

st.set_page_config(layout="wide")
photograph = gallery()[st.selectbox("Photograph", ["chelsea", "coffee"])]
size = int(st.query_params.get("size", 192))
picture = open_rgb(photograph.path).crop((100, 40, 100 + size, 40 + size * 2 // 3))
manifest = viewer.manifest(ladder.shared(), picture, photograph.title)
released = show(manifest)
st.session_state.runs = st.session_state.get("runs", 0) + 1
st.caption(f"manifest {len(json.dumps(manifest))} bytes")
st.caption(f"{ladder.shared().model_calls} model calls")
st.caption(f"released {released['lmbda'] if released else None}, run {st.session_state.runs}")
