"""The viewer in JupyterLab, in a real browser: the same pixels, the same keys, and nothing of it in the saved file."""

import json

import numpy as np
import pytest
from chromium import canvas_pixels, jupyterlab, run_cell, until
from playwright.sync_api import Page, expect

import mae_viz
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.images import gallery, open_rgb
from mae_viz.numbers import grouped
from mae_viz.rates import Rate

BOX = (100, 40, 196, 104)
SOURCE = f"""from mae_viz.images import gallery, open_rgb
from mae_viz.viewer.notebook import Viewer, show
answer, lost = Viewer._answer, []
def forgetful(self, widget, message, buffers):
    if lost:  # not the first: as if that had never arrived, which happens while JupyterLab connects
        answer(self, widget, message, buffers)
    lost.append(message)
Viewer._answer = forgetful
widget = show(open_rgb(gallery()["chelsea"].path).crop({BOX}), "Chelsea", codecs=("mae", "bottleneck-scaling", "jpeg"),
              panes=[{{"codec": "mae"}}, {{"codec": "bottleneck-scaling"}},
                     {{"codec": "jpeg", "follow": "own", "own": 50}}])
widget"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    path = tmp_path_factory.mktemp("notebooks") / "viewer.ipynb"
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": SOURCE}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.fixture(scope="module")
def page(notebook, browser, tmp_path_factory):
    with jupyterlab(browser, notebook, tmp_path_factory.mktemp("settings")) as tab:
        run_cell(tab)
        tab.locator(".mae-viewer[data-busy=false]").wait_for()
        yield tab


def centre(pixels: np.ndarray, picture) -> np.ndarray:
    top, left = ((free + 1) // 2 for free in (pixels.shape[0] - picture.height, pixels.shape[1] - picture.width))
    return pixels[top : top + picture.height, left : left + picture.width]


def test_jupyterlab_shows_the_decoders_pixels(page: Page):
    picture = open_rgb(gallery()["chelsea"].path).crop(BOX)
    page.locator(".pane .stage").nth(0).focus()
    page.keyboard.press("1")
    for lmbda in (64, 512, 4096):
        page.get_by_role("button", name=f"λ {lmbda}", exact=True).click()
        page.locator(f".mae-viewer[data-index='{Rate.near(lmbda).index}'][data-busy=false]").wait_for()
        for pane, name in enumerate(("mae", "bottleneck-scaling")):
            shown = centre(canvas_pixels(page.locator(".pane canvas").nth(pane)), picture)
            decoded = mae_viz.decompress(mae_viz.compress(picture, name, lmbda))
            assert np.array_equal(shown, np.asarray(decoded))


@pytest.mark.parametrize("quality", [5, 50, 95])
def test_jupyterlab_shows_classical_codecs_pixels(page: Page, quality):
    picture = open_rgb(gallery()["chelsea"].path).crop(BOX)
    position = CLASSICAL["jpeg"].axis.ladder.index(Quality(quality))
    page.locator(".pane .stage").nth(2).focus()
    page.keyboard.press("1")
    expect(page.locator(".pane").nth(2)).not_to_contain_text("rates ready")  # all are there
    page.locator(".pane").nth(2).get_by_label("This pane's own rate").fill(str(position))
    expect(page.locator(".pane").nth(2).locator("dl")).to_contain_text(f"{quality}")
    page.locator(".mae-viewer[data-busy=false]").wait_for()
    codec = CLASSICAL["jpeg"]
    expect(page.locator(".pane").nth(2)).to_contain_text(grouped(len(codec.encode(picture, Quality(quality)))))
    shown = centre(canvas_pixels(page.locator(".pane canvas").nth(2)), picture)
    assert np.array_equal(shown, np.asarray(codec.decode(codec.encode(picture, Quality(quality)))))


def test_its_keys_are_not_the_notebooks(page: Page):
    page.locator(".pane .stage").nth(0).focus()
    for key in ("w", "b", "s", "l", "n", "p", "d", "d", "0", "0", ".", "o"):
        page.keyboard.press(key)
    expect(page.locator(".jp-Cell")).to_have_count(1)
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(page.locator(".mae-viewer")).to_have_attribute("data-mode", "side")


def test_the_saved_notebook_holds_no_frames(page: Page, notebook):
    page.locator(".pane .stage").nth(0).focus()
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-current.jp-mod-dirty")).to_have_count(0)
    until(page, lambda: json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["outputs"], "a saved output")
    assert notebook.stat().st_size < 5_000
