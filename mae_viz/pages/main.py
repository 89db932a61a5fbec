"""The app's frame: lists the pages. Streamlit runs this file for every visit and every change."""

from pathlib import Path

import streamlit as st

from mae_viz import pages
from mae_viz.pages import explore

# a file, because Streamlit fetches emoji and Material icons for the tab from the internet
st.set_page_config(page_title="mae_viz", page_icon=Path(pages.__file__).parent / "icon.png", layout="wide")
st.navigation([st.Page(explore.page, title="Explore", icon=":material/image_search:", default=True)]).run()
