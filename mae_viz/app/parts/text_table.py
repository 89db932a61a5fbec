"""Tables of text on the pages: without pandas and pyarrow, and read out by screen readers like any other text."""

from collections.abc import Sequence

import streamlit as st

from mae_viz.app.parts.literal import literal


def table(rows: Sequence[dict[str, str]], numbers: Sequence[str] = (), bold: Sequence[str] = ()) -> None:
    """Rows with the same keys, which head the columns; those named in ``numbers`` are set flush right. Cells show
    as they are, those with a text of ``bold`` in bold."""
    if not rows:
        return
    heads = list(rows[0])
    lines = [[f"**{literal(cell)}**" if cell in bold else literal(cell) for cell in row.values()] for row in rows]
    rule = ["--:" if head in numbers else ":--" for head in heads]
    st.markdown("\n".join(f"| {' | '.join(line)} |" for line in (list(map(literal, heads)), rule, *lines)))
