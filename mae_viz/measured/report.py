"""The tables of checkpoints/README.md, in Markdown, each computed from the result files and from nothing else.

A block of that file between ``<!-- report: NAME -->`` and ``<!-- end -->`` is the table of that name in `TABLES`;
``mae-viz report --write`` brings all of them up to date.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mae_viz import rates
from mae_viz.measured import collected, refinement
from mae_viz.measured.between import between, rate_at

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = re.compile(r"(<!-- report: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(text: str, results: "pd.DataFrame") -> str:
    """A document with its blocks up to date. Raises ValueError for a block of an unknown name."""

    def table(block: re.Match[str]) -> str:
        if block[2] not in TABLES:
            raise ValueError(f"there is no table {block[2]!r}: choose one of {', '.join(TABLES)}.")
        return f"{block[1]}\n{TABLES[block[2]](results)}\n\n{block[3]}"

    return _BLOCK.sub(table, text)


def by_lambda(results: "pd.DataFrame") -> str:
    """Rate and quality on Kodak at the trained λ: without hyperprior."""
    return _by_lambda(results, ("mae", "independent", "bottleneck-scaling"), rates.LMBDAS)


def by_lambda_hyperprior(results: "pd.DataFrame") -> str:
    """Rate and quality on Kodak at the trained λ: with hyperprior."""
    return _by_lambda(results, ("mae-hyperprior", "independent-hyperprior"), rates.LMBDAS_HYPERPRIOR)


def _by_lambda(results: "pd.DataFrame", curves: Sequence[str], lmbdas: Sequence[float]) -> str:
    means = results[(results["dataset"] == "kodak") & (results["image"] == "mean")].set_index(["curve", "lmbda"])
    means = means.sort_index()
    titles = [means.loc[curve]["title"].iloc[0] for curve in curves]
    head = ["λ", *(f"{title}: bpp | PSNR | MS-SSIM" for title in titles)]
    rows = []
    for lmbda in lmbdas:
        found = [means.loc[(curve, lmbda)].iloc[0] for curve in curves]
        cells = [f"{row['bpp']:.4f} | {row['psnr_db']:.2f} | {row['ms_ssim_db']:.2f}" for row in found]
        rows.append([f"{lmbda:g}", *cells])
    return _table(head, rows)


def held_out(results: "pd.DataFrame") -> str:
    """R + λ·MSE of photographs held out from training, each λ's own network against the MAE: without hyperprior."""
    return _held_out(results, ("mae", "independent"), rates.LMBDAS)


def held_out_hyperprior(results: "pd.DataFrame") -> str:
    """R + λ·MSE of photographs held out from training, each λ's own network against the MAE: with hyperprior."""
    return _held_out(results, ("mae-hyperprior", "independent-hyperprior"), rates.LMBDAS_HYPERPRIOR)


def _held_out(results: "pd.DataFrame", curves: Sequence[str], lmbdas: Sequence[float]) -> str:
    images = results[(results["dataset"] == "held-out") & (results["image"] != "mean")]
    titles = [images.loc[images["curve"] == curve, "title"].iloc[0] for curve in curves]
    rows = []
    for lmbda in lmbdas:
        cost = []
        for curve in curves:
            found = images[(images["curve"] == curve) & (images["lmbda"] == lmbda)]
            cost.append(float((found["bpp"] + lmbda * 10 ** (-found["psnr_db"] / 10)).mean()))
        change = 100 * (cost[1] / cost[0] - 1)
        rows.append([f"{lmbda:g}", *(f"{value:.4f}" for value in cost), _signed(change, " %")])
    return _table(["λ", *titles, "difference"], rows)


PAIRS = (
    ("mae", "published-balle2017"),
    ("mae", "published-bmshj2018-factorized"),
    ("mae", "independent"),
    ("mae", "jpeg"),
    ("mae", "jpeg2000"),
    ("mae, every λ", "mae"),
    ("mae-refined-80", "mae"),
    ("mae-refined-80", "published-balle2017"),
    ("bottleneck-scaling", "mae"),
    ("bottleneck-scaling", "independent"),
    ("mae-hyperprior", "mae"),
    ("mae-hyperprior", "published-bmshj2018-hyperprior"),
    ("mae-hyperprior", "published-balle2018-hyperprior"),
    ("mae-hyperprior", "independent-hyperprior"),
    ("mae-hyperprior", "jpeg"),
    ("mae-hyperprior, every λ", "mae-hyperprior"),
    ("mae-hyperprior-refined-40", "mae-hyperprior"),
    ("mae-hyperprior-refined-40", "published-bmshj2018-hyperprior"),
)
"""Curves to compare, each with its anchor: networks of the same transform lead."""


def bd_rates(results: "pd.DataFrame") -> str:
    """BD-rates on Kodak by PSNR."""
    tables = {anchor: collected.bd_table(anchor, frame=results).set_index("curve") for _, anchor in PAIRS}
    rows = []
    for curve, anchor in PAIRS:
        found = tables[anchor].loc[curve]
        against = tables[anchor].loc[anchor, "title"]
        overlap = f"{found['from_db']:.2f} … {found['to_db']:.2f} dB"
        rows.append([f"{found['title']} against {against}", collected.percent(found), found["interval_over"], overlap])
    return _table(["", "BD-rate", "interval over", "overlap"], rows)


def scaling_at_equal_psnr(results: "pd.DataFrame") -> str:
    """What bottleneck scaling pays or saves on Kodak against the MAE of the same PSNR, in steps of 1 dB."""
    curves = collected.curves(results, "kodak")
    (_, mae_bpp, mae_db), (_, bpp, db) = (curves[name] for name in ("mae", "bottleneck-scaling"))
    low, high = max(min(mae_db), min(db)), min(max(mae_db), max(db))
    levels = np.arange(np.ceil(low), high)
    more = 100 * (rate_at(bpp, db, levels) / rate_at(mae_bpp, mae_db, levels) - 1)
    return _table(
        ["PSNR [dB]", *(f"{level:g}" for level in levels)], [["bytes", *(_signed(value, " %") for value in more)]]
    )


def between_rates(results: "pd.DataFrame") -> str:
    """What the models of many λ cost on Kodak between the trained ones."""
    head = [
        "",
        "measured at",
        "worst above the curve through the trained λ",
        "growth of the rate from one λ to the next",
    ]
    rows = []
    for name in ("mae", "bottleneck-scaling", "mae-hyperprior"):
        found = between(results, name)
        worst = found.loc[found["excess_percent"].idxmax()]
        growth = found["growth_percent"].dropna()
        title = results.loc[results["codec"] == name, "title"].iloc[0]
        above = f"{_signed(worst['excess_percent'], ' %')} at λ = {worst['lmbda']:.4g}"
        rows.append([title, f"{len(found)} λ", above, f"{growth.min():.1f} … {growth.max():.1f} %"])
    return _table(head, rows)


def every_lambda(results: "pd.DataFrame") -> str:
    """Each λ at which the MAE was measured on Kodak."""
    found = between(results, "mae")
    rows = [
        [
            f"**{row.lmbda:g}**" if row.trained else f"{row.lmbda:.1f}",
            f"{row.bpp:.4f}",
            f"{row.psnr_db:.2f}",
            "" if row.trained else _signed(row.excess_percent, " %"),
            "" if np.isnan(row.growth_percent) else _signed(row.growth_percent, " %"),
        ]
        for row in found.itertuples()
    ]
    return _table(["λ", "bpp", "PSNR", "above the curve through the trained λ (bold)", "growth"], rows)


def refined(results: "pd.DataFrame") -> str:
    """What refinement for MS-SSIM gains and pays on Kodak at equal rates, where the curves that it is held to go."""
    asked = "mae-refined-80-ms-ssim"
    against = {"refined for MSE": "mae-refined-80", "one pass": "mae"}
    curves = {metric: collected.curves(results, "kodak", metric) for metric in ("ms-ssim", "psnr")}
    head = ["bits per pixel", *(f"{m}, against {title}" for title in against for m in ("MS-SSIM", "PSNR"))]
    rows = []
    for place, bpp in enumerate(curves["psnr"][asked][1]):
        cells = [f"{bpp:.3f}"]
        for curve in against.values():
            for found in curves.values():
                _, rates, quality = found[curve]
                there = float(np.interp(np.log(bpp), np.log(rates), quality, left=np.nan, right=np.nan))
                gain = found[asked][2][place] - there
                cells.append("n/a" if np.isnan(gain) else _signed(gain, " dB", 2))
        rows.append(cells)
    return _table(head, rows)


def important(results: "pd.DataFrame") -> str:
    """What an important middle fifth gains on Kodak, in a file no longer than the plain one."""
    rows = refinement.rows()
    inside, outside = (refinement.painted(rows, where) for where in ("inside", "outside"))
    head = ["", "important part", "elsewhere", "photographs"]
    change = [f"{inside:+.2f} dB", f"{outside:+.2f} dB", str(inside.pictures)]
    return _table(head, [[f"PSNR, λ = {refinement.PAINTED_AT:g}", *change]])


TABLES: dict[str, Callable[["pd.DataFrame"], str]] = {
    "by-lambda": by_lambda,
    "by-lambda-hyperprior": by_lambda_hyperprior,
    "held-out": held_out,
    "held-out-hyperprior": held_out_hyperprior,
    "bd-rates": bd_rates,
    "scaling": scaling_at_equal_psnr,
    "between": between_rates,
    "every-lambda": every_lambda,
    "refined": refined,
    "important": important,
}
"""Each table of checkpoints/README.md by its name there, and what makes it of all results."""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    columns = " | ".join(head).count("|") + 1
    lines = [" | ".join(head), "|".join(["---"] * columns), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def _signed(value: float, unit: str = "", digits: int = 1) -> str:
    """With a sign, a true minus, and ± where it rounds to 0."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return ("±" + text[1:] if float(f"{value:.{digits}f}") == 0 else text) + unit
