"""What is said about refined latents follows from what was measured: numbers recomputed, signs turned around."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from chromium import plain

from mae_viz.measured import collected, findings, refinement
from mae_viz.measured.refinement import LMBDAS, PLAIN, REFINED, ROWS


def invented(**gaps: float) -> pd.DataFrame:
    """Rows of three pictures; the cost of each way to code them is 1 + its gap."""
    rows = []
    for image in "abc":
        for lmbda in LMBDAS:
            for name, gap in {"mae_plain": 0.0, "mae_refined": 0.0, **gaps}.items():
                model, _, way = name.rpartition("_")
                cost = (1 + gap) * (1 + ord(image) / 1000)
                coded = {"plain": PLAIN, "refined": REFINED}[way]
                facts = {"image": image, "model": model.replace("_", "-"), "lmbda": lmbda, "coded": coded}
                rows.append(facts | {"bpp": cost / 2, "psnr_db": -10 * math.log10(cost / 2 / lmbda)})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gaps", "sentence"),
    [
        ((0.10, 0.04), "by 6.0 points more than the MAE: 60 % of its loss is its encoder's, the rest its decoder's"),
        ((0.10, 0.0), "all of its loss is its encoder's."),
        ((0.10, -0.02), "all of its loss is its encoder's."),
        ((0.10, 0.10), "Refinement changes nothing that could be seen"),
        ((0.10, 0.12), "by 2.0 points less than the MAE: its loss is its decoder's"),
        ((-0.10, -0.04), "lies 10.0 % below the MAE's"),
        ((-0.10, -0.04), "by 6.0 points less than the MAE: 60 % of its lead is its encoder's"),
        ((-0.10, -0.12), "its lead grows"),
        ((0.0, -0.02), "by 2.0 points more than the MAE."),
    ],
)
def test_whose_loss_it_is(gaps, sentence):
    table = invented(bottleneck_scaling_plain=gaps[0], bottleneck_scaling_refined=gaps[1])
    for said in findings.whose_loss(table, "bottleneck-scaling"):
        assert sentence in plain(said)


def test_means_are_those_of_the_rows():
    """By hand, from the file."""
    rows = json.loads(ROWS.read_text(encoding="utf-8"))
    cost = {
        (row["image"], row["model"], row["lmbda"], row["coded"]): row["bpp"]
        + row["lmbda"] * 10 ** (-row["psnr_db"] / 10)
        for row in rows
        if "psnr_db" in row
    }
    images = sorted({row["image"] for row in rows if "psnr_db" in row})
    assert len(images) >= 8
    table = refinement.rows()
    for lmbda in LMBDAS:
        changes = [cost[i, "mae", lmbda, REFINED] / cost[i, "mae", lmbda, PLAIN] - 1 for i in images]
        found = refinement.saved(table, "mae", lmbda)
        assert found.value == pytest.approx(100 * sum(changes) / len(changes))
        assert min(changes) * 100 <= found.low <= found.value <= found.high <= max(changes) * 100
        assert found.high < 0
        gap = [cost[i, "bottleneck-scaling", lmbda, PLAIN] / cost[i, "mae", lmbda, PLAIN] - 1 for i in images]
        assert refinement.gap(table, "bottleneck-scaling", lmbda, PLAIN).value == pytest.approx(
            100 * sum(gap) / len(gap)
        )
        awake = {(r["image"], r["coded"]): r["awake"] for r in rows if r["model"] == "mae" and r["lmbda"] == lmbda}
        woken = [awake[i, REFINED] - awake[i, PLAIN] for i in images]
        assert refinement.woken(table, "mae", lmbda).value == pytest.approx(sum(woken) / len(woken))


def test_asked_for_ms_ssim_it_gains_that_and_pays_in_psnr():
    """On Kodak at the same rate, against files refined for MSE and against the plain ones: as notebook 7 says."""
    results = collected.results()
    asked, *others = "mae-refined-80-ms-ssim", "mae-refined-80", "mae"
    for metric, sign in (("ms-ssim", 1), ("psnr", -1)):
        curves = collected.curves(results, "kodak", metric)
        _, rates, quality = curves[asked]
        for other in others:
            _, bpp, there = curves[other]
            inside = [(rate, value) for rate, value in zip(rates, quality, strict=True) if bpp[0] <= rate <= bpp[-1]]
            assert inside
            for rate, value in inside:
                assert sign * (value - np.interp(math.log(rate), np.log(bpp), there)) > 0
