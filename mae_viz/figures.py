"""Arrays → figures. No inference, no files, no torch."""

import numpy as np


def map_figure(values: np.ndarray, title: str, limit: float | None = None):
    """Plotly heat map of one channel (h, w), in a palette that is symmetric about 0.

    ``limit``: end of the colour scale, ± ; by default the largest magnitude of the map itself.
    """
    import plotly.graph_objects as go

    limit = limit or float(np.abs(values).max()) or 1.0
    trace = go.Heatmap(
        z=values,
        zmin=-limit,
        zmax=limit,
        colorscale="RdBu_r",
        hovertemplate="place %{x}, %{y}<br>y = %{z:.3f}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0},
    )
    return _as_picture(go.Figure(trace), values.shape, title)


def ratio_figure(values: np.ndarray, title: str, limit: float = 3.0):
    """Plotly heat map of an element-wise ratio (h, w), nan where masked.

    Colour is log2 |r| over ± ``limit``: red above 1, blue below; negative ratios run from white to purple by
    magnitude instead, masked places are hatched grey.
    """
    import plotly.graph_objects as go

    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log2(np.abs(values))
    log = np.clip(log, -limit, limit)  # a ratio of 0 has no logarithm: it shows as the smallest
    ticks = np.arange(-np.floor(limit), limit + 1)
    colorbar = {
        "thickness": 10,
        "outlinewidth": 0,
        "tickvals": ticks,
        "ticktext": [f"{2.0**t:g}" for t in ticks],
        "title": "r",
    }
    positive = go.Heatmap(
        z=np.where(values >= 0, log, np.nan),
        customdata=values,
        zmin=-limit,
        zmax=limit,
        colorscale="RdBu_r",
        colorbar=colorbar,
        hoverongaps=False,
        hovertemplate="place %{x}, %{y}<br>r = %{customdata:.3f}<extra></extra>",
    )
    negative = go.Heatmap(
        z=np.where(values < 0, log, np.nan),
        customdata=values,
        zmin=-limit,
        zmax=limit,
        colorscale=[[0, "#efe3f5"], [1, "#5b1a80"]],
        showscale=False,
        hoverongaps=False,
        hovertemplate="place %{x}, %{y}<br>r = %{customdata:.3f} (sign changes)<extra></extra>",
    )
    masked = np.isnan(values)
    ground = go.Heatmap(
        z=np.where(masked, 0.0, np.nan), colorscale=["#dcdcdc", "#dcdcdc"], showscale=False, hoverinfo="skip"
    )
    rows, columns = np.nonzero(masked)
    hatch = go.Scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "line-ne-open", "size": 6, "color": "#9a9a9a"},
        hovertemplate="place %{x}, %{y}<br>masked: |y| is too small to divide by<extra></extra>",
        showlegend=False,
    )
    return _as_picture(go.Figure([positive, negative, ground, hatch]), values.shape, title)


def _as_picture(figure, shape: tuple[int, int], title: str):
    """Square places, first row on top, no axes."""
    height, width = shape
    figure.update_xaxes(visible=False, range=[-0.5, width - 0.5], constrain="domain")
    figure.update_yaxes(visible=False, range=[height - 0.5, -0.5], scaleanchor="x", constrain="domain")
    return figure.update_layout(
        title={"text": title, "font": {"size": 14}, "x": 0, "xanchor": "left"},
        margin={"l": 0, "r": 0, "t": 34, "b": 0},
        plot_bgcolor="rgba(0,0,0,0)",
        height=300,
        dragmode=False,
    )
