"""The page *Where the bits go* in a real browser, against files and models."""

import re

import numpy as np
import pytest
import torch
from chromium import fits, in_address, plain, settled, visit
from playwright.sync_api import Page, expect
from test_colours import bars_as_in_the_file
from test_feature_maps import numbers, pixels, serious, type_in

import mae_viz
from mae_viz.app.parts import plots
from mae_viz.coding import coder
from mae_viz.coding.checkpoints import load
from mae_viz.images import gallery, open_rgb
from mae_viz.numbers import in_bytes
from mae_viz.rates import Rate

PICTURE = "chelsea"
SIZES = {"width": 1440, "height": 1000}
BETWEEN = Rate.near(700.0).lmbda


@pytest.fixture(scope="module")
def picture():
    return open_rgb(gallery()[PICTURE].path)


def coded(picture, name: str, lmbda: float) -> tuple[int, np.ndarray, np.ndarray]:
    """Bytes of the real file; symbols and bits (C, h, w) by the model's own call."""
    with torch.inference_mode():
        out = load(name)(coder.to_tensor(picture, 16), lmbda)
        medians = load(name).prior.medians(torch.tensor([lmbda]))
    bits = -torch.log2(out["likelihoods"]["y"][0]).double().numpy()
    return len(mae_viz.compress(picture, name, lmbda)), torch.round(out["y"] - medians)[0].int().numpy(), bits


def test_totals_blocks_and_channels(profile, server, picture):
    real = {
        (name, lmbda): coded(picture, name, lmbda) for name in ("mae", "bottleneck-scaling") for lmbda in (4096, 64)
    }
    doubled = len(mae_viz.compress(picture, "mae", 128))
    with visit(profile, f"{server}/bits?image={PICTURE}", viewport=SIZES) as page:
        settled(page)
        bars_as_in_the_file(page)
        for title, name in (("MAE", "mae"), ("Bottleneck scaling", "bottleneck-scaling")):
            for sign, lmbda in (("λ₁", 4096), ("λ₂", 64)):
                length, _, bits = real[name, lmbda]
                cells = page.get_by_role("row", name=re.compile(f"{title}, {sign} = {lmbda}")).inner_text().split("\t")
                file, estimate, off = (numbers(cell)[0] for cell in cells[1:4])
                assert file == length
                assert estimate == pytest.approx(bits.sum() / 8, abs=1.1)
                assert off == pytest.approx(100 * (bits.sum() / 8 / length - 1), abs=0.02)
        awake = real["mae", 64][2].sum(axis=(1, 2)) >= 1
        grown = 100 * (doubled / real["mae", 64][0] - 1)
        said = plain(page.get_by_text(re.compile("A channel that is off is 0 at every place")).inner_text())
        assert f"{awake.sum()} of the 192 channels of the MAE are awake" in said
        least, most = numbers(re.search(r"grows by (\S+) to (\S+) % a quarter", said)[0])
        assert least < 100 * ((1 + grown / 100) ** 0.25 - 1) < most
        drawn = page.evaluate(
            """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap((plot) => plot._fullData)
                .filter((t) => t.type === "bar" && t.hovertemplate.startsWith("up to λ")).map((t) => [...t.y])[0]"""
        )
        assert [min(drawn), max(drawn)] == pytest.approx([least, most], abs=0.051)
        # where, in a sentence: for λ = 64
        length, _, bits = real["mae", 64]
        said = page.get_by_role("listitem").filter(has_text="At λ = 64 the MAE").inner_text()
        assert f"pays {in_bytes(length)}" in said
        said = plain(said)
        blocks, channels = bits.sum(axis=0), np.sort(bits.sum(axis=(1, 2)))[::-1]
        half = np.argmax(np.cumsum(np.sort(blocks.ravel())[::-1]) >= bits.sum() / 2) + 1
        assert numbers(re.search(r"lie in (\S+) % of the blocks", said)[1]) == [round(100 * half / blocks.size)]
        needed = np.argmax(np.cumsum(channels) >= 0.9 * bits.sum()) + 1
        assert f"{needed} of 192 channels hold 90 %" in said
        assert f"{np.sum(channels < 1)} channels cost under one bit" in said
        # what doubling costs
        more = 100 * (doubled / length - 1)
        said = plain(page.get_by_role("listitem").filter(has_text="from λ = 64 to 128").inner_text())
        assert numbers(said)[2:4] == [length, doubled]
        assert numbers(re.search(r"\((.+) %\)", said)[1].replace("+", "")) == pytest.approx([more], abs=0.51)
        # the map, its colours and the difference
        compare_blocks(page, real["mae", 4096][2].sum(0), real["bottleneck-scaling", 4096][2].sum(0), "bits")
        page.get_by_role("radio", name="λ₁ − λ₂").click()
        expect(page.get_by_role("heading", name="Per block, λ₁ − λ₂")).to_be_visible()
        settled(page)
        in_address(page, exactly=True, image=PICTURE, bits="difference")
        less = [real[name, 4096][2].sum(0) - real[name, 64][2].sum(0) for name in ("mae", "bottleneck-scaling")]
        compare_blocks(page, *less, "y")
        page.go_back()  # to the state before
        expect(page.get_by_role("heading", name="Per block, at λ₁")).to_be_visible()


def compare_blocks(page: Page, mae: np.ndarray, scaling: np.ndarray, kind: str) -> None:
    seen = pixels(page, "Bits per block, MAE")
    expected = plots.coloured(kind, mae, max(np.abs(mae).max(), np.abs(scaling).max()))
    near = np.abs(seen[8::16, 8::16].astype(int) - expected[: len(seen[8::16]), : seen[8::16, 8::16].shape[1]])
    assert near.max() <= 8  # a level of the colour table
    says = page.locator("figcaption").filter(has_text=re.compile(r"^MAE: ")).inner_text()
    assert numbers(says) == pytest.approx([mae.min(), mae.max(), mae.mean()], rel=0.01)


def test_the_prior_between_trained_rates_is_told_in_words(profile, server, picture):
    at = f"{server}/bits?image={PICTURE}&lambda=512&base=64&at=700&channel=3&prior-of=bottleneck-scaling"
    _, symbols, bits = coded(picture, "bottleneck-scaling", BETWEEN)
    counts = np.unique(symbols[3], return_counts=True)[1]
    entropy = -(counts / counts.sum() * np.log2(counts / counts.sum())).sum()
    with visit(profile, at, viewport=SIZES) as page:
        settled(page)
        weight = np.log2(BETWEEN / 512)
        expect(
            page.get_by_text(f"{1 - weight:.3f} × the table of 512 + {weight:.3f} × the table of 1024")
        ).to_be_visible()
        said = page.get_by_role("listitem").filter(has_text="λ = 700.9: the prior's code").inner_text()
        cost, own, excess = numbers(said.partition("costs")[2])
        assert cost == pytest.approx(bits[3].mean(), rel=0.01)
        assert own == pytest.approx(entropy, rel=0.01)
        assert excess == pytest.approx(bits[3].mean() - entropy, abs=0.01)
        fits(page)
        assert serious(page) == []
        fits(page, 820)
        type_in(page, "λ of the prior", "1024")
        expect(page.get_by_text("At λ = 1024 the prior has a table of its own: nothing is")).to_be_visible()
        in_address(page, at="1024")
