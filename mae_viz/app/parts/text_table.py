"""Tables of text on the pages: without pandas and pyarrow, and read out by screen readers like any other text."""

from collections.abc import Sequence

import streamlit as st


def table(rows: Sequence[dict[str, str]], numbers: Sequence[str] = ()) -> None:
    """Rows with the same keys, which head the columns; those named in ``numbers`` are set flush right."""
    if not rows:
        return
    heads = list(rows[0])
    lines = [heads, ["--:" if head in numbers else ":--" for head in heads], *([row[h] for h in heads] for row in rows)]
    text = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    st.markdown(text.replace("~", "\\~"))
