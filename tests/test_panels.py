"""The laboratory in a real browser, as one file: its panels show the models' arrays, and its window is arranged."""

import re

import numpy as np
import pytest
from chromium import plain, visit
from PIL import Image
from playwright.sync_api import Page, expect
from test_headline import share

import mae_viz
from mae_viz import probe
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.rates import Rate
from mae_viz.viewer import html, pane_text
from mae_viz.viewer.arrangements import ARRANGEMENTS, PANELS, laboratory

PAIR = ("mae", "bottleneck-scaling")
SIZE = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def ladders(tmp_path_factory) -> ladder.Ladders:
    return ladder.Ladders(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return open_rgb(gallery()["flower"].path).crop((200, 120, 392, 296))


@pytest.fixture(scope="module")
def file(ladders, picture, tmp_path_factory) -> str:
    first = next(iter(ARRANGEMENTS.values()))
    around = laboratory(panels=[*PANELS], codecs=PAIR)
    page = html.page(ladders, picture, "Dahlia", Rate.near(128), PAIR, pane_text.read(first.panes), 8, around)
    path = tmp_path_factory.mktemp("page") / "laboratory.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser, file):
    with visit(browser, file, viewport=SIZE) as tab:
        settled(tab)
        yield tab


def settled(page: Page) -> None:
    """Every pane shows the frame of the λ that is set, and all that panels want is here."""
    page.locator(".mae-viewer[data-busy=false]").wait_for()
    page.wait_for_function("!maeViewer.frames.busy.size && !maeViewer.scheduled")


def go_to(page: Page, lmbda: int) -> None:
    page.get_by_role("button", name=f"λ {lmbda}", exact=True).click()
    page.locator(f".mae-viewer[data-index='{Rate.near(lmbda).index}'][data-busy=false]").wait_for()
    settled(page)


def frames(ladders, picture, model: str) -> list[dict]:
    made = ladders.offer(picture, model)
    return [made.frames[rate].to_json() for rate in sorted(made.frames)]


def value(text: str) -> float:
    return float(re.search(r"-?[\d.]+", plain(text).replace("−", "-"))[0])


def test_the_ratios_are_the_models(page, picture):
    for lmbda in (64, 512, 2048):
        ratios_are(page, picture, lmbda)


def ratios_are(page: Page, picture: Image.Image, lmbda: int) -> None:
    go_to(page, lmbda)
    channel, partner = page.evaluate("[maeViewer.laboratory.channel, maeViewer.laboratory.partner]")
    maps = page.locator(".panel[data-kind=maps] .map")
    high, low = (
        probe.latents(open_checkpoint("mae"), picture, Rate.near(v))[0][channel] for v in (4096.0, float(lmbda))
    )
    expected = probe.ratio(high, low)
    expect(maps.nth(1).locator("h3")).to_have_text(f"MAE: y(4096) / y({lmbda})")
    assert value(maps.nth(1).locator("figcaption").inner_text()) == pytest.approx(expected.mean, rel=0.01)
    expect(maps.nth(1).locator(".value")).to_be_hidden()
    scales = [
        probe.all_gains(open_checkpoint(PAIR[1]).model, Rate.near(v))["s"][partner] for v in (4096.0, float(lmbda))
    ]
    expect(maps.nth(2)).to_contain_text("one value")
    assert value(maps.nth(2).locator(".value").inner_text()) == pytest.approx(scales[0] / scales[1], rel=0.006)


def test_the_gains_are_the_models(page, ladders, picture):
    channel = page.evaluate("maeViewer.laboratory.channel")
    caption = page.locator(".panel[data-kind=gains] .caption")
    model = open_checkpoint("mae").model
    rates = [Rate(index) for index in range(0, 385, 16)]
    gains = [probe.all_gains(model, rate) for rate in rates]
    products = [found["m3"][channel] * found["d1"][channel] for found in gains]
    expect(caption).to_contain_text(f"channel {channel} of these layers by m")
    low, high = map(value, re.search(r"m · d runs from (\S+) to (\S+)\.$", caption.inner_text()).groups())
    assert [low, high] == pytest.approx([min(products), max(products)], rel=0.01)


def test_the_bits_are_the_models(page, picture):
    go_to(page, 128)
    said = page.locator(".panel[data-kind=bits] .map p")
    for text, model in zip(map(plain, said.all_inner_texts()), PAIR, strict=True):
        bits = probe.latents(open_checkpoint(model), picture, Rate.near(128))[1].sum((1, 2), dtype=np.float64)
        assert int(value(text)) == np.sum(bits >= 1)
        before = Rate(Rate.near(128).index - 16)
        asleep = probe.latents(open_checkpoint(model), picture, before)[1].sum((1, 2), dtype=np.float64) < 1
        woken, lmbda, grown = re.search(
            r"(\d+|none) of which sleep at λ ([\d.]+); the file is (\S+) % larger", text
        ).groups()
        assert int(woken.replace("none", "0")) == np.sum((bits >= 1) & asleep)
        assert Rate.near(float(lmbda)) == before
        sizes = [len(mae_viz.compress(picture, model, rate.lmbda)) for rate in (before, Rate.near(128))]
        assert value(grown) == pytest.approx(100 * (sizes[1] / sizes[0] - 1), abs=0.6)


def test_the_sentence_on_the_page_is_that_of_its_files(page, ladders, picture):
    mae, scaling = (frames(ladders, picture, model) for model in PAIR)
    for lmbda in (64, 256, 4096):
        go_to(page, lmbda)
        file = next(frame for frame in mae if frame["lmbda"] == lmbda)
        text = plain(page.locator(".sentence").inner_text())
        assert f"MAE at λ {lmbda}: {file['bytes']} bytes." in text
        expected = share(file, scaling, "psnr_db")
        if expected is None:
            assert "PSNR: its smallest" in text or "never reaches this PSNR" in text or "PSNR and MS-SSIM:" in text
        elif abs(expected) >= 0.005:
            said = re.search(r"([\d.]+) % (?:more )?for the same PSNR", text)[1]
            assert float(said) == pytest.approx(100 * abs(expected), abs=0.051 if float(said) < 10 else 0.51)


def test_bytes_stay_matched_while_lambda_moves(page):
    page.get_by_role("button", name=re.compile("^Bring the others to the bytes")).click()
    for lmbda in (128, 512, 2048):
        go_to(page, lmbda)
        first, second = page.evaluate("maeViewer.panes.map((pane) => pane.frame.bytes)")
        assert second <= first
        expect(page.locator(".pane").nth(1).locator(".note")).to_contain_text("held at the same bytes")
    page.get_by_role("button", name=re.compile("^Bring the others to the bytes")).click()
    assert page.evaluate("maeViewer.panes.map((pane) => pane.follow)") == ["shared", "shared"]


def test_the_same_key_twice_undoes_itself(page):
    def state() -> dict:
        return page.evaluate(
            """({ mode: maeViewer.mode, active: maeViewer.panes.indexOf(maeViewer.active),
                 panes: maeViewer.panes.map(({ codec, layer, follow }) => [codec.id, layer, follow]) })"""
        )

    page.locator("input.rate").focus()
    for layer in ("picture", "bits"):
        page.evaluate(f"maeViewer.active.choose({{ layer: '{layer}' }})")
        before = state()
        for key in ("d", "b", "x", "m", "?"):
            page.keyboard.press(key)
            page.keyboard.press(key)
            assert state() == before, key
    page.keyboard.press("d")
    assert state()["panes"][before["active"]][1] == "difference"
    page.evaluate("document.activeElement.blur()")  # a first visit: nothing has the focus
    page.keyboard.press("d")
    assert state() == before


# The window


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1440, 900), (820, 1180), (390, 844)])
def test_lambda_picture_and_a_panel_are_in_sight_together(browser, file, width, height):
    with visit(browser, file, viewport={"width": width, "height": height}) as page:
        settled(page)
        page.locator(".laboratory").evaluate("e => e.scrollIntoView()")
        for what in ("input.rate", ".sentence", ".place", ".panel"):
            shown = [box for e in page.locator(what).all() if (box := e.bounding_box()) and box["width"]]
            top = min(box["y"] for box in shown)
            assert top < height - 60, what
            assert all(box["x"] >= -1 and box["x"] + box["width"] <= width + 1 for box in shown), what
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == 390:
            assert sum(e.is_visible() for e in page.locator(".panel").all()) == 1
            page.get_by_role("group", name="Panels").get_by_role("button", name=PANELS["gains"]).click()
            expect(page.locator(".panel[data-kind=gains]")).to_be_visible()
            sides = page.locator(".laboratory button:visible, .laboratory select:visible").evaluate_all(
                "all => all.filter(e => !e.closest('.tag, .ticks, .strip')).map(e => e.getBoundingClientRect().height)"
            )
            assert min(sides) >= 44
        if width <= 820:
            four_maps_stand_two_by_two(page)


def four_maps_stand_two_by_two(page: Page) -> None:
    """Cards stand above maps: four beside one another would cover each other."""
    page.evaluate(
        """() => {
            const both = (layer) => ["mae", "bottleneck-scaling"].map((codec) => ({ codec, layer }));
            maeViewer.setPanes([...both("picture"), ...both("bits")]);
            maeViewer.setMode("side");
            maeViewer.changed();
        }"""
    )
    page.wait_for_function("maeViewer.controls.grid.style.getPropertyValue('--columns') == 2")
    for pane in page.locator(".pane").all():
        outer, card = pane.bounding_box(), pane.locator(".tag").bounding_box()
        assert card["x"] + card["width"] <= outer["x"] + outer["width"] + 1
        assert pane.locator("canvas").bounding_box()["height"] > 60


def test_lambda_stays_in_sight_below_the_laboratory(page):
    page.evaluate("document.body.append(Object.assign(document.createElement('div'), { style: 'height: 3000px' }))")
    page.evaluate("scrollTo(0, 2500)")
    page.locator(".dock[data-docked]").wait_for()
    assert page.locator("input.rate").bounding_box()["y"] < 60
    page.evaluate("scrollTo(0, 0)")
    page.locator(".dock:not([data-docked])").wait_for()


def test_panels_are_enlarged_closed_swapped_and_opened_again(page):
    def kinds() -> list[str]:
        return page.locator(".panel").evaluate_all("all => all.map(e => e.dataset.kind)")

    assert kinds() == [*PANELS]
    page.get_by_role("button", name="Enlarge Gains").click()
    expect(page.locator(".place")).to_be_hidden()
    assert page.locator(".panel[data-kind=gains]").bounding_box()["width"] > 1300
    page.keyboard.press("Escape")
    expect(page.locator(".place")).to_be_visible()
    page.get_by_role("button", name="Close Who pays").click()
    assert kinds() == ["curve", "maps", "gains", "bits"]
    page.locator(".panel[data-kind=curve] .kind").select_option("bits")
    assert kinds() == ["bits", "maps", "gains", "curve"]
    page.locator(".panel[data-kind=maps] .kind").select_option("price")
    assert kinds() == ["bits", "price", "gains", "curve"]
    page.get_by_label("Open a panel").select_option("maps")
    assert kinds() == ["bits", "price", "gains", "curve", "maps"]


def test_an_arrangement_brings_its_panes_and_panels(page):
    for name in ("maps", "bits", "gains", "compare"):
        brings(page, name)


def brings(page: Page, name: str) -> None:
    arrangement = ARRANGEMENTS[name]
    button = page.get_by_role("group", name="Arrangements").get_by_role("button", name=arrangement.title, exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    match = page.get_by_role("button", name=re.compile("^Bring the others to the bytes"))
    for known in (None, name):
        match.click()
        assert page.evaluate("maeViewer.laboratory.arrangement?.name ?? null") == known
    state = page.evaluate("maeViewer.state")
    assert pane_text.write([{**pane, "channel": None} for pane in state["panes"]]) == arrangement.panes
    assert (state["mode"], tuple(state["panels"])) == (arrangement.mode, arrangement.panels)
