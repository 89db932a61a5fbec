"""BD-rate: cases that can be worked out by hand, an independent integration, and the table."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from mae_viz import metrics
from mae_viz.codecs import palette
from mae_viz.measured import collected

RATES = [0.1, 0.2, 0.4, 0.9]
QUALITIES = [26.0, 28.5, 31.0, 35.0]


@settings(deadline=None)  # the first call imports
@given(st.floats(0.05, 20))
def test_every_rate_times_a_factor_is_that_factor(factor):
    difference = metrics.bd_rate(RATES, QUALITIES, [factor * rate for rate in RATES], QUALITIES)
    assert difference.percent == pytest.approx(100 * (factor - 1), abs=1e-6)
    assert difference.overlap == (26.0, 35.0)


def test_ten_per_cent_more():
    assert metrics.bd_rate(RATES, QUALITIES, [1.1 * rate for rate in RATES], QUALITIES).percent == pytest.approx(10)


def test_straight_lines_over_a_part_of_the_range():
    """log10 R = (d − 30) / 10 against (d − 30) / 5 − 0.2, on 32 … 38 dB: the mean difference is 0.3 = (0 + 0.6) / 2."""
    anchor = np.array([30.0, 33, 36, 38])
    test = np.array([32.0, 35, 37, 40])
    difference = metrics.bd_rate(10 ** ((anchor - 30) / 10), anchor, 10 ** ((test - 30) / 5 - 0.2), test)
    assert difference.overlap == (32.0, 38.0)
    assert difference.percent == pytest.approx(100 * (10**0.3 - 1), abs=1e-9)


def test_the_order_of_the_points_does_not_matter():
    shuffled = [2, 0, 3, 1]
    rates, qualities = [[values[i] for i in shuffled] for values in (RATES, QUALITIES)]
    assert metrics.bd_rate(RATES, QUALITIES, rates, qualities).percent == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("rates", "qualities"),
    [
        ([0.1, 0.2, 0.3, 0.4], [40, 41, 42, 43]),
        ([0.1, 0.2, 0.3, 0.4], [35, 36, 37, 42]),
        ([0.1, 0.2, 0.3, 0.4], [20, 21, 22, 26]),
    ],
)
def test_curves_without_a_common_interval_have_none(rates, qualities):
    difference = metrics.bd_rate(RATES, QUALITIES, rates, qualities)
    assert difference.percent is None
    assert difference.overlap is None


@pytest.mark.parametrize(
    ("rates", "qualities", "sentence"),
    [
        ([0.1, 0.2], [30], "a list of rates"),
        ([], [], "a list of rates"),
        ([0.0, 0.2], [30, 31], "positive"),
        ([0.1, 0.2], [30, math.inf], "finite"),
        ([0.1, 0.2], [30, 30], "one quality at two rates"),
    ],
)
def test_what_is_no_curve_is_refused(rates, qualities, sentence):
    with pytest.raises(ValueError, match=sentence):
        metrics.bd_rate(RATES, QUALITIES, rates, qualities)


@pytest.fixture(scope="module")
def published():
    return collected.results()[lambda frame: frame["kind"].isin(["published", "paper"])]


def test_against_a_sum_over_a_fine_grid(published):
    kodak = collected.curves(published, "kodak")
    _, bpp, db = kodak["published-jpeg"]
    _, other_bpp, other_db = kodak["published-bmshj2018-factorized"]
    low, high = max(db[0], other_db[0]), min(db[-1], other_db[-1])
    grid = np.linspace(low, high, 20001)
    gap = PchipInterpolator(other_db, np.log(other_bpp))(grid) - PchipInterpolator(db, np.log(bpp))(grid)
    difference = metrics.bd_rate(bpp, db, other_bpp, other_db)
    assert difference.percent == pytest.approx(100 * (math.exp(gap.mean()) - 1), abs=0.01)
    assert difference.overlap == pytest.approx((low, high))


def test_the_paper_s_bottleneck_scaling_against_its_independent_models(published):
    """The paper's points were read off its figure; what they give was computed elsewhere."""
    table = collected.bd_table("paper-independent", "clic-professional-test", frame=published).set_index("curve")
    assert table.loc["paper-bottleneck-scaling", "bd_rate_percent"] == pytest.approx(6.2, abs=0.1)
    assert table.loc["paper-bottleneck-scaling", "from_db"] == 30.36
    assert table.loc["paper-independent", "bd_rate_percent"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("test", "anchor", "percent", "interval"),
    [
        ("mae-hyperprior", "independent-hyperprior", 2.2, (1.9, 2.5)),
        ("mae", "independent", -0.07, (-0.28, 0.17)),
        ("bottleneck-scaling", "mae", 8.7, (8.5, 8.9)),
        ("mae", "jpeg", -34.7, (-34.8, -34.5)),
        ("mae", "jpeg2000", 29.0, (28.8, 29.3)),
        ("mae-hyperprior", "mae", -27.3, (-27.5, -27.1)),
    ],
)
def test_what_the_paper_s_figure_says(published, test, anchor, percent, interval):
    """Of its points read at 8177 pixels, with their reading error; worked out elsewhere."""
    table = collected.bd_table(f"paper-{anchor}", "clic-professional-test", frame=published).set_index("curve")
    row = table.loc[f"paper-{test}"]
    assert row.bd_rate_percent == pytest.approx(percent, abs=0.06)
    assert (row.low_percent, row.high_percent) == pytest.approx(interval, abs=0.06)
    assert row.interval_over == "reading error"
    assert "arXiv 1912.05526" in row.source


def test_the_paper_s_lowest_rates(published):
    curves = collected.curves(published, "clic-professional-test")
    assert min(curves["paper-bottleneck-scaling"][1]) / min(curves["paper-mae"][1]) == pytest.approx(2.95, abs=0.005)


def test_no_bd_rate_is_taken_on_the_paper_s_ms_ssim(published):
    for metric in ("ms-ssim", "ms-ssim-mean-of-db"):
        with pytest.raises(ValueError, match=r"no curve 'paper-mae' on 'clic-professional-test' in MS-SSIM \("):
            collected.bd_table("paper-mae", "clic-professional-test", metric, frame=published)
    drawn = collected.curves(published, "clic-professional-test", collected.AS_DRAWN["ms-ssim"])
    assert len(drawn) == 8


def test_the_table_uses_the_metric_asked_for(published):
    table = collected.bd_table("published-jpeg", metric="ms-ssim", frame=published).set_index("curve")
    _, bpp, db = collected.curves(published, "kodak", "ms-ssim")["published-webp"]
    _, anchor_bpp, anchor_db = collected.curves(published, "kodak", "ms-ssim")["published-jpeg"]
    assert max(db) < 27 < max(collected.curves(published, "kodak")["published-webp"][2])
    expected = metrics.bd_rate(anchor_bpp, anchor_db, bpp, db).percent
    assert table.loc["published-webp", "bd_rate_percent"] == expected


def test_an_unknown_anchor_lists_the_known_ones(published):
    with pytest.raises(ValueError, match=r"no curve 'vvc' on 'kodak' in PSNR .*: choose one of .*published-webp"):
        collected.bd_table("vvc", frame=published)


@pytest.mark.parametrize("fewest", [4096, 1024])
def test_one_point_or_three_have_no_bd_rate(published, fewest):
    one = published[(published["codec"] != "paper-independent") | (published["lmbda"] >= fewest)]
    lines = collected.bd_text("paper-mae", "clic-professional-test", frame=one).splitlines()
    assert next(line for line in lines if line.startswith("paper-independent ")).split()[-2:] == ["n/a", "none"]
    assert next(line for line in lines if line.startswith("paper-mae ")).endswith("27.12 … 36.24 dB")


def test_published_curves_carry_their_source(published):
    table = collected.bd_table("published-jpeg", frame=published).set_index("curve")
    assert "tensorflow/compression" in table.loc["published-balle2017", "source"]
    assert "CompressAI" in table.loc["published-bmshj2018-factorized", "source"]
    assert table.loc["published-balle2017", "title"].endswith("(published by TensorFlow Compression)")


def test_networks_of_its_kind_lead():
    frame = collected.results()
    assert collected.peers(frame, "mae", "kodak") == ["published-balle2017", "published-bmshj2018-factorized"]
    assert collected.bd_table("mae", frame=frame)["curve"].tolist()[:2] == collected.peers(frame, "mae", "kodak")
    against = collected.against_peers(frame, "kodak")
    row = against[(against["curve"] == "mae") & (against["peer"] == "published-balle2017")].iloc[0]
    ours, theirs = (collected.curves(frame, "kodak")[name][1:] for name in ("mae", "published-balle2017"))
    assert row.bd_rate_percent == metrics.bd_rate(*theirs, *ours).percent
    assert row.interval_over == "images of this curve alone"
    assert collected.peers(frame, "jpeg", "kodak") == []


def test_a_variable_rate_model_has_a_second_number_for_all_its_lambdas():
    frame = collected.results()
    table = collected.bd_table("jpeg", frame=frame).set_index("curve")
    trained, every = table.loc["mae"], table.loc["mae, every λ"]
    assert (trained.points, every.points) == (7, 25)
    _, bpp, db = collected.curves(frame, "kodak", trained_only=False)["mae"]
    assert every.bd_rate_percent == metrics.bd_rate(*collected.curves(frame, "kodak")["jpeg"][1:], bpp, db).percent
    assert trained.bd_rate_percent != every.bd_rate_percent


def test_the_command_prints_anchor_overlap_and_method(run):
    lines = run("bd-rate", "jpeg").out.splitlines()
    assert lines[0] == "BD-rate against jpeg on kodak, PSNR (mean of the images' dB)"
    table = collected.bd_table("jpeg").set_index("curve")
    row = next(line for line in lines if line.startswith("mae "))
    expected = table.loc["mae"]
    assert f"{expected.bd_rate_percent:+.1f}\u202f%".replace("-", "−") in row
    assert f"[{expected.low_percent:+.1f}, {expected.high_percent:+.1f}]".replace("-", "−") in row
    assert f"{expected.from_db:.2f} … {expected.to_db:.2f} dB" in row
    assert "PCHIP" in lines[-2]
    assert "bootstrap samples" in lines[-1]


def test_the_table_as_csv(run, tmp_path):
    run("bd-rate", "jpeg", "--metric", "ms-ssim", "--csv", str(tmp_path / "bd.csv"))
    saved = pd.read_csv(tmp_path / "bd.csv").set_index("curve")
    expected = collected.bd_table("jpeg", metric="ms-ssim").set_index("curve")
    assert list(saved.index) == list(expected.index)
    for column in ("bd_rate_percent", "low_percent", "high_percent", "from_db"):
        np.testing.assert_allclose(saved[column], expected[column])


def test_the_paper_s_curves_look_like_those_that_they_correspond_to():
    assert palette.drawing("paper-mae") == palette.drawing("mae")
    assert palette.drawing("paper-bpg-444") == palette.drawing("published-bpg-444")
