"""Intervals of BD-rates: against plain loops, and what moves them."""

import numpy as np
import pandas as pd
import pytest

from mae_viz import metrics
from mae_viz.measured import collected, intervals

IMAGES = [f"image-{i}" for i in range(9)]


def rows(curve, shift, images=IMAGES, seed=0):
    """A curve of five qualities on some images, each image at its own level; and the means."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(-2, 2, len(images))
    single = []
    for quality in range(5):
        for name, own in zip(images, level, strict=True):
            bpp = 0.1 * 2**quality * 2 ** (own / 6) * shift
            psnr, similar = 27 + 2.5 * quality - own + rng.normal(0, 0.1), 9 + 2.4 * quality - own
            single.append((curve, name, float(quality), bpp, psnr, similar))
    frame = pd.DataFrame(single, columns=["codec", "image", "quality", "bpp", "psnr_db", "ms_ssim_db"])
    mean = frame.groupby("quality")[["bpp", "psnr_db", "ms_ssim_db"]].mean().reset_index()
    mean["db_of_mean_ms_ssim"] = [
        metrics.db_of_mean_ms_ssim(frame.loc[frame["quality"] == q, "ms_ssim_db"]) for q in mean["quality"]
    ]
    every = pd.concat([frame, mean.assign(codec=curve, image="mean")], ignore_index=True)
    facts = {"curve": curve, "title": curve, "kind": "classical", "dataset": "some", "trained": True}
    return every.assign(**facts, architecture="", provenance=f"where {curve} comes from", lmbda=float("nan"))


def resampled_by_hand(anchor, test, column):
    """Every draw's means from the images that it holds, one BD-rate after the other with the package."""
    counts = np.random.default_rng(intervals.SEED).multinomial(
        len(IMAGES), np.full(len(IMAGES), 1 / len(IMAGES)), intervals.DRAWS
    )
    found = []
    for draw in counts[::10]:
        chosen = np.repeat(np.arange(len(IMAGES)), draw)
        sides = []
        for frame in (anchor, test):
            bpp, quality = [], []
            for point in range(5):
                at = frame[frame["quality"] == point].set_index("image").loc[IMAGES].iloc[chosen]
                bpp.append(at["bpp"].mean())
                if column == "psnr_db":
                    quality.append(at[column].mean())
                else:
                    quality.append(-10 * np.log10(1 - np.mean(1 - 10 ** (-at["ms_ssim_db"] / 10))))
            sides += [bpp, quality]
        found.append(metrics.bd_rate(*sides).percent)
    return np.array(found)


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "column"), [("psnr", "psnr_db"), ("ms-ssim", "db_of_mean_ms_ssim")])
def test_the_bootstrap_against_a_plain_loop(metric, column):
    anchor, test = rows("a", 1.0), rows("b", 1.2, seed=1)
    kind = collected.metric_named(metric)
    sides = [intervals.side(frame, kind.column, kind.of_image) for frame in (anchor, test)]
    draws = metrics.bd_rates(*(array for side in sides for array in (side.bpp, side.quality)))
    assert len(draws) == intervals.DRAWS == 2000
    np.testing.assert_allclose(draws[::10], resampled_by_hand(anchor, test, column), rtol=1e-9)
    low, high, over = intervals.interval(*sides)
    assert (low, high) == pytest.approx(np.percentile(draws, [2.5, 97.5]))
    assert over == "images"
    table = collected.bd_table("a", "some", metric, pd.concat([anchor, test])).set_index("curve")
    assert table.loc["b", ["low_percent", "high_percent"]].tolist() == [low, high]
    assert low < table.loc["b", "bd_rate_percent"] < high


def test_the_same_images_are_drawn_for_both_curves():
    """A curve that needs 20 % more for every image needs 20 % more whatever is drawn."""
    table = collected.bd_table("a", "some", frame=pd.concat([rows("a", 1.0), rows("b", 1.2)])).set_index("curve")
    assert table.loc["b", ["bd_rate_percent", "low_percent", "high_percent"]].tolist() == pytest.approx([20, 20, 20])


@pytest.mark.parametrize("published", ["a", "b"])
def test_means_that_others_published_stand_still(published):
    frame = pd.concat([rows("a", 1.0), rows("b", 1.2)])
    frame = frame[(frame["curve"] != published) | (frame["image"] == "mean")]
    row = collected.bd_table("a", "some", frame=frame).set_index("curve").loc["b"]
    assert row.interval_over == f"images of {'this curve' if published == 'a' else 'the anchor'} alone"
    assert row.low_percent < 10 < 30 < row.high_percent  # wide: other images need other rates
    both = frame[frame["image"] == "mean"]
    row = collected.bd_table("a", "some", frame=both).set_index("curve").loc["b"]
    assert row.interval_over == ""
    assert np.isnan(row.low_percent)
    assert row.bd_rate_percent == pytest.approx(20)


def test_curves_of_other_images_are_not_compared():
    frame = pd.concat([rows("a", 1.0), rows("b", 1.2, IMAGES[:-1])])
    row = collected.bd_table("a", "some", frame=frame).set_index("curve").loc["b"]
    assert np.isnan(row.bd_rate_percent)
    assert row.interval_over == "measured on other images"
    line = next(line for line in collected.bd_text("a", "some", frame=frame).splitlines() if line.startswith("b "))
    assert line.split()[3] == "n/a"
    assert line.endswith("(measured on other images)")


def test_reading_errors_stay_within_their_limits_and_are_each_curve_s_own():
    frame = collected.results()
    sides = {}
    for name in ("paper-mae", "paper-independent"):
        curve = frame[frame["curve"] == name].sort_values("bpp")
        side = sides[name] = intervals.side(curve, "psnr_db")
        for drawn, column in ((side.bpp, "bpp"), (side.quality, "psnr_db")):
            off = np.abs(drawn - curve[column].to_numpy()) / curve[f"{column}_uncertainty"].to_numpy()
            assert off.max() <= 1 + 1e-9
            assert off.max(axis=0).min() > 0.99
        assert side.moved_by == intervals.READING
    errors = [side.bpp - side.bpp.mean(axis=0) for side in sides.values()]
    assert abs(np.corrcoef(errors[0].ravel(), errors[1].ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("noise", [0.0, 0.3, 2.0])
def test_many_bd_rates_at_once_are_those_of_the_package(noise):
    rng = np.random.default_rng(3)

    def curves(points):
        bpp = np.sort(rng.uniform(0.05, 2, (60, points)), axis=1)
        return bpp, 26 + 5 * np.log2(bpp / 0.05) + rng.normal(0, noise, (60, points))

    anchor, test = curves(7), curves(5)
    found = metrics.bd_rates(*anchor, *test)
    for i, percent in enumerate(found):
        expected = metrics.bd_rate(anchor[0][i], anchor[1][i], test[0][i], test[1][i]).percent
        assert np.isnan(percent) if expected is None else percent == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_three_points_have_none():
    few = np.array([[0.1, 0.2, 0.4]]), np.array([[28.0, 31, 34]])
    assert np.isnan(metrics.bd_rates(*few, *few)).all()
