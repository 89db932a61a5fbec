"""The classical codecs: real files of the formats they claim, set as they say."""

import io

import numpy as np
import pytest
from PIL import Image, features

from mae_viz import metrics
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality

MAGIC = {
    "jpeg": (0, b"\xff\xd8\xff"),
    "jpeg-444": (0, b"\xff\xd8\xff"),
    "mozjpeg": (0, b"\xff\xd8\xff"),
    "jpeg2000": (4, b"jP  "),
    "webp": (8, b"WEBPVP8 "),
    "avif": (4, b"ftypavif"),
    "hevc-intra-444": (4, b"ftyphei"),  # heic, heix: HEVC in HEIF
}

codecs = pytest.mark.parametrize("codec", CLASSICAL.values(), ids=CLASSICAL)


@pytest.fixture(scope="module")
def picture(photograph):
    return photograph.crop((100, 100, 420, 300))


@codecs
def test_files_are_of_the_format_and_come_back(codec, picture):
    data = codec.encode(picture, codec.axis.last)
    offset, magic = MAGIC[codec.name]
    assert data[offset : offset + len(magic)] == magic
    decoded = codec.decode(data)
    assert (decoded.mode, decoded.size) == ("RGB", picture.size)
    assert metrics.psnr_db(np.asarray(picture), np.asarray(decoded)) > 32
    assert codec.encode(picture, codec.axis.last) == data


@pytest.mark.slow
@codecs
def test_quality_is_monotone_in_size(codec, picture):
    sizes = [len(codec.encode(picture, quality)) for quality in codec.axis.listed]
    assert list(codec.axis.listed) == sorted(set(codec.axis.listed))
    assert sizes == sorted(sizes)
    assert sizes[-1] > 5 * sizes[0]


@codecs
def test_more_bytes_buy_quality(codec, picture):
    qualities = [codec.axis.listed[i] for i in (0, len(codec.axis.listed) // 2, -1)]
    decoded = [np.asarray(codec.decode(codec.encode(picture, quality))) for quality in qualities]
    low, middle, high = (metrics.psnr_db(np.asarray(picture), image) for image in decoded)
    assert low + 3 < middle < high - 3


@codecs
def test_colour_resolution_is_as_stated(codec):
    """Columns of one pixel that differ in colour alone survive 4:4:4 and vanish in 4:2:0."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (180, 100, 60), (60, 135, 170)
    decoded = np.asarray(codec.decode(codec.encode(Image.fromarray(stripes), codec.axis.last))).astype(int)
    contrast = np.abs(decoded[:, ::2, 0] - decoded[:, 1::2, 0]).mean() / 120
    assert codec.settings["subsampling"].startswith("4:4:4" if contrast > 0.7 else "4:2:0")
    assert contrast > 0.7 or contrast < 0.3


@codecs
def test_settings_name_what_the_numbers_depend_on(codec):
    assert {"library", "subsampling", "mode", "quality", "qualities"} <= codec.settings.keys()
    assert codec.settings["qualities"] == [quality.value for quality in codec.axis.listed]
    assert any(character.isdigit() for character in codec.settings["library"].split(",")[1])


def test_versions_are_those_that_run():
    assert CLASSICAL["webp"].settings["library"].endswith(f"libwebp {features.version('webp')}")
    assert "x265" in CLASSICAL["hevc-intra-444"].settings["encoder"]


JPEGS = pytest.mark.parametrize(("name", "subsampling"), [("jpeg", "4:2:0"), ("jpeg-444", "4:4:4")])


@JPEGS
@pytest.mark.parametrize("quality", [5, 50, 95])
def test_jpeg_s_settings_lose_nothing_beside_pillow_s_defaults(picture, name, subsampling, quality):
    plain = io.BytesIO()
    picture.save(plain, "JPEG", quality=quality, subsampling=subsampling)
    data = CLASSICAL[name].encode(picture, Quality(quality))
    assert Image.open(io.BytesIO(data)).info["progressive"]
    assert len(data) < len(plain.getvalue())
    np.testing.assert_array_equal(CLASSICAL[name].decode(data), Image.open(plain))


@pytest.mark.slow
def test_mozjpeg_is_mozjpeg(photograph):
    """At equal PSNR its files are well below those of the same tables with another encoder, and below Pillow's."""

    def curve(encode):
        sizes, quality = [], []
        for asked in (10, 20, 30, 40):
            data = encode(asked)
            decoded = np.asarray(Image.open(io.BytesIO(data)))
            sizes.append(len(data))
            quality.append(metrics.psnr_db(np.asarray(photograph), decoded))
        return sizes, quality

    def flat(quality):
        data, scale = io.BytesIO(), 50 / quality
        table = [max(1, min(255, round(16 * scale)))] * 64
        photograph.save(data, "JPEG", qtables=[table, table], subsampling="4:2:0", optimize=True, progressive=True)
        return data.getvalue()

    mozjpeg = curve(lambda quality: CLASSICAL["mozjpeg"].encode(photograph, Quality(quality)))
    assert metrics.bd_rate(*curve(flat), *mozjpeg).percent < -5
    assert metrics.bd_rate(*curve(lambda q: CLASSICAL["jpeg"].encode(photograph, Quality(q))), *mozjpeg).percent < -10


def test_jpeg2000_reaches_the_rate_asked_for(picture):
    data = CLASSICAL["jpeg2000"].encode(picture, Quality(1.0))
    assert metrics.bpp(len(data), picture.height, picture.width) == pytest.approx(1.0, rel=0.02)


@codecs
def test_qualities_beyond_the_list_are_refused(codec, picture):
    with pytest.raises(ValueError, match="is outside"):
        codec.encode(picture, Quality(codec.axis.last.value + 1))


@codecs
def test_tiny_pictures_pass(codec):
    dot = Image.new("RGB", (3, 2), (10, 200, 90))
    assert codec.decode(codec.encode(dot, codec.axis.last)).size == (3, 2)
