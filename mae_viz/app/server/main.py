"""The app's frame: the bar with the pages. Streamlit runs this file for every visit and every change."""

from pathlib import Path

import streamlit as st

from mae_viz.app import site
from mae_viz.app.server import leaving

_HERE = Path(__file__).parent

leaving.note()
# a file, because Streamlit fetches emoji and Material icons for the tab from the internet
st.set_page_config(page_title="mae_viz", page_icon=_HERE / "icon.png", layout="wide")
page = st.navigation(list(site.pages().values()), position="hidden")
st.html(_HERE / "frame.css")
site.show_bar()
page.run()
