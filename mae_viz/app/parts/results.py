"""The measured results and what is computed from them, once for all pages and visitors."""

from typing import TYPE_CHECKING

import streamlit as st

from mae_viz.app import computed
from mae_viz.measured import collected

if TYPE_CHECKING:
    import pandas as pd


@st.cache_data(show_spinner="Reading the results …")
def measurements() -> "pd.DataFrame":
    """`mae_viz.measured.collected.results`, read once."""
    return computed.run(collected.results)


@st.cache_data(show_spinner=False)
def bd_rates(_frame: "pd.DataFrame", anchor: str, dataset: str, metric: str) -> "pd.DataFrame":
    return computed.run(collected.bd_table, anchor, dataset, metric, _frame)


@st.cache_data(show_spinner=False)
def against_peers(_frame: "pd.DataFrame", dataset: str, metric: str) -> "pd.DataFrame":
    return computed.run(collected.against_peers, _frame, dataset, metric)
