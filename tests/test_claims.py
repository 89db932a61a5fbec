"""What the words beside the pictures claim, for every bundled photograph and λ, from the results on disk."""

import json

import numpy as np
import pytest

import mae_viz
from mae_viz import probe
from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected
from mae_viz.rates import Rate


@pytest.fixture(scope="module")
def sizes():
    """Bits per pixel of the MAE's files: a row for each photograph, a column for each λ."""
    results = mae_viz.results()
    rows = results[(results["dataset"] == "gallery") & (results["codec"] == "mae") & (results["image"] != "mean")]
    found = rows.pivot(index="image", columns="lmbda", values="bpp")
    assert set(found.index) == set(gallery())
    assert found.shape == (len(gallery()), 25)
    return found


@pytest.mark.parametrize(("word", "extreme"), [("the cheapest picture", "idxmin"), ("the dearest picture", "idxmax")])
def test_the_cheapest_and_the_dearest_photograph(sizes, word, extreme):
    (named,) = (name for name, photograph in gallery().items() if word in photograph.look_for)
    assert set(getattr(sizes, extreme)()) == {named}


def test_more_weight_on_the_error_makes_every_file_larger(sizes):
    assert (sizes.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)


@pytest.mark.parametrize("name", ["sky", "china", "chelsea"])  # the cheapest, the dearest, one between
def test_gains_fall_before_the_rounding_and_rise_after_it_but_for_channels_that_are_off(name):
    """The lesson plan and lesson 3: d1 mirrors m3 in channels that cost bits at λ = 64, and falls with it in others."""
    checkpoint = checkpoints.open_checkpoint("mae")
    layers = {layer.name: layer for layer in probe.layers(checkpoint.model)}
    lmbdas = [64 * 2 ** (k / 4) for k in range(25)]
    before, after = (np.log2(probe.gains(layers[layer].modulation, lmbdas)) for layer in ("m3", "d1"))
    spent = probe.latents(checkpoint, open_rgb(gallery()[name].path), Rate.near(64))[1].sum(axis=(1, 2))
    in_use = spent >= 1
    assert 0 < in_use.sum() < len(in_use)
    assert (before[-1] > before[0]).all()
    assert (after[-1] < after[0])[in_use].all()
    assert (after[-1] > after[0])[~in_use].all()


def test_who_is_ahead_of_whom_in_the_documentation():
    """docs/faq.md: of each MAE, those that need more bits or fewer for certain, and those that may."""
    ahead = {}
    for anchor in ("mae", "mae-hyperprior"):
        table = collected.bd_table(anchor, "kodak", "psnr", collected.results()).set_index("curve")
        ahead[anchor] = {name: (row.low_percent > 0, row.high_percent < 0) for name, row in table.iterrows()}
    more, fewer, perhaps = (True, False), (False, True), (False, False)
    assert [ahead["mae"][name] for name in ("jpeg", "jpeg2000")] == [more, fewer]
    assert [ahead["mae-hyperprior"][name] for name in ("jpeg", "jpeg2000", "hevc-intra-444")] == [more] * 3
    assert [ahead["mae-hyperprior"][name] for name in ("published-bpg-444", "published-bpg-444-tensorflow")] == [
        perhaps
    ] * 2


def test_how_long_a_photograph_takes_in_the_documentation():
    """docs/faq.md: under half a second, on one thread."""
    measured = json.loads((checkpoints.folder() / "mae" / "rd-kodak.json").read_text(encoding="utf-8"))
    assert measured["machine"]["threads"] == 1
    assert max(row["encode_s"] for row in measured["measurements"]) < 0.5
