"""What the pages draw: maps as exact pictures in the viewer's colours, their colour bars, and plotly's common look."""

import html
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from mae_viz import viewer
from mae_viz.app import computed
from mae_viz.app.parts.literal import literal
from mae_viz.codecs.registry import codec
from mae_viz.numbers import NARROW, number

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}

MARGIN = {"l": 10, "r": 10, "t": 46, "b": 10}
"""Pixels around a plot: above it is room for plotly's buttons, which telephones always show."""

INK = "#7b8494"
"""Lines that are of no codec: they stand out 3 : 1 from light and dark pages."""

MAPS = json.loads((Path(viewer.__file__).parent / "colour_maps.json").read_text(encoding="utf-8"))
"""The viewer's colour maps are the app's: the stops of each from its low to its high end, the octaves that a ratio's
colours reach from its mean to either side, and the two greys of the hatching where there is no value."""


@lru_cache
def _table(name: str) -> np.ndarray:
    rgb = np.array([[int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in MAPS[name]], np.float64)
    at = np.arange(256) / 255 * (len(rgb) - 1)
    below = np.minimum(at.astype(int), len(rgb) - 2)
    mixed = rgb[below] + (at - below)[:, None] * (rgb[below + 1] - rgb[below])
    return np.c_[np.floor(mixed + 0.5), np.full(256, 255)].astype(np.uint8)


def coloured(kind: str, values: np.ndarray, top: float) -> np.ndarray:
    """A map (h, w) as RGBA, the same bytes as `colours` of the viewer's colour.js.

    ``kind``: "bits" (0 … top), "y" (−top … top), or "ratio" (log2 of its size about that of its mean, top; negative
    ones in a hue of their own, masked ones transparent). A top of 0 or nan, for a channel without values, is drawn as
    the middle of the scale.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "bits":
            return _table("sequential")[_level(values / top)]
        if kind == "y":
            return _table("diverging")[_level(0.5 + values / (2 * top), 0.5)]
        level = _level(0.5 + np.log2(np.abs(values) / abs(top)) / (2 * MAPS["octaves"]))
    out = np.where((values < 0)[..., None], _table("negative")[level], _table("diverging")[level])
    out[np.isnan(values)] = 0
    return out


def flat(values: np.ndarray, codec_name: str) -> np.ndarray:
    """A map (h, w) that has one value, as RGBA in a tint of the codec's colour; transparent where it is nan."""
    colour = np.array([int(codec(codec_name).colour[i : i + 2], 16) for i in (1, 3, 5)])
    out = np.full((*values.shape, 4), 255, np.uint8)
    out[..., :3] = np.round(0.45 * colour + 0.55 * 255)
    out[np.isnan(values)] = 0
    return out


def _level(t: np.ndarray, empty: float = 0.0) -> np.ndarray:
    return np.floor(np.clip(np.nan_to_num(t, nan=empty, posinf=1, neginf=0), 0, 1) * 255 + 0.5).astype(int)


def url(pixels: np.ndarray) -> str:
    """RGB(A) pixels as the URL of a PNG."""
    picture = Image.fromarray(pixels)
    large = computed.is_large(*picture.size)
    return computed.data_url(computed.run(computed.to_png, picture, large=True) if large else computed.to_png(picture))


def tiles(maps: np.ndarray, columns: int) -> np.ndarray:
    """Many RGBA maps (n, h, w, 4) as one picture with so many columns, filled row by row."""
    n, h, w, depth = maps.shape
    full = np.zeros((-(-n // columns) * columns, h, w, depth), np.uint8)
    full[:n] = maps
    return full.reshape(-1, columns, h, w, depth).swapaxes(1, 2).reshape(-1, columns * w, depth)


GAP = 12
"""Pixels between what stands side by side."""

HATCH = "repeating-linear-gradient(45deg,{1} 0 3px,{0} 3px 6px)".format(*MAPS["hatch"])


def figure(
    source: str,
    alt: str,
    caption: str,
    overlay: str | None = None,
    opacity: float = 1.0,
    value: str | None = None,
    bar: str = "",
) -> str:
    """A map or picture with its caption (HTML), enlarged without smoothing; hatching shows where it is transparent.

    ``overlay``: a second one above it, with that opacity. ``value``: a text in its middle. ``bar``: its `colour_bar`.
    """
    style = "display:block;width:100%;image-rendering:pixelated"
    over = ""
    if overlay:
        over = f'<img src="{overlay}" alt="" style="{style};position:absolute;inset:0;height:100%;opacity:{opacity}">'
    if value:
        over += (
            '<b style="position:absolute;inset:0;margin:auto;width:fit-content;height:fit-content;padding:0 0.5rem;'
            f'border-radius:6px;background:#fffc;color:#1c2127;font-size:1.4rem">{value}</b>'
        )
    return (
        f'<figure style="margin:0;min-width:0"><div style="position:relative;background:{HATCH}">'
        f'<img src="{source}" alt="{html.escape(alt)}" style="{style}">{over}</div>{bar}'
        f'<figcaption style="font-size:0.875rem;padding-top:0.25rem">{caption}</figcaption></figure>'
    )


def beside(*cells: str, least: int = 210) -> str:
    """Cells (HTML) side by side, in as many columns as leave each ``least`` pixels; four never as three and one."""
    if len(cells) == 4:
        return beside(*(beside(*two, least=least) for two in (cells[:2], cells[2:])), least=2 * least + GAP)
    columns = f"repeat(auto-fit,minmax(min(100%,{least}px),1fr))"
    return f'<div style="display:grid;gap:{GAP}px;grid-template-columns:{columns}">{"".join(cells)}</div>'


def colour_bar(kind: str, labels: list[str], title: str = "") -> str:
    """What a map's colours mean (HTML): labels at equal distances from the low to the high end."""
    names = {"bits": ["sequential"], "y": ["diverging"], "ratio": ["diverging", "negative"]}[kind]
    bars = "".join(
        f'<div style="height:0.6rem;background:linear-gradient(to right,{",".join(MAPS[name])})"></div>'
        for name in names
    )
    ticks = "".join(f"<span>{html.escape(label)}</span>" for label in labels)
    return (
        f'<div style="font-size:0.875rem;padding-top:0.5rem">{title}{bars}'
        f'<div style="display:flex;justify-content:space-between">{ticks}</div></div>'
    )


def ratio_bar(mean: float) -> str:
    """The colour bar of a ratio map with this mean, in steps of log₂; empty where it has no values."""
    reach = 2.0 ** MAPS["octaves"]
    return colour_bar("ratio", [number(end) for end in (mean / reach, mean, mean * reach)]) if np.isfinite(mean) else ""


def show(figure: "Figure", key: str, alt: str) -> None:
    """The subplots of a figure, each a chart of its own below its title: a narrow window has them one below the
    other."""
    charts = split(figure)
    across = min(4, len(charts))
    for k, (title, chart) in enumerate(charts):
        if k % across == 0:
            row = st.columns(across, gap="small")
        with row[k % across], st.container(gap=None):
            st.markdown(f"**{literal(title)}**")
            st.plotly_chart(chart, key=f"{key} {k}", config=CONFIG, alt=f"{alt}: {title}")


def split(figure: "Figure") -> list[tuple[str, "Figure"]]:
    """Each subplot of a figure, its title and a figure of its own; axes that match go on to have one range."""
    import plotly.graph_objects as go

    whole = figure.layout.to_plotly_json()
    titles = [note["text"] for note in whole.pop("annotations")]
    shapes = whole.pop("shapes", [])
    axes = {name: whole.pop(name) for name in list(whole) if name[1:].startswith("axis")}
    legend = {trace.name for trace in figure.data if trace.name and trace.showlegend is not False}
    made = []
    for k, title in enumerate(titles, 1):
        n = "" if k == 1 else str(k)
        one = go.Figure([trace for trace in figure.data if (trace.xaxis or "x") == f"x{n}"], whole)
        one.update_traces(xaxis="x", yaxis="y")
        one.for_each_trace(lambda trace: trace.update(showlegend=trace.name in legend))  # so all are equally high
        for side in "xy":
            axis = axes[f"{side}axis{n}"]
            told = {k: v for k, v in axis.items() if k not in ("domain", "anchor", "matches", "showticklabels")}
            peers = _peers(axes, f"y{n}")
            if side == "y" and len(peers) > 1:
                shown = [trace for trace in figure.data if (trace.yaxis or "y") in peers]
                told["range"] = _reach(shown, told.get("type") == "log")
            one.update_layout({f"{side}axis": told})
        for shape in shapes:
            if shape["xref"] == f"x{n}":
                one.add_shape(shape | {"xref": "x", "yref": shape["yref"].replace(f"y{n}", "y")})
        one.update_layout(separators=f".{NARROW}")
        made.append((title, one))
    return made


def _peers(axes: dict[str, dict], name: str) -> list[str]:
    """The y axes that match one, itself among them, as traces call them."""
    matches = {f"y{key[5:]}": axis.get("matches") for key, axis in axes.items() if key.startswith("y")}
    root = matches[name] or name
    return [other for other, to in matches.items() if root in (other, to)]


def _reach(traces: list, log: bool) -> list[float]:
    """From the least to the largest y, with some room; from 0 on where the axis is not logarithmic."""
    values = np.concatenate([np.asarray(trace.y, float) for trace in traces])
    values = np.log10(values) if log else np.append(values, 0)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.05 * (high - low)
    return [low - room if low else 0.0, high + room]


def logarithmic(axis: str = "λ") -> dict:
    """A λ axis of plotly in octaves."""
    ticks = [64 * 2**t for t in range(7)]
    return {"type": "log", "title": axis, "tickvals": ticks, "ticktext": [str(t) for t in ticks]}
