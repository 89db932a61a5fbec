"""Fig. 3: rate and distortion, ours on one data set beside the paper's own points on CLIC, with the BD-rates of both.

The two data sets have panels of their own, with the same axes, because their numbers do not compare. Curves without
results are left out and named in the caption; a curve of one's own (`MAE_VIZ_RESULTS`) is drawn with ours.
"""

from typing import TYPE_CHECKING

from mae_viz import metrics, rates
from mae_viz.architectures import FACTS
from mae_viz.codecs import palette, registry
from mae_viz.figures import style
from mae_viz.measured import collected, datasets, intervals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS = "kodak"
"""Data set of the left panels unless another is asked for; the right panels have the paper's."""

ANCHOR = "mae"
"""What BD-rates are taken against: our MAE, and the paper's; without ours, the first curve that there is."""

COUNTS = {
    name: len(rates.LMBDAS_HYPERPRIOR if FACTS[architecture].hyperprior else rates.LMBDAS)
    for name, architecture in style.PAPERS.items()
}
"""How many rates the paper's curves have."""

LEFT, RIGHT = "ours", "paper"
"""The two sides, as columns of `bd_rates` begin."""

METRICS = ("psnr", "ms-ssim")
"""The rows of panels."""

_COLUMNS = {(LEFT, "psnr"): "PSNR", (LEFT, "ms-ssim"): "MS-SSIM", (RIGHT, "psnr"): "PSNR"}
"""BD-rates that are given: none on the paper's MS-SSIM, of which nobody knows how it was averaged."""

_ROW_IN = 0.145


def paper_name(name: str) -> str:
    """The paper's curve that one of ours, or a published one, corresponds to."""
    return "paper-" + name.removeprefix("published-")


def labels(results: "pd.DataFrame", dataset: str = OURS) -> dict[str, str]:
    """All curves that may be drawn, by name, in order: the paper's, those to compare with, one's own on that set."""
    ours = results[results["dataset"] == dataset].drop_duplicates("curve").set_index("curve")
    own = [name for name in ours.index if name not in palette.drawings() and not name.startswith("paper-")]
    known = {name: style.title(name) for name in style.PAPERS}
    return known | {
        name: ours.at[name, "title"] for name in (*style.OTHERS, *own) if name in ours.index and name not in known
    }


def points(results: "pd.DataFrame", dataset: str = OURS) -> "pd.DataFrame":
    """The numbers behind the figure, a row for each point.

    Columns: side ("ours" or "paper"), dataset, curve, label, λ or quality, bpp, PSNR, MS-SSIM as the dB of the images'
    mean (ours) and as drawn (the paper's), provenance. Raises ValueError where nothing is measured on the data set.
    """
    import pandas as pd

    if not ((results["dataset"] == dataset) & (results["kind"] != "paper")).any():
        there = ", ".join(name for name in collected.datasets(results) if name != datasets.PAPERS)
        raise ValueError(f"nothing is measured on {dataset!r}: choose {there}, or measure it with mae-viz evaluate.")
    frames = []
    for side, home in ((LEFT, dataset), (RIGHT, datasets.PAPERS)):
        means = results[(results["image"] == "mean") & (results["dataset"] == home) & results["trained"]]
        for name, label in labels(results, dataset).items():
            curve = name if side == LEFT else paper_name(name)
            rows = means[means["curve"] == curve].sort_values("bpp", kind="stable")
            frames.append(rows.assign(side=side, curve=name, label=label))
    columns = ["side", "dataset", "curve", "label", "lmbda", "quality", "bpp", "psnr_db", "db_of_mean_ms_ssim"]
    return pd.concat(frames, ignore_index=True)[[*columns, "ms_ssim_db_as_drawn", "provenance"]]


def anchor(results: "pd.DataFrame", dataset: str = OURS) -> str:
    """The curve that our BD-rates are taken against."""
    there = collected.curves(results, dataset)
    return next(name for name in (ANCHOR, *labels(results, dataset)) if name in there)


def bd_rates(results: "pd.DataFrame", dataset: str = OURS) -> "pd.DataFrame":
    """BD-rates in per cent of both sets of curves, each against its own anchor, a row for each curve.

    Columns: curve, label; for "ours" and "paper" <side>_points (how many rates there are); and for "ours_psnr",
    "ours_ms-ssim" and "paper_psnr" the value and its 95 % interval, …_low and …_high: nan where a curve is missing,
    does not overlap, or nothing moves it.
    """
    import pandas as pd

    shown, against = labels(results, dataset), anchor(results, dataset)
    tables = {}
    for side, metric in _COLUMNS:
        home, known = (dataset, against) if side == LEFT else (datasets.PAPERS, paper_name(against))
        try:
            table = collected.bd_table(known, home, metric, results, only=tuple(_named(side, name) for name in shown))
        except ValueError:  # no such curve there, or it lacks the metric
            table = pd.DataFrame(columns=list(collected.BD_COLUMNS))
        tables[side, metric] = table.set_index("curve")
    counted = points(results, dataset).groupby(["side", "curve"]).size()
    rows = []
    for name, label in shown.items():
        row: dict[str, str | float] = {"curve": name, "label": label}
        row |= {f"{side}_points": int(counted.get((side, name), 0)) for side in (LEFT, RIGHT)}
        for (side, metric), table in tables.items():
            curve = _named(side, name)
            for column, value in (("", "bd_rate_percent"), ("_low", "low_percent"), ("_high", "high_percent")):
                there = curve in table.index
                row[f"{side}_{metric}{column}"] = table.at[curve, value] if there else float("nan")
        if row[f"{LEFT}_points"] or row[f"{RIGHT}_points"]:
            rows.append(row)
    return pd.DataFrame(rows)


def _named(side: str, name: str) -> str:
    return name if side == LEFT else paper_name(name)


def draw(results: "pd.DataFrame", dataset: str = OURS) -> "Figure":
    """The figure: PSNR and MS-SSIM in dB against bits per pixel, and a table of BD-rates that is its legend.

    ``results``: the table of `mae_viz.results`; ``dataset``: any that was measured.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawn, table = points(results, dataset), bd_rates(results, dataset)
    below = (len(table) + 3.4) * _ROW_IN
    height = 5.0 + below
    with rc_context({**style.RC, "text.parse_math": False}):  # names are others'
        figure = Figure(figsize=(style.PAGE_IN, height))
        grid = figure.add_gridspec(
            2,
            2,
            left=0.062,
            right=0.993,
            top=1 - 0.2 / height,
            bottom=(below + 0.38) / height,
            wspace=0.045,
            hspace=0.06,
        )
        axes = grid.subplots(sharex=True, sharey="row", squeeze=False)
        for row, metric in zip(axes, METRICS, strict=True):
            kinds = {LEFT: collected.METRICS[metric], RIGHT: _of_paper(metric)}
            for axis, (side, kind) in zip(row, kinds.items(), strict=True):
                for name, curve in drawn[drawn["side"] == side].groupby("curve", sort=False):
                    axis.plot(curve["bpp"], curve[kind.column], **style.line(name, curve["label"].iloc[0]))
                _name_the_mean(axis, kind)
            row[0].set_ylabel(f"{kinds[LEFT].title} [dB]")
            row[0].set_ylim(*_limits(drawn, [kind.column for kind in kinds.values()]))
        axes[0][0].set_title(f"{_place(results, dataset)}: this project")
        axes[0][1].set_title("CLIC professional test, 44 images: the paper")
        for axis in axes[1]:
            axis.set_xlabel("rate [bits per pixel]")
        axes[0][0].set_xlim(0, 1.04 * _deciding(drawn)["bpp"].max())
        _legend(figure, table, height, results, dataset)
    return figure


def _of_paper(metric: str) -> collected.Metric:
    return collected.AS_DRAWN[metric]


def _name_the_mean(axis: "Axes", kind: collected.Metric) -> None:
    axis.text(0.98, 0.03, kind.averaging, transform=axis.transAxes, ha="right", size=6.5, style="italic")


def _place(results: "pd.DataFrame", dataset: str) -> str:
    """ "Kodak, 24 images": images as far as rows of single ones say."""
    ours = results[(results["dataset"] == dataset) & (results["image"] != "mean")]
    counts = sorted(set(ours.groupby("curve")["image"].nunique()))
    said = f", {' or '.join(map(str, counts))} images" if counts else ""
    return datasets.title(dataset) + said


def _deciding(drawn: "pd.DataFrame") -> "pd.DataFrame":
    """The models' and one's own points, which the axes fit; the other codecs go beyond, unless they are alone."""
    found = drawn[~drawn["curve"].isin(style.OTHERS)]
    return found if len(found) else drawn


def _limits(drawn: "pd.DataFrame", columns: list[str]) -> tuple[float, float]:
    values = _deciding(drawn)[columns]
    low, high = values.min().min(), values.max().max()
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _legend(figure: "Figure", table: "pd.DataFrame", height: float, results: "pd.DataFrame", dataset: str) -> None:
    """A table below the panels: line, name, and BD-rates of both sets of curves."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.PAGE_IN), ylim=(0, height))
    axes.set_axis_off()
    axes.patch.set_alpha(0)
    left, right = 0.3, 6.9
    at = dict(zip(_COLUMNS, (3.9, 5.3, right), strict=True))
    y = (len(table) + 2.6) * _ROW_IN
    axes.text(left, y, f"BD-rate against {_against(results, dataset)}, 95 % interval", va="center", style="italic")
    axes.text(4.2, y, f"{datasets.title(dataset)}, ours", ha="center", va="center")
    axes.text(6.35, y, "CLIC, paper", ha="center", va="center")
    y -= _ROW_IN
    for key, x in at.items():
        axes.text(x, y, _COLUMNS[key], ha="right", va="center", size=7)
    axes.plot([left, right], [y - 0.5 * _ROW_IN] * 2, color="#404040", linewidth=0.6)
    against = anchor(results, dataset)
    for i, row in enumerate(table.to_dict("records")):
        y -= _ROW_IN * (1.1 if i == 0 else 1)
        line = style.line(row["curve"], row["label"])
        axes.plot([left, left + 0.19, left + 0.38], [y] * 3, **line)
        axes.text(left + 0.46, y, line["label"], va="center", size=7.5)
        for key, x in at.items():
            axes.text(x, y, _percent(row, *key, against), ha="right", va="center", size=7)
    axes.plot([left, right], [y - 0.62 * _ROW_IN] * 2, color="#404040", linewidth=0.6)


def _against(results: "pd.DataFrame", dataset: str) -> str:
    return labels(results, dataset)[anchor(results, dataset)]


def _percent(row: dict, side: str, metric: str, against: str) -> str:
    if not row[f"{side}_points"]:
        return "–"
    if row["curve"] == against:
        return "anchor"
    value, low, high = (row[f"{side}_{metric}{end}"] for end in ("", "_low", "_high"))
    if value != value:
        return "n/a"
    between = f" [{low:+.1f}, {high:+.1f}]" if low == low else ""
    return f"{value:+.1f} %{between}".replace("-", "−")


def missing(results: "pd.DataFrame", dataset: str = OURS) -> list[str]:
    """The paper's curves that are not measured there, in words: all of one, or some of its rates."""
    found = points(results, dataset)
    measured = found[found["side"] == LEFT].groupby("curve").size()
    said = []
    for name, wanted in COUNTS.items():
        if (count := int(measured.get(name, 0))) < wanted:
            said.append(style.title(name) + (f" ({count} of {wanted} rates)" if count else ""))
    return said


def caption(results: "pd.DataFrame", dataset: str = OURS) -> str:
    """What the figure shows, what it leaves out, how the codecs were set, and both sets of BD-rates side by side."""
    left_out = missing(results, dataset)
    gap = (
        f"Left out in part or whole, because their weights do not ship or are not measured there: "
        f"{', '.join(left_out)}. "
        if left_out
        else "All of the paper's curves are there. "
    )
    ours = points(results, dataset)
    ours = ours[ours["side"] == LEFT].drop_duplicates("curve")
    trained = registry.histories(ours["curve"])
    ours = ours[ours["curve"].isin(style.OTHERS)]
    others = "; ".join(f"{label}, {source}" for label, source in zip(ours["label"], ours["provenance"], strict=True))
    return (
        f"Fig. 3. Rate and distortion. Left: this project, real files of {_place(results, dataset)} (bits per pixel of "
        f"whole files; PSNR and MS-SSIM on 8-bit RGB; PSNR is the {collected.METRICS['psnr'].averaging}, MS-SSIM the "
        f"{collected.METRICS['ms-ssim'].averaging}, as others publish it). Models enter with the λ that they were "
        "trained for. Right: the points of the paper's own Fig. 3, read off its image, measured on the 44 images of "
        "the CLIC professional test set: not comparable with the left, only in their shape; the paper does not say how "
        "it averaged MS-SSIM, so no BD-rate is given on it, nor with what settings it ran JPEG, JPEG 2000 and BPG. "
        f"{gap}{trained} {f'Other codecs: {others}. ' if others else ''}{_kind(results, dataset)}"
        f"BD-rates against {_against(results, dataset)} of the same data set: {metrics.BDRate.method}. "
        f"{intervals.METHOD}; – where there is no such curve.\n\n" + to_text(bd_rates(results, dataset), dataset)
    )


def _kind(results: "pd.DataFrame", dataset: str) -> str:
    """The anchor against networks of its kind, in words; nothing where none is published for the data set."""
    ours, table = anchor(results, dataset), collected.against_peers(results, dataset)
    said = [f"{collected.percent(row)} against {row.peer_title}" for row in table.itertuples() if row.curve == ours]
    name = _against(results, dataset)
    return f"{name} against networks of its kind, one for each rate: {', '.join(said)}. " if said else ""


def _head(dataset: str) -> tuple[str, ...]:
    place = datasets.title(dataset)
    return ("Curve", f"{place}, PSNR", f"{place}, MS-SSIM", "CLIC (paper), PSNR")


def _cells(table: "pd.DataFrame") -> list[tuple[str, ...]]:
    # the anchor is the one curve whose BD-rate is 0 and has no interval
    zero = table[(table[f"{LEFT}_psnr"] == 0) & table[f"{LEFT}_psnr_low"].isna()]["curve"]
    against = zero.iloc[0] if len(zero) else ""
    return [(row["label"], *(_percent(row, *key, against) for key in _COLUMNS)) for row in table.to_dict("records")]


def to_text(table: "pd.DataFrame", dataset: str = OURS) -> str:
    """The table as lines of text."""
    rows = [_head(dataset), *_cells(table)]
    return "".join(f"{a:<42} {b:>29} {c:>29} {d:>22}\n" for a, b, c, d in rows)


def to_tex(table: "pd.DataFrame", dataset: str = OURS) -> str:
    """`bd_rates` as a LaTeX tabular (booktabs)."""
    lines = [
        rf" & \multicolumn{{2}}{{c}}{{{_tex(datasets.title(dataset))}, ours}} & CLIC, paper \\",
        r"BD-rate, 95\,\% interval & PSNR & MS-SSIM & PSNR \\",
        r"\midrule",
    ]
    for cells in _cells(table):
        safe = (_tex(cell).replace("−", "$-$").replace("–", "--").replace(" \\%", r"\,\%") for cell in cells)
        lines.append(" & ".join(safe) + r" \\")
    return "\n".join([r"\begin{tabular}{lrrr}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def points_to_tex(table: "pd.DataFrame") -> str:
    """`points` as a LaTeX tabular (booktabs)."""
    lines = [r"Data set & Curve & $\lambda$ or quality & bpp & PSNR [dB] & MS-SSIM [dB] \\", r"\midrule"]
    for row in table.to_dict("records"):
        at = row["lmbda"] if row["lmbda"] == row["lmbda"] else row["quality"]
        numbers = [f"{at:g}" if at == at else "--", f"{row['bpp']:.4f}"]
        similar = row["db_of_mean_ms_ssim"] if row["side"] == LEFT else row["ms_ssim_db_as_drawn"]
        numbers += [f"{v:.2f}" if v == v else "--" for v in (row["psnr_db"], similar)]
        lines.append(" & ".join([_tex(row["dataset"]), _tex(row["label"]), *numbers]) + r" \\")
    return "\n".join([r"\begin{tabular}{llrrrr}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def _tex(text: str) -> str:
    return text.translate(_IN_TEX)


_IN_TEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\n": " "}
)
