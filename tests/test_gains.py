"""The page *Gains*: in a real browser, and headless with a hyperprior model that a test has made."""

import re
import shutil

import numpy as np
import pytest
import torch
from chromium import fits, in_address, settled, visit
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest
from test_feature_maps import numbers, serious

from mae_viz import probe
from mae_viz.coding import checkpoints
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.models import MAEHyperprior
from mae_viz.rates import Rate

SIZES = {"width": 1440, "height": 1000}
BETWEEN = Rate.near(700.0).lmbda


def gain(modulation, lmbda: float) -> np.ndarray:
    """The paper's formula, by hand."""
    w1, b1, w2, b2 = (p.detach().double().numpy() for p in modulation.parameters())
    return np.exp(w2 @ np.maximum(w1[:, 0] * lmbda / 4096 + b1, 0) + b2)


def test_gains_scales_and_correlations(profile, server):
    model = checkpoints.load("mae")
    layer = model.g_a[1].modulation
    with visit(profile, f"{server}/gains?lambda=700&layer=m2&channels=5,17", viewport=SIZES) as page:
        settled(page)
        said = page.get_by_text(re.compile(r"the gains of m₂ \(g_a, layer 2\) lie between")).inner_text()
        now = gain(layer, BETWEEN)
        assert numbers(re.search(r"lie between (\S+) and (\S+)\. ", said)[0]) == pytest.approx(
            [now.min(), now.max()], rel=0.01
        )
        for c in (5, 17):
            shown = numbers(re.search(rf"channel {c} \((\S+) at", said)[1])
            assert shown == pytest.approx([now[c]], rel=0.01)
        stretch = (model_scale()[-1] - model_scale()[0]) / np.log(2)
        assert numbers(re.search(r"bottleneck scaling by (\S+) to (\S+)\. ", said)[0]) == pytest.approx(
            [stretch.min(), stretch.max()], rel=0.01
        )
        for m, d, title in ((2, 0, "m₃, d₁"), (1, 1, "m₂, d₂"), (0, 2, "m₁, d₃")):
            up, down = (np.log(gain(part.modulation, BETWEEN)) for part in (model.g_a[m], model.g_s[d]))
            text = page.get_by_role("listitem").filter(has_text=f"{title}: r = ").inner_text()
            r, product = numbers(re.search(r"r = (\S+), mean of m · d (\S+):", text)[0])
            assert r == pytest.approx(-np.corrcoef(up, down)[0, 1], abs=0.001)
            assert product == pytest.approx(np.exp((up + down).mean()), rel=0.01)
        trained = gain(model.g_a[2].modulation, 64.0), gain(model.g_s[0].modulation, 64.0)
        row = page.get_by_role("row", name=re.compile("^64 ")).inner_text()
        assert numbers(row)[1] == pytest.approx(-np.corrcoef(*np.log(trained))[0, 1], abs=0.001)
        photograph = open_rgb(next(iter(gallery().values())).path)
        bits = probe.latents(open_checkpoint("mae"), photograph, Rate.near(64))[1].sum(axis=(1, 2))
        over = [np.log([gain(part.modulation, 64.0 * 2**k) for k in range(7)]) for part in (model.g_a[2], model.g_s[0])]
        r = np.array([-np.corrcoef(m, d)[0, 1] for m, d in zip(*(logs.T for logs in over), strict=True)])
        for state, which in (("awake", bits >= 1), ("asleep", bits < 1)):
            said = page.get_by_role("listitem").filter(has_text=f"channels {state} at λ = 64").inner_text()
            count, rising, median = re.search(r"^(\d+) .* in (\d+) of them, r is (\S+) at the median", said).groups()
            assert (int(count), int(rising)) == (which.sum(), (r[which] > 0).sum())
            assert numbers(median)[0] == pytest.approx(np.median(r[which]), abs=0.001)
        page.get_by_role("radio", name="heatmap").click()
        expect(page.get_by_text("channels, the steepest above")).to_be_visible()
        in_address(page, exactly=True, **{"lambda": "700", "layer": "m2", "channels": "5,17", "draw": "heatmap"})
        settled(page)
        fits(page)
        assert serious(page) == []
        fits(page, 820)
        page.go_back()
        expect(page.get_by_text("channels, the steepest above")).to_have_count(0)


def model_scale() -> np.ndarray:
    """log s at the trained λ."""
    return checkpoints.load("bottleneck-scaling").scale.log_scale.double().numpy()


def test_fourteen_layers_of_a_hyperprior(monkeypatch, tmp_path):
    shutil.copytree(checkpoints.folder() / "bottleneck-scaling", tmp_path / "bottleneck-scaling")
    torch.manual_seed(0)
    made = MAEHyperprior(channels=8)
    checkpoints.save(made, "mae-hyperprior", "random", tmp_path)
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(tmp_path))
    script = tmp_path / "app.py"
    script.write_text(
        "import streamlit as st\nfrom mae_viz.app import site\nfrom mae_viz.app.pages import gains\n"
        "st.navigation(list(site.pages().values()))\nsite.show_bar()\ngains.page()\n"
    )
    app = AppTest.from_file(str(script), default_timeout=120)
    app.query_params["layer"] = "hm3"
    app.query_params["lambda"] = "700"
    app.run()
    assert not app.exception
    layer = next(box for box in app.selectbox if box.label == "Layer")
    assert len(layer.options) == 14
    now = gain(made.h_a[2].modulation, BETWEEN)
    said = next(text.value for text in app.markdown if "the gains of m₃ (h_a, layer 3) lie between" in text.value)
    assert numbers(re.search(r"lie between (\S+) and (\S+)\. ", said)[0]) == pytest.approx(
        [now.min(), now.max()], rel=0.01
    )
    pairs = next(text.value for text in app.markdown if "correlation r of log d" in text.value)
    assert len(re.findall(r"r = ", pairs)) == 7
