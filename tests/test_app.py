"""The app: its script run headless, and the real thing in a real browser."""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from streamlit.testing.v1 import AppTest

import mae_viz
from mae_viz import probe, rates
from mae_viz.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb

ROOT = Path(__file__).parent.parent
PICTURE = "china"
TITLES = {"mae": "MAE", "bottleneck-scaling": "Bottleneck scaling"}


def test_the_script_runs_headless():
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    assert not app.exception
    assert not app.error
    app.select_slider(key="rate").set_value(rates.grid_index(64)).run()
    assert not app.exception
    size = len(mae_viz.compress(gallery()[PICTURE].path, lmbda=64))
    assert any(f"{size:,} bytes" in text.value for text in app.markdown)


# In a browser


@pytest.fixture(scope="module")
def server():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            break
        except OSError:
            assert process.poll() is None, process.stdout.read().decode()
            time.sleep(0.5)
    yield url
    process.terminate()
    process.communicate()


def chromium() -> str:
    """The browser of the system, or the one that CHROMIUM names: Playwright's own need not be downloaded."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    assert found, "install Chromium (Debian: apt-get install chromium) or name one in CHROMIUM to test the app."
    return found


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        yield instance
        instance.close()


@pytest.fixture
def page(browser, server):
    """A fresh visit; console errors and requests to other machines fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    wrong = []
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("request", lambda r: None if r.url.startswith((server, "data:", "blob:")) else wrong.append(r.url))
    tab.set_default_timeout(60_000)
    tab.goto(server)
    yield tab
    context.close()
    assert wrong == []


def go_to(page: Page, lmbda: int) -> None:
    page.get_by_role("radio", name=str(lmbda), exact=True).click()
    expect(page.get_by_text(f"λ = {lmbda}.0 (", exact=False)).to_be_visible(timeout=60_000)
    for title in TITLES.values():
        expect(picture(page, f"{title} at λ = {lmbda}")).to_have_count(1, timeout=60_000)
    page.wait_for_function("document.querySelectorAll('[data-stale=true]').length == 0")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot .hm').length >= 6")


def picture(page: Page, caption: str):
    return page.get_by_test_id("stImage").filter(has_text=caption).locator("img")


def shown_pixels(page: Page, caption: str) -> np.ndarray:
    """What the browser decoded for the picture with this caption, (H, W, 3)."""
    width, height, data = picture(page, caption).evaluate(
        """async (img) => {
            await img.decode();
            const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight);
            const context = canvas.getContext("2d");
            context.drawImage(img, 0, 0);
            const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let text = "";
            for (let i = 0; i < bytes.length; i += 32768)
                text += String.fromCharCode(...bytes.subarray(i, i + 32768));
            return [canvas.width, canvas.height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3]


def shown_maps(page: Page) -> list[np.ndarray]:
    """The data of every heat map on the page, in reading order."""
    maps = page.evaluate(
        """[...document.querySelectorAll(".js-plotly-plot")].map(plot =>
            plot._fullData[0].customdata ? [...plot._fullData[0].customdata].map(row => [...row])
                                         : [...plot._fullData[0].z].map(row => [...row]))"""
    )
    return [np.array(values, dtype=np.float64) for values in maps]


@pytest.mark.parametrize("lmbda", [64, 512, 4096])
def test_the_page_shows_what_the_file_holds(page, lmbda):
    path = gallery()[PICTURE].path
    go_to(page, lmbda)
    assert np.array_equal(shown_pixels(page, "Original"), np.asarray(open_rgb(path)))
    for model, title in TITLES.items():
        stream = mae_viz.compress(path, model, lmbda)
        assert np.array_equal(shown_pixels(page, f"{title} at λ = {lmbda}"), np.asarray(mae_viz.decompress(stream)))
        expect(page.get_by_text(f"{len(stream):,} bytes")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save the .mae file").nth(list(TITLES).index(model)).click()
        assert Path(download.value.path()).read_bytes() == stream

    picture = open_rgb(path)
    bits = probe.latents(open_checkpoint("mae"), picture, float(lmbda))[1].sum(axis=(1, 2))
    channel = int(np.argsort(-bits, kind="stable")[0])
    expect(page.get_by_role("combobox", name="Channel, sorted")).to_have_value(re.compile(rf"channel {channel}: "))
    shown = shown_maps(page)
    for row, model in enumerate(TITLES):
        here, low = (probe.latents(open_checkpoint(model), picture, rate)[0][channel] for rate in (lmbda, 64.0))
        ratio = probe.ratio(here, low)
        for values, expected in zip(shown[3 * row : 3 * row + 3], (here, low, ratio.values), strict=True):
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)
        if model == "bottleneck-scaling":
            expect(page.get_by_text(f"Constant: {ratio.mean:.4f} everywhere")).to_be_visible()


def test_an_upload_is_coded_and_a_bad_one_gets_a_sentence(page, tmp_path, crop):
    crop.save(tmp_path / "mine.png")
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.png")
    size = len(mae_viz.compress(crop, lmbda=512))
    expect(page.get_by_text(f"{size:,} bytes")).to_be_visible(timeout=60_000)
    (tmp_path / "broken.png").write_bytes((tmp_path / "mine.png").read_bytes()[:200])
    page.get_by_test_id("stFileUploader").get_by_role("button", name="Remove").first.click()
    page.locator("input[type=file]").set_input_files(tmp_path / "broken.png")
    expect(page.get_by_text("broken.png: the picture is damaged or cut off", exact=False)).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("width", [1440, 820])
def test_nothing_overflows(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    go_to(page, 512)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    overflowing = page.evaluate(
        """[...document.querySelectorAll("[data-testid=stMain] *")]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility()
                         && !e.closest("svg, [aria-hidden=true]")).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert overflowing == []
