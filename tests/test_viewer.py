"""The viewer in a real browser: what its canvases show is what the decoder gave, in every host."""

import csv
import io
import itertools
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from chromium import canvas_pixels, pick, plain, serve, visit
from PIL import Image
from playwright.sync_api import Page, Route, expect

import mae_viz
from mae_viz import further, probe, viewer
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import sources
from mae_viz.rates import Rate
from mae_viz.viewer import html

HERE = Path(__file__).parent
LMBDAS = (64, 512, 4096)
PAIR = ("mae", "bottleneck-scaling")
SIZE = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ladders(cache) -> ladder.Ladders:
    return ladder.Ladders(cache)


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """What the Streamlit page under test shows."""
    return open_rgb(gallery()["chelsea"].path).crop((100, 40, 292, 168))


@pytest.fixture(scope="module")
def file(ladders, picture, tmp_path_factory) -> str:
    """The address of a self-contained page."""
    page = html.page(ladders, picture, "Chelsea <!-- <script </script>", codecs=("mae", "bottleneck-scaling", "jpeg"))
    path = tmp_path_factory.mktemp("page") / "lesson.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def lesson(browser, file):
    with visit(browser, file, viewport=SIZE) as page:
        settled(page)
        yield page


def settled(page: Page) -> None:
    """Every pane shows the frame of the λ that is set."""
    page.locator(".mae-viewer[data-busy=false]").wait_for()


def go_to(page: Page, lmbda: int) -> None:
    page.get_by_role("button", name=f"λ {lmbda}", exact=True).click()
    page.locator(f".mae-viewer[data-index='{Rate.near(lmbda).index}'][data-busy=false]").wait_for()


def choose(page: Page, pane: int, **choices: str) -> None:
    for label, value in choices.items():
        page.locator(".pane").nth(pane).get_by_label(label.capitalize(), exact=True).select_option(value)


def shown(page: Page, pane: int, picture: Image.Image, zoom: int = 1) -> np.ndarray:
    """The part of a pane's canvas that the picture covers: all of it must fit."""
    pixels = canvas_pixels(page.locator(".pane canvas").nth(pane))
    height, width = picture.height * zoom, picture.width * zoom
    assert pixels.shape[0] >= height
    assert pixels.shape[1] >= width
    top, left = ((free + 1) // 2 for free in (pixels.shape[0] - height, pixels.shape[1] - width))
    return pixels[top : top + height, left : left + width]


def round_trip(picture: Image.Image, name: str, lmbda: float) -> tuple[bytes, np.ndarray]:
    stream = mae_viz.compress(picture, name, lmbda)
    return stream, np.asarray(mae_viz.decompress(stream))


def number(page: Page, pane: int, label: str) -> str:
    return plain(page.locator(".pane").nth(pane).locator(f"dl div:has(dt:text-is('{label}')) dd").inner_text())


# Pixel truth, and the numbers beside it


def test_the_canvas_shows_the_decoders_pixels(lesson, picture):
    lesson.keyboard.press("Tab")
    lesson.keyboard.press("1")
    for lmbda, (pane, name) in itertools.product(LMBDAS, enumerate(PAIR, 1)):
        go_to(lesson, lmbda)
        assert np.array_equal(shown(lesson, 0, picture), np.asarray(picture))
        stream, decoded = round_trip(picture, name, lmbda)
        assert np.array_equal(shown(lesson, pane, picture), decoded)
        assert number(lesson, pane, "rate") == f"λ {lmbda}"
        assert number(lesson, pane, "bytes") == f"{len(stream)}"
        error = mae_viz.metrics.psnr_db(decoded, np.asarray(picture))
        assert number(lesson, pane, "PSNR") == f"{error:.2f} dB"


def test_classical_codecs_show_their_decoders_pixels(lesson, picture):
    choose(lesson, 0, codec="jpeg", rate="own")
    lesson.get_by_role("button", name="Zoom 100 %").click()
    for quality in (5, 50, 95):
        show_quality(lesson, picture, quality)


def show_quality(page: Page, picture: Image.Image, quality: int) -> None:
    """Bring the first pane, which has JPEG at a rate of its own, to a quality; it shows what the decoder gives."""
    position = CLASSICAL["jpeg"].axis.ladder.index(Quality(quality))
    page.get_by_role("slider", name="This pane's own rate").fill(str(position))
    page.locator(f".pane[data-at='{quality}']").first.wait_for()
    settled(page)
    stream = CLASSICAL["jpeg"].encode(picture, Quality(quality))
    assert number(page, 0, "bytes") == f"{len(stream)}"
    assert np.array_equal(shown(page, 0, picture), np.asarray(CLASSICAL["jpeg"].decode(stream)))


def test_pictures_longer_than_webp_can_be(browser, ladders, tmp_path):
    long = np.zeros((8, 16_400, 3), np.uint8)
    long[:, 8_000:] = [10, 200, 30]
    page = html.page(ladders, Image.fromarray(long), "Long", codecs=("original", "jpeg"), panes=[viewer.PANES[0]])
    (tmp_path / "long.html").write_text(page, encoding="utf-8")
    with visit(browser, (tmp_path / "long.html").as_uri(), viewport=SIZE) as tab:
        settled(tab)
        tab.get_by_role("button", name="Zoom 100 %").click()
        settled(tab)
        seen = {tuple(pixel) for pixel in canvas_pixels(tab.locator(".pane canvas").first).reshape(-1, 3).tolist()}
        assert {(0, 0, 0), (10, 200, 30)} <= seen


def test_further_metrics_stand_beside_psnr_where_they_are_asked_for(browser, tmp_path, picture, monkeypatch):
    small = picture.crop((0, 0, 64, 48))
    monkeypatch.setenv("MAE_VIZ_METRICS", "ssimulacra2")
    panes = [{"codec": "jpeg", "layer": "picture", "follow": "own", "own": 40}]
    page = html.page(ladder.Ladders(tmp_path), small, "Scored", codecs=("jpeg",), panes=panes)
    (tmp_path / "scored.html").write_text(page, encoding="utf-8")
    jpeg, original = CLASSICAL["jpeg"], np.asarray(small)
    decoded = np.asarray(jpeg.decode(jpeg.encode(small, Quality(40))))
    with visit(browser, (tmp_path / "scored.html").as_uri(), viewport=SIZE) as tab:
        settled(tab)
        assert number(tab, 0, "rate") == "quality 40"
        expected = further.FURTHER["ssimulacra2"].compute(original, decoded)
        assert float(number(tab, 0, "SSIMULACRA 2").replace("−", "-")) == pytest.approx(expected, abs=0.051)
    monkeypatch.setenv("MAE_VIZ_METRICS", "ssimulacra2, beauty")
    with pytest.raises(ValueError, match=r"MAE_VIZ_METRICS: there is no metric 'beauty'"):
        viewer.manifest(ladder.Ladders(tmp_path), small, "x")


def test_the_screen_shows_what_the_canvas_holds(lesson, picture):
    lesson.get_by_role("button", name="Zoom 100 %").click()
    settled(lesson)
    canvas = lesson.locator(".pane canvas").nth(0)
    screen = np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"))
    held = canvas_pixels(canvas)
    rows, columns = held.shape[:2]
    first = len(screen) - rows  # a canvas between two rows of the screen moves to one of them
    inside = (slice(20, -20), slice(20, -20))  # the stage's corners are round
    assert any(np.array_equal(screen[k : k + rows, :columns][inside], held[inside]) for k in range(first + 1))


def test_enlarged_pixels_are_squares(lesson, picture):
    lesson.get_by_role("button", name="Zoom 200 %").click()
    settled(lesson)
    decoded = round_trip(picture, "mae", 512)[1]
    assert np.array_equal(shown(lesson, 1, picture, zoom=2), decoded.repeat(2, 0).repeat(2, 1))


def test_the_difference_is_amplified_exactly(lesson, picture):
    choose(lesson, 1, layer="difference", amplification="16")
    lesson.get_by_role("button", name="Zoom 100 %").click()
    settled(lesson)
    decoded = round_trip(picture, "mae", 512)[1]
    error = np.abs(decoded.astype(int) - np.asarray(picture))
    assert np.array_equal(shown(lesson, 1, picture), np.minimum(255, 16 * error))


def test_two_panes_in_one_place_are_cut_at_the_wipe(lesson, picture):
    lesson.get_by_role("button", name="Wipe").click()
    lesson.get_by_role("button", name="Zoom 200 %").click()
    settled(lesson)
    pixels = canvas_pixels(lesson.locator(".shared canvas"))
    left, top = (pixels.shape[1] - 384 + 1) // 2, (pixels.shape[0] - 256 + 1) // 2
    cut = round(0.5 * pixels.shape[1])
    held = pixels[top : top + 256, left : left + 384][::2, ::2]
    column = (cut - left) // 2
    assert np.array_equal(held[:, :column], np.asarray(picture)[:, :column])
    decoded = round_trip(picture, "mae", 512)[1]
    assert np.array_equal(held[:, column + 1 :], decoded[:, column + 1 :])


# Maps


def map_of(page: Page, pane: int) -> dict:
    return page.evaluate(
        f"""() => {{ const {{ values, top, ratio, rows, columns }} = maeViewer.panes[{pane}].shown;
            const numbers = [...values].map(v => Number.isNaN(v) ? null : v);
            return {{ values: numbers, top, ratio, shape: [rows, columns] }} }}"""
    )


def test_maps_are_the_probes_arrays(lesson, picture):
    checkpoint = checkpoints.open_checkpoint("mae")
    y, bits = probe.latents(checkpoint, picture, Rate.near(512))
    choose(lesson, 1, layer="bits")
    settled(lesson)
    found = map_of(lesson, 1)
    assert np.allclose(np.float32(found["values"]).reshape(found["shape"]), bits.sum(0), rtol=1e-5)
    choose(lesson, 2, layer="bits")
    settled(lesson)
    theirs = probe.latents(checkpoints.open_checkpoint("bottleneck-scaling"), picture, Rate.near(512))[1].sum(0)
    tops = [map_of(lesson, pane)["top"] for pane in (1, 2)]
    assert tops == pytest.approx(2 * [max(bits.sum(0).max(), theirs.max())])  # one scale, to be compared
    choose(lesson, 1, layer="y")
    settled(lesson)
    channel = int(lesson.locator(".pane").nth(1).get_by_label("Channel", exact=True).input_value())
    found = map_of(lesson, 1)
    assert np.array_equal(np.float32(found["values"]).reshape(found["shape"]), y[channel])
    assert found["top"] == pytest.approx(np.abs(y[channel]).max())


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling"])
def test_ratios_are_the_probes(lesson, picture, name):
    go_to(lesson, 4096)
    choose(lesson, 1, codec=name)
    choose(lesson, 1, layer="ratio")
    settled(lesson)
    channel = int(lesson.locator(".pane").nth(1).get_by_label("Channel", exact=True).input_value())
    checkpoint = checkpoints.open_checkpoint(name)
    high, low = (probe.latents(checkpoint, picture, Rate.near(v))[0][channel] for v in (4096.0, 64.0))
    expected = probe.ratio(high, low)
    found = map_of(lesson, 1)
    values = np.array(found["values"], dtype=float).reshape(found["shape"])
    assert np.array_equal(np.isnan(values), np.isnan(expected.values))
    assert np.allclose(values, expected.values, rtol=1e-6, equal_nan=True)
    assert found["ratio"]["masked"] == pytest.approx(expected.masked_share)
    assert found["ratio"]["mean"] == pytest.approx(expected.mean)
    assert found["ratio"]["constancy"] == pytest.approx(expected.constancy, rel=1e-3, abs=1e-9)
    facts = lesson.locator(".pane").nth(1).locator(".facts").inner_text()
    assert f"{int(100 * expected.masked_share + 0.5)} % masked" in plain(facts)


def test_the_value_under_the_cursor(lesson, picture):
    lesson.get_by_role("button", name="Zoom 200 %").click()
    settled(lesson)
    canvas = lesson.locator(".pane canvas").nth(1)
    box = canvas.bounding_box()
    canvas.hover(position={"x": box["width"] / 2 - 30, "y": box["height"] / 2 + 10})
    lesson.wait_for_function("maeViewer.cursor")
    x, y = lesson.evaluate("maeViewer.cursor")
    decoded = round_trip(picture, "mae", 512)[1][y, x].tolist()
    readout = lesson.locator(".pane").nth(1).locator(".readout")
    expect(readout).to_contain_text(f"{x}, {y}: {' '.join(map(str, decoded))} (error ")
    original = np.asarray(picture)[y, x].tolist()
    other = lesson.locator(".pane").nth(0).locator(".readout")
    expect(other).to_have_text(f"{x}, {y}: {' '.join(map(str, original))}")


# Hands


def state(page: Page) -> dict:
    return page.evaluate("({ ...maeViewer.view, index: maeViewer.index, mode: maeViewer.mode })")


def test_zoom_and_place_survive_rate_pane_and_picture(lesson):
    lesson.locator(".pane .stage").nth(1).focus()
    lesson.keyboard.press("8")
    for _ in range(3):
        lesson.keyboard.press("ArrowRight")
    before = state(lesson)
    assert before["zoom"] == 8
    assert before["x"] > 0.5
    go_to(lesson, 2048)
    choose(lesson, 1, codec="jpeg")
    choose(lesson, 0, codec="mae", layer="bits")
    lesson.get_by_role("button", name="One pane more").click()
    lesson.evaluate("maeViewer.update({ ...maeViewer.manifest, title: 'another' })")
    after = state(lesson)
    assert {k: after[k] for k in ("zoom", "x", "y")} == {k: before[k] for k in ("zoom", "x", "y")}
    assert after["index"] == Rate.near(2048).index


def test_keys_work_inside_the_viewer_alone(lesson):
    start = state(lesson)
    lesson.keyboard.press("4")
    assert state(lesson) == start
    lesson.evaluate("document.addEventListener('keydown', e => (globalThis.seen ??= []).push(e.key))")
    lesson.locator("input.rate").focus()
    for key, expected in (
        ("ArrowRight", {"index": 208}),
        ("Shift+ArrowLeft", {"index": 207}),
        ("Home", {"index": 0}),
        ("End", {"index": 384}),
        ("PageDown", {"index": 320}),
        (",", {"index": 304}),
        (".", {"index": 320}),
        ("4", {"zoom": 4}),
        ("+", {"zoom": 8}),
        ("-", {"zoom": 4}),
        ("0", {"zoom": 0}),
        ("w", {"mode": "wipe"}),
        ("b", {"mode": "blink"}),
        ("s", {"mode": "side"}),
    ):
        lesson.keyboard.press(key)
        now = state(lesson)
        assert {k: now[k] for k in expected} == expected, key
    assert lesson.evaluate("(globalThis.seen ?? []).filter(k => k != 'Shift')") == []
    lesson.locator(".pane .stage").nth(1).focus()
    for key, mode in (("w", "wipe"), ("b", "blink"), ("s", "side"), ("b", "blink")):
        lesson.keyboard.press(key)  # the stage in focus goes, the focus stays in the viewer
        assert state(lesson)["mode"] == mode
    lesson.keyboard.press("r")  # not ours: it goes on to whoever wants it
    lesson.keyboard.press("Control+s")
    assert lesson.evaluate("globalThis.seen.filter(k => !['Control', 'Shift'].includes(k))") == ["r", "s"]
    expect(lesson.locator(".keys")).to_be_hidden()
    lesson.keyboard.press("?")
    expect(lesson.locator(".keys")).to_be_visible()
    lesson.keyboard.press("Escape")
    expect(lesson.locator(".keys")).to_be_hidden()


def test_holding_o_shows_the_original(lesson, picture):
    lesson.locator(".pane .stage").nth(1).focus()
    lesson.keyboard.press("1")
    lesson.keyboard.down("o")
    lesson.wait_for_function("maeViewer.originalShown && !maeViewer.scheduled")
    assert np.array_equal(shown(lesson, 1, picture), np.asarray(picture))
    lesson.keyboard.up("o")
    lesson.wait_for_function("!maeViewer.originalShown && !maeViewer.scheduled")
    assert np.array_equal(shown(lesson, 1, picture), round_trip(picture, "mae", 512)[1])


def test_every_control_is_reached_and_seen_with_the_keyboard(lesson):
    slider = lesson.locator("input.rate")
    unfocused = slider.screenshot()
    slider.focus()
    lesson.keyboard.press("Shift")  # a sign that keys are in use: rings appear
    assert slider.screenshot() != unfocused
    lesson.locator("h1").click()  # the next Tab starts from here
    reached = []
    for _ in range(60):
        lesson.keyboard.press("Tab")
        name, ring = lesson.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
                return [e.getAttribute('aria-label') ?? e.textContent.slice(0, 40),
                        s.outlineStyle != 'none' && parseFloat(s.outlineWidth) >= 2] }"""
        )
        if lesson.evaluate("document.activeElement == document.body"):
            break
        assert ring or name.startswith("λ, the weight"), name
        reached.append(name)
    for name in (
        "λ, the weight",
        "λ 64",
        "Wipe",
        "Zoom 400 %",
        "One pane more",
        "Save the numbers",
        "Codec",
        "Layer",
        "MAE:",
    ):
        assert any(plain(found).startswith(name) for found in reached), name


def test_dragging_shows_the_nearest_frame_and_says_so(lesson, picture):
    box = lesson.locator("input.rate").bounding_box()
    lesson.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lesson.mouse.down()
    lesson.mouse.move(box["x"] + box["width"] * 0.5 + 10 + 0.0137 * box["width"], box["y"] + box["height"] / 2)
    lesson.wait_for_function("maeViewer.index != 192 && !maeViewer.scheduled")
    index = state(lesson)["index"]
    assert index % 16
    frame = 16 * round(index / 16)
    pane = lesson.locator(".pane").nth(1)
    expect(pane).to_have_attribute("data-at", str(frame))
    expect(pane.locator(".note")).to_contain_text("nearest frame")
    assert number(lesson, 1, "bytes") == f"{len(round_trip(picture, 'mae', Rate(frame).lmbda)[0])}"
    lesson.mouse.up()


def test_two_fingers_zoom_and_snap_to_a_step(browser, file):
    with visit(browser, file, viewport=SIZE, has_touch=True) as page:
        settled(page)
        box = page.locator(".pane .stage").nth(1).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = page.context.new_cdp_session(page)

        def touch(kind: str, *apart: float) -> None:
            points = [{"x": x + side * d, "y": y, "id": i} for d in apart for i, side in enumerate((-1, 1))]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 20)
        for apart in (30, 40, 50, 62):
            touch("touchMove", apart)
        page.wait_for_function("maeViewer.view.zoom > 2")
        touch("touchEnd")
        page.wait_for_function("[4, 8].includes(maeViewer.view.zoom)")


def test_same_bytes_means_the_largest_file_not_above(lesson, picture):
    choose(lesson, 0, codec="jpeg")
    go_to(lesson, 4096)
    limit = len(round_trip(picture, "mae", 4096)[0])
    sizes = [len(CLASSICAL["jpeg"].encode(picture, q)) for q in CLASSICAL["jpeg"].axis.ladder]
    fitting = [size for size in sizes if size <= limit]
    assert fitting
    assert number(lesson, 0, "bytes") == f"{max(fitting)}"
    expect(lesson.locator(".pane").nth(0).locator(".note")).to_contain_text(
        f"held at the same bytes: {100 - 100 * max(fitting) / limit:.1f} % below"
    )


def test_the_view_and_the_numbers_can_be_saved(lesson, picture):
    lesson.get_by_role("button", name="Zoom 100 %").click()
    settled(lesson)
    with lesson.expect_download() as download:
        lesson.get_by_role("button", name="Save the numbers as CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    mae = [row for row in rows if row["codec"] == "MAE"]
    assert len(mae) == 25
    here = next(row for row in mae if row["shown"])
    stream = round_trip(picture, "mae", 512)[0]
    assert (float(here["rate"]), int(here["bytes"])) == (512, len(stream))
    with lesson.expect_download() as download:
        lesson.get_by_role("button", name="Save this view as PNG").click()
    sheet = np.asarray(Image.open(download.value.path()).convert("RGB"))
    canvas = canvas_pixels(lesson.locator(".pane canvas").nth(0))
    assert np.array_equal(sheet[32 : 32 + canvas.shape[0], 12 : 12 + canvas.shape[1]], canvas)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (820, "dark"), (390, "light")])
def test_nothing_overflows(browser, file, width, scheme):
    with visit(browser, file, viewport={"width": width, "height": 1000}, color_scheme=scheme) as page:
        settled(page)
        page.get_by_role("button", name="One pane more").click()
        choose(page, 1, layer="ratio")
        choose(page, 2, layer="difference")
        page.keyboard.press("?")
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        wide = page.evaluate(
            """[...document.querySelectorAll('.mae-viewer button, .mae-viewer select, .mae-viewer p, .mae-viewer dd')]
                .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 2 && e.tagName != 'SELECT')
                .map(e => e.textContent)"""
        )
        assert wide == []


def test_a_file_holds_all_it_needs(ladders, picture, file):
    text = Path(file.removeprefix("file://")).read_text(encoding="utf-8")
    assert "<title>Chelsea &lt;!-- &lt;script &lt;/script></title>" in text
    assert not [part for part in ("http://", "https://", "@import", "url(") if part in text]
    manifest = viewer.manifest(ladders, picture, "x")
    assert len(json.dumps(manifest)) < 50_000
    assert [codec["id"] for codec in manifest["codecs"]] == sources()


def test_the_viewer_reads_nothing_of_frames_but_what_their_schema_names(lesson):
    """What it reads besides throws, which fails the page."""
    schema = Path(ladder.__file__).with_name("frame.schema.json").read_text(encoding="utf-8")
    lesson.evaluate(
        """async ([source, schema]) => {
            const { strict } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
            const { host, manifest, constructor } = maeViewer;
            const ladder = async (id) => strict(await host.ladder(id), schema);
            maeViewer.close();
            globalThis.maeViewer = new constructor(document.getElementById("viewer"), { ...host, ladder });
            maeViewer.update(manifest);
        }""",
        [(HERE / "js" / "strict.js").read_text(encoding="utf-8"), json.loads(schema)],
    )
    for layer in ("difference", "bits", "y", "ratio"):
        choose(lesson, 1, layer=layer)
        settled(lesson)
    choose(lesson, 0, codec="jpeg")
    settled(lesson)
    lesson.get_by_role("button", name="MS-SSIM").click()
    lesson.locator(".curve .dot[data-codec=mae]").hover()
    go_to(lesson, 4096)


# In Streamlit


@pytest.fixture(scope="module")
def server(cache, file):
    command = [sys.executable, "-m", "streamlit", "run", str(HERE / "viewer_app" / "app.py"), "--server.port", "{port}"]
    with serve([*command, "--server.headless", "true"], "/_stcore/health", MAE_VIZ_CACHE=str(cache)) as url:
        yield url


@pytest.fixture
def app(profile, server):
    with visit(profile, server, ("ws:",), viewport=SIZE) as page:
        settled(page)
        yield page


def test_frames_on_disk_are_never_computed_again(browser, server):
    """The page of its own has made the ladders; neither a new server nor a second browser calls a model."""
    for _ in range(2):
        with visit(browser, server, ("ws:",), viewport=SIZE) as page:
            settled(page)
            go_to(page, 128)
            expect(page.get_by_text("released 128.0, ")).to_be_visible()
            expect(page.get_by_text("0 model calls", exact=True)).to_be_visible()


def test_streamlit_shows_the_decoders_pixels(app, picture):
    app.get_by_role("button", name="Zoom 100 %").click()
    for lmbda in LMBDAS:
        go_to(app, lmbda)
        assert np.array_equal(shown(app, 0, picture), np.asarray(picture))
        for pane, name in ((1, "mae"), (2, "bottleneck-scaling")):
            stream, decoded = round_trip(picture, name, lmbda)
            assert np.array_equal(shown(app, pane, picture), decoded)
            assert number(app, pane, "bytes") == f"{len(stream)}"
        expect(app.get_by_text(f"released {float(lmbda)}, ")).to_be_visible()


def test_streamlit_shows_classical_codecs_pixels(app, picture):
    app.get_by_role("button", name="Zoom 100 %").click()
    choose(app, 0, codec="jpeg", rate="own")
    expect(app.locator(".pane").nth(0).locator(".note")).not_to_contain_text("ready")
    for quality in (5, 50, 95):
        show_quality(app, picture, quality)


def test_a_run_that_another_has_overtaken_does_not_close_the_viewer(app, ladders, picture):
    """Streamlit runs the component's script again at every change, and undoes a run that ends after a newer one began:
    what a person has chosen meanwhile must stay."""
    app.route("**/mae-viz/ladder/**", lambda route: route.fulfill(json={"frames": [], "total": 0, "complete": True}))
    shown = app.evaluate(
        """async ([source, manifest]) => {
            const files = performance.getEntriesByType("resource").map((entry) => entry.name);
            const version = files.map((name) => /viewer-(\\w+)\\.js$/.exec(name)?.[1]).find(Boolean);
            const { default: run } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
            const parentElement = document.body.appendChild(document.createElement("div"));
            const data = { base: "/mae-viz", version, asking: {}, manifest };
            const given = { parentElement, data, setStateValue() {} };
            const wait = () => new Promise((resolve) => setTimeout(resolve, 100));
            const [undoFirst, undoSecond] = [await run(given), await run(given)];
            const there = () => parentElement.querySelectorAll(".mae-viewer").length;
            undoFirst();
            await wait();
            const overtaken = there();
            parentElement.remove();
            undoSecond();
            await wait();
            return [overtaken, there()];
        }""",
        [
            (Path(viewer.__file__).parent / "js" / "streamlit_host.js").read_text(encoding="utf-8"),
            viewer.manifest(ladders, picture, "x", codecs=("jpeg",), panes=[{"codec": "jpeg", "layer": "picture"}]),
        ],
    )
    assert shown == [1, 0]
    app.unroute_all(behavior="wait")


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_that_the_server_has_forgotten_opens_its_pictures_again(browser, server, status):
    """After a restart the server knows no session, after a long rest no picture: Streamlit runs the page again."""
    page = browser.new_page(viewport=SIZE)  # on whose console stands the answer
    answers = iter([{"status": status, "json": {"error": "not open any more"}}])

    def answer(route: Route) -> None:  # to the first question alone
        forgotten = next(answers, None)
        route.fulfill(**forgotten) if forgotten else route.continue_()

    page.route(re.compile(r"/ladder/\w+(\?|$)"), answer)
    page.goto(server)
    expect(page.get_by_text("released None, run 2")).to_be_visible()
    settled(page)
    page.unroute_all(behavior="wait")
    page.close()


def test_streamlit_makes_the_exact_frame_on_release(app, picture):
    app.get_by_role("button", name="Zoom 200 %").click()
    app.locator("input.rate").focus()
    app.keyboard.press("Shift+ArrowRight")
    app.locator(".pane[data-at='193']").nth(1).wait_for()
    settled(app)
    decoded = round_trip(picture, "mae", Rate(193).lmbda)[1]
    assert np.array_equal(shown(app, 1, picture, zoom=2), decoded.repeat(2, 0).repeat(2, 1))
    expect(app.get_by_text(f"released {Rate(193).lmbda}")).to_be_visible()
    assert app.get_by_role("button", name="Zoom 200 %").get_attribute("aria-pressed") == "true"


def test_zoom_survives_another_photograph(app):
    go_to(app, 256)
    app.locator(".pane .stage").nth(1).focus()
    app.keyboard.press("4")
    expect(app.get_by_text("released 256.0, run 2")).to_be_visible()
    pick(app, "Photograph", "coffee")
    coffee = open_rgb(gallery()["coffee"].path).crop((100, 40, 292, 168))
    expect(app.get_by_text("released 256.0, run 3")).to_be_visible()
    settled(app)
    app.get_by_role("button", name="Zoom 400 %").and_(app.locator("[aria-pressed=true]")).wait_for()
    app.get_by_role("button", name="Zoom 100 %").click()
    assert app.locator(".mae-viewer").get_attribute("data-index") == str(Rate.near(256).index)
    settled(app)
    assert np.array_equal(shown(app, 1, coffee), round_trip(coffee, "mae", 256)[1])


def test_keys_do_not_reach_streamlit(app):
    run = app.get_by_text("released None, run 1")
    expect(run).to_be_visible()
    app.locator(".pane .stage").nth(1).focus()
    for key in ("w", "b", "s", "l", "d", "d", "n", "p", "0"):
        app.keyboard.press(key)
    expect(app.get_by_role("dialog")).to_have_count(0)


def test_frames_may_be_kept_for_good_and_lists_may_not(app, server):
    found: dict[str, str] = {}
    app.on("response", lambda r: found.setdefault(r.url.rsplit(".", 1)[-1], r.headers.get("cache-control", "")))
    app.reload()
    settled(app)
    assert "immutable" in found["webp"]
    assert "immutable" in found["js"]
    answer = app.request.get(f"{server}/mae-viz/ladder/..%2f..%2f/x.webp")
    assert answer.status in (400, 404)
    assert app.request.get(f"{server}/mae-viz/ladder/unknown").status == 403


@pytest.mark.parametrize("width", [1440, 820])
def test_streamlit_does_not_overflow(profile, server, width):
    with visit(profile, server, ("ws:",), viewport={"width": width, "height": 1000}) as page:
        settled(page)
        page.get_by_role("button", name="One pane more").click()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        viewer_width = page.locator(".mae-viewer").evaluate("e => e.scrollWidth - e.clientWidth")
        assert viewer_width <= 0
