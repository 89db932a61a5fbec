"""Numbers in prose: each comes from a card, a result file or the code, and is looked up there again. And how pages
write them."""

import ast
import json
import re
import warnings
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import mae_viz
from mae_viz import numbers as written
from mae_viz import probe, rates
from mae_viz.coding import bitstream, checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?!\w)")


@cache
def results():
    return mae_viz.results()


def images(dataset: str) -> int:
    rows = results()[(results()["dataset"] == dataset) & (results()["codec"] == "mae") & (results()["image"] != "mean")]
    return rows["image"].nunique()


def lowest_of_the_papers_scaling() -> float:
    """How many times the MAE's lowest rate that of bottleneck scaling is, in the paper's figure."""
    papers = results()[results()["kind"] == "paper"].groupby("curve")["bpp"].min()
    return papers["paper-bottleneck-scaling"] / papers["paper-mae"]


def waking() -> list[int]:
    """How many of the MAE's channels cost nothing at a trained λ and something at the next, the first four λ."""
    checkpoint, picture = checkpoints.open_checkpoint("mae"), open_rgb(gallery()["china"].path)
    spent = [probe.latents(checkpoint, picture, Rate.near(v))[1].sum(axis=(1, 2)) for v in rates.LMBDAS[:5]]
    return [int(np.sum((a < 1) & (b >= 1))) for a, b in pairwise(spent)]


def most_channels_of_the_published_networks() -> int:
    with warnings.catch_warnings():  # of CompressAI's dependencies
        warnings.simplefilter("ignore")
        from compressai.zoo.image import cfgs

    return max(max(widths) for widths in cfgs["bmshj2018-factorized"].values())


def plain(path: Path) -> str:
    """The prose of a Markdown file: no generated tables, code, addresses."""
    text = path.read_text(encoding="utf-8")
    for left_out in (r"<!-- report: .*?<!-- end -->", r"```.*?```", r"`[^`]*`", r"\]\([^)]*\)"):
        text = re.sub(left_out, "", text, flags=re.DOTALL)
    return text


def numbers(text: str) -> set[str]:
    return set(NUMBER.findall(text))


def test_numbers_about_the_weights():
    """checkpoints/README.md: what is not in a generated table stands on a card, or is counted here."""
    cards = [(checkpoints.folder() / name / "card.json").read_text(encoding="utf-8") for name in mae_viz.available()]
    on_cards = set().union(*map(numbers, cards)) | {f"{v:g}" for v in rates.LMBDAS}
    on_cards |= {f"{json.loads(card)['steps']:,}" for card in cards if "steps" in json.loads(card)}
    counted = {
        *map(str, waking()),
        str(images("held-out")),
        str(images("kodak")),
        str(len(mae_viz.load("mae").knots)),
        f"{lowest_of_the_papers_scaling():.2f}",
        str(most_channels_of_the_published_networks()),
        "95",  # per cent, of the intervals: tests/test_intervals.py
    }
    counted |= {"1", "2", "3"}  # of the list
    assert numbers(plain(ROOT / "checkpoints" / "README.md")) - on_cards - counted == set()


def test_the_papers_lowest_rates_in_lesson_4():
    lesson = (ROOT / "notebooks" / "04_bottleneck_scaling_vs_mae.py").read_text(encoding="utf-8")
    said = re.search(r"its lowest rate is ([\d.]+)\s+(?:# )?times", lesson)
    assert said[1] == f"{lowest_of_the_papers_scaling():.2f}"


def test_the_header_in_the_lesson_plan():
    assert f"{bitstream.HEADER_BYTES} bytes of header" in (ROOT / "docs" / "teach.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/for/paper-readers.md"])
def test_the_papers_points_are_read_as_closely_as_a_page_says(page):
    text = (ROOT / page).read_text("utf-8")
    said = re.search(r"read\s+off its\s+figure, to ([\d.]+) bpp and ([\d.]+) dB", text)
    folder = ROOT / "mae_viz" / "measured" / "shipped"
    worst = {"bpp": 0.0, "psnr_db": 0.0}
    for path in folder.glob("clic-professional-test-paper-*.json"):
        for mean in json.loads(path.read_text("utf-8"))["means"]:
            for key in worst:
                worst[key] = max(worst[key], mean[f"{key}_uncertainty"])
    assert [f"{worst['bpp']:.3f}", f"{worst['psnr_db']:.2f}"] == [said[1], said[2]]


@pytest.mark.parametrize("channels", [22])
def test_the_waking_channels_of_lesson_6(channels):
    before = json.loads((ROOT / "notebooks" / "before_waking.json").read_text("utf-8"))
    assert len(before["relative_gains"]) == waking()[0] == channels


# How pages write them


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (written.grouped(-1234567), "−1\u202f234\u202f567"),
        (written.grouped(-0.04, "+.1f"), "0.0"),
        (written.grouped(4748, "+,"), "+4\u202f748"),
        (written.number(8622.4), "8\u202f622"),
        (written.number(-0.04251), "−0.0425"),
        (written.number(-2.494e-6), "−2.49·10⁻⁶"),
        (written.number(445163704499), "4.45·10¹¹"),
        (written.number(float("nan")), "n/a"),
        (written.power(7.4e-8), "7·10⁻⁸"),
        (written.power(1e-5), "10⁻⁵"),
        (written.percent(-0.0714, "+.1f"), "−7.1\u202f%"),
        (written.percent(-0.0004, "+.1f"), "0.0\u202f%"),
        (written.share(0.004), "under 1\u202f%"),
        (written.decibels(31.256), "31.26\u202fdB"),
        (written.in_bpp(0.3), "0.300\u202fbpp"),
        (written.in_bytes(10751), "10\u202f751\u202fbytes"),
    ],
)
def test_pages_write_numbers(text, expected):
    assert text == expected


def texts(path: Path) -> list[str]:
    """The texts in a file of Python, without its docstrings; U+FFFC where a text puts a value."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = [part for node in joined for part in node.values]
    plain = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n not in [*prose, *parts]]
    whole = ["".join(p.value if isinstance(p, ast.Constant) else "\ufffc" for p in node.values) for node in joined]
    return [*whole, *(node.value for node in plain if isinstance(node.value, str))]


def test_no_line_of_a_page_is_broken_between_a_number_and_its_unit():
    package = ROOT / "mae_viz"
    files = [*package.glob("app/**/*.py"), *package.glob("viewer/*.py"), package / "measured" / "between.py"]
    broken = re.compile(r"[\d\ufffc}][ \xa0](%|dB|bpp|bits?|bytes|[kKM]B|px)(?!\w)")
    written_in = {path.name: texts(path) for path in files}
    for path in package.glob("viewer/js/*.js"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        written_in[path.name] = code.splitlines()
    assert len(written_in) > 50
    wrong = {name: [text for text in found if broken.search(text)] for name, found in written_in.items()}
    assert {name: found for name, found in wrong.items() if found} == {}
