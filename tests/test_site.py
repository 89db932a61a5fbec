"""The live codec as a folder of static files, in a real browser: what it shows are the files that Python reads, and
Python's files are what it shows."""

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import serve, visit
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from test_javascript import node

from mae_viz import metrics, probe
from mae_viz.browser import site
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

STATIC = str(Path(__file__).parent / "static.py")
SIZE = {"width": 1440, "height": 900}
SHOWN = """globalThis.maeViewer && !maeViewer.scheduled && maeViewer.panes.every((pane) =>
    !pane.waiting && pane.shown?.bitmap && (pane.codec.axis === "none" || pane.frame?.bytes))"""
"""Everything that was asked for has been drawn."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("site")
    site.write(out)
    return out


@pytest.fixture(scope="module")
def space(folder):
    """A web space that sends no headers of its own."""
    with serve([sys.executable, STATIC, "{port}", str(folder)], "/") as url:
        yield url


@pytest.fixture(scope="module")
def upright(tmp_path_factory, crop) -> Path:
    """A photograph that lies on its side in its file, and says so."""
    path = tmp_path_factory.mktemp("own") / "mine.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    crop.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    return path


@pytest.fixture(scope="module")
def page(browser: Browser, space, upright):
    """The page with a photograph of one's own, as small as tests can do with."""
    with visit(browser, f"{space}/#lambda=128&panes=mae,bottleneck-scaling&panels=gains", viewport=SIZE) as tab:
        tab.wait_for_function("globalThis.maeSite?.viewer")
        tab.locator("header input[type=file]").first.set_input_files(upright)
        tab.get_by_text("it stays on this device").wait_for()
        tab.wait_for_function(SHOWN)
        yield tab


def show(tab: Page, *codecs: str) -> None:
    panes = [{"codec": codec, "layer": "picture"} for codec in codecs]
    tab.evaluate("(panes) => { maeViewer.setPanes(panes); maeViewer.changed(); }", panes)
    tab.wait_for_function(SHOWN)


def saved(tab: Page, name: str) -> bytes:
    with tab.expect_download() as download:
        tab.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_bytes()


def pixels(tab: Page, pane: int) -> np.ndarray:
    """The decoded picture of a pane, exactly."""
    width, height, values = tab.evaluate(
        """(pane) => {
            const { bitmap } = maeViewer.panes[pane].shown;
            const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
            context.drawImage(bitmap, 0, 0);
            return [bitmap.width, bitmap.height, [...context.getImageData(0, 0, bitmap.width, bitmap.height).data]];
        }""",
        pane,
    )
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


@pytest.mark.parametrize("name", site.MODELS)
def test_what_is_shown_is_decoded_from_the_file_that_can_be_saved(name, page, crop):
    show(page, name, "original")
    title = page.evaluate("maeViewer.panes[0].codec.title")
    stream = saved(page, f"Save .mae: {title}, λ = 128")
    frame = page.evaluate("maeViewer.panes[0].frame")
    assert frame["bytes"] == len(stream)
    decoded = np.asarray(coder.decompress(stream))
    assert np.abs(pixels(page, 0).astype(int) - decoded).max() <= 1
    checkpoint = checkpoints.open_checkpoint(name)
    mine = coder.encode(crop, checkpoint, Rate.near(128)).stream  # the picture was read upright, its pixels as they are
    told, expected = (coder.decode_symbols(checkpoint, bitstream.parse(data)) for data in (stream, mine))
    assert sum((a != b).sum() for a, b in zip(told, expected, strict=True)) <= 1  # at a tie
    shown = pixels(page, 0)
    assert frame["psnr_db"] == pytest.approx(metrics.psnr_db(shown, np.asarray(crop)), abs=1e-9)
    assert frame["bpp"] == pytest.approx(metrics.bpp(len(stream), crop.height, crop.width), abs=1e-5)
    cost = probe.cost(checkpoint, stream)
    assert frame["estimated_bpp"] * crop.width * crop.height == pytest.approx(cost.bits, rel=5e-3)
    listed = page.evaluate(
        """async () => {
            const { ladder, frame } = maeViewer.panes[0];
            const { layers, channels, places } = ladder.info;
            const blob = (file) => maeSite.host.bytes(ladder.id, file);
            const read = async (file) => [...new Float32Array(await (await blob(file)).arrayBuffer())];
            return { layers, channels, places, by: await read(frame.by_channel), bits: await read(frame.bits) };
        }"""
    )
    by_channel = np.array(listed["by"]).reshape(-1, listed["channels"])
    gains = probe.all_gains(checkpoint.model, Rate.near(128))
    assert listed["layers"] == list(gains)
    np.testing.assert_allclose(by_channel[1:], np.stack(list(gains.values())), rtol=1e-4)
    np.testing.assert_allclose(by_channel[0], cost.y.sum((1, 2)), rtol=0.02, atol=3)
    np.testing.assert_allclose(np.array(listed["bits"]).reshape(listed["places"]), cost.places, rtol=0.03, atol=1)


@pytest.mark.parametrize("codec", site.ENCODERS)
def test_what_the_browser_codes_itself_is_measured_alike(codec, page, crop):
    show(page, codec, "original")
    frame = page.evaluate("maeViewer.panes[0].frame")
    assert frame["psnr_db"] == pytest.approx(metrics.psnr_db(pixels(page, 0), np.asarray(crop)), abs=1e-9)
    data = page.evaluate(
        """async () => {
            const { ladder, frame } = maeViewer.panes[0];
            return [...new Uint8Array(await (await maeSite.host.bytes(ladder.id, frame.coded)).arrayBuffer())];
        }"""
    )
    assert len(data) == frame["bytes"]
    assert Image.open(io.BytesIO(bytes(data))).size == crop.size


@pytest.mark.parametrize("name", site.MODELS)
def test_a_file_of_pythons_is_shown(name, page, crop, tmp_path):
    stream = coder.compress(crop, name, 700)
    path = tmp_path / f"{name}.mae"
    path.write_bytes(stream)
    page.locator("header input[type=file]").first.set_input_files(path)
    dialog = page.locator("dialog")
    expect(dialog).to_contain_text(f"{crop.width} × {crop.height} pixels")
    expect(dialog).to_contain_text("λ = 700.9")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Save as PNG").click()
    found = np.asarray(Image.open(download.value.path()).convert("RGB"))
    assert np.abs(found.astype(int) - np.asarray(coder.decompress(stream))).max() <= 1
    dialog.get_by_role("button", name="Close").click()
    path.write_bytes(stream[:-1] + bytes([stream[-1] ^ 1]))
    page.locator("header input[type=file]").first.set_input_files(path)
    expect(page.locator("main > .status")).to_contain_text("the file is damaged")
    expect(dialog).to_be_hidden()


@pytest.mark.parametrize(("event", "kind", "carrier"), [
    ("drop", "DragEvent", "dataTransfer"), ("paste", "ClipboardEvent", "clipboardData"),
])  # fmt: skip
def test_pictures_are_dropped_and_pasted(event, kind, carrier, page):
    """Transparency is laid on white, as in Python."""
    page.evaluate(
        f"""async () => {{
            const canvas = new OffscreenCanvas(70, 50);
            canvas.getContext("2d").fillRect(0, 0, 35, 50);
            const carried = new DataTransfer();
            carried.items.add(new File([await canvas.convertToBlob()], "{event}ed.png", {{ type: "image/png" }}));
            dispatchEvent(new {kind}("{event}", {{ {carrier}: carried, bubbles: true, cancelable: true }}));
        }}"""
    )
    page.wait_for_function(f"maeViewer.manifest.title === '{event}ed'")
    show(page, "mae", "original")
    shown = pixels(page, 1)
    assert shown.shape == (50, 70, 3)
    assert (shown[:, :35] == 0).all()
    assert (shown[:, 35:] == 255).all()


def test_a_channel_switched_off_and_a_gain_moved_are_what_python_makes_of_them(page, crop, upright):
    page.locator("header input[type=file]").first.set_input_files(upright)
    page.wait_for_function("maeViewer.manifest.title === 'mine'")
    show(page, "mae", "bottleneck-scaling")
    checkpoint = checkpoints.open_checkpoint("mae")
    stream = coder.encode(crop, checkpoint, Rate.near(128)).stream
    channel = page.evaluate("maeViewer.laboratory.channel")
    page.get_by_role("button", name=f"Channel {channel} off").click()
    page.wait_for_function("maeViewer.panes[1].codec.from === 'mae'")
    page.wait_for_function(SHOWN)
    expected = np.asarray(coder.decompress(probe.switched_off(checkpoint, stream, channel)))
    assert np.abs(pixels(page, 1).astype(int) - expected).max() <= 1
    page.get_by_role("button", name="As trained").click()
    page.wait_for_function("maeViewer.panes[1].codec.id === 'bottleneck-scaling'")
    page.get_by_role("slider", name=f"m of channel {channel}").press("ArrowUp")
    page.wait_for_function("maeViewer.panes[1].codec.from === 'mae'")
    page.wait_for_function(SHOWN)
    hand = page.evaluate("maeViewer.panes[1].codec.hand")
    assert hand["factors"] == {"m3": {str(channel): pytest.approx(2**0.25)}}
    page.get_by_role("button", name="As trained").click()
    page.wait_for_function("maeViewer.panes[1].codec.id === 'bottleneck-scaling'")


def test_a_link_brings_the_state_again(browser, space):
    said = "image=coffee&lambda=301.2&panes=mae:ratio.4/128,jpeg@45&mode=side&panels=bits"
    with visit(browser, f"{space}/#{said}", viewport=SIZE) as tab:
        tab.wait_for_function("globalThis.maeSite?.viewer")
        state = tab.evaluate("maeViewer.state")
        assert (state["index"], state["mode"], state["panels"]) == (Rate.near(301.2).index, "side", ["bits"])
        first, second = state["panes"]
        assert (first["codec"], first["layer"], first["channel"], first["base"]) == ("mae", "ratio", 4, 64)
        assert (second["codec"], second["follow"], second["own"]) == ("jpeg", "own", 45)
        assert tab.evaluate("location.hash") == f"#{said}"
        tab.get_by_role("button", name="Share").click()
        assert tab.locator("dialog a").get_attribute("href") == tab.url
        assert tab.locator("dialog svg.qr").is_visible()


def test_after_a_first_visit_it_works_offline_and_in_several_threads(browser, space):
    with visit(browser, f"{space}/#image=chelsea&panes=mae", viewport=SIZE) as tab:
        tab.locator("html[data-kept]").wait_for()
        assert tab.evaluate("crossOriginIsolated") is True
        assert tab.evaluate("navigator.serviceWorker.controller !== null")
        asked = tab.context.new_cdp_session(tab).send("Page.getInstallabilityErrors")
        assert [error["errorId"] for error in asked["installabilityErrors"] if error["errorId"] != "in-incognito"] == []
        tab.context.set_offline(True)
        tab.reload()
        tab.wait_for_function(SHOWN)
        tab.context.set_offline(False)


def test_without_a_service_worker_it_computes_in_one_thread(browser, space, upright):
    with visit(browser, f"{space}/#panes=mae", viewport=SIZE, service_workers="block") as tab:
        tab.wait_for_function("globalThis.maeSite?.viewer")
        tab.locator("header input[type=file]").first.set_input_files(upright)
        tab.get_by_text("it stays on this device").wait_for()
        tab.wait_for_function(SHOWN)
        assert tab.evaluate("crossOriginIsolated") is False


def test_of_a_large_picture_the_middle_is_scrubbed_and_the_whole_can_be_shown(page, tmp_path):
    show(page, "mae", "original")
    photograph = open_rgb(gallery()["coffee"].path).resize((1104, 736), Image.Resampling.BICUBIC)
    photograph.save(path := tmp_path / "large.png")
    page.locator("header input[type=file]").first.set_input_files(path)
    page.get_by_role("button", name="Show the whole picture").click()
    page.wait_for_function(f"maeViewer.whole && {SHOWN}")
    stream = saved(page, "Save .mae: MAE, λ = 128")
    assert page.evaluate("maeViewer.panes[0].frame.bytes") == len(stream)
    mine = coder.compress(photograph, "mae", 128)
    assert len(stream) == pytest.approx(len(mine), rel=1e-3)


def test_a_blind_test_and_the_votes_of_a_room(page, upright):
    page.locator("header input[type=file]").first.set_input_files(upright)
    page.wait_for_function(SHOWN)
    page.get_by_role("button", name="Start a blind test").click()
    page.get_by_role("button", name="A looks better").click()
    told = page.locator(".blind .told").inner_text()
    sizes = [int(re.sub(r"\D", "", size)) for size in re.findall(r"([\d\u202f]+)\u202fbytes", told)]
    assert len(sizes) == 2
    assert max(sizes) / min(sizes) < 1.03
    code = page.locator(".code").inner_text()
    page.get_by_role("button", name="End the test").click()
    page.get_by_role("button", name="Votes of a room").click()
    page.get_by_role("textbox", name="Codes").fill(f"{code} {code.lower()} 0000-1234")
    expect(page.locator("dialog")).to_contain_text("1 person: ")
    expect(page.locator("dialog")).to_contain_text("misread perhaps: 0000-1234")
    page.locator("dialog").get_by_role("button", name="Close").click()


@pytest.mark.parametrize(("widths", "touch"), [((1440, 820), False), ((390,), True)])
def test_it_reads_on_every_screen(widths, touch, browser, space):
    size = {"width": widths[0], "height": 844}
    with visit(browser, f"{space}/#image=chelsea", viewport=size, has_touch=touch) as tab:
        tab.wait_for_function("globalThis.maeSite?.viewer")
        tab.wait_for_function("maeViewer.panes.some((pane) => pane.frame?.bytes)")
        for width in widths:
            tab.set_viewport_size(size | {"width": width})
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            for scheme in ("light", "dark"):
                tab.emulate_media(color_scheme=scheme)
                found = Axe().run(tab).response["violations"]
                assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
        if touch:
            sizes = tab.locator("body > header :is(button, select)").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().height)"
            )
            assert min(sizes) >= 44


def test_a_site_is_small_and_names_no_other_place(folder):
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert sum(sizes.values()) <= 60e6
    models = [f"codec/models/{name}." for name in site.MODELS[:2]]
    first = ("index", "site.", "viewer.", "codec/worker", "codec/codec", "codec/runtime/ort.wasm", *models)
    first += ("codec/runtime/ort-wasm-simd-threaded.wasm", "codec/runtime/ort-wasm-simd-threaded.js")
    loaded = [size for name, size in sizes.items() if name.startswith(first)]
    assert sum(loaded) + sizes["photographs/flower.webp"] <= 25e6
    worker = (folder / "service_worker.js").read_text(encoding="utf-8")
    named = json.loads(re.search(r"^const ALL = (.*);$", worker, re.M)[1])
    assert set(named) == {"./", *sizes} - {"service_worker.js"}


def test_without_its_runtime_a_sentence_says_what_to_do(tmp_path, run):
    said = run("site", "--out", tmp_path / "out", "--runtime", tmp_path, code=2)
    assert "npm install onnxruntime-web" in said.err


def test_measures_are_the_projects(photograph, tmp_path):
    generator = np.random.default_rng(1)
    cases = []
    for width, height in ((233, 171), (176, 320), (96, 64)):
        picture = np.asarray(photograph.resize((width, height)))
        other = np.clip(picture + generator.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
        cases.append((picture, other))
    given = [
        {"width": a.shape[1], "height": a.shape[0]} | {"a": rgba(a), "b": rgba(b)}
        for a, b in [*cases, (cases[0][0],) * 2]
    ]
    (tmp_path / "in.json").write_text(json.dumps(given))
    script = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ msSsimDb, msSsimDbOnce, psnrDb, pyramid }} from "./mae_viz/browser/js/measures.js";
        const cases = JSON.parse(readFileSync({json.dumps(str(tmp_path / "in.json"))}));
        console.log(JSON.stringify(cases.map(({{ a, b, width, height }}) => [
            psnrDb(Uint8Array.from(a), Uint8Array.from(b)),
            msSsimDb(pyramid(Uint8Array.from(a), width, height), Uint8Array.from(b)) ?? null,
            msSsimDbOnce(Uint8Array.from(a), Uint8Array.from(b), width, height) ?? null,
        ])));"""
    *found, equal = json.loads(node("--input-type=module", "--eval", script))
    for (psnr_db, ms_ssim_db, once), (a, b) in zip(found, cases, strict=True):
        assert psnr_db == pytest.approx(metrics.psnr_db(a, b), abs=1e-9)
        expected = metrics.ms_ssim_db(a, b)
        assert ms_ssim_db == (None if expected is None else pytest.approx(expected, abs=2e-3))
        assert once == (None if expected is None else pytest.approx(ms_ssim_db, abs=1e-6))
    assert equal == ["inf", "inf", "inf"]


def rgba(picture: np.ndarray) -> list[int]:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]).ravel().tolist()
