"""Laboratory, R-D curves, File and How it works: in a real browser, and what they compute."""

import io
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import fits, in_address, settled, visit
from PIL import Image
from playwright.sync_api import Page, expect
from starlette.requests import Request
from test_colours import in_plots_as_in_the_file

import mae_viz
from mae_viz import rates
from mae_viz.app import computed, lessons
from mae_viz.app.pages import curves as curves_page
from mae_viz.app.pages import file as file_page
from mae_viz.app.parts import how_figures
from mae_viz.coding import bitstream, coder
from mae_viz.images import ImageError, gallery, open_rgb
from mae_viz.measured import collected
from mae_viz.numbers import in_bytes

PICTURE = "chelsea"
SMALL = f"image={PICTURE}&lambda=700"
TITLES = {
    f"?image={PICTURE}": "Laboratory",
    "curves": "R-D curves",
    f"file?{SMALL}": "File",
    f"how?{SMALL}": "How it works",
}


@pytest.fixture(scope="module")
def picture():
    return open_rgb(gallery()[PICTURE].path)


@pytest.mark.parametrize("address", TITLES)
def test_a_page_fits_and_reads_at_both_widths(profile, server, address):
    with visit(profile, f"{server}/{address}", viewport={"width": 1440, "height": 900}) as page:
        expect(page.get_by_role("heading", name=TITLES[address], exact=True)).to_be_visible()
        settled(page)
        assert page.locator("[data-testid=stException]").count() == 0
        page.mouse.move(5, 5)
        found = Axe().run(page).response["violations"]
        serious = [
            f"{v['help']}: {v['nodes'][0]['html'][:100]}" for v in found if v["impact"] in ("serious", "critical")
        ]
        assert serious == []
        if address.startswith(("curves", "how")):
            in_plots_as_in_the_file(page)
        for width in (1440, 820):
            fits(page, width, but="svg, input, .katex-mathml")


def test_the_laboratory_leads_to_other_pages_with_their_state(profile, server):
    with visit(profile, f"{server}/?image={PICTURE}") as page:
        page.get_by_role("button", name="Laboratory, panel “Who pays”").click()  # and to itself
        expect(page.locator(".panel select").first).to_have_value("price")
        in_address(page, exactly=True, image=PICTURE, panels="price,curve")
        page.get_by_role("link", name="How it works, step 10").click()
        page.wait_for_url(re.compile("/how"))
        in_address(page, exactly=True, image=PICTURE, step="10", **{"lambda": "700"})
        between = "λ = 700.9 lies between two λ with tables of their own, 608.9 and 724.1"
        expect(page.get_by_text(between).first).to_be_visible()
        on_top(page, "10. Any λ, and the file")
        page.get_by_role("button", name="3. Between the convolutions").click()
        on_top(page, "3. Between the convolutions: GDN")
        in_address(page, exactly=True, image=PICTURE, step="3", **{"lambda": "700"})
        page.go_back()
        on_top(page, "10. Any λ, and the file")
        page.go_forward()
        on_top(page, "3. Between the convolutions: GDN")


def on_top(page: Page, heading: str) -> None:
    """Waits until a heading stands in the upper half of the window."""
    expect(page.get_by_role("heading", name=heading)).to_be_in_viewport()
    page.wait_for_function(
        """(text) => [...document.querySelectorAll("h3")].some((h) =>
            h.textContent.includes(text) && h.getBoundingClientRect().top < innerHeight / 2)""",
        arg=heading,
    )


def test_a_point_of_a_curve_leads_to_its_picture(profile, server):
    """Every point of a model is measured; a click on one offers the laboratory at its λ."""
    with visit(profile, f"{server}/curves", viewport={"width": 1440, "height": 1200}) as page:
        settled(page)
        chart = page.get_by_test_id("stPlotlyChart").first
        chart.locator(".trace", has=page.locator(".point")).first.wait_for()
        names = chart.locator(".legendtext").all_text_contents()
        points = chart.locator(".scatterlayer .trace").nth(names.index("MAE")).locator(".point")
        means = curves_page.measured(collected.results(), "kodak", "psnr")
        ours = means[means["curve"] == "mae"]
        assert points.count() == len(ours)
        box = points.nth(2).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        row = ours.iloc[2]
        expect(
            page.get_by_text(f"MAE, λ = {row.lmbda:g}: {row.bpp:.4f} bpp, PSNR {row.psnr_db:.2f} dB")
        ).to_be_visible()
        page.get_by_role("link", name=f"Open λ = {row.lmbda:g} in the laboratory").click()
        expect(page).to_have_url(f"{server}/?lambda={row.lmbda:g}")


def test_what_the_curves_show_lies_in_the_address(profile, server):
    """Every change is a step of the browser's history; what the address says wrongly is passed over."""
    shown = {"dataset": "Bundled photographs", "codecs-gallery": "JPEG (4:2:0)"}
    address = f"{server}/curves?{urlencode(shown)}&codecs-gallery=MAE&codecs-gallery=nothing&log=perhaps&quality=none"
    with visit(profile, address, viewport={"width": 1440, "height": 1200}) as page:
        chosen = page.get_by_test_id("stMultiSelect")
        expect(chosen).to_have_text(re.compile(r"JPEG \(4:2:0\)\W*MAE$"))
        settled(page)
        page.get_by_role("radio", name="MS-SSIM", exact=True).click()
        in_address(page, **{**shown, "codecs-gallery": "nothing"}, quality="MS-SSIM", log="perhaps")
        settled(page)
        page.get_by_text("Logarithmic rate").click()
        in_address(page, quality="MS-SSIM", log="true")
        settled(page)
        page.get_by_role("combobox", name="Codecs").click()
        page.keyboard.press("Backspace")
        in_address(page, quality="MS-SSIM", log="true", **{"codecs-gallery": "JPEG (4:2:0)"})
        settled(page)
        page.keyboard.press("Backspace")
        in_address(page, exactly=True, dataset=shown["dataset"], quality="MS-SSIM", log="true")
        expect(page.get_by_text("No codec is chosen: choose some above.")).to_be_visible()
        settled(page)
        page.go_back()
        in_address(page, quality="MS-SSIM", log="true", **{"codecs-gallery": "JPEG (4:2:0)"})
        expect(chosen).to_have_text(re.compile(r"JPEG \(4:2:0\)$"))
        page.go_back()
        expect(chosen).to_have_text(re.compile("MAE$"))
        page.go_back()
        in_address(page, quality="MS-SSIM", log="perhaps")
        page.go_back()
        in_address(page, quality="none", log="perhaps")


def test_a_file_is_taken_apart_damaged_and_decoded(profile, server, picture, tmp_path):
    data = mae_viz.compress(picture, "mae", 700)
    with visit(profile, f"{server}/file?{SMALL}", viewport={"width": 1440, "height": 1200}) as page:
        expect(page.get_by_text(in_bytes(len(data))).first).to_be_visible()
        header = page.get_by_role("img", name="The header in hexadecimal")
        expect(header).to_have_attribute("aria-label", f"The header in hexadecimal: {data[:35].hex(' ')}")
        for part in bitstream.anatomy(data):
            said = in_bytes(part.size) if part.name in ("payload", "escape section") else part.value
            expect(page.get_by_role("cell", name=said, exact=True).first).to_be_visible()
        settled(page)
        page.get_by_role("button", name="Flip a random bit of the payload").click()
        expect(page.get_by_text("the file is damaged: its checksum does not match")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save this file").click()
        assert Path(download.value.path()).read_bytes() == data
        (tmp_path / "mine.mae").write_bytes(data)
        (tmp_path / "broken.mae").write_bytes(data[:-1])
        uploader = page.locator("input[type=file]")
        uploader.set_input_files(tmp_path / "mine.mae")
        expect(page.get_by_text(f"mine.mae: {picture.width} × {picture.height} pixels, MAE, λ = 700.9")).to_be_visible()
        uploader.set_input_files(tmp_path / "broken.mae")
        expect(page.get_by_text("broken.mae: the file is cut off")).to_be_visible()


def test_every_damage_has_a_sentence_of_its_own(crop):
    data = mae_viz.compress(crop, lmbda=300)
    said = set()
    for damage in file_page.damages(data, bitstream.anatomy(data)):
        with pytest.raises(bitstream.StreamError) as caught:
            coder.decompress(damage.data)
        said.add(str(caught.value))
    assert len(said) >= 8


def test_an_upload_that_claims_too_many_pixels_is_not_decoded(crop):
    vast = replace(bitstream.parse(mae_viz.compress(crop)), width=8000, height=8000).pack()
    with pytest.raises(bitstream.StreamError, match="more than 16 megapixels"):
        computed.opened(vast)


def test_lessons_are_served_by_name_and_nothing_else(monkeypatch, tmp_path):
    monkeypatch.setattr(lessons, "folder", lambda: tmp_path)
    for name in ("coffee", "secret"):
        (tmp_path / f"{name}.html").write_text(name)
    (route,) = lessons.routes()

    def ask(name: str):
        return route.endpoint(Request({"type": "http", "path_params": {"name": name}}))

    assert Path(ask("coffee").path) == tmp_path / "coffee.html"
    for name in ("secret", "china", "../secret", f"{tmp_path}/secret"):
        assert ask(name).status_code == 404
    assert f"/{lessons.url('coffee')}" == route.path.replace("{name}", "coffee")


def test_the_rates_of_the_example_lie_between_trained_ones():
    assert how_figures.BETWEEN.lmbda not in rates.LMBDAS
    assert [rate.lmbda for rate in how_figures.SHOWN] == list(rates.LMBDAS)


def test_a_picture_that_unpacks_to_too_much_is_refused_before_that():
    """A compressed file of a few kilobytes may hold a billion pixels: the sentence comes without them."""
    data = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(data, "PNG")
    assert len(data.getvalue()) < 200_000
    with pytest.raises(ImageError, match="more than 16 megapixels: scale it down"):
        computed.picture_from("bomb.png", data.getvalue())


def test_the_server_answers_this_machine_alone_and_limits_uploads():
    settings = tomllib.loads((Path(mae_viz.__file__).parent.parent / ".streamlit" / "config.toml").read_text())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["server"]["maxUploadSize"] <= 40
