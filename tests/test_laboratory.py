"""Page Laboratory in a browser: the address holds the view, codecs are matched for real, the blind test is blind."""

import itertools
import re

import numpy as np
import pytest
from chromium import canvas_pixels, in_address, painted, pick, plain, settled, until, visit
from PIL import Image
from playwright.sync_api import Page, expect

import mae_viz
from mae_viz import metrics
from mae_viz.app import site
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.codecs.registry import codec, names
from mae_viz.images import gallery, open_rgb
from mae_viz.numbers import in_bytes
from mae_viz.rates import Rate
from mae_viz.viewer import pane_text
from mae_viz.viewer.arrangements import ARRANGEMENTS

SIZE = {"width": 1440, "height": 1000}
PICTURE, OTHER = "chelsea", "coffee"  # the smallest first: most pages here have its whole ladder computed
THREE = "original,mae,bottleneck-scaling"
LINK = f"?image={PICTURE}&lambda=724.1&panes=original,mae:ratio.7/128,jpeg@37,bottleneck-scaling@64&mode=side"


@pytest.fixture(scope="module")
def original() -> Image.Image:
    return open_rgb(gallery()[PICTURE].path)


@pytest.fixture
def page(profile, server):
    with visit(profile, f"{server}/?image={PICTURE}&panes={THREE}&mode=side&lambda=512", viewport=SIZE) as tab:
        drawn(tab)
        yield tab


def drawn(page: Page, lmbda: float | None = None) -> None:
    """Wait until the viewer shows the frame of the λ that is set, or of this one, and the page around it."""
    index = "" if lmbda is None else f"[data-index='{Rate.near(lmbda).index}']"
    page.locator(f".mae-viewer{index}[data-busy=false]").wait_for()
    settled(page)
    page.locator(f".mae-viewer{index}[data-busy=false]").wait_for()
    painted(page)


def panes(page: Page) -> list[list[str]]:
    """Codec, layer, and how the rate is chosen, of each pane; its rate as printed."""
    return page.locator(".pane").evaluate_all(
        """panes => panes.map(pane => [...pane.querySelectorAll('select')].filter(s => !s.hidden)
            .map(s => s.value).concat(pane.querySelector('dd').textContent))"""
    )


def canvases(page: Page) -> list[np.ndarray]:
    return [canvas_pixels(canvas) for canvas in page.locator(".pane canvas").all()]


def number(page: Page, pane: int, label: str) -> str:
    return plain(page.locator(".pane").nth(pane).locator(f"dl div:has(dt:text-is('{label}')) dd").inner_text())


# Panes as text


@pytest.mark.parametrize(
    "text",
    [
        "original,mae,bottleneck-scaling",
        "mae:ratio.12/256,bottleneck-scaling:y@64,jpeg@37,hevc-intra-444:difference",
        "mae@bytes,jpeg2000@0.15,avif@psnr",
    ],
)
def test_panes_are_found_again_in_their_text(text):
    assert pane_text.write(pane_text.read(text)) == text


def test_every_rate_is_found_again_in_its_text():
    assert [Rate.near(float(str(Rate(index)))).index for index in range(385)] == list(range(385))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mea", "there is no codec “mea”"),
        ("mae:maps", "there is no layer “maps”"),
        ("mae@9999", "MAE: λ = 9999 is outside"),
        ("jpeg@100", "JPEG .*: quality 100 is outside"),
        ("mae,mae,mae,mae,mae", "room for 4 panes"),
        ("mae@@", "is no pane"),
    ],
)
def test_what_is_no_pane_is_said(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        pane_text.read(text)


# The address


def test_a_copied_link_shows_the_same_in_a_fresh_browser(browser, server, original):
    views = []
    for _ in range(2):
        with visit(browser, f"{server}/{LINK}", viewport=SIZE) as page:
            drawn(page, 724.1)
            page.get_by_role("button", name="Zoom 100 %").click()
            drawn(page)
            views.append((panes(page), [canvas_pixels(c) for c in page.locator(".pane canvas").all()]))
    (told, shown), (again, repeated) = views
    assert told == [
        ["original", "picture", "–"],
        ["mae", "ratio", "7", str(Rate.near(128).index), "shared", "λ 724.1"],
        ["jpeg", "picture", "own", "quality 37"],
        ["bottleneck-scaling", "picture", "own", "λ 64"],
    ]
    assert again == told
    assert all(np.array_equal(a, b) for a, b in zip(shown, repeated, strict=True))
    decoded = np.asarray(CLASSICAL["jpeg"].decode(CLASSICAL["jpeg"].encode(original, Quality(37))))
    height, width = np.minimum(decoded.shape[:2], shown[2].shape[:2])  # the middle of the picture, to a pixel
    assert height > 200
    assert width > 200
    (canvas,) = middles(shown[2], height, width, 0)
    assert any(np.array_equal(middle, canvas) for middle in middles(decoded, height, width, 1))


def middles(pixels: np.ndarray, height: int, width: int, around: int) -> list[np.ndarray]:
    """The middle part of so many pixels, and those that lie up to ``around`` pixels beside it."""
    top, left = ((free + 1) // 2 for free in np.subtract(pixels.shape[:2], (height, width)))
    places = itertools.product(*(range(max(at - around, 0), at + around + 1) for at in (top, left)))
    return [pixels[y : y + height, x : x + width] for y, x in places]


def test_the_address_follows_and_back_restores_the_state_before(page):
    page.get_by_role("button", name="λ 128", exact=True).click()
    in_address(page, **{"lambda": "128", "image": PICTURE, "panes": THREE, "mode": "side", "show": None})
    drawn(page, 128)
    page.locator(".pane").nth(0).get_by_label("Codec", exact=True).select_option("jpeg")
    in_address(page, **{"lambda": "128", "panes": "jpeg,mae,bottleneck-scaling"})
    drawn(page)
    page.get_by_role("button", name="Bits", exact=True).first.click()
    in_address(page, **{"lambda": "128", "panes": None, "mode": None, "panels": None, "show": "bits"})
    drawn(page)
    pick(page, "Photograph", gallery()[OTHER].title)
    in_address(page, **{"lambda": "128", "image": OTHER, "show": "bits"})
    drawn(page)
    assert [pane[:2] for pane in panes(page)] == [["mae", "bits"], ["bottleneck-scaling", "bits"]]

    page.go_back()
    in_address(page, image=PICTURE, show="bits")
    expect(page.get_by_role("combobox", name="Photograph")).to_have_value(gallery()[PICTURE].title)
    page.go_back()
    in_address(page, panes="jpeg,mae,bottleneck-scaling", show=None)
    expect(page.locator(".pane")).to_have_count(3)
    drawn(page, 128)
    assert [pane[0] for pane in panes(page)] == ["jpeg", "mae", "bottleneck-scaling"]
    page.go_back()
    in_address(page, **{"panes": THREE, "lambda": "128"})
    expect(page.locator(".pane").nth(0).get_by_label("Codec", exact=True)).to_have_value("original")
    page.go_back()
    in_address(page, **{"lambda": "512"})
    drawn(page, 512)
    page.go_forward()
    in_address(page, **{"lambda": "128"})
    drawn(page, 128)


def test_back_and_forward_keep_where_one_looked_before_it_was_drawn(page):
    page.get_by_role("button", name="λ 256", exact=True).click()
    in_address(page, **{"lambda": "256"})
    drawn(page, 256)
    page.get_by_role("button", name="Zoom 400 %").click()
    page.locator(".pane").nth(2).locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    painted(page)
    looked = canvases(page)
    page.keyboard.press("ArrowLeft")
    painted(page)
    assert not any(map(np.array_equal, looked, canvases(page)))
    page.evaluate(
        "() => { [window.draws, window.put] = [requestAnimationFrame, []];"
        " window.requestAnimationFrame = (draw) => -window.put.push(draw); }"
    )
    page.keyboard.press("ArrowRight")
    page.evaluate("history.back()")
    in_address(page, **{"lambda": "512"})
    page.evaluate("() => { window.requestAnimationFrame = window.draws; window.put.forEach((draw) => draws(draw)); }")
    drawn(page, 512)
    expect(page.get_by_role("button", name="Fit the picture into the pane")).to_have_attribute("aria-pressed", "true")
    page.go_forward()
    in_address(page, **{"lambda": "256"})
    drawn(page, 256)
    until(page, lambda: all(map(np.array_equal, looked, canvases(page))), "the same part of the same pictures")


def test_the_picture_keeps_its_size_while_its_sentence_changes(profile, server):
    with visit(profile, f"{server}/?image={PICTURE}&lambda=64", viewport=SIZE) as page:
        stage, sentence = page.locator(".shared .stage"), page.locator(".sentence")
        stage.wait_for()
        settled(page)
        page.evaluate("document.fonts.ready")
        before = stage.bounding_box()  # with an empty cache nothing is measured yet
        for width in (1440, 390):
            page.set_viewport_size({**SIZE, "width": width})
            said = []
            for lmbda in (512, 64):
                page.get_by_role("button", name=f"λ {lmbda}", exact=True).click()
                drawn(page, lmbda)
                expect(sentence).to_contain_text(re.compile("Bottleneck scaling (pays|saves|needs|cannot)"))
                before = before or stage.bounding_box()
                assert stage.bounding_box() == before
                said.append(sentence.inner_text())
            assert len(set(said)) == 2
            before = None


def test_under_the_wipe_cards_stand_above_maps(profile, server):
    address = f"{server}/?image={PICTURE}&panes=mae:y,bottleneck-scaling:y,original&mode=wipe&panels=maps"
    with visit(profile, address, viewport=SIZE) as page:
        drawn(page)
        for width in (1440, 820, 390):
            page.set_viewport_size({**SIZE, "width": width})
            drawn(page)
            cards = [card.bounding_box() for card in page.locator(".pane .tag").all() if card.is_visible()]
            stage = page.locator(".shared .stage").bounding_box()
            assert len(cards) == 2
            assert max(card["y"] + card["height"] for card in cards) <= stage["y"] + 1
            assert stage["height"] > 150


def test_another_page_and_back_keep_picture_and_rate(page):
    page.get_by_role("button", name="λ 256", exact=True).click()
    in_address(page, **{"lambda": "256"})
    drawn(page, 256)
    page.get_by_role("button", name="Zoom 400 %").click()
    page.locator(".pane").nth(2).locator(".stage").focus()
    page.keyboard.press("ArrowRight")
    painted(page)
    looked = canvases(page)
    page.wait_for_function("document.querySelector('a[href*=\"how\"]')?.href.includes('lambda=256')")
    page.get_by_role("link", name="How it works", exact=True).click()
    page.wait_for_url(re.compile("/how"))
    in_address(page, **{"lambda": "256", "image": PICTURE})
    page.get_by_role("link", name="Laboratory").first.click()
    page.wait_for_url(re.compile(r"/\?"))
    in_address(page, exactly=True, **{"lambda": "256", "image": PICTURE})
    drawn(page, 256)
    page.go_back()
    page.wait_for_url(re.compile("/how"))
    page.go_back()
    in_address(page, **{"lambda": "256", "panes": THREE})
    drawn(page, 256)
    expect(page.get_by_role("button", name="Zoom 400 %")).to_have_attribute("aria-pressed", "true")
    until(page, lambda: all(map(np.array_equal, looked, canvases(page))), "the same part of the same pictures")
    assert len(canvases(page)) == len(looked) == 3


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("start", {}),
        ("explore?preset=hyperprior&lambda=64", {"show": "hyperprior", "lambda": "64"}),
        ("laboratory?panes=mae,jpeg&lambda=64", {"panes": "mae,jpeg", "lambda": "64"}),
    ],
)
def test_former_addresses_lead_to_the_laboratory(profile, server, address, leads_to):
    with visit(profile, f"{server}/{address}", viewport=SIZE) as page:
        page.wait_for_url(re.compile(rf"^{server}/(\?|$)"))
        in_address(page, exactly=True, **leads_to)
        page.locator(".mae-viewer .laboratory").wait_for()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"image": "coffee", "lambda": "700"}, {"image": "coffee", "lambda": "700"}),
        ({"preset": "classical"}, {"show": "classical"}),
        ({"preset": "lost"}, site.PRESETS["lost"]),
        ({"panes": "mae,jpeg@37", "lambda": "100"}, {"panes": "mae,jpeg@37", "mode": "side", "lambda": "100"}),
    ],
)
def test_what_a_former_address_said_is_said_in_todays_words(said, says):
    assert site.today(said) == says


@pytest.mark.parametrize("preset", site.PRESETS)
def test_what_former_presets_lead_to_is_there(preset):
    told = site.today({"preset": preset})
    assert told.get("show", "compare") in ARRANGEMENTS
    assert len(pane_text.read(told.get("panes", "mae"))) == len(told.get("panes", "mae").split(","))


def test_an_address_that_asks_for_what_there_is_not_gets_a_sentence(profile, server):
    with visit(profile, f"{server}/?image=nothing&lambda=5&panes=mea", viewport=SIZE) as page:
        expect(page.get_by_text("The address asks for what cannot be shown: λ = 5 is outside")).to_be_visible()
        drawn(page, 128)


# Match


def compared_at(page: Page, size: int) -> dict[str, list[str]]:
    """Compare all codecs at so many bytes; the table's rows by codec."""
    pick(page, "All codecs at the same", re.compile("^bytes$"))
    settled(page)
    page.get_by_role("spinbutton").fill(f"{size}")
    page.keyboard.press("Enter")
    drawn(page)
    page.get_by_role("button", name="Compare all codecs", exact=True).click()
    in_address(page, match=f"bytes@{size}")
    page.get_by_text(f"Within {in_bytes(size)}, ").wait_for()
    drawn(page)
    rows = page.locator("[data-testid=stMain] tbody tr")
    found = rows.evaluate_all("rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
    return {title: cells for title, *cells in found}


def value(text: str) -> float:
    return float(re.search(r"[\d.]+", plain(text)).group())


def test_which_codec_wins_at_one_size_and_the_two_that_one_opens(page, tmp_path, photograph):
    own = photograph.crop((150, 100, 350, 280))
    own.save(tmp_path / "own.png")
    page.get_by_role("button", name="Your own").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "own.png")
    expect(page.get_by_text("own.png: your picture")).to_be_visible()
    page.keyboard.press("Escape")
    drawn(page)
    table = compared_at(page, 2000)
    assert set(table) <= {codec(name).title for name in names()}
    best = max(table, key=lambda title: value(table[title][4]))
    assert [title for title, row in table.items() if "★" in row[4]] == [best]
    expect(page.get_by_text(f"Within {in_bytes(2000)}, {best} has the highest PSNR")).to_be_visible()
    jpeg, quality, rate = CLASSICAL["jpeg"], int(value(table["JPEG (4:2:0)"][0])), Rate.near(value(table["MAE"][0]))
    assert len(jpeg.encode(own, Quality(quality + 1))) > 2000
    assert len(mae_viz.compress(own, "mae", Rate(rate.index + 1).lmbda)) > 2000
    for title, stream, decode in (
        ("JPEG (4:2:0)", jpeg.encode(own, Quality(quality)), jpeg.decode),
        ("MAE", mae_viz.compress(own, "mae", rate.lmbda), mae_viz.decompress),
    ):
        _, size, left, bpp, psnr, ms_ssim = map(value, table[title])
        assert size == len(stream) <= 2000
        assert left == pytest.approx(100 * (1 - len(stream) / 2000), abs=0.006)
        assert bpp == pytest.approx(8 * len(stream) / (200 * 180), abs=6e-5)
        pair = np.asarray(decode(stream)), np.asarray(own)
        assert psnr == pytest.approx(metrics.psnr_db(*pair), abs=0.006)
        assert ms_ssim == pytest.approx(metrics.ms_ssim_db(*pair), abs=0.006)
    in_address(page, panes=THREE)  # what is on show stays
    for title in ("JPEG (4:2:0)", "MAE"):
        page.get_by_role("toolbar").get_by_role("button", name=title, exact=True).click()
        settled(page)
    in_address(page, panes=f"jpeg@{quality},mae@{rate}", mode=None)
    drawn(page)
    expect(page.locator(".mae-viewer")).to_have_attribute("data-mode", "wipe")


# Independent models


def test_beside_the_mae_stands_the_independent_model_of_the_nearest_rate(profile, server, original):
    with visit(
        profile,
        f"{server}/?image={PICTURE}&panes=original,independent,bottleneck-scaling,mae&mode=side&lambda=3000",
        viewport=SIZE,
    ) as page:
        drawn(page)
        note, layer = (page.locator(".pane").nth(1).locator(what) for what in (".note", "[aria-label=Layer] option"))
        assert number(page, 3, "rate") == f"λ {Rate.near(3000).lmbda:.0f}"
        assert number(page, 1, "rate") == "λ 4096"
        expect(note).to_have_text("one network for each λ: the nearest")
        assert number(page, 1, "bytes") == f"{len(mae_viz.compress(original, 'independent-4096', 4096))}"
        assert "ratio of y" not in layer.all_inner_texts()
        page.get_by_role("button", name="λ 64", exact=True).click()
        drawn(page, 64)
        expect(note).to_have_text("one network for each λ")
        assert number(page, 1, "bytes") == f"{len(mae_viz.compress(original, 'independent-64', 64))}"


# The plot


def test_the_dots_move_with_lambda_and_a_click_on_a_point_sets_it(page):
    for pane in (1, 2):  # all are there: nothing moves any more
        expect(page.locator(".pane").nth(pane).locator(".note")).not_to_contain_text("rates ready")
    dot = page.locator("[data-kind=curve] .dot[data-codec=mae]")
    before = float(dot.get_attribute("cx"))
    assert page.locator("[data-kind=curve] polyline").count() == 2
    page.locator("input.rate").focus()
    page.keyboard.press("Home")
    drawn(page, 64)
    assert float(dot.get_attribute("cx")) < before - 20
    best = page.locator("[data-kind=curve] circle:not(.dot)").last  # of bottleneck scaling
    best.evaluate("circle => circle.scrollIntoView({block: 'center'})")
    box = best.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    in_address(page, **{"lambda": "4096"})
    drawn(page, 4096)
    page.get_by_role("button", name="MS-SSIM", exact=True).click()
    expect(page.locator("[data-kind=curve] svg")).to_have_attribute("aria-label", re.compile("Rate and MS-SSIM"))


# The blind test


def test_a_blind_round_names_nobody_until_it_is_answered(page):
    page.get_by_role("button", name="Start a blind test").click()
    page.locator(".mae-viewer[data-blind][data-busy=false]").wait_for()
    settled(page)
    visible = page.locator(".mae-viewer").inner_text()
    assert not re.search("MAE|ottleneck|bytes|λ|dB", visible), visible
    assert page.locator(".pane").count() == 2
    assert not np.array_equal(*(canvas_pixels(canvas) for canvas in page.locator(".pane canvas").all()))
    page.get_by_role("button", name="A looks better").click()
    told = plain(page.get_by_test_id("stAlert").inner_text())
    order = re.findall(r"[AB] was (MAE|Bottleneck scaling), .*?: (\d+) bytes", told)
    assert {name for name, _ in order} == {"MAE", "Bottleneck scaling"}
    sizes = {name: value(size) for name, size in order}
    assert 0.97 * sizes["MAE"] < sizes["Bottleneck scaling"] <= sizes["MAE"]
    counts = {"MAE": "MAE 1, bottleneck scaling 0", "Bottleneck scaling": "MAE 0, bottleneck scaling 1"}
    expect(page.get_by_text(counts[order[0][0]])).to_be_visible()
    for pane, (name, size) in enumerate(order):
        expect(page.locator(".pane").nth(pane).get_by_label("Codec", exact=True)).to_contain_text(name)
        assert number(page, pane, "bytes") == size
    page.get_by_role("button", name="End the test").click()
    expect(page.get_by_role("heading", name="Which codec wins?")).to_be_visible()
