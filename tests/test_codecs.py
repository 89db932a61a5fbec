"""The registry: one door to every codec, by every kind of name; nothing else knows what a codec is called."""

import ast
import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

import mae_viz
from mae_viz import architectures, metrics, models, rates
from mae_viz.codecs import palette
from mae_viz.codecs.interface import LOOKS, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL, codec, names
from mae_viz.coding import checkpoints
from mae_viz.measured import collected
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
everything = pytest.mark.parametrize("name", [*names(), "independent-64", "independent-hyperprior-4096"])


@everything
def test_every_codec_keeps_the_promises_of_the_interface(name, crop):
    made = codec(name)
    assert made is codec(name)
    assert made.name == name
    assert len(made.short) <= len(made.title)
    assert made.looks <= LOOKS.keys()
    axis = made.axis
    assert axis.first <= axis.start <= axis.last
    assert set(axis.listed) <= set(axis.every)
    for rates_ in (axis.listed, axis.ladder, axis.every):
        assert list(rates_) == sorted(set(rates_))
    for rate in axis.ladder:
        assert axis.at(rate.at) == axis.near(rate.number) == rate
    for outside in (axis.last.number * 2 + 1, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"is outside"):
            made.rate(outside)
    data = made.encode(crop, axis.first)
    decoded = made.decode(data)
    assert decoded.size == crop.size
    assert decoded.mode == "RGB"
    better = np.asarray(made.decode(made.encode(crop, axis.last)))
    if axis.first != axis.last:
        assert metrics.psnr_db(better, np.asarray(crop)) > metrics.psnr_db(np.asarray(decoded), np.asarray(crop))
    json.dumps(made.settings)


@everything
def test_what_is_seen_inside_belongs_to_the_file(name, crop):
    made = codec(name)
    if "maps" not in made.looks:
        with pytest.raises(ValueError, match="does not show its latents"):
            made.inspect(crop, made.axis.first)
        return
    seen = made.inspect(crop, made.axis.last)
    assert seen.stream == made.encode(crop, made.axis.last)
    assert seen.y.shape == seen.bits.shape
    assert seen.places.shape == seen.y.shape[1:]
    assert seen.places.sum() == pytest.approx(seen.estimated_bits, rel=1e-4)
    assert made.estimated_bits(seen.stream) == pytest.approx(seen.estimated_bits)
    assert seen.estimated_bits / 8 == pytest.approx(len(seen.stream), rel=0.03, abs=48)  # the header


def test_every_architecture_has_facts():
    assert architectures.FACTS.keys() == models.ARCHITECTURES.keys()
    for name, facts in architectures.FACTS.items():
        model = models.ARCHITECTURES[name](8, (64.0, 4096.0)[: 1 if facts.single else 2])
        assert any(layer.modulation is not None for layer in model.g_a) == facts.modulated
        assert bool([key for key, _ in model.named_parameters() if key.startswith("h_s")]) == facts.hyperprior


@pytest.mark.parametrize("write", [str, os.path.relpath, lambda path: f"./{os.path.relpath(path)}"])
def test_a_checkpoint_s_folder_is_found_however_it_is_written(write, crop, monkeypatch):
    home = checkpoints.find("mae")
    monkeypatch.chdir(home.parent.parent)
    assert codec(write(home)).identity == codec("mae").identity
    assert mae_viz.compress(crop, write(home), 100) == mae_viz.compress(crop, "mae", 100)


def test_a_checkpoint_elsewhere_is_a_codec_of_its_own(tmp_path, monkeypatch, crop):
    model = models.MAE(8)
    checkpoints.save(model, "mae", "random weights", into=tmp_path / "runs" / "mae")
    monkeypatch.chdir(tmp_path)
    found = codec("runs/mae/mae")
    assert found.identity != codec("mae").identity
    assert found.name == str(tmp_path / "runs" / "mae" / "mae")
    assert found.title == "MAE (runs/mae/mae)"
    assert codec(found.name).decode(found.encode(crop, Rate.near(64))).size == crop.size
    # trained further: the same folder, other weights
    before = found.encode(crop, Rate.near(64))
    checkpoints.save(models.MAE(8), "mae", "other random weights", into=tmp_path / "runs" / "mae")
    assert codec("runs/mae/mae").identity != found.identity
    assert codec("runs/mae/mae").encode(crop, Rate.near(64)) != before


def test_unknown_names_are_refused_with_those_that_there_are():
    with pytest.raises(mae_viz.CheckpointError, match=r"no model named 'jpg'.*independent-64.*jpeg2000"):
        codec("jpg")


def test_the_original_is_no_codec(crop):
    with pytest.raises(ValueError, match="the original is no codec: choose one of mae"):
        codec("original").encode(crop, ORIGINAL.axis.first)
    assert ORIGINAL.name not in names()


# Titles and colours


def test_no_two_codecs_share_a_title():
    titles = [codec(name).title for name in names()]
    assert len(set(titles)) == len(titles)


def test_titles_of_results_are_those_of_the_codecs():
    measured = collected.results()
    for name in names():
        rows = measured[(measured["curve"] == name) & (measured["dataset"] == "kodak")]
        assert set(rows["title"]) == {codec(name).title}


SIMULATED = {  # Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB
    "all cones": np.eye(3),
    "no L cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no M cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no S cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Linear sRGB in a space where equal distances look equal (Ottosson 2020)."""
    lms = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(rgb, 0, 1)
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ lms
    )


@pytest.mark.parametrize("eyes", SIMULATED)
def test_colours_of_codecs_on_show_together_differ_for_all_eyes(eyes):
    seen = {name: oklab(np.array(SIMULATED[eyes]) @ linear(codec(name).colour)) for name in names()}
    for (one, a), (other, b) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(a - b) > 0.06, (one, other)


def test_curves_that_share_a_colour_differ_in_dash():
    looks = {name: (drawn.colour, drawn.dash) for name, drawn in palette.drawings().items() if name != ORIGINAL.name}
    assert len(set(looks.values())) == len(looks)


@pytest.mark.parametrize("paper", ["#ffffff", "#0e1117"])
def test_lines_stand_out_from_light_and_dark_pages(paper):
    weights = np.array([0.2126, 0.7152, 0.0722])
    page = weights @ linear(paper) + 0.05
    for name in names():
        line = weights @ linear(codec(name).colour) + 0.05
        assert max(page, line) / min(page, line) >= 3, name


# Nothing compares names


def test_nothing_compares_a_codec_s_name_with_a_string():
    """Comparisons, membership and prefixes with the names of codecs; all that may be is listed here."""
    known = {*names(), *checkpoints.available(), *architectures.FACTS, ORIGINAL.name}
    constants: set[str] = set()

    def is_name(node: ast.AST) -> bool:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return any(map(is_name, node.elts))
        named = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
        return named in constants or (isinstance(node, ast.Constant) and node.value in known)

    found = []
    for path in sorted([*(ROOT / "mae_viz").rglob("*.py"), ROOT / "app.py"]):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:  # constants that stand for a name
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in known:
                constants |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    for path in sorted([*(ROOT / "mae_viz").rglob("*.py"), ROOT / "app.py"]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            compared = isinstance(node, ast.Compare) and any(map(is_name, [node.left, *node.comparators]))
            prefix = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("startswith", "endswith", "removeprefix", "partition", "rpartition")
                and any(
                    isinstance(a, ast.Constant) and isinstance(a.value, str) and a.value.strip("-").lower() in
                    {"mae", "independent", "bottleneck", "hyperprior"}
                    for a in node.args
                )
            )  # fmt: skip
            if compared or prefix:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_lambda_becomes_a_rate_and_a_rate_a_tensor():
    for name in names():
        if isinstance(axis := codec(name).axis, LambdaAxis):
            assert {type(rate) for rate in axis.every} == {Rate}
    rate = Rate.near(700)
    assert rate.tensor().tolist() == [pytest.approx(rate.lmbda)]
    assert rate in {Rate(rate.index): 1}
    assert (Rate(0).number, Rate(rates.LAST_INDEX).number) == (64, 4096)
    with pytest.raises(ValueError, match="outside 0…384"):
        Rate(385)
