"""The page *Feature maps* in a real browser, against the models themselves."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from chromium import fits, in_address, pick, plain, settled, visit
from PIL import Image
from playwright.sync_api import Page, expect

import mae_viz
from mae_viz import metrics
from mae_viz.app.parts import plots
from mae_viz.coding import bitstream, coder
from mae_viz.coding.checkpoints import load, open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

PICTURE = "chelsea"
HIGH, LOW = 4096.0, 64.0
SIZES = {"width": 1440, "height": 1000}


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return open_rgb(gallery()[PICTURE].path)


@pytest.fixture(scope="module")
def latents(picture) -> dict:
    """y and bits of each channel by (model, λ), by the models' own call."""
    x, found = coder.to_tensor(picture, 16), {}
    for name in ("mae", "bottleneck-scaling"):
        for lmbda in (HIGH, LOW):
            with torch.inference_mode():
                out = load(name)(x, lmbda)
            bits = -torch.log2(out["likelihoods"]["y"][0]).sum(dim=(1, 2))
            found[name, lmbda] = out["y"][0].numpy(), bits.numpy()
    return found


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.mouse.move(5, 5)
    found = Axe().run(page).response["violations"]
    return [f"{v['help']}: {v['nodes'][0]['html'][:140]}" for v in found if v["impact"] in ("serious", "critical")]


RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def numbers(text: str) -> list[float]:
    said = re.sub(r"·10([⁻⁰¹²³⁴-⁹]+)", lambda found: f"e{found[1].translate(RAISED)}", plain(text).replace("−", "-"))
    return [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", said)]


def pixels(page: Page, alt: str) -> np.ndarray:
    """An image on the page, RGB(A)."""
    source = page.get_by_alt_text(alt, exact=True).get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(b64decode(source.partition(",")[2]))))


def type_in(page: Page, label: str, value: str) -> None:
    """Type a λ, listed or not, and take it from the list that opens."""
    pick(page, label, re.compile(re.escape(value)), typed=value)


def ratio(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which places have a ratio, and the ratios there, by the definition."""
    kept = np.abs(b) >= 0.05 * np.abs(b).max()
    return kept, a[kept].astype(float) / b[kept]


def test_maps_ratio_and_scores_are_the_models(profile, server, picture, latents):
    (y1, bits), (y2, _) = latents["mae", HIGH], latents["mae", LOW]
    order = np.argsort(-bits, kind="stable")
    channel = int(order[2])
    with visit(profile, f"{server}/feature-maps?image={PICTURE}&sheet=ratio", viewport=SIZES) as page:
        settled(page)
        tiles = page.get_by_role("group", name="Channels of MAE").get_by_role("button")
        expect(tiles).to_have_count(192)
        shown = tiles.evaluate_all("tiles => tiles.map(tile => Number(tile.dataset.channel))")
        assert sorted(shown) == list(range(192))
        assert shown[:3] == order[:3].tolist()
        tiles.nth(0).focus()  # by keyboard: two to the right
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(tiles.nth(2)).to_have_attribute("aria-pressed", "true")
        page.get_by_alt_text(f"MAE, channel {channel}, λ = 64", exact=True).wait_for()
        settled(page)
        in_address(page, exactly=True, image=PICTURE, sheet="ratio", channel=str(channel))
        for name, y in (("4096", y1), ("64", y2)):
            says = page.get_by_text(re.compile(rf"^λ = {name}: \S+ … \S+$")).first.inner_text()
            low, high = numbers(says.partition(":")[2])
            assert [low, high] == pytest.approx([y[channel].min(), y[channel].max()], rel=0.01)
            extreme = np.unravel_index(np.abs(y[channel]).argmax(), y[channel].shape)
            seen = pixels(page, f"MAE, channel {channel}, λ = {name}")
            assert seen.shape[:2] == y.shape[1:]
            sign = np.sign(y[channel][extreme])
            assert np.array_equal(seen[extreme], plots.coloured("y", np.full((1, 1), sign), 1.0)[0, 0])
        kept, r = ratio(y1[channel], y2[channel])
        mean = np.average(r, weights=y2[channel][kept] ** 2)
        score = np.sqrt(np.average((r - mean) ** 2, weights=y2[channel][kept] ** 2)) / abs(mean)
        assert np.array_equal(pixels(page, f"MAE, channel {channel}: ratio")[..., 3] > 0, kept)
        said = numbers(page.get_by_text(re.compile(r"^ratio: mean")).first.inner_text())
        assert said == pytest.approx([mean, 100 * (1 - kept.mean()), 100 * np.mean(r < 0)], rel=0.01, abs=0.6)
        facts = page.locator("div").filter(has_text=re.compile(rf"^MAE, channel {channel}\s*\d")).last
        facts = plain(facts.inner_text())
        assert numbers(re.search(r"(\S+) bits at λ₁", facts)[1]) == pytest.approx([bits[channel]], abs=1.5)
        assert numbers(re.search(r"constancy score (\S+):", facts)[1]) == pytest.approx([score], rel=0.02)
        # beside it, the channel of bottleneck scaling most like it: constant by construction
        x1, x2 = (latents["bottleneck-scaling", lmbda][0] for lmbda in (HIGH, LOW))
        alike = [abs(np.corrcoef(y1[channel].ravel(), x.ravel())[0, 1]) for x in x1]
        partner = int(np.argmax(alike))
        expect(page.get_by_text(f"Channel {partner} of bottleneck scaling: ")).to_contain_text(
            f"is {alike[partner]:.2f}"
        )
        kept, r = ratio(x1[partner], x2[partner])
        facts = page.locator("div").filter(has_text=re.compile(rf"^Bottleneck scaling, channel {partner}\s*\d")).last
        facts = plain(facts.inner_text())
        assert numbers(re.search(r"constancy score (\S+):", facts)[1])[0] < 1e-5
        assert "constant by construction" in facts
        assert r.std() / abs(r.mean()) < 1e-5
        wider = sum(np.ptp(a) > np.ptp(b) for a, b in zip(y1, y2, strict=True))
        said = page.get_by_role("listitem").filter(has_text="MAE: the range of values")
        expect(said).to_contain_text(f"in {wider} of 192 channels")


def test_a_channel_is_switched_off_in_a_real_file(profile, server, picture, latents):
    stream = mae_viz.compress(picture, "mae", LOW)
    channel = int(np.argmax(latents["mae", LOW][1]))
    parsed, checkpoint = bitstream.parse(stream), open_checkpoint("mae")
    y_hat = coder.decode_y_hat(checkpoint, parsed)
    y_hat[:, channel] = checkpoint.model.prior.medians(torch.tensor([LOW]))[:, channel]
    without = coder.to_image(coder.decode_latents(checkpoint, y_hat, Rate.near(LOW)), picture.height, picture.width)
    before, after = (
        metrics.psnr_db(np.asarray(image), np.asarray(picture)) for image in (coder.decompress(stream), without)
    )
    address = f"{server}/feature-maps?image={PICTURE}&channel={channel}&off=mae-second"
    with visit(profile, address, viewport=SIZES) as page:
        settled(page)
        said = plain(page.get_by_text(re.compile("the real file shrinks by")).inner_text())
        assert f"from {len(stream)} to" in said
        saved, bits, _, smaller = numbers(re.search(r"shrinks by (.+);", said)[1])
        assert saved == len(stream) - smaller
        assert bits == 8 * saved
        estimate = latents["mae", LOW][1][channel]
        assert numbers(re.search(r"symbols cost (\S+) bits", said)[1]) == pytest.approx([estimate], abs=1)
        assert saved * 8 < estimate
        assert numbers(re.search(r"PSNR changes by (.+)\. Both", said)[1]) == pytest.approx(
            [after - before, before, after], abs=0.006
        )
        assert np.array_equal(pixels(page, f"decoded with channel {channel}"), np.asarray(coder.decompress(stream)))
        seen = pixels(page, f"decoded without channel {channel}")
        assert np.abs(seen.astype(int) - np.asarray(without)).max() <= 1


def test_the_page_fits_and_is_accessible(profile, server):
    address = f"{server}/feature-maps?image={PICTURE}&of=bottleneck-scaling&rank=constancy&scale=same"
    with visit(profile, address, viewport=SIZES) as page:
        settled(page)
        tiles = page.get_by_role("group", name="Channels of Bottleneck scaling").get_by_role("button")
        expect(tiles).to_have_count(192)
        fits(page)
        assert serious(page) == []
        fits(page, 820)
        type_in(page, "λ₂ (divisor)", "700")  # between trained λ
        expect(page.get_by_text("λ = 700.9: ").first).to_be_visible()
        in_address(page, base="700")
        type_in(page, "λ₂ (divisor)", "9999")
        expect(page.get_by_text("9999 is no λ of these models: type a number from 64 to 4096")).to_be_visible()
