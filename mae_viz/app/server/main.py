"""The app's frame: the menu of pages. Streamlit runs this file for every visit and every change."""

from pathlib import Path

import streamlit as st

from mae_viz.app import address, site

# a file, because Streamlit fetches emoji and Material icons for the tab from the internet
st.set_page_config(page_title="mae_viz", page_icon=Path(__file__).parent / "icon.png", layout="wide")
page = st.navigation(list(site.pages().values()), position="hidden")
with st.sidebar:  # Streamlit's own menu forgets what is on show: these links carry it along
    for other in site.pages().values():
        st.page_link(other, query_params=address.carried("image", "lambda"))
page.run()
