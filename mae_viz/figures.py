"""The paper's figures and table from measured results, arrays and models: results → matplotlib figure or text.

IEEE style: 8 pt, 7.16 in wide, fonts embedded as Type 42, curves told apart in grey by marker and dash.
"""

from typing import TYPE_CHECKING

import numpy as np

from mae_viz import curves, probe

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

WIDTH_IN = 7.16

_STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 6.5,
    "lines.linewidth": 1,
    "lines.markersize": 3.5,
    "axes.grid": True,
    "grid.linewidth": 0.3,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "mae_viz",
    "figure.constrained_layout.use": True,
}

# curve → (label, colour, marker, dash), for ours on Kodak and for the paper's on CLIC
_OURS = {
    "independent": ("Independent models", "#000000", "s", "-"),
    "mae": ("MAE", "#c0392b", "o", "-"),
    "bottleneck-scaling": ("Bottleneck scaling", "#2c7fb8", "^", "--"),
    "independent-hyperprior": ("Independent + hyperprior", "#555555", "D", "-"),
    "mae-hyperprior": ("MAE + hyperprior", "#8e44ad", "v", "-"),
    "jpeg": ("JPEG (4:2:0)", "#8a8a8a", "", ":"),
    "jpeg2000": ("JPEG 2000", "#8a8a8a", "", "-."),
    "hevc-intra-444": ("HEVC intra 4:4:4", "#4d4d4d", "", (0, (5, 1))),
    "published-bpg-444": ("BPG 4:4:4 (published)", "#4d4d4d", "", "--"),
}
_PAPER = {f"paper-{name}": look for name, look in _OURS.items()}


def rate_distortion(results: "pd.DataFrame") -> "Figure":
    """Fig. 3: PSNR and MS-SSIM against the rate, ours on Kodak and the paper's own points on CLIC.

    The two data sets have panels of their own, because their numbers do not compare. Curves without results are left
    out; models that have a single point appear as a point.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    panels = [
        ("kodak", _OURS, "Kodak (24 images), this project"),
        ("clic-professional-test", _PAPER, "CLIC professional test, read off the paper's Fig. 3"),
    ]
    with rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_IN, 5.6))
        axes = figure.subplots(2, 2, sharex=True, sharey="row")
        for row, (metric, unit) in zip(axes, (("psnr", "PSNR [dB]"), ("ms-ssim", "MS-SSIM [dB]")), strict=True):
            for axis, (dataset, looks, title) in zip(row, panels, strict=True):
                measured = curves.curves(results, dataset, metric)
                for name, (label, colour, marker, dash) in looks.items():
                    if name in measured:
                        _, bpp, db = measured[name]
                        axis.plot(bpp, db, color=colour, marker=marker, linestyle=dash, label=label)
                axis.set(ylabel=unit if axis is row[0] else "", xlim=(0, 1.6))
                axis.set_title(title if metric == "psnr" else "")
                axis.legend(loc="lower right")
        axes[0][0].set_ylim(24, 39)
        axes[1][0].set_ylim(8, 23)
        for axis in axes[1]:
            axis.set_xlabel("rate [bits per pixel]")
    return figure


def feature_maps(original, decoded: dict, latents: dict, scaled: dict, channels: list[int], rates: tuple) -> "Figure":
    """Fig. 4: reconstructions and channels of the MAE at two λ, and the ratio beside that of bottleneck scaling.

    ``original``: RGB array; ``decoded``: {λ: RGB array}; ``latents`` and ``scaled``: {λ: y (C, h, w) before
    quantisation} of the MAE and of bottleneck scaling; ``rates``: (high λ, low λ).
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    high, low = rates
    with rc_context(_STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(WIDTH_IN, 1.45 * (1 + len(channels))))
        axes = figure.subplots(1 + len(channels), 4)
        shown = [(original, "original"), (decoded[high], f"λ = {high:g}"), (decoded[low], f"λ = {low:g}")]
        for axis, (pixels, title) in zip(axes[0], shown, strict=False):
            axis.imshow(pixels)
            axis.set_title(title)
        for row, c in zip(axes[1:], channels, strict=True):
            for axis, lmbda in zip(row, rates, strict=False):
                y = latents[lmbda][c]
                limit = np.abs(y).max()
                axis.imshow(y, cmap="RdBu_r", vmin=-limit, vmax=limit)
                axis.set_title(f"channel {c}, λ = {lmbda:g}\n{y.min():.1f} … {y.max():.1f}".replace("-", "−"))
            for axis, (name, maps) in zip(row[2:], (("MAE", latents), ("scaling", scaled)), strict=True):
                ratio = probe.ratio(maps[high][c], maps[low][c])
                image = axis.imshow(np.log2(np.abs(ratio.values)), cmap="RdBu_r", vmin=-4, vmax=4)
                axis.set_facecolor("#d0d0d0")
                axis.set_title(f"{name}: ratio {high:g}/{low:g}\nvaries by {100 * ratio.constancy:.2g} %")
        ticks = [-4, -2, 0, 2, 4]
        bar = figure.colorbar(image, ax=axes[1:, 3], ticks=ticks, label="|ratio|")
        bar.ax.set_yticklabels([f"{2.0**t:g}" for t in ticks])
        for axis in axes.flat:
            axis.set_xticks([])
            axis.set_yticks([])
        axes[0][3].set_axis_off()
    return figure


def table_1() -> list[tuple[str, str, str]]:
    """Table I: (method, parameters without hyperprior, with hyperprior), counted from the real models."""
    from mae_viz.models import MAE, BottleneckScaling, Independent, IndependentHyperprior, MAEHyperprior
    from mae_viz.models import count_parameters as count
    from mae_viz.rates import LMBDAS, LMBDAS_HYPERPRIOR

    def millions(n: int) -> str:
        return f"{n / 1e6:.2f} M"

    independent = len(LMBDAS) * count(Independent()), len(LMBDAS_HYPERPRIOR) * count(IndependentHyperprior())
    return [
        ("Independent models", *map(millions, independent)),
        ("Bottleneck scaling", millions(count(BottleneckScaling())), "–"),
        ("MAE", millions(count(MAE())), millions(count(MAEHyperprior()))),
    ]
