"""R-D curves as a plot: quality against bits per pixel, a line for each codec, every point with its numbers."""

import html
import math
from typing import TYPE_CHECKING

from mae_viz.app.parts import plots
from mae_viz.codecs import palette
from mae_viz.figures import style
from mae_viz.measured import collected
from mae_viz.numbers import NARROW

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure


def plot(drawn: "pd.DataFrame", titles: dict[str, str], kind: collected.Metric, log: bool) -> "Figure":
    """Quality against bits per pixel: a line for each curve.

    A point's customdata: curve, codec, title, λ or None, quality or None, bpp, PSNR and MS-SSIM in dB or None.
    """
    import plotly.graph_objects as go

    column = kind.column
    unit = f"{NARROW}{kind.unit}" if kind.unit else ""
    figure = go.Figure()
    for curve, title in titles.items():
        points = drawn[drawn["curve"] == curve].sort_values("bpp")
        data = [
            [row.curve, row.codec, row.title, none(row.lmbda), none(row.quality), row.bpp, none(row.psnr_db),
             none(row.db_of_mean_ms_ssim)]
            for row in points.itertuples()
        ]  # fmt: skip
        labels = [at(row[3], row[4]) for row in data]
        figure.add_trace(
            go.Scatter(
                x=points["bpp"],
                y=points[column],
                name=html.escape(title, quote=False),
                mode="lines+markers",
                line=look(curve),
                marker={"size": 9 if points["kind"].iloc[0] not in ("classical", "published") else 5},
                customdata=data,
                text=labels,
                hovertemplate=f"%{{text}}: %{{x:.4f}}{NARROW}bpp, %{{y:.2f}}{unit}",
                selected={"marker": {"size": 13}},
                unselected={"marker": {"opacity": 1}},
            )
        )
    figure.update_layout(
        height=600,  # on a telephone the legend takes a third of it
        margin=plots.MARGIN,
        legend={"orientation": "h", "y": -0.15, "yanchor": "top"},
        clickmode="event+select",
        hovermode="closest",
    )
    # they decide what is seen first; zoom out for the rest
    models = drawn[~drawn["kind"].isin(["classical", "published"])]
    models = models if len(models) else drawn
    left, right = 0.7 * models["bpp"].min(), 1.1 * models["bpp"].max()
    figure.update_xaxes(title="rate [bits per pixel]", type="log" if log else "linear")
    if log:
        ticks = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2]
        figure.update_xaxes(tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_xaxes(range=[math.log10(left), math.log10(right)] if log else [0, right])
    figure.update_yaxes(title=kind.title + (f" [{kind.unit}]" if kind.unit else ""))
    figure.update_yaxes(range=[models[column].min() - 1, models[column].max() + 2])
    return figure


def look(curve: str) -> dict:
    """Colour, dash and width of a curve: the paper's are the thick ones."""
    drawn = palette.drawing(curve)
    return {"color": drawn.colour, "dash": drawn.dash, "width": 3 if own_name(curve) in style.PAPERS else 1.5}


def own_name(curve: str) -> str:
    """The curve of this project that one of the paper's corresponds to."""
    return curve.removeprefix("paper-")


def none(value: float) -> float | None:
    return None if value != value else float(value)


def at(lmbda: float | None, quality: float | None) -> str:
    """What names a point on its curve."""
    if lmbda is not None:
        return f"λ = {lmbda:g}"
    return "a published point" if quality is None else f"quality {quality:g}"
