"""Fig. 3: rate and distortion, ours on Kodak beside the paper's own points on CLIC, with the BD-rates of both.

The two data sets have panels of their own, with the same axes, because their numbers do not compare. Curves without
results are left out and named in the caption; a curve of one's own on Kodak (`MAE_VIZ_RESULTS`) is drawn with ours.
"""

from typing import TYPE_CHECKING

from mae_viz import metrics, rates
from mae_viz.architectures import FACTS
from mae_viz.codecs import palette
from mae_viz.figures import style
from mae_viz.measured import collected

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OURS, PAPERS = "kodak", "clic-professional-test"
"""Data sets of the left and the right panels."""

ANCHOR = "mae"
"""What BD-rates are taken against: our MAE on Kodak, the paper's on CLIC."""

COUNTS = {
    name: len(rates.LMBDAS_HYPERPRIOR if FACTS[architecture].hyperprior else rates.LMBDAS)
    for name, architecture in style.PAPERS.items()
}
"""How many rates the paper's curves have."""

_INSTEAD = {ANCHOR: "anchor"}  # of its BD-rate against itself
_METRICS = {"psnr": "PSNR [dB]", "ms-ssim": "MS-SSIM [dB]"}
_COLUMNS = {"psnr": "PSNR", "ms-ssim": "MS-SSIM"}
_ROW_IN = 0.145


def labels(results: "pd.DataFrame") -> dict[str, str]:
    """All curves that may be drawn, by name, in their order: the paper's, those to compare with, one's own on Kodak."""
    ours = results[results["dataset"] == OURS].drop_duplicates("curve").set_index("curve")
    own = [name for name in ours.index if name not in palette.drawings()]
    known = {name: style.title(name) for name in style.PAPERS}
    return known | {
        name: ours.at[name, "title"] for name in (*style.OTHERS, *own) if name in ours.index and name not in known
    }


def points(results: "pd.DataFrame") -> "pd.DataFrame":
    """The numbers behind the figure, a row for each point: dataset, curve, label, λ or quality, bpp, dB, provenance."""
    import pandas as pd

    frames = []
    for dataset, prefix in ((OURS, ""), (PAPERS, "paper-")):
        means = results[(results["image"] == "mean") & (results["dataset"] == dataset) & results["trained"]]
        for name, label in labels(results).items():
            rows = means[means["curve"] == prefix + name].sort_values("bpp", kind="stable")
            frames.append(rows.assign(curve=name, label=label))
    columns = ["dataset", "curve", "label", "lmbda", "quality", "bpp", "psnr_db", "ms_ssim_db", "provenance"]
    return pd.concat(frames, ignore_index=True)[columns]


def bd_rates(results: "pd.DataFrame") -> "pd.DataFrame":
    """BD-rates in per cent of both sets of curves, each against its own MAE, a row for each curve.

    Columns: curve, label, and for "kodak" and "clic-professional-test" <dataset>_psnr, <dataset>_ms-ssim (nan where a
    curve is missing or does not overlap) and <dataset>_points (how many rates were measured).
    """
    import pandas as pd

    tables = {
        (dataset, metric): collected.bd_table(prefix + ANCHOR, dataset, metric, results).set_index("curve")
        for dataset, prefix in ((OURS, ""), (PAPERS, "paper-"))
        for metric in _METRICS
    }
    rows = []
    for name, label in labels(results).items():
        row: dict[str, str | float] = {"curve": name, "label": label}
        for dataset, prefix in ((OURS, ""), (PAPERS, "paper-")):
            found = tables[dataset, "psnr"].index
            row[f"{dataset}_points"] = (
                int(tables[dataset, "psnr"].at[prefix + name, "points"]) if prefix + name in found else 0
            )
            for metric in _METRICS:
                table = tables[dataset, metric]
                there = prefix + name in table.index
                row[f"{dataset}_{metric}"] = table.at[prefix + name, "bd_rate_percent"] if there else float("nan")
        if row[f"{OURS}_points"] or row[f"{PAPERS}_points"]:
            rows.append(row)
    return pd.DataFrame(rows)


def draw(results: "pd.DataFrame") -> "Figure":
    """The figure: PSNR and MS-SSIM in dB against bits per pixel, and a table of BD-rates that is its legend.

    ``results``: the table of `mae_viz.results`.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    drawn, table = points(results), bd_rates(results)
    panels = (OURS, "Kodak, 24 images: this project"), (PAPERS, "CLIC professional test, 44 images: the paper")
    below = (len(table) + 3.4) * _ROW_IN
    height = 5.0 + below
    with rc_context(style.RC):
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
        for row, (metric, unit) in zip(axes, _METRICS.items(), strict=True):
            column = collected.METRICS[metric]
            for axis, (dataset, _) in zip(row, panels, strict=True):
                for name, curve in drawn[drawn["dataset"] == dataset].groupby("curve", sort=False):
                    axis.plot(curve["bpp"], curve[column], **style.line(name, curve["label"].iloc[0]))
            row[0].set_ylabel(unit)
            row[0].set_ylim(*_limits(drawn, column))
        for axis, (_, title) in zip(axes[0], panels, strict=True):
            axis.set_title(title)
        for axis in axes[1]:
            axis.set_xlabel("rate [bits per pixel]")
        models = drawn[~drawn["curve"].isin(style.OTHERS)]
        axes[0][0].set_xlim(0, 1.04 * models["bpp"].max())
        _legend(figure, table, height)
    return figure


def _limits(drawn: "pd.DataFrame", column: str) -> tuple[float, float]:
    """The models' and one's own curves decide, with some room; the other codecs go beyond."""
    values = drawn[~drawn["curve"].isin(style.OTHERS)][column]
    room = 0.06 * (values.max() - values.min())
    return values.min() - room, values.max() + room


def _legend(figure: "Figure", table: "pd.DataFrame", height: float) -> None:
    """A table below the panels: line, name, and BD-rates of both sets of curves."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.PAGE_IN), ylim=(0, height))
    axes.set_axis_off()
    axes.patch.set_alpha(0)
    left, at = 0.45, {(OURS, "psnr"): 3.55, (OURS, "ms-ssim"): 4.35, (PAPERS, "psnr"): 5.55, (PAPERS, "ms-ssim"): 6.35}
    y = (len(table) + 2.6) * _ROW_IN
    axes.text(left, y, "BD-rate against the MAE", va="center", style="italic")
    axes.text(3.75, y, "Kodak, ours", ha="center", va="center")
    axes.text(5.75, y, "CLIC, paper", ha="center", va="center")
    y -= _ROW_IN
    for (_, metric), x in at.items():
        axes.text(x, y, _COLUMNS[metric], ha="right", va="center", size=7)
    axes.plot([left, 6.71], [y - 0.5 * _ROW_IN] * 2, color="#404040", linewidth=0.6)
    for i, row in enumerate(table.to_dict("records")):
        y -= _ROW_IN * (1.1 if i == 0 else 1)
        line = style.line(row["curve"], row["label"])
        axes.plot([left, left + 0.19, left + 0.38], [y] * 3, **line)
        axes.text(left + 0.5, y, line["label"], va="center", size=7.5)
        for (dataset, metric), x in at.items():
            axes.text(x, y, _percent(row, dataset, metric), ha="right", va="center", size=7.5)
    axes.plot([left, 6.71], [y - 0.62 * _ROW_IN] * 2, color="#404040", linewidth=0.6)


def _percent(row: dict, dataset: str, metric: str) -> str:
    if not row[f"{dataset}_points"]:
        return "–"
    value = row[f"{dataset}_{metric}"]
    if value != value:
        return "n/a"
    return _INSTEAD.get(row["curve"]) or f"{value:+.1f} %".replace("-", "−")


def missing(results: "pd.DataFrame") -> list[str]:
    """The paper's curves that lack weights, in words: all of one, or some of its rates."""
    found = points(results)
    measured = found[found["dataset"] == OURS].groupby("curve").size()
    said = []
    for name, wanted in COUNTS.items():
        if (count := int(measured.get(name, 0))) < wanted:
            said.append(style.title(name) + (f" ({count} of {wanted} rates)" if count else ""))
    return said


def caption(results: "pd.DataFrame") -> str:
    """What the figure shows, what it leaves out, and both sets of BD-rates side by side."""
    left_out = missing(results)
    gap = (
        f"Left out in part or whole, because their weights do not ship: {', '.join(left_out)}. "
        if left_out
        else "All of the paper's curves are there. "
    )
    return (
        "Fig. 3. Rate and distortion. Left: this project, real files of the 24 Kodak images (bits per pixel of whole "
        "files; PSNR and MS-SSIM in dB on 8-bit RGB; each point the mean over images), with BPG 4:4:4 as published by "
        "CompressAI (dashed). Right: the points of the paper's own Fig. 3, read off its plot, measured on the 44 "
        f"images of the CLIC professional test set: not comparable with the left, only in their shape. {gap}"
        f"BD-rates against the MAE of the same data set: {metrics.BDRate.method}; – where there is no such curve.\n\n"
        + to_text(bd_rates(results))
    )


_HEAD = ("Curve", "Kodak, PSNR", "Kodak, MS-SSIM", "CLIC (paper), PSNR", "CLIC (paper), MS-SSIM")


def _cells(results_table: "pd.DataFrame") -> list[tuple[str, ...]]:
    keys = [(dataset, metric) for dataset in (OURS, PAPERS) for metric in _METRICS]
    return [(row["label"], *(_percent(row, *key) for key in keys)) for row in results_table.to_dict("records")]


def to_text(table: "pd.DataFrame") -> str:
    rows = [_HEAD, *_cells(table)]
    return "".join(f"{a:<34} {b:>12} {c:>15} {d:>19} {e:>22}\n" for a, b, c, d, e in rows)


def to_tex(table: "pd.DataFrame") -> str:
    """`bd_rates` as a LaTeX tabular (booktabs)."""
    lines = [
        r" & \multicolumn{2}{c}{Kodak, ours} & \multicolumn{2}{c}{CLIC, paper} \\",
        r"BD-rate against the MAE & PSNR & MS-SSIM & PSNR & MS-SSIM \\",
        r"\midrule",
    ]
    for cells in _cells(table):
        safe = (_tex(cell).replace("−", "$-$").replace("–", "--").replace(" \\%", r"\,\%") for cell in cells)
        lines.append(" & ".join(safe) + r" \\")
    return "\n".join([r"\begin{tabular}{lrrrr}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def points_to_tex(table: "pd.DataFrame") -> str:
    """`points` as a LaTeX tabular (booktabs)."""
    lines = [r"Data set & Curve & $\lambda$ or quality & bpp & PSNR [dB] & MS-SSIM [dB] \\", r"\midrule"]
    for row in table.to_dict("records"):
        at = row["lmbda"] if row["lmbda"] == row["lmbda"] else row["quality"]
        numbers = [f"{at:g}" if at == at else "--", f"{row['bpp']:.4f}"]
        numbers += [f"{v:.2f}" if v == v else "--" for v in (row["psnr_db"], row["ms_ssim_db"])]
        lines.append(" & ".join([_tex(row["dataset"]), _tex(row["label"]), *numbers]) + r" \\")
    return "\n".join([r"\begin{tabular}{llrrrr}", r"\toprule", *lines, r"\bottomrule", r"\end{tabular}", ""])


def _tex(text: str) -> str:
    for character in "&%$#_{}":
        text = text.replace(character, f"\\{character}")
    return text
