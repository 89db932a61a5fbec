"""The paper's figures: what they draw is what was measured."""

import numpy as np
import pytest

import mae_viz
from mae_viz import curves, figures, probe
from mae_viz.checkpoints import open_checkpoint


def test_table_1():
    assert figures.table_1() == [
        ("Independent models", "28.02 M", "40.53 M"),
        ("Bottleneck scaling", "4.00 M", "–"),
        ("MAE", "4.06 M", "10.27 M"),
    ]


def test_fig_3_draws_the_committed_means():
    results = mae_viz.results()
    figure = figures.rate_distortion(results)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    means = results[(results["codec"] == "mae") & (results["dataset"] == "kodak") & (results["image"] == "mean")]
    trained = means[means["lmbda"].isin([64, 128, 256, 512, 1024, 2048, 4096])].sort_values("bpp")
    assert len(trained) == 7
    np.testing.assert_array_equal(lines["MAE"].get_xydata(), trained[["bpp", "psnr_db"]].to_numpy())
    images = results[(results["codec"] == "mae") & (results["dataset"] == "kodak") & (results["image"] != "mean")]
    for row in trained.itertuples():
        assert row.psnr_db == pytest.approx(images[images["lmbda"] == row.lmbda]["psnr_db"].mean(), abs=1e-6)


def test_fig_3_keeps_the_papers_points_apart():
    figure = figures.rate_distortion(mae_viz.results())
    theirs = curves.curves(mae_viz.results(), "clic-professional-test")["paper-mae"]
    (line,) = [line for line in figure.axes[1].lines if line.get_label() == "MAE"]
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack(theirs[1:]))
    assert "CLIC" in figure.axes[1].get_title()


def test_fig_4_shows_the_constant_ratio_of_scaling(crop):
    rates = (4096.0, 64.0)
    maps = {
        name: {lmbda: probe.latents(open_checkpoint(name), crop, lmbda)[0] for lmbda in rates}
        for name in ("mae", "bottleneck-scaling")
    }
    pixels = np.asarray(crop)
    figure = figures.feature_maps(
        pixels, dict.fromkeys(rates, pixels), maps["mae"], maps["bottleneck-scaling"], [0, 1], rates
    )
    scaling = figure.axes[7].images[0].get_array()
    modulated = figure.axes[6].images[0].get_array()
    assert np.nanstd(scaling) < 1e-5 < 1e-2 < np.nanstd(modulated)
