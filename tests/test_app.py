"""The app: its script run headless, and the real thing in a real browser."""

import gc
import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import canvas_pixels, fits, plain, settled, visit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made import encoded
from PIL import Image
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import mae_viz
from mae_viz import probe
from mae_viz.app.computed import Picture
from mae_viz.app.parts import plots
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders.frame import middle
from mae_viz.numbers import grouped
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
PICTURE = "chelsea"
MODELS = ("mae", "bottleneck-scaling")
LMBDAS = (64, 512, 4096)
WIDE = {"width": 2500, "height": 1300}
MAPS = f"?image={PICTURE}&lambda=512&mode=side&panes=mae:y,mae:y@64,mae:ratio,bottleneck-scaling:ratio&panels=maps"


def test_the_script_runs_headless(monkeypatch, tmp_path):
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "mae_viz" / "app" / "server" / "main.py"), default_timeout=120).run()
    assert not app.exception
    assert not app.error
    app.query_params["image"] = "coffee"
    app.run()
    assert not app.exception
    assert any("smooth porcelain" in text.value for text in [*app.markdown, *app.caption])


ASKED = {
    "laboratory": ("match", "lambda", "show", "mode", "panels", "panes"),
    "explore": ("preset", "panes", "lambda"),
    "feature-maps": ("lambda", "base", "mae", "rank", "scale", "of", "sheet", "channel", "partner", "off"),
    "bits": ("lambda", "base", "mae", "bits", "opacity", "channel", "at", "prior-of"),
    "gains": ("model", "lambda", "draw", "gains", "layer", "channels"),
    "curves": ("dataset", "quality", "log", "codecs-kodak", "anchor-kodak"),
    "file": ("lambda", "model"),
}
ODD = (
    "![i](https://evil.example)",
    "",
    "\0",
    "9" * 5000,
    "-1",
    "1e999",
    "nan",
    "²",
    "3,3",
    "mae@0",
    "mae:y.9999",
    "auto",
)


@pytest.mark.slow
@pytest.mark.parametrize("page", ASKED)
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_page_goes_on_whatever_its_address_asks(page, crop, monkeypatch, tmp_path, data):
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "mae_viz" / "app" / "server" / "main.py"), default_timeout=120)
    app._page_hash = calc_hash(page)  # AppTest itself opens pages that are files
    app.session_state["own"] = ("a [name](https://evil.example).png", encoded(crop))
    for key in ("image", *ASKED[page]):
        app.query_params[key] = data.draw(st.sampled_from(ODD) | st.text(max_size=20), key)
    app.run()
    assert not app.exception
    shown = " ".join(text.value for text in [*app.markdown, *app.caption, *app.error, *app.warning, *app.info])
    assert "](https://evil" not in shown


def test_a_visit_keeps_no_decoded_picture(noise, monkeypatch, tmp_path):
    """A class with an upload each would take gigabytes: what waits for a click knows the file alone."""
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path))
    large = noise(900, 1000)
    app = AppTest.from_file(str(ROOT / "mae_viz" / "app" / "server" / "main.py"), default_timeout=120)
    app.session_state["own"] = ("mine.png", encoded(Image.fromarray(large)))
    app.run()
    assert not app.exception
    assert any("900 pixels are too many" in text.value for text in app.caption)
    gc.collect()
    assert [kept.name for kept in gc.get_objects() if type(kept) is Picture and kept.name == "mine.png"] == []


# In a browser


@pytest.fixture
def page(profile, server):
    """A fresh visit, on a screen wide enough to show three pictures at 100 %."""
    with visit(
        profile,
        f"{server}/?image={PICTURE}&lambda=512&mode=side&panes=original,mae,bottleneck-scaling&panels=",
        viewport=WIDE,
    ) as tab:
        tab.locator(".mae-viewer[data-busy=false]").wait_for()
        yield tab


def go_to(page: Page, lmbda: int) -> None:
    page.get_by_role("button", name=f"λ {lmbda}", exact=True).click()
    page.locator(f".mae-viewer[data-index='{Rate.near(lmbda).index}'][data-busy=false]").wait_for()


def show(page: Page, arrangement: str) -> None:
    page.get_by_role("button", name=arrangement, exact=True).first.click()
    page.locator(".pane select").first.wait_for()


def shown(page: Page, pane: int, height: int, width: int) -> np.ndarray:
    """The part of a pane's canvas that the whole picture covers at 100 %."""
    pixels = canvas_pixels(page.locator(".pane canvas").nth(pane))
    top, left = ((free + 1) // 2 for free in (pixels.shape[0] - height, pixels.shape[1] - width))
    assert min(top, left) >= 0
    return pixels[top : top + height, left : left + width]


def test_the_page_shows_what_the_file_holds(page):
    picture = open_rgb(gallery()[PICTURE].path)
    size = (picture.height, picture.width)
    page.get_by_role("button", name="Zoom 100 %").click()
    for lmbda in LMBDAS:
        go_to(page, lmbda)
        assert np.array_equal(shown(page, 0, *size), np.asarray(picture))
        for pane, model in enumerate(MODELS, 1):
            stream = mae_viz.compress(picture, model, lmbda)
            assert np.array_equal(shown(page, pane, *size), np.asarray(mae_viz.decompress(stream)))
            expect(page.locator(".pane").nth(pane)).to_contain_text(grouped(len(stream)))
            save = page.get_by_role("button", name=re.compile(r"Save as \.mae")).nth(pane - 1)
            expect(save).to_contain_text(f"λ = {lmbda}")
            with page.expect_download() as download:
                save.click()
            assert Path(download.value.path()).read_bytes() == stream


def test_the_maps_are_the_probes_arrays(profile, server):
    picture = open_rgb(gallery()[PICTURE].path)
    bits = probe.latents(open_checkpoint("mae"), picture, Rate.near(512))[1].sum(axis=(1, 2))
    channel = int(np.argsort(-bits, kind="stable")[1])  # the second of the list, to have chosen something
    with visit(profile, server + "/" + MAPS, viewport=WIDE) as page:
        page.locator(".mae-viewer[data-busy=false]").wait_for()
        page.locator(".pane").nth(0).get_by_label("Channel", exact=True).select_option(str(channel))
        for lmbda in LMBDAS:
            go_to(page, lmbda)
            maps_are(page, picture, channel, lmbda)


def maps_are(page: Page, picture: Image.Image, channel: int, lmbda: int) -> None:
    maps = {
        (model, rate): probe.latents(open_checkpoint(model), picture, Rate.near(float(rate)))[0][channel]
        for model in MODELS
        for rate in (lmbda, 64)
    }
    for pane, expected in enumerate([maps["mae", lmbda], maps["mae", 64]]):
        expect(page.locator(".pane").nth(pane).get_by_label("Channel", exact=True)).to_have_value(str(channel))
        expect(page.locator(".pane").nth(pane)).to_contain_text(f"y of channel {channel}, before rounding")
        text = page.locator(".pane").nth(pane).inner_text().replace("−", "-")
        ends = re.search(r"before rounding: (\S+) … (\S+)", text).groups()
        assert [float(v) for v in ends] == pytest.approx([expected.min(), expected.max()], rel=0.01)
    page.locator(f".strip[data-at='{Rate.near(lmbda).index}']").wait_for()
    now = probe.latents(open_checkpoint("mae"), picture, Rate.near(lmbda))[0]
    for thumb in page.locator(".strip button").all():
        plane = now[int(thumb.get_attribute("data-channel"))]
        pixels = plots.coloured("y", plane, np.abs(plane).max())[..., :3].astype(int)
        assert np.abs(canvas_pixels(thumb.locator("canvas")) - pixels).max() <= 3  # a colour of 256 farther at most
    for pane, model in enumerate(MODELS, 2):
        ratio = probe.ratio(maps[model, lmbda], maps[model, 64])
        facts = page.locator(".pane").nth(pane).locator(".facts")
        expect(facts).to_contain_text(f"y(λ {lmbda}) / y(λ 64)")
        mean, varies = re.search(r"mean (\S+), varies by (under 0.1|\S+) %", plain(facts.inner_text())).groups()
        assert float(mean) == pytest.approx(ratio.mean, rel=0.01)
        if model == "mae" and lmbda != 64:
            assert float(varies) == pytest.approx(100 * ratio.constancy, rel=0.1)
        elif model != "mae":
            assert ratio.constancy < 1e-5
            assert varies in ("0", "under 0.1")


def test_an_upload_is_coded_and_a_bad_one_gets_a_sentence(page, tmp_path, crop):
    crop.save(tmp_path / "mine.png")
    page.get_by_role("button", name="Your own").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.png")
    expect(page.locator(".pane").nth(1)).to_contain_text(grouped(len(mae_viz.compress(crop, lmbda=512))))
    crop.save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:-500])
    page.locator("input[type=file]").set_input_files(tmp_path / "cut.jpg")
    expect(page.get_by_text("The file lacks its last bytes")).to_be_visible()
    (tmp_path / "broken.png").write_bytes((tmp_path / "mine.png").read_bytes()[:200])
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.get_by_text("broken.png: the picture is damaged or cut off")).to_be_visible()


def test_of_a_large_upload_a_part_is_scrubbed_and_the_whole_is_exact(page, tmp_path, photograph):
    page.set_viewport_size({"width": 1440, "height": 900})
    large = photograph.resize((1200, 800))
    large.save(tmp_path / "large.png")
    page.get_by_role("button", name="Your own").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "large.png")
    expect(page.get_by_text("1200 × 800 pixels are too many to scrub through")).to_be_visible()
    pane = page.locator(".pane").nth(1)
    part = len(mae_viz.compress(middle(large), lmbda=512))
    expect(pane).to_contain_text(grouped(part))
    page.get_by_role("button", name="Show the whole picture").click()
    stream = mae_viz.compress(large, lmbda=512)
    expect(pane).to_contain_text(grouped(len(stream)))
    page.get_by_role("button", name="Zoom 100 %").click()
    page.locator(".mae-viewer[data-busy=false]").wait_for()
    canvas = canvas_pixels(pane.locator("canvas"))
    decoded = np.asarray(mae_viz.decompress(stream))
    height, width = canvas.shape[:2]
    assert height < 800
    assert width < 1200
    # what was in the middle of the part is in the middle of the whole, to a pixel
    assert any(
        np.array_equal(decoded[top : top + height, left : left + width], canvas)
        for top in range((800 - height) // 2 - 1, (800 - height) // 2 + 2)
        for left in range((1200 - width) // 2 - 1, (1200 - width) // 2 + 2)
    )


def test_the_part_of_a_large_picture_is_moved_on_a_preview_and_stays(page, tmp_path, photograph):
    large = photograph.resize((1200, 800))
    large.save(tmp_path / "large.png")
    page.get_by_role("button", name="Your own").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "large.png")
    expect(page.get_by_text("1200 × 800 pixels are too many to scrub through")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Move the part").click()
    frame = page.get_by_role("application", name="Part of large.png that λ moves in")
    frame.hover()  # once it stands still
    box, whole = frame.bounding_box(), page.locator(".preview").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(whole["x"] - 40, whole["y"] - 40, steps=4)  # beyond the corner
    page.mouse.up()
    size = middle(large).size
    corner = large.crop((0, 0, *size))
    pane = page.locator(".pane").nth(1)
    expect(pane).to_contain_text(grouped(len(mae_viz.compress(corner, lmbda=512))))
    frame.focus()
    page.keyboard.press("ArrowRight")
    moved = large.crop((64, 0, 64 + size[0], size[1]))
    expect(pane).to_contain_text(grouped(len(mae_viz.compress(moved, lmbda=512))))
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Gains", exact=True).first.click()
    expect(page.get_by_role("heading", name="Gains", exact=True)).to_be_visible()
    page.get_by_role("link", name="Laboratory", exact=True).first.click()
    expect(page.locator(".pane").first).to_contain_text(grouped(len(mae_viz.compress(moved, lmbda=512))))


def test_arrangements_are_accessible_and_fit_into_every_window(page):
    for preset in ("Compare", "Maps", "Classical codecs", "Bits", "Gains"):
        page.set_viewport_size({"width": 1920, "height": 900})
        show(page, preset)
        page.locator(".mae-viewer[data-busy=false]").wait_for()
        settled(page)
        page.mouse.move(5, 5)
        found = Axe().run(page).response["violations"]
        serious = [
            f"{v['help']}: {v['nodes'][0]['html'][:100]}" for v in found if v["impact"] in ("serious", "critical")
        ]
        assert serious == [], preset
        for width in (1920, 1440, 820, 390) if preset not in ("Bits", "Gains") else ():
            fits(page, width, but="nothing")
