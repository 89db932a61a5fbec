"""The pages' way through a model with hyperprior, in a real browser, against files and the model itself."""

import re
import shutil
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from chromium import canvas_pixels, fits, in_address, plain, serve, settled, visit
from playwright.sync_api import expect
from test_feature_maps import numbers, pixels, ratio, serious
from test_golden import GOLDEN
from test_laboratory import drawn, number, panes

import mae_viz
from mae_viz.coding import checkpoints, coder
from mae_viz.images import gallery, open_rgb
from mae_viz.numbers import grouped, in_bytes
from mae_viz.rates import Rate

PICTURE = "chelsea"
NAME = "mae-hyperprior"
SIZES = {"width": 1440, "height": 1000}
HIGH, LOW = Rate.near(700.0).lmbda, 64.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The two models that ship and a small one with hyperprior."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name in ("mae", "bottleneck-scaling"):
        shutil.copytree(checkpoints.folder() / name, folder / name)
    shutil.copytree(GOLDEN / "hyperprior", folder / NAME)
    return folder


@pytest.fixture(scope="module")
def app(folder, app_cache):
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    places = {"MAE_VIZ_CHECKPOINTS": str(folder), "MAE_VIZ_CACHE": str(app_cache)}
    with serve(command, "/_stcore/health", **places) as url:
        yield url


@pytest.fixture(scope="module")
def coded(folder) -> dict:
    """By λ: bytes of the file; y; symbols of y; bits of y and z, and σ, by the model's own call."""
    picture, found = open_rgb(gallery()[PICTURE].path), {}
    model = checkpoints.open_checkpoint(str(folder / NAME)).model
    for lmbda in (HIGH, LOW):
        rate = torch.tensor([lmbda])
        with torch.inference_mode():
            out = model(coder.to_tensor(picture, 64), lmbda)
            z_hat, _ = model.prior(model.hyper_analysis(out["y"], rate), rate)
            sigma = model.hyper_synthesis(z_hat, rate)[0].numpy()
        y, z = (-torch.log2(out["likelihoods"][part][0]).double().numpy() for part in ("y", "z"))
        length = len(mae_viz.compress(picture, str(folder / NAME), lmbda))
        found[lmbda] = length, out["y"][0].numpy(), torch.round(out["y"][0]).int().numpy(), y, z, sigma
    return found


def histogram_bits(symbols: np.ndarray) -> float:
    """Zeroth-order entropy of every channel, times its symbols."""
    bits = 0.0
    for channel in symbols:
        counts = Counter(channel.ravel().tolist())
        bits -= sum(n * np.log2(n / channel.size) for n in counts.values())
    return bits


def test_side_information_in_where_the_bits_go(profile, app, coded):
    with visit(profile, f"{app}/bits?image={PICTURE}&lambda=700&mae={NAME}", viewport=SIZES) as page:
        settled(page)
        for sign, lmbda in (("λ₁", HIGH), ("λ₂", LOW)):
            length, _, symbols, y, z, _ = coded[lmbda]
            name = f"{lmbda:.4g}"
            row = page.get_by_role("row", name=re.compile(rf"MAE \+ hyperprior, {sign} = {name}"))
            file, estimate = (numbers(cell)[0] for cell in row.inner_text().split("\t")[1:3])
            assert file == length
            assert estimate == pytest.approx((y.sum() + z.sum()) / 8, abs=1.1)
            said = page.get_by_role("listitem").filter(has_text=f"At λ = {name} z takes").inner_text()
            without = histogram_bits(symbols)
            spent, share, rest, other = numbers(said.partition("takes")[2])[:4]
            assert [spent, rest, other] == pytest.approx([z.sum() / 8, y.sum() / 8, without / 8], abs=0.6)
            both = y.sum() + z.sum()
            assert share == pytest.approx(100 * z.sum() / both, abs=0.06)
            saved = 100 * (1 - both / without)
            verdict = f"{saved:.1f} % less" if saved >= 0 else f"{-saved:.1f} % more"
            assert verdict in plain(said)
        _, _, symbols, y, z, sigma = coded[HIGH]
        top = int(np.argmax(y.sum(axis=(1, 2))))
        says = page.locator("figcaption").filter(has_text=re.compile("^σ: ")).inner_text()
        assert numbers(says) == pytest.approx([sigma[top].min(), sigma[top].max()], rel=0.01)
        says = page.locator("figcaption").filter(has_text=re.compile("^Bits of z")).inner_text()
        assert numbers(says) == pytest.approx([z.sum(axis=0).min(), z.sum(axis=0).max()], rel=0.01)
        width, height = open_rgb(gallery()[PICTURE].path).size
        assert pixels(page, f"σ of channel {top}").shape[:2] == (height, width)
        says = page.locator("figcaption").filter(has_text=re.compile(r"^\|symbols\|")).inner_text()
        alike = np.corrcoef(np.log2(1 + sigma[top]).ravel(), np.log2(1 + np.abs(symbols[top])).ravel())[0, 1]
        assert numbers(says)[1:] == pytest.approx([np.abs(symbols[top]).max(), alike], abs=0.006)
        expect(page.get_by_text("the entropy model of z is 0.273 × the table of 256")).to_be_visible()
        assert serious(page) == []
        for width in (1440, 820):
            fits(page, width)
        carried = {
            "The channels themselves": f"mae={NAME}",
            "The gains that switch channels off": f"model={NAME}",
            "The pictures at this λ": "show=hyperprior",
        }
        for link, state in carried.items():
            expect(page.get_by_role("link", name=link)).to_have_attribute("href", re.compile(f"[?&]{state}(&|$)"))
        page.get_by_role("radio", name="without hyperprior").click()
        expect(page.get_by_role("heading", name="Side information")).to_have_count(0)
        in_address(page, exactly=True, image=PICTURE, **{"lambda": "700"})


def test_maps_of_a_hyperprior_and_a_channel_switched_off(profile, app, coded):
    (_, y1, _, bits, _, _), (_, y2, *_) = coded[HIGH], coded[LOW]
    top = int(np.argmax(bits.sum(axis=(1, 2))))
    at = f"{app}/feature-maps?image={PICTURE}&lambda=700&mae={NAME}&off={NAME}-first"
    with visit(profile, at, viewport=SIZES) as page:
        settled(page)
        tiles = page.get_by_role("group", name="Channels of MAE + hyperprior").get_by_role("button")
        expect(tiles).to_have_count(len(y1))
        kept, r = ratio(y1[top], y2[top])
        said = page.locator("figcaption").filter(has_text=re.compile("^ratio: mean")).first.inner_text()
        mean = np.average(r, weights=y2[top][kept] ** 2)
        assert numbers(said)[:2] == pytest.approx([mean, 100 * (1 - kept.mean())], rel=0.01, abs=0.6)
        assert np.array_equal(pixels(page, f"MAE + hyperprior, channel {top}: ratio")[..., 3] > 0, kept)
        said = page.get_by_text(re.compile("the real file shrinks by")).inner_text()
        assert f"without channel {top} (its symbols 0, ŷ = 0" in said
        assert f"from {grouped(coded[HIGH][0])} to" in said
        fits(page)


def test_its_file_says_what_z_costs(profile, app, coded):
    length, _, _, y, z, _ = coded[HIGH]
    with visit(profile, f"{app}/file?image={PICTURE}&lambda=700", viewport=SIZES) as page:
        settled(page)
        page.get_by_role("radio", name="MAE + hyperprior").click()
        expect(page.get_by_text(f"MAE + hyperprior, λ = 700.9: {in_bytes(length)}")).to_be_visible()
        settled(page)
        said = numbers(page.get_by_text("for the side information z").inner_text().partition("is ")[2])[:3]
        both = y.sum() + z.sum()
        assert said == pytest.approx([both / 8, z.sum() / 8, 100 * z.sum() / both], abs=0.6)


def test_it_is_an_arrangement_and_its_pictures_are_the_decoders(profile, app, folder):
    picture = open_rgb(gallery()[PICTURE].path)
    with visit(profile, f"{app}/?image={PICTURE}&lambda=512", viewport={"width": 1900, "height": 1400}) as page:
        drawn(page)
        page.get_by_role("button", name="Hyperprior", exact=True).click()
        in_address(page, exactly=True, image=PICTURE, show="hyperprior", **{"lambda": "512"})
        drawn(page)
        assert [pane[:2] for pane in panes(page)] == [
            ["mae", "picture"],
            [NAME, "picture"],
            ["mae", "bits"],
            [NAME, "bits"],
        ]
        page.get_by_role("button", name="Zoom 100 %").click()
        drawn(page)
        shown = canvas_pixels(page.locator(".pane canvas").nth(1))
        stream = mae_viz.compress(picture, str(folder / NAME), 512)
        assert number(page, 1, "bytes") == f"{len(stream)}"
        decoded = np.asarray(coder.decompress(stream, str(folder / NAME)))
        top, left = ((free + 1) // 2 for free in np.subtract(shown.shape[:2], decoded.shape[:2]))
        assert np.array_equal(shown[top : top + decoded.shape[0], left : left + decoded.shape[1]], decoded)
        expect(page.get_by_role("button", name="Save as .mae: MAE + hyperprior, λ = 512")).to_be_visible()


def test_its_fourteen_layers_are_a_choice_in_gains(profile, app):
    with visit(profile, f"{app}/gains?model={NAME}&layer=hd3", viewport=SIZES) as page:
        settled(page)
        expect(page.get_by_text("d₃ (h_s, layer 3)").first).to_be_visible()
