"""A launcher as small as can be: the viewer in a Streamlit page, for the tests."""

from pathlib import Path

import streamlit as st

from mae_viz.viewer import streamlit_host

app = st.App(Path(__file__).with_name("page.py"), routes=streamlit_host.routes())
