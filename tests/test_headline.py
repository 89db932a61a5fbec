"""The laboratory's sentence, computed a second time from files: every number and every sign of it."""

import json
import re

import numpy as np
import pytest
from chromium import plain
from test_javascript import node

from mae_viz import metrics
from mae_viz.codecs.registry import codec
from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import LMBDAS, Rate

PAIR = ("mae", "bottleneck-scaling")
MEASURES = {"psnr_db": "PSNR", "ms_ssim_db": "MS-SSIM"}


def measured(model: str) -> dict[str, list[dict]]:
    """Files of the bundled photographs as they were measured, by photograph."""
    document = json.loads((checkpoints.folder() / model / "rd-gallery.json").read_text(encoding="utf-8"))
    found: dict[str, list[dict]] = {}
    for row in document["measurements"]:
        found.setdefault(row["image"], []).append(row | {"at": Rate.near(row["lmbda"]).index})
    return found


@pytest.fixture(scope="module")
def sentences() -> list[dict]:
    """What the viewer says of every measured photograph at the trained λ, with the files it says it of."""
    mae, scaling = map(measured, PAIR)
    cases = [
        {"image": image, "file": file, "first": mae[image], "rival": scaling[image]}
        for image in mae
        for file in mae[image]
        if file["lmbda"] in LMBDAS
    ]
    script = f"""
        import {{ balance, headline, price, toMeasure }} from "./mae_viz/viewer/js/headline.js";
        const cases = {json.dumps(cases)};
        const early = (file, rival, measure) => {{
          const there = rival.filter(({{ at }}) => at === file.at);
          const grid = rival.map(({{ at }}) => at).sort((a, b) => a - b);
          for (let at = file.at; at !== null; at = toMeasure(grid, there, measure, file[measure]))
            if (at !== file.at) there.push(rival.find((row) => row.at === at));
          return {{ ...price(file, there, measure), files: there.length, of: rival.length }};
        }};
        console.log(JSON.stringify(cases.map(({{ first, rival, file }}) => {{
          const [a, b] = [{{ title: "A", short: "A", frames: first }}, {{ title: "B", short: "B", frames: rival }}];
          const soon = ["psnr_db", "ms_ssim_db"].map((measure) => early(file, rival, measure));
          return {{ ...headline(a, b, file, "λ"), balance: balance(a, b), soon }};
        }})));"""
    said = json.loads(plain(node("--input-type=module", "-", input=script)))
    return [case | told for case, told in zip(cases, said, strict=True)]


def share(file: dict, rival: list[dict], measure: str) -> float | None:
    """What the rival pays more to be as good as a file, as a share; None where it has no such quality."""
    curve = sorted((row[measure], np.log(row["bytes"])) for row in rival)
    quality, log_bytes = zip(*curve, strict=True)
    if not quality[0] <= file[measure] <= quality[-1]:
        return None
    return float(np.exp(np.interp(file[measure], quality, log_bytes)) / file["bytes"] - 1)


def test_every_photograph_is_said_something_of_at_seven_lambdas(sentences):
    counts = {image: sum(case["image"] == image for case in sentences) for image in measured("mae")}
    assert set(counts.values()) == {len(LMBDAS)}
    assert set(counts) <= set(gallery())


def test_every_number_and_every_sign_is_that_of_the_files(sentences):
    for case in sentences:
        clauses = re.split(r" and (?=pays|saves|needs|never|\d)", case["text"])
        for measure, name in MEASURES.items():
            expected = share(case["file"], case["rival"], measure)
            price = case["prices"][measure]
            if expected is None:
                assert price.get("poorer") or price["least"] == min(row["bytes"] for row in case["rival"])
                assert re.search(rf"(never reaches this|cannot go this low in) .*{name}", case["text"]), case["text"]
                continue
            assert price["share"] == pytest.approx(expected, abs=1e-9)
            (clause,) = [text for text in clauses if f"same {name}" in text]
            if abs(expected) < 0.005:
                assert "needs the same bytes" in clause
                continue
            told = float(re.search(r"([\d.]+) %", clause)[1])
            assert told == pytest.approx(100 * abs(expected), abs=0.051 if told < 10 else 0.51)
            before = case["text"][: case["text"].index(f"same {name}")]
            assert re.findall("pays|saves", before)[-1] == ("pays" if expected > 0 else "saves"), case["text"]
            size = int(re.search(r"\((\d+) bytes\)", clause)[1])
            assert size == round(case["file"]["bytes"] * (1 + expected))
        assert f"{case['file']['bytes']} bytes." in case["text"]


def test_what_is_said_of_the_first_files_stays_when_all_are_measured(sentences):
    for case in sentences:
        for soon, final in zip(case["soon"], case["prices"].values(), strict=True):
            assert {name: soon.get(name) for name in final} == final
        assert np.mean([soon["files"] for soon in case["soon"]]) < 7 < case["soon"][0]["of"]


def test_the_balance_over_all_rates_is_that_of_the_files(sentences):
    for case in {case["image"]: case for case in sentences}.values():
        lines = dict(line.split(": ", 1) for line in case["balance"].split("\n"))
        for measure, name in MEASURES.items():
            shares = [s for file in case["first"] if (s := share(file, case["rival"], measure)) is not None]
            for verb, part in (("pays", [s for s in shares if s >= 0]), ("saves", [-s for s in shares if s < 0])):
                assert (verb in lines[name]) == bool(part), lines[name]
                if part:
                    told = float(re.search(rf"{verb}[^%]*?up to ([\d.]+) %", lines[name])[1])
                    assert told == pytest.approx(100 * max(part), abs=0.051 if told < 10 else 0.51)


# What photographs are said to show


def coded(image: str, model: str, lmbda: float) -> dict:
    """A real file of a photograph, and what it is like decoded."""
    picture, made = open_rgb(gallery()[image].path), codec(model)
    stream = made.encode(picture, Rate.near(lmbda))
    pixels, original = np.asarray(made.decode(stream)), np.asarray(picture)
    quality = {"psnr_db": metrics.psnr_db(pixels, original), "ms_ssim_db": metrics.ms_ssim_db(pixels, original)}
    return {"bytes": len(stream), **quality}


@pytest.mark.slow
def test_the_first_photograph_shows_the_gain_on_all_measures():
    first = next(iter(gallery()))
    scaling = [coded(first, PAIR[1], lmbda) for lmbda in LMBDAS]
    for lmbda in LMBDAS[:5]:
        file = coded(first, PAIR[0], lmbda)
        assert [share(file, scaling, measure) > 0.03 for measure in MEASURES] == [True, True], lmbda


@pytest.mark.slow
def test_the_counterexample_is_one_and_the_only_one_named():
    (named,) = [photograph.name for photograph in gallery().values() if photograph.counterexample]
    scaling = [coded(named, PAIR[1], lmbda) for lmbda in LMBDAS]
    for lmbda in (128, 256):
        file = coded(named, PAIR[0], lmbda)
        assert share(file, scaling, "psnr_db") < -0.03
        assert share(file, scaling, "ms_ssim_db") > 0
