"""Colours as files state them: what `open_rgb` makes of each is what Chromium shows, to 2 of 255 levels."""

import base64
import io

import numpy as np
import pytest
from made import SRGB, SWAPPED, bmp5, chrm, chunk, cicp, encoded, gama, heic, iccp, jp2, nclx, png
from PIL import Image, ImageCms

from mae_viz.images import open_rgb

COLOURS = ((200, 80, 40), (30, 160, 90), (240, 240, 240), (12, 12, 12))
SIDE = 32
PIXELS = np.repeat(np.array([COLOURS], np.uint8), SIDE, 1).repeat(SIDE, 0)
"""Four squares side by side."""

DISPLAY_P3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
WARM = (0.3457, 0.3585, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""sRGB's primaries under a white of D50."""


def avif(primaries: int, transfer: int, **options) -> bytes:
    made = encoded(Image.fromarray(PIXELS), "AVIF", quality=100, subsampling="4:4:4", **options)
    return made if options else nclx(made, primaries, transfer)


FILES = {
    **{f"PNG, primaries {p}": png(PIXELS, cicp(p, 13)) for p in (1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22)},
    **{f"PNG, curve {t}": png(PIXELS, cicp(1, t)) for t in (1, 4, 5, 6, 7, 8, 11, 13, 14, 15, 17)},
    **{f"PNG, HDR {p} {t}": png(PIXELS, cicp(p, t)) for p in (1, 9, 12) for t in (16, 18)},
    "PNG, P3 over a profile": png(PIXELS, iccp(SWAPPED), cicp(12, 13)),
    "PNG, code points that say nothing": png(PIXELS, iccp(SWAPPED), cicp(2, 2)),
    "PNG, code points of video range": png(PIXELS, iccp(SWAPPED), cicp(12, 13, full=0)),
    "PNG, a profile over gamma": png(PIXELS, gama(1), iccp(SWAPPED)),
    "PNG, linear by gamma": png(PIXELS, gama(1)),
    "PNG, gamma of 2.2": png(PIXELS, gama(0.45455)),
    "PNG, gamma of 1.8": png(PIXELS, gama(0.55556)),
    "PNG, chromaticities alone": png(PIXELS, chrm(*DISPLAY_P3)),
    "PNG, P3 by chromaticities": png(PIXELS, gama(0.45455), chrm(*DISPLAY_P3)),
    "PNG, another white": png(PIXELS, gama(1), chrm(*WARM)),
    "PNG, sRGB over gamma": png(PIXELS, chunk(b"sRGB", b"\0"), gama(1), chrm(*DISPLAY_P3)),
    "PNG, grey of 16 bits": png(PIXELS[..., 0].astype(np.uint16) * 257, gama(1)),
    "PNG, 16 bits": png(PIXELS.astype(np.uint16) * 257, cicp(12, 8)),
    "PNG, half transparent": png(np.dstack([PIXELS, np.full_like(PIXELS[..., :1], 128)]), cicp(12, 13)),
    **{f"AVIF {p} {t}": avif(p, t) for p in (1, 9, 12) for t in (1, 13)},
    **{f"AVIF {p} {t}": avif(p, t) for p, t in ((1, 4), (1, 6), (1, 8), (2, 2), (9, 14), (9, 15), (9, 16), (9, 18))},
    "AVIF, a profile": avif(1, 13, icc_profile=SWAPPED),
    "WebP, a profile": encoded(Image.fromarray(PIXELS), "WEBP", lossless=True, icc_profile=SWAPPED),
    "JPEG, a profile": encoded(Image.fromarray(PIXELS), "JPEG", quality=100, subsampling=0, icc_profile=SWAPPED),
    "JPEG, grey, an RGB profile": encoded(Image.fromarray(PIXELS[..., 0]), "JPEG", quality=100, icc_profile=SWAPPED),
    "BMP, a profile": bmp5(PIXELS, SWAPPED),
    "BMP, sRGB": bmp5(PIXELS, kind=b"BGRs"),
}

DRAWN = """async sources => {
    const shown = [];
    for (const source of sources) {
        const image = new Image();
        image.src = source;
        await image.decode();
        const context = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height })
            .getContext("2d");
        context.fillStyle = "white";
        context.fillRect(0, 0, image.width, image.height);
        context.drawImage(image, 0, 0);
        shown.push([0, 1, 2, 3].map(i => [...context.getImageData((i + 0.5) * image.width / 4, image.height / 2, 1, 1)
            .data].slice(0, 3)));
    }
    return shown;
}"""
"""Pictures' addresses → the middle of each of their four squares, as the browser shows them on white."""


def squares(picture: Image.Image) -> list:
    return np.asarray(picture)[SIDE // 2, SIDE // 2 :: SIDE].tolist()


@pytest.fixture(scope="module")
def shown(browser) -> dict[str, list]:
    page = browser.new_page()
    sources = [
        f"data:{'image/avif' if name.startswith('AVIF') else ''};base64,{base64.b64encode(data).decode()}"
        for name, data in FILES.items()
    ]
    found = page.evaluate(DRAWN, sources)
    page.close()
    return dict(zip(FILES, found, strict=True))


@pytest.mark.parametrize("name", FILES)
def test_colours_are_those_that_a_browser_shows(name, shown):
    ours = np.array(squares(open_rgb(FILES[name])))
    assert np.abs(ours - shown[name]).max() <= 2, f"{ours.tolist()}, but Chromium shows {shown[name]}"


@pytest.mark.parametrize("form", ["JPEG2000", "TIFF"])
def test_profiles_where_no_browser_shows_the_format(form):
    made = jp2(PIXELS, SWAPPED) if form == "JPEG2000" else encoded(Image.fromarray(PIXELS), form, icc_profile=SWAPPED)
    profiles = [ImageCms.ImageCmsProfile(io.BytesIO(profile)) for profile in (SWAPPED, SRGB)]
    expected = ImageCms.profileToProfile(Image.fromarray(PIXELS), *profiles)
    assert np.abs(np.array(squares(open_rgb(made))) - squares(expected)).max() <= 1
    assert squares(expected)[0] == [80, 200, 40]


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 8), (9, 16), (9, 18)])
def test_heic_has_the_colours_of_the_same_code_points_elsewhere(primaries, transfer):
    """No browser here shows HEIC: what its code points mean is what they mean in AVIF."""
    data = heic([Image.fromarray(PIXELS)], color_primaries=primaries, transfer_characteristics=transfer)
    assert np.abs(np.array(squares(open_rgb(data))) - squares(open_rgb(avif(primaries, transfer)))).max() <= 6


@pytest.mark.parametrize(("transfer", "white", "brightest"), [(16, 148, 192), (18, 191, 255)])
def test_the_white_of_hdr_is_half_of_a_screens_light(transfer, white, brightest):
    """203 cd/m² is half of the light, which sRGB codes as 188, and 1000 cd/m² all of it."""
    grey = png(np.full((4, 4, 3), white, np.uint8), cicp(9, transfer))
    picture = open_rgb(grey)
    assert np.asarray(picture)[0, 0] == pytest.approx(188, abs=2)
    assert "HDR" in picture.info["notes"][0]
    assert np.asarray(open_rgb(png(np.full((4, 4, 3), brightest, np.uint8), cicp(9, transfer))))[0, 0].min() >= 254


@pytest.mark.parametrize("points", [(0,) * 8, (0.3, 0, 0.6, 0.3, 0.3, 0.6, 0.1, 0.1), (0.3, 0.3) * 4])
def test_chromaticities_of_no_colour_space_say_nothing(points):
    assert np.array_equal(open_rgb(png(PIXELS, gama(1), chrm(*points))), PIXELS)
