"""Weights that ship: complete, intact, rebuilt from the card alone, as good as measured elsewhere."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import mae_viz
from mae_viz import metrics
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.models import MAE, MAEHyperprior, count_parameters
from mae_viz.rates import Rate

# Entropy estimate in bpp and PSNR in dB of the shipped weights. Both were computed from the same weights by a
# program that shares no code with this one: means over Kodak, and the bundled photograph "coffee".
MEASURED = {
    "kodak": {
        "mae": {64: (0.1075, 26.1070), 512: (0.4602, 31.3469), 4096: (1.2608, 36.2577)},
        "independent-64": {64: (0.1016, 25.9780)},
        "independent-4096": {4096: (1.2710, 36.3644)},
        "bottleneck-scaling": {64: (0.1281, 26.4355), 512: (0.5133, 31.6094), 4096: (1.2711, 36.3641)},
        "mae-hyperprior": {64: (0.1102, 27.1046), 4096: (1.0494, 36.7516)},
        "independent-hyperprior-64": {64: (0.1060, 26.9976)},
        "independent-hyperprior-4096": {4096: (1.0556, 36.8259)},
    },
    "coffee": {
        "mae": {64: (0.1058, 25.8596), 512: (0.4134, 30.2433), 4096: (1.1791, 33.7814)},
        "mae-hyperprior": {64: (0.1180, 26.7061), 1024: (0.5897, 32.6158), 4096: (1.0706, 34.4594)},
        "independent-64": {64: (0.0999, 25.7855)},
        "independent-4096": {4096: (1.1864, 33.8430)},
        "bottleneck-scaling": {64: (0.1277, 26.1432), 512: (0.4649, 30.5180), 4096: (1.1863, 33.8427)},
        "independent-hyperprior-64": {64: (0.1132, 26.6183)},
        "independent-hyperprior-256": {256: (0.2632, 29.6518)},
        "independent-hyperprior-1024": {1024: (0.5832, 32.5712)},
        "independent-hyperprior-4096": {4096: (1.0737, 34.5493)},
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURED["coffee"])
def test_rate_and_psnr_are_those_measured_before_conversion(name, photograph):
    model = mae_viz.load(name)
    for lmbda, (bpp, psnr_db) in MEASURED["coffee"][name].items():
        with torch.inference_mode():
            out = model(coder.to_tensor(photograph, model.stride), lmbda)
        bits = -sum(p.log2().sum().item() for p in out["likelihoods"].values())
        assert bits / (photograph.width * photograph.height) == pytest.approx(bpp, rel=2e-3)
        decoded = np.asarray(coder.to_image(out["x_hat"], photograph.height, photograph.width))
        assert metrics.psnr_db(decoded, np.asarray(photograph)) == pytest.approx(psnr_db, abs=0.01)


@pytest.mark.parametrize("name", MEASURED["kodak"])
def test_results_on_kodak_are_those_measured_before_conversion(name):
    """The evaluator's, from real files: tests/test_evaluate.py measures some of them again."""
    document = json.loads((checkpoints.folder() / name / "rd-kodak.json").read_text(encoding="utf-8"))
    means = {mean["lmbda"]: mean for mean in document["means"]}
    for lmbda, (bpp, psnr_db) in MEASURED["kodak"][name].items():
        assert means[lmbda]["estimated_bpp"] == pytest.approx(bpp, rel=2e-3)
        assert means[lmbda]["psnr_db"] == pytest.approx(psnr_db, abs=0.01)


def test_what_ships():
    names = mae_viz.available()
    assert names[0] == "mae"
    assert {"bottleneck-scaling", "independent-4096"} <= set(names)
    for name in names:
        facts = checkpoints.card(name)
        assert facts["parameters"] == count_parameters(mae_viz.load(name))
        assert len(facts["training"]) > 20


def test_models_come_in_the_order_of_their_rates(tmp_path, monkeypatch):
    cards = {
        "mae": ("MAE", [64, 4096]),
        "mae-hyperprior": ("MAEHyperprior", [64, 4096]),
        "bottleneck-scaling": ("BottleneckScaling", [64, 4096]),
        **{f"independent-{lmbda}": ("Independent", [lmbda]) for lmbda in (64, 512, 4096)},
    }
    for name, (architecture, lmbdas) in reversed(cards.items()):
        (tmp_path / name).mkdir()
        facts = {"architecture": architecture, "channels": 8, "lmbdas": lmbdas, "sha256": "00"}
        (tmp_path / name / "card.json").write_text(json.dumps(facts))
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "card.json").touch()
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(tmp_path))
    assert checkpoints.known() == [*cards, "damaged"]


def test_save_and_load_give_the_same_model(tmp_path):
    torch.manual_seed(0)
    model = MAE(8).eval()
    path = checkpoints.save(model, "small", "random weights", into=tmp_path)
    loaded = checkpoints.load(str(path))
    x = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(loaded(x, 300.0)["x_hat"], model(x, 300.0)["x_hat"], atol=2e-3, rtol=2e-2)
    before = (path / "model.safetensors").read_bytes()
    checkpoints.save(loaded, "again", "the same weights", into=tmp_path)
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("architecture", [MAE, MAEHyperprior])
def test_knots_are_kept_and_coded_with(tmp_path, crop, architecture):
    torch.manual_seed(0)
    model = architecture(48, (64.0, 4096.0), knots=(64.0, 128.0, 500.0, 4096.0)).eval()
    path = str(checkpoints.save(model, "knots", "random weights", into=tmp_path))
    opened = checkpoints.open_checkpoint(path)
    assert opened.card["knots"] == [64.0, 128.0, 500.0, 4096.0]
    assert opened.model.knots == model.knots
    rows = [Rate.near(knot).index for knot in model.knots]
    assert opened.tables.rows.tolist() == rows
    if opened.hyper:
        assert opened.hyper.rows.tolist() == rows
    for lmbda in (100, 500, 700):
        data = mae_viz.compress(crop, path, lmbda)
        assert mae_viz.decompress(data, path).size == crop.size


def test_a_card_without_knots_means_those_of_the_trained_rates(tmp_path):
    path = checkpoints.save(MAE(8), "old", "random weights", into=tmp_path)
    facts = json.loads((path / "card.json").read_text())
    del facts["knots"]
    (path / "card.json").write_text(json.dumps(facts))
    assert mae_viz.load(str(path)).knots == mae_viz.load(str(path)).lmbdas


def test_files_of_former_weights_say_where_these_are(crop):
    """Every model that once shipped, and none that does."""
    known = json.loads((checkpoints.folder() / "former.json").read_text())
    assert len(known) >= 22
    assert not set(known) & {checkpoints.fingerprint_of(name).hex() for name in mae_viz.available()}
    for identity, (name, commit) in known.items():
        parsed = replace(bitstream.parse(mae_viz.compress(crop)), fingerprint=bytes.fromhex(identity))
        with pytest.raises(mae_viz.StreamError, match=f"model {identity}, .* {name} had .* commit {commit} .* Install"):
            mae_viz.decompress(parsed.pack())


def test_unknown_names_list_the_known_ones():
    with pytest.raises(mae_viz.CheckpointError, match=r"no model named 'nothing', nor a .* one of mae"):
        mae_viz.load("nothing")


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(checkpoints.folder() / "independent-4096", tmp_path / "copy")
    return tmp_path / "copy"


def test_one_flipped_bit_in_the_weights_is_found(copy):
    data = bytearray((copy / "model.safetensors").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.safetensors").write_bytes(data)
    with pytest.raises(mae_viz.CheckpointError, match="not the file that its card describes"):
        mae_viz.load(str(copy))


def test_cut_off_weights_are_found(copy):
    data = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(mae_viz.CheckpointError, match="cannot be read"):
        mae_viz.load(str(copy))


def test_weights_of_another_architecture_are_refused(copy):
    facts = json.loads((copy / "card.json").read_text()) | {"architecture": "MAE"}
    (copy / "card.json").write_text(json.dumps(facts))
    with pytest.raises(mae_viz.CheckpointError, match="does not fit its architecture"):
        mae_viz.load(str(copy))


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[]", "is no card of a model"),
        (b'{"architecture": "MAE"}', "is no card of a model: it needs architecture, channels, lmbdas, sha256"),
        (b'{"architecture": "VVC", "channels": 8, "lmbdas": [64], "sha256": "00"}', "unknown architecture, VVC"),
    ],
)
def test_a_card_that_is_none_is_found_and_hides_no_other_model(copy, card, sentence, monkeypatch, crop):
    stream = mae_viz.compress(crop, "independent-4096", 4096)
    shutil.copytree(copy, copy.parent / "intact")
    (copy / "card.json").write_bytes(card)
    with pytest.raises(mae_viz.CheckpointError, match=sentence):
        mae_viz.load(str(copy))
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(copy.parent))
    assert mae_viz.info(stream)["model"] == "intact"
    assert mae_viz.decompress(stream).size == crop.size


def test_a_name_means_another_model_in_another_folder(copy, monkeypatch):
    """Also once the first has been read."""
    assert mae_viz.load("independent-4096").lmbdas == (4096.0,)
    shutil.copytree(checkpoints.folder() / "independent-64", copy.parent / "independent-4096")
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(copy.parent))
    assert mae_viz.load("independent-4096").lmbdas == (64.0,)
