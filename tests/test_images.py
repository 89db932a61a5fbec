"""What happens to each kind of picture on its way to 8-bit sRGB."""

import re
import struct
import zlib

import numpy as np
import pytest
from made import SRGB, SWAPPED, chunk, encoded, heic, iccp, png, tga32, tiff
from PIL import Image

from mae_viz.images import ImageError, gallery, open_rgb, open_whole


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
    picture = Image.fromarray(colours)
    same = np.asarray(open_rgb(encoded(picture, icc_profile=SRGB))).astype(int)
    assert np.abs(same - colours).max() <= 1
    other = np.asarray(open_rgb(encoded(picture, icc_profile=SWAPPED))).astype(int)
    assert np.abs(other - colours[..., [1, 0, 2]]).max() <= 1


def test_a_broken_colour_profile_says_nothing(colours):
    assert np.array_equal(open_rgb(encoded(Image.fromarray(colours), icc_profile=b"no profile")), colours)


def test_the_first_frame_of_an_animation(colours):
    frames = [Image.fromarray(colours), Image.fromarray(255 - colours)]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(open_rgb(data), colours)


# samples


def shades(data: bytes) -> list[int]:
    """The first row of a grey picture."""
    return np.asarray(open_rgb(data))[0, :, 0].tolist()


WIDE = np.array([[0, 257, 32896, 65535]], np.uint16)


def test_grey_of_sixteen_bits_whose_zero_is_white():
    assert shades(tiff(WIDE, (4, 1), (16,), photometric=1)) == [0, 1, 128, 255]
    assert shades(tiff(WIDE, (4, 1), (16,), photometric=0)) == [255, 254, 127, 0]


def test_grey_of_twelve_bits():
    packed = bytes.fromhex("000010808fff")
    assert shades(tiff(packed, (4, 1), (12,), photometric=1)) == [0, 1, 128, 255]


def test_jpeg_2000_of_sixteen_bits():
    assert shades(encoded(Image.fromarray(WIDE), "JPEG2000")) == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("samples", "bits", "tags", "sentence"),
    [
        (np.zeros(4, np.uint32), (32,), {}, "more than 16 bits"),
        (np.zeros(4, np.int32), (32,), {"format": (2,)}, "a sign or more than 16 bits"),
        (np.zeros(4, np.int16), (16,), {"format": (2,)}, "a sign"),
        (np.zeros(4, np.int8), (8,), {"format": (2,)}, "a sign"),
        (np.zeros(4, np.float32), (32,), {"format": (3,)}, "floating-point"),
    ],
)
def test_samples_without_a_defined_range_are_refused(samples, bits, tags, sentence):
    with pytest.raises(ImageError, match=sentence):
        open_rgb(tiff(samples, (4, 1), bits, photometric=1, **tags))


def test_grey_values_beyond_sixteen_bits_are_refused():
    assert np.asarray(open_rgb(Image.new("I", (2, 2), 65535))).min() == 255
    for value in (-1, 65536):
        with pytest.raises(ImageError, match="beyond 0 to 65535"):
            open_rgb(Image.new("I", (2, 2), value))


@pytest.mark.parametrize("bits", [8, 16])
def test_premultiplied_alpha_in_tiff(bits):
    """Half transparent red, its colour already halved: laid on white it is light red."""
    kind, one = (np.uint8, 1) if bits == 8 else (np.uint16, 257)
    data = tiff(np.array([128, 0, 0, 128], kind) * one, (1, 1), (bits,) * 4, photometric=2, extra=(1,))
    assert np.asarray(open_rgb(data))[0, 0] == pytest.approx([255, 127, 127], abs=1)


def test_premultiplied_alpha_of_other_kinds():
    grey = tiff(np.array([64, 128], np.uint8), (1, 1), (8, 8), photometric=1, extra=(1,))
    assert np.asarray(open_rgb(grey))[0, 0] == pytest.approx([191] * 3, abs=1)
    colour = Image.new("RGBA", (1, 1), (255, 0, 0, 128)).convert("RGBa")
    assert np.asarray(open_rgb(colour))[0, 0] == pytest.approx([255, 127, 127], abs=1)
    made = encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "AVIF", quality=100, alpha_premultiplied=True)
    assert np.asarray(open_rgb(made))[4, 4] == pytest.approx([255, 127, 127], abs=3)


def test_a_transparent_grey_value_of_sixteen_bits():
    """Of two greys that 8 bits do not tell apart one is transparent."""
    pixels = np.array([[1000, 1001, 65535]], np.uint16)
    assert shades(png(pixels, chunk(b"tRNS", (1000).to_bytes(2)))) == [255, 4, 255]


def test_a_transparent_grey_value_of_two_bits():
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, 2, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes([0, 0b00_01_10_11])))
    data = b"\x89PNG\r\n\x1a\n" + head + chunk(b"tRNS", b"\0\1") + body + chunk(b"IEND", b"")
    assert shades(data) == [0, 255, 170, 255]


def test_a_transparent_colour_of_sixteen_bits_is_refused():
    with pytest.raises(ImageError, match="with an alpha channel"):
        open_rgb(png(np.zeros((2, 2, 3), np.uint16), chunk(b"tRNS", bytes(6))))


def test_a_fourth_channel_that_nobody_explains_is_left_out_and_that_is_said():
    data = tiff(np.array([10, 20, 30, 0], np.uint8), (1, 1), (8,) * 4, photometric=2)
    picture = open_rgb(data)
    assert np.asarray(picture).tolist() == [[[10, 20, 30]]]
    assert picture.info["notes"] == ["the file does not say what its fourth channel is: it is left out."]
    assert (
        np.asarray(open_rgb(tiff(np.array([10, 20, 30, 0], np.uint8), (1, 1), (8,) * 4, photometric=2, extra=(2,))))[
            0, 0
        ].tolist()
        == [255] * 3
    )


@pytest.mark.parametrize(("alpha_bits", "shown"), [(0, [10, 20, 30]), (8, [255] * 3)])
def test_targa_says_whether_its_fourth_channel_is_transparency(alpha_bits, shown):
    assert np.asarray(open_rgb(tga32(np.array([[[10, 20, 30, 0]]], np.uint8), alpha_bits)))[0, 0].tolist() == shown


# files as people have them


DAMAGED_EXIF = [
    b"Exif\0\0",
    b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
    b"Exif\0\0II*\0\xff\xff\xff\xff",
    b"nothing of the kind",
]


@pytest.mark.parametrize("exif", DAMAGED_EXIF)
def test_damaged_exif_says_nothing(exif, colours):
    made = [
        png(colours, chunk(b"eXIf", exif)),
        encoded(Image.fromarray(colours), "WEBP", lossless=True, exif=exif),
    ]
    for data in made:
        assert np.array_equal(open_rgb(data), colours)


def test_texts_and_profiles_of_megabytes(colours):
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + b" " * 2_000_000
    squeezed = b"Comment\0\0" + zlib.compress(bytes(3_000_000))
    profile = SWAPPED + bytes(2_000_000)
    data = png(colours, iccp(profile), chunk(b"iTXt", text), chunk(b"zTXt", squeezed))
    assert np.abs(np.asarray(open_rgb(data)).astype(int) - colours[..., [1, 0, 2]]).max() <= 1


def test_a_wrong_checksum_of_what_the_picture_does_not_need(colours):
    assert np.array_equal(open_rgb(png(colours, chunk(b"tIME", bytes(7))[:-4] + b"oops")), colours)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_its_last_bytes(progressive, photograph):
    whole = encoded(photograph, "JPEG", progressive=progressive)
    picture = open_rgb(whole[: len(whole) * 3 // 4])
    assert picture.info["notes"] == ["the file lacks its last bytes: what they held of the picture is grey."]
    half = picture.height // 2
    error = np.abs(np.asarray(picture).astype(int) - np.asarray(open_rgb(whole)))[:half].mean()
    assert error < (8 if progressive else 0.1)
    with pytest.raises(ImageError, match="cut off"):
        open_whole(whole[: len(whole) * 3 // 4])
    assert np.array_equal(open_whole(whole), open_rgb(whole))
    assert "notes" not in open_rgb(whole).info
    assert "notes" not in open_rgb(whole + b"what a phone appends").info


def test_a_jpeg_of_very_many_scans_is_refused():
    data = encoded(Image.new("RGB", (64, 64)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    hidden = b"\xff\x01" + b"\xff\xff"  # a marker without a length, then what would be a long one's
    for scan in (data[last:-2], hidden + data[last:-2]):
        with pytest.raises(ImageError, match="the JPEG has 210 scans"):
            open_rgb(data[:-2] + scan * 200 + data[-2:])
    vast = bytearray(data)
    frame = vast.index(b"\xff\xc2") + 5
    vast[frame : frame + 4] = struct.pack(">HH", 11585, 11585)
    assert len(open_rgb(data[:-2] + data[last:-2] * 7 + data[-2:]).getcolors()) == 1
    with pytest.raises(ImageError, match="the JPEG has 17 scans"):
        open_rgb(bytes(vast[:-2] + vast[last:-2] * 7 + vast[-2:]))


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_of_several_frames_the_first_is_taken_and_that_is_said(form):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    picture = open_rgb(encoded(frames[0], form, save_all=True, append_images=frames[1:]))
    assert np.asarray(picture)[8, 8] == pytest.approx([255, 0, 0], abs=4)
    assert re.fullmatch(r"of 3 (frames|pages) in the file the first is taken\.", picture.info["notes"][0])


def test_heic_as_phones_write_it(photograph):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = open_rgb(heic([photograph], exif=exif.tobytes()))
    error = np.asarray(turned).astype(int) - np.rot90(np.asarray(photograph), -1)
    assert np.abs(error).mean() < 3
    assert "notes" not in turned.info


def test_of_several_pictures_in_a_heic_file_the_primary_one_is_taken():
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "lime")]
    picture = open_rgb(heic(pictures, primary_index=1))
    assert np.asarray(picture)[32, 32] == pytest.approx([0, 0, 255], abs=4)
    assert picture.info["notes"] == ["of 3 pictures in the file the primary one is taken."]


def test_notes_are_logged_with_the_files_name(tmp_path, caplog):
    (tmp_path / "two.gif").write_bytes(
        encoded(Image.new("L", (8, 8)), "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 9)])
    )
    open_rgb(tmp_path / "two.gif")
    assert caplog.messages == ["two.gif: of 2 frames in the file the first is taken."]


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
        b"8BPS\0\1" + bytes(200),
        b"SIMPLE  =                    T" + b" " * 3000,
        encoded(Image.new("RGB", (8, 8)), "PCX"),
        encoded(Image.new("RGB", (8, 8)), "ICNS"),
    ],
)
def test_formats_that_are_not_offered_reach_no_reader(data, monkeypatch):
    def reached(*_, **__):
        raise AssertionError("this must not be read")

    monkeypatch.setattr(Image, "open", reached)
    with pytest.raises(ImageError, match="no picture that can be read here"):
        open_rgb(data)


def test_metadata_does_not_travel_on(colours):
    assert open_rgb(encoded(Image.fromarray(colours), dpi=(300, 300))).info == {}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (b"", "no picture"),
        (b"GIF89a", "no picture|damaged"),
        (b"\xff\n" + bytes(40), "JPEG XL is not read here: convert it"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL is not read here: convert it"),
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
