"""What happens to each kind of picture on its way to 8-bit sRGB."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from mae_viz.images import ImageError, gallery, open_rgb


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


@pytest.fixture
def colours(noise) -> np.ndarray:
    return noise(6, 9)


def test_rgb_stays_as_it_is(colours):
    assert np.array_equal(open_rgb(encoded(Image.fromarray(colours))), colours)


def test_grey_becomes_three_equal_channels(colours):
    grey = colours[..., 0]
    assert np.array_equal(open_rgb(encoded(Image.fromarray(grey))), np.repeat(grey[..., None], 3, 2))


def test_one_bit_becomes_black_and_white():
    bits = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    assert np.asarray(open_rgb(encoded(bits))).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_sixteen_bits_are_rounded_to_eight():
    wide = np.array([[0, 128, 129, 257, 32896, 65535]], np.uint16)
    assert np.asarray(open_rgb(encoded(Image.fromarray(wide))))[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]


def test_transparency_is_laid_on_white():
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 128]]], np.uint8)
    shown = np.asarray(open_rgb(encoded(Image.fromarray(pixels))))[0].tolist()
    assert shown[:2] == [[10, 20, 30], [255, 255, 255]]
    assert shown[2] == pytest.approx([127, 127, 127], abs=1)


def test_a_palette_with_a_transparent_colour():
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([200, 0, 0, 0, 200, 0])
    assert np.asarray(open_rgb(encoded(image, transparency=1)))[0].tolist() == [[200, 0, 0], [255, 255, 255]]


def test_cmyk_without_a_profile():
    inks = np.zeros((2, 2, 4), np.uint8)
    inks[0, 0] = [255, 0, 0, 0]
    shown = np.asarray(open_rgb(encoded(Image.fromarray(inks, "CMYK"), "TIFF")))
    assert shown[0, 0].tolist() == [0, 255, 255]
    assert shown[1, 1].tolist() == [255, 255, 255]


def test_exif_orientation_is_applied(colours):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90° clockwise
    turned = open_rgb(encoded(Image.fromarray(colours), exif=exif.tobytes()))
    assert np.array_equal(np.asarray(turned), np.rot90(colours, -1))


def test_a_colour_profile_is_converted(colours):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.fromarray(colours)
    same = np.asarray(open_rgb(encoded(picture, icc_profile=srgb))).astype(int)
    assert np.abs(same - colours).max() <= 1
    # a profile whose red and green primaries have changed places: what it calls red is green
    swapped = srgb.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    other = np.asarray(open_rgb(encoded(picture, icc_profile=swapped))).astype(int)
    assert np.abs(other - colours[..., [1, 0, 2]]).max() <= 1


def test_a_broken_colour_profile_says_nothing(colours):
    assert np.array_equal(open_rgb(encoded(Image.fromarray(colours), icc_profile=b"no profile")), colours)


def test_the_first_frame_of_an_animation(colours):
    frames = [Image.fromarray(colours), Image.fromarray(255 - colours)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(open_rgb(data), colours)


def test_metadata_does_not_travel_on(colours):
    assert open_rgb(encoded(Image.fromarray(colours), dpi=(300, 300))).info == {}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"", "no picture"),
        (b"GIF89a", "no picture|damaged"),
        ("/nowhere/at/all.png", "there is no file"),
        (np.zeros((4, 4), np.float32), "must be uint8"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (Image.new("F", (4, 4)), "floating-point"),
    ],
)
def test_everything_else_gets_a_sentence(source, sentence):
    with pytest.raises(ImageError, match=sentence):
        open_rgb(source)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    bomb = encoded(Image.new("1", (20000, 7000)))
    assert len(bomb) < 50_000
    with pytest.raises(ImageError, match="more than 134 megapixels"):
        open_rgb(bomb)
    with pytest.raises(ImageError, match="more than 1 megapixels"):
        open_rgb(encoded(Image.new("1", (1200, 1000))), max_pixels=1_000_000)


def test_the_gallery_is_complete_and_credited():
    photographs = gallery()
    assert len(photographs) >= 6
    for photograph in photographs.values():
        picture = open_rgb(photograph.path)
        assert min(picture.size) >= 300
        assert len(photograph.credit) > 10
