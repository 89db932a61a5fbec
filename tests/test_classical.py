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


def test_jpeg_is_what_pillow_writes(picture):
    plain = io.BytesIO()
    picture.save(plain, "JPEG", quality=75)
    assert CLASSICAL["jpeg"].encode(picture, Quality(75)) == plain.getvalue()


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
