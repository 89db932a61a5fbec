"""The app's frame: the menu of pages. Streamlit runs this file for every visit and every change."""

from pathlib import Path

import streamlit as st

from mae_viz import pages
from mae_viz.pages import site

# a file, because Streamlit fetches emoji and Material icons for the tab from the internet
st.set_page_config(page_title="mae_viz", page_icon=Path(pages.__file__).parent / "icon.png", layout="wide")
st.navigation(list(site.pages().values())).run()
