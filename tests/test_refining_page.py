"""Refine in the laboratory, in a browser: what a pane shows is the file; λ moves on and back; stopped, it stays."""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import canvas_pixels, fits, painted, plain, settled, until, visit
from PIL import Image
from playwright.sync_api import Page, expect

import mae_viz
from mae_viz import computing, metrics
from mae_viz.codecs import registry
from mae_viz.ladders.refinement import STEPS
from mae_viz.rates import Rate

SIZE = {"width": 1440, "height": 900}
LMBDA = 181.02  # on the ladder, between two that were trained


@pytest.fixture(scope="module")
def own(photograph) -> Image.Image:
    return photograph.crop((150, 100, 326, 270))


@contextmanager
def laboratory(browser, server, own, folder, mode="side", **options) -> Iterator[Page]:
    """The laboratory on a small picture."""
    own.save(folder / "own.png")
    address = f"{server}/?lambda={LMBDA}&panes=mae,bottleneck-scaling&mode={mode}&panels=curve,bits,maps"
    with visit(browser, address, **options) as tab:
        tab.get_by_role("button", name="Your own").click()
        tab.locator("input[type=file]").set_input_files(folder / "own.png")
        expect(tab.get_by_text("own.png: your picture")).to_be_visible()
        tab.keyboard.press("Escape")
        drawn(tab)
        yield tab


@pytest.fixture
def page(profile, server, own, tmp_path):
    with laboratory(profile, server, own, tmp_path, viewport=SIZE) as tab:
        tab.get_by_role("button", name="Zoom 100 %").click()
        drawn(tab)
        yield tab


def drawn(page: Page) -> None:
    settled(page)
    page.locator(".mae-viewer[data-busy=false]").wait_for()
    painted(page)


def number(page: Page, pane: int, label: str) -> str:
    return plain(page.locator(".pane").nth(pane).locator(f"dl div:has(dt:text-is('{label}')) dd").inner_text())


def bench(page: Page, state: str) -> str:
    """Wait until the bench says so; what it says then."""
    page.locator(f".bench[data-state={state}]").wait_for(timeout=300_000)
    painted(page)
    return plain(page.locator(".bench .told").inner_text())


def shown(page: Page, pane: int, size: tuple[int, int]) -> np.ndarray:
    """The picture of a pane at 100 %, without what lies around it."""
    pixels, (width, height) = canvas_pixels(page.locator(".pane canvas").nth(pane)), size
    top, left = ((free + 1) // 2 for free in np.subtract(pixels.shape[:2], (height, width)))
    return pixels[top : top + height, left : left + width]


def saved(page: Page, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.locator(".bench").get_by_role("button", name="Save .mae").click()
    download.value.save_as(folder / "saved.mae")
    return (folder / "saved.mae").read_bytes()


def test_refine_to_the_end_elsewhere_and_back_and_beside_a_plain_file_as_long(page, own, tmp_path):
    before = shown(page, 0, own.size)
    size = int(number(page, 0, "bytes"))
    assert size == len(mae_viz.compress(own, "mae", LMBDA))
    page.locator(".pane").nth(0).get_by_role("button", name="Refine MAE at this λ").click()
    assert "against the plain file" in bench(page, "done")
    stream = saved(page, tmp_path)
    assert stream == computing.shared().submit(
        registry.codec("mae").refined(STEPS).encode, own, Rate.near(LMBDA)
    ).result(300)
    assert int(number(page, 0, "bytes")) == len(stream)
    decoded = np.asarray(mae_viz.decompress(stream))
    until(page, lambda: np.array_equal(shown(page, 0, own.size), decoded), "the refined file's pixels in the pane")
    assert number(page, 0, "PSNR") == f"{metrics.psnr_db(decoded, np.asarray(own)):.2f} dB"
    assert not np.array_equal(decoded, before)
    expect(page.locator(".pane .note").first).to_have_text("MAE, refined 80 steps")
    names = page.locator("[data-kind=curve] .names li").all_inner_texts()
    assert names == ["MAE", "Scaling", "MAE, refined 80 steps"]
    assert page.locator("[data-kind=curve] polyline[data-codec=mae-refined-80]").count() == 1
    assert page.locator(".trails > circle").count() == 1 + STEPS // 10  # the plain file, then each look
    assert page.locator(".marks path").count() == 1
    expect(page.locator("figure[data-map=moved]")).to_contain_text(
        re.compile("orange places have .* blue ones .* fewer")
    )
    expect(page.locator("[data-map=y] p")).to_contain_text("MAE, refined 80 steps")

    page.get_by_role("button", name="λ 512", exact=True).click()
    drawn(page)
    assert bench(page, "done").startswith("Shown is the plain file: the refined one is at λ 181.0.")
    assert int(number(page, 0, "bytes")) == len(mae_viz.compress(own, "mae", 512))
    expect(page.locator(".pane .note").first).to_have_text("the plain file: refined at λ 181.0")
    assert page.locator(".trails > *, .marks > *").count() == 0
    page.get_by_role("button", name="Back to λ 181.0").click()
    until(page, lambda: np.array_equal(shown(page, 0, own.size), decoded), "the refined file again")
    page.get_by_role("button", name="Show plain").click()
    until(page, lambda: np.array_equal(shown(page, 0, own.size), before), "the plain file")
    page.get_by_role("button", name="Show plain").click()

    page.get_by_role("button", name="Compare at equal bytes").click()
    expect(page.locator(".mae-viewer")).to_have_attribute("data-mode", "wipe")
    expect(page.locator(".pane .note").nth(1)).to_contain_text("held at the same bytes")
    drawn(page)
    beside = Rate.near(float(number(page, 1, "rate").removeprefix("λ ")))
    assert int(number(page, 0, "bytes")) == len(stream)
    assert int(number(page, 1, "bytes")) == len(mae_viz.compress(own, "mae", beside.lmbda)) <= len(stream)
    assert len(mae_viz.compress(own, "mae", Rate(beside.index + 1).lmbda)) > 0.995 * len(stream)


def test_stopped_midway_it_keeps_a_file_and_another_picture_ends_it(profile, server, photograph, tmp_path):
    """A picture large enough not to be at the end of its steps before anybody can stop it."""
    large = photograph.crop((100, 60, 380, 320))
    with laboratory(profile, server, large, tmp_path, viewport=SIZE) as page:
        page.get_by_role("button", name="Zoom 100 %").click()
        drawn(page)
        stopped_midway(page, large, tmp_path)


def stopped_midway(page: Page, own: Image.Image, tmp_path: Path) -> None:
    act = page.locator(".pane").nth(1).locator(".acts .refine")
    with page.expect_response(re.compile("/refined")) as asked_for:
        act.click()
    ladder = asked_for.value.json()["ladder"]
    expect(act).to_have_text("Stop")
    page.locator(".trails > circle").nth(1).wait_for(state="attached", timeout=300_000)
    act.click()
    said = bench(page, "stopped")
    step = int(re.search(r"stopped at step (\d+) of 80", said).group(1))
    assert 0 < step < STEPS
    stream = saved(page, tmp_path)
    assert int(number(page, 1, "bytes")) == len(stream)
    decoded = np.asarray(mae_viz.decompress(stream))
    until(page, lambda: np.array_equal(shown(page, 1, own.size), decoded), "the best file's pixels")
    assert number(page, 1, "PSNR") == f"{metrics.psnr_db(decoded, np.asarray(own)):.2f} dB"
    asked = []
    page.on("request", lambda request: asked.append(request.url) if f"/ladder/{ladder}" in request.url else None)
    expect(act).to_have_text("Refine")
    drawn(page)
    assert not [url for url in asked if not re.search(r"\.\w+$", url)]  # nobody asks for its list any more

    page.get_by_role("button", name="Refine again").click()
    bench(page, "working")
    page.get_by_role("button", name="Your own").click()
    page.get_by_role("button", name=re.compile("^(Remove|Delete)")).first.click()
    page.keyboard.press("Escape")
    expect(page.locator(".bench")).to_be_hidden()
    drawn(page)
    assert page.locator(".pane[data-refined]").count() == 0


# Painting


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['help']}: {v['nodes'][0]['html'][:100]}" for v in found if v["impact"] in ("serious", "critical")]


def share(page: Page) -> float:
    return float(re.search(r"([\d.]+) %", plain(page.locator(".bench .told").inner_text())).group(1)) / 100


def test_a_mask_by_mouse_moves_the_file_s_quality_into_what_is_painted(page, own, tmp_path):
    masks: list[bytes] = []
    page.on("request", lambda request: masks.append(request.post_data_buffer) if request.method == "POST" else None)
    before = shown(page, 0, own.size)
    page.locator(".pane").nth(0).get_by_role("button", name="Paint what is important, for MAE").click()
    bench(page, "painting")
    refine = page.locator(".bench").get_by_role("button", name="Refine")
    expect(refine).to_be_disabled()
    stage = page.locator(".pane").nth(0).locator(".stage").bounding_box()
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    for dx in (-70, 40):
        page.mouse.move(x + dx, y)
        page.mouse.down()
        page.mouse.move(x + dx + 30, y + 20, steps=4)
        page.mouse.up()
    expect(page.locator(".bench .told")).to_contain_text("of the picture is painted")
    both = share(page)
    page.mouse.move(5, 5)
    painted(page)
    tinted = (shown(page, 0, own.size) != before).any(2)
    assert tinted.mean() == pytest.approx(both, abs=0.012)
    page.locator(".bench").get_by_role("button", name="Undo").click()
    painted(page)
    left = (shown(page, 0, own.size) != before).any(2)
    assert left[:, : own.width // 2].sum() == left.sum() < tinted.sum()
    assert serious(page) == []
    refine.click()
    said = bench(page, "done")
    (mask,) = (np.frombuffer(zlib.decompress(data), np.uint8).reshape(own.height, own.width) for data in masks)
    where = mask >= 128
    assert where.mean() == pytest.approx(left.mean(), abs=0.012)
    assert (where & ~left).mean() < 0.002  # what is sent is what was seen
    stream, first = saved(page, tmp_path), mae_viz.compress(own, "mae", LMBDA)
    assert len(stream) == int(number(page, 0, "bytes")) == pytest.approx(len(first), rel=0.02)
    change = len(stream) - len(first)
    assert f"{abs(change)} bytes ({100 * change / len(first):+.1f} %)".replace("-", "−") in said
    db = {}
    for place, part in (("Painted", where), ("elsewhere", ~where)):
        pair = [metrics.psnr_db(np.asarray(mae_viz.decompress(data))[part][None], np.asarray(own)[part][None])
                for data in (first, stream)]  # fmt: skip
        db[place] = pair[1] - pair[0]
        assert f"{place}: {pair[0]:.2f} → {pair[1]:.2f} dB" in said
    assert db["Painted"] > max(0, db["elsewhere"]) + 0.3
    assert page.locator(".pane .note").first.inner_text() == "MAE, refined 80 steps, for what is painted"


def test_a_finger_paints_and_so_do_keys(browser, server, own, tmp_path):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with laboratory(browser, server, own, tmp_path, "wipe", color_scheme="dark", **phone) as page:
        page.get_by_role("button", name="Paint what is important, for MAE").tap()
        bench(page, "painting")
        fits(page)
        sizes = page.locator(".bench button, .bench input").evaluate_all(
            "nodes => nodes.filter(n => n.checkVisibility()).map(n => n.getBoundingClientRect()).map(b => b.height)"
        )
        assert min(sizes) >= 44
        stage = page.locator(".shared .stage").bounding_box()
        x, y = stage["x"] + 90, stage["y"] + stage["height"] / 2
        hand = page.context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            at = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

        touch("touchStart", (x, y))
        for step in range(1, 6):
            touch("touchMove", (x + 12 * step, y + 4 * step))
        touch("touchEnd")
        expect(page.locator(".bench .told")).to_contain_text("of the picture is painted")
        first = share(page)
        assert first > 0.01
        touch("touchStart", (x, y + 40))
        touch("touchStart", (x, y + 40), (x + 60, y + 40))  # two fingers move and zoom: no stroke
        for step in range(1, 6):
            touch("touchMove", (x - 12 * step, y + 40), (x + 60 + 12 * step, y + 40))
        touch("touchEnd")
        expect(page.locator(".mae-viewer")).to_have_attribute("data-zoomed", "")
        assert share(page) == first
        page.get_by_role("button", name="Clear").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".bench .told")).to_contain_text("nothing is painted yet")
        page.get_by_role("button", name="What I see now").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".bench .told")).to_contain_text("of the picture is painted")
        assert 0.02 < share(page) < 0.9
        assert serious(page) == []
        page.get_by_role("button", name="Close", exact=True).tap()
        expect(page.locator(".bench")).to_be_hidden()
        expect(page.locator(".say")).to_be_visible()
