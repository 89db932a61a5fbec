"""The tables of checkpoints/README.md: as the result files say, and right by an independent computation."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

import mae_viz
from mae_viz.measured import report
from mae_viz.measured.between import between, rate_at

ROOT = Path(__file__).parent.parent
README = (ROOT / "checkpoints" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def results():
    return mae_viz.results()


def test_the_tables_of_the_readme_are_up_to_date(results):
    assert report.write(README, results) == README, "run `mae-viz report --write`"


def test_every_table_is_in_the_readme():
    assert set(re.findall(r"<!-- report: (\S+) -->", README)) == set(report.TABLES)


def test_unknown_blocks_are_refused(results):
    with pytest.raises(ValueError, match="no table 'nothing': choose one of"):
        report.write("<!-- report: nothing -->\n<!-- end -->", results)


def test_what_minutes_of_training_reach_is_what_was_measured(results):
    """And the minutes are those of the cards."""
    text = (ROOT / "docs" / "training-minutes.md").read_text(encoding="utf-8")
    known = {row[0]: row[1] for row in rows(report.TABLES["bd-rates"](results))}
    told = re.findall(r"\| ([^|]+ against [^|]+): ([+−][\d.]+ %) \|", text)
    assert len(told) == 4
    for pair, percent in told:
        assert known[pair].replace("\N{NARROW NO-BREAK SPACE}", " ").startswith(f"{percent} ["), pair
    for name, told in (("mae", "36,330 steps"), ("mae-hyperprior", "33,600 steps")):
        training = json.loads((ROOT / "checkpoints" / name / "card.json").read_text("utf-8"))["training"]
        assert told in text
        assert told.replace(",", "") in training.replace(",", "")


def rows(table: str) -> list[list[str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(line) for line in lines}) == 1, "columns"
    return [lines[0], *lines[2:]]


def number(cell: str) -> float:
    return float(re.search(r"[−+±]?[\d.]+", cell)[0].replace("−", "-").replace("±", "+"))


def means(name: str, dataset: str = "kodak") -> list[dict]:
    return json.loads((ROOT / "checkpoints" / name / f"rd-{dataset}.json").read_text("utf-8"))["means"]


def test_rates_and_qualities_are_those_of_the_files(results):
    head, *body = rows(report.by_lambda(results))
    assert head[1].startswith("MAE: bpp")
    for row in body:
        lmbda = number(row[0])
        for place, name in ((1, "mae"), (4, f"independent-{lmbda:g}"), (7, "bottleneck-scaling")):
            [mean] = [m for m in means(name) if m["lmbda"] == lmbda]
            assert row[place : place + 3] == [
                f"{mean['bpp']:.4f}",
                f"{mean['psnr_db']:.2f}",
                f"{mean['ms_ssim_db']:.2f}",
            ]


@pytest.mark.parametrize(("table", "kind", "count"), [("held-out", "", 7), ("held-out-hyperprior", "-hyperprior", 4)])
def test_the_held_out_lagrangian_is_that_of_the_files(results, table, kind, count):
    _, *body = rows(report.TABLES[table](results))
    assert len(body) == count
    for row in body:
        lmbda, cost = number(row[0]), []
        for name in (f"mae{kind}", f"independent{kind}-{lmbda:g}"):
            document = json.loads((ROOT / "checkpoints" / name / "rd-held-out.json").read_text("utf-8"))
            found = [m for m in document["measurements"] if m["lmbda"] == lmbda]
            assert len(found) == 40
            cost.append(np.mean([m["bpp"] + lmbda * 10 ** (-m["psnr_db"] / 10) for m in found]))
        assert [number(cell) for cell in row[1:]] == pytest.approx([*cost, 100 * (cost[1] / cost[0] - 1)], abs=0.06)


def test_between_the_trained_rates(results):
    """Against the curve by hand."""
    found = between(results, "mae").set_index("lmbda")
    trained = found[found["trained"]]
    assert trained.index.tolist() == [64, 128, 256, 512, 1024, 2048, 4096]
    assert trained["excess_percent"].abs().max() < 1e-9
    curve = PchipInterpolator(trained["psnr_db"], np.log2(trained["bpp"]))
    [mean] = [m for m in means("mae") if round(m["lmbda"]) == 181]
    by_hand = 100 * (mean["bpp"] / 2 ** curve(mean["psnr_db"]) - 1)
    assert found.loc[mean["lmbda"], "excess_percent"] == pytest.approx(by_hand, abs=1e-3)
    sizes = [m["bpp"] for m in means("mae")]
    growth = [100 * (b / a - 1) for a, b in pairwise(sizes)]
    assert found["growth_percent"].dropna().tolist() == pytest.approx(growth)


def test_the_mae_has_no_staircase_between_its_trained_rates(results):
    """No λ of quarter octaves costs 4 % more than the curve through the trained ones, and each adds 5 to 16 %."""
    found = between(results, "mae")
    assert len(found) == 25
    assert found["excess_percent"].max() < 4
    assert 5 < found["growth_percent"].min() < found["growth_percent"].max() < 16


def test_a_curve_is_not_continued_beyond_its_ends():
    assert np.isnan(rate_at([0.1, 0.2, 0.4], [30, 33, 36], np.array([29.9, 36.1]))).all()
    assert rate_at([0.4, 0.1, 0.2], [36, 30, 33], np.array([33.0])) == pytest.approx([0.2])
    tied = [0.1, 0.3, 0.2, 0.4], [30, 33, 33, np.inf]  # a tiny picture: equal files of two λ, and one without loss
    assert rate_at(*tied, np.array([33.0])) == pytest.approx([0.2])
    assert np.isnan(rate_at([0.1, 0.2], [30, 30], np.array([30.0]))).all()


def test_what_was_not_measured_is_said(results):
    with pytest.raises(ValueError, match="run `mae-viz evaluate independent-64` first"):
        between(results, "independent-64", "clic")


def test_the_command_prints_a_table(run):
    assert "| 4096 |" in run("report", "by-lambda").out
    assert "no table" in run("report", "nothing", code=2).err
