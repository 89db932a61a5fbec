"""The codecs to compare with: JPEG from two encoders, JPEG 2000, WebP, AVIF and HEVC-intra 4:4:4.

``CLASSICAL["jpeg"].encode(picture, Quality(75))`` gives the bytes of a real file, ``.decode(bytes)`` the picture back.
What a number from one of these codecs depends on stands in its ``settings``.

Each codec has one setting for all its qualities. JPEG is Pillow's with Huffman tables made for each picture and in
progressive order, which loses nothing: with 4:2:0, as nearly all JPEG files are, and with full colour resolution.
MozJPEG chooses coefficients by rate and distortion (trellis quantisation) and has flat quantisation tables, the ones
for PSNR. AVIF and HEVC have full colour resolution and are tuned for PSNR rather than for the eye. HEVC-intra is x265
in a HEIF container, whose bytes (about 370) count like every other byte of a file. It is a relative of BPG, which also
holds x265 intra frames, but it is not BPG.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
from PIL import Image, features

from mae_viz.codecs.interface import Codec, Progress, Quality, QualityAxis


@dataclass(frozen=True)
class ClassicalCodec(Codec[Quality]):
    """One codec with fixed settings and one free number, its quality."""

    name: str
    title: str
    short: str
    axis: QualityAxis
    quality_means: str
    fixed: dict
    library: Callable[[], dict]
    _encode: Callable[[Image.Image, float], bytes]
    _decode: Callable[[bytes], Image.Image]

    kind = "classical"

    def encode(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> bytes:
        """An RGB picture as the bytes of a file. Raises ValueError for a quality outside the axis."""
        return self._encode(picture, self.rate(rate.value).value)

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        return self._decode(data).convert("RGB")

    @cached_property
    def about(self) -> str:  # type: ignore[override]  # an attribute to all who read it; libraries load when asked
        """The library that codes, with its version."""
        return self.settings["library"]

    @cached_property
    def identity(self) -> str:
        listed = {key: value for key, value in self.settings.items() if key != "qualities"}
        return json.dumps(listed, sort_keys=True)

    @cached_property
    def settings(self) -> dict:
        """What the numbers depend on: library and version, subsampling, effort, meaning and list of qualities."""
        return {
            **self.library(),
            **self.fixed,
            "quality": self.quality_means,
            "qualities": [quality.value for quality in self.axis.listed],
        }


def _qualities(*values: float, unit: str = "quality") -> QualityAxis:
    return QualityAxis(tuple(map(Quality, values)), unit, all(isinstance(value, int) for value in values))


# Pillow notes on a picture how it is being saved: a copy, so that several threads may code one picture at once.


def _pillow(format: str, **options: Any) -> Callable[[Image.Image, float], bytes]:
    def encode(image: Image.Image, quality: float) -> bytes:
        data = io.BytesIO()
        image.copy().save(data, format, quality=round(quality), **options)
        return data.getvalue()

    return encode


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _mozjpeg(image: Image.Image, quality: float) -> bytes:
    import pyvips

    options = {"subsample_mode": "on", "optimize_coding": True, "interlace": True, "keep": "none"}
    mozjpeg = {"trellis_quant": True, "optimize_scans": True, "quant_table": 1}
    pixels = pyvips.Image.new_from_array(np.asarray(image), interpretation="srgb")
    return pixels.jpegsave_buffer(Q=round(quality), **options, **mozjpeg)


def _jpeg2000(image: Image.Image, bpp: float) -> bytes:
    data = io.BytesIO()
    # mct is off in Pillow unless asked for, and without it three grey pictures are coded: 3.5 dB lost
    image.copy().save(data, "JPEG2000", irreversible=True, mct=1, quality_mode="rates", quality_layers=[24 / bpp])
    return data.getvalue()


def _hevc(image: Image.Image, quality: float) -> bytes:
    import pillow_heif

    data = io.BytesIO()
    options = {"preset": "slow", "tune": "psnr"}
    pillow_heif.from_pillow(image).save(data, quality=round(quality), chroma=444, enc_params=options)
    return data.getvalue()


def _open_heif(data: bytes) -> Image.Image:
    import pillow_heif

    return pillow_heif.open_heif(data).to_pillow()


def _library(name: str, check: Callable[[str], str | None], feature: str) -> Callable[[], dict]:
    def found() -> dict:
        return {"library": f"Pillow {version('pillow')}, {name} {check(feature)}"}

    return found


def _mozjpeg_library() -> dict:
    return {"library": f"pyvips {version('pyvips')}, pyvips-binary {version('pyvips-binary')}, which holds MozJPEG"}


def _hevc_library() -> dict:
    import pillow_heif

    found = pillow_heif.libheif_info()
    return {
        "library": f"pillow-heif {pillow_heif.__version__}, libheif {found['libheif']}",
        "encoder": found["encoders"]["x265"],
        "decoder": found["decoders"]["libde265"],
    }


_IJG = "quality of the Independent JPEG Group's scale, 5…95"
_JPEG_MODE = "progressive, optimised Huffman tables (optimize=True, progressive=True)"

CLASSICAL = {
    codec.name: codec
    for codec in (
        ClassicalCodec(
            "jpeg",
            "JPEG (4:2:0)",
            "JPEG",
            _qualities(*range(5, 100, 5)),
            _IJG,
            {"subsampling": "4:2:0", "mode": _JPEG_MODE},
            _library("libjpeg-turbo", features.version_feature, "libjpeg_turbo"),
            _pillow("JPEG", subsampling="4:2:0", optimize=True, progressive=True),
            _open,
        ),
        ClassicalCodec(
            "jpeg-444",
            "JPEG (4:4:4)",
            "JPEG 4:4:4",
            _qualities(*range(5, 100, 5)),
            _IJG,
            {"subsampling": "4:4:4", "mode": _JPEG_MODE},
            _library("libjpeg-turbo", features.version_feature, "libjpeg_turbo"),
            _pillow("JPEG", subsampling="4:4:4", optimize=True, progressive=True),
            _open,
        ),
        ClassicalCodec(
            "mozjpeg",
            "MozJPEG (4:2:0)",
            "MozJPEG",
            _qualities(*range(5, 100, 5)),
            _IJG,
            {
                "subsampling": "4:2:0",
                "mode": "progressive, optimised Huffman tables and scans, trellis quantisation, "
                "flat quantisation tables",
            },
            _mozjpeg_library,
            _mozjpeg,
            _open,
        ),
        ClassicalCodec(
            "jpeg2000",
            "JPEG 2000",
            "JPEG 2000",
            _qualities(0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.6, 2.4, unit="target bpp"),
            "bits per pixel asked for (compression ratio 24 / quality)",
            {"subsampling": "4:4:4", "mode": "9/7 wavelet, irreversible colour transform, one layer, JP2 container"},
            _library("OpenJPEG", features.version_codec, "jpg_2000"),
            _jpeg2000,
            _open,
        ),
        ClassicalCodec(
            "webp",
            "WebP",
            "WebP",
            _qualities(0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95),
            "quality of lossy WebP, 0…95",
            {"subsampling": "4:2:0 (the format's only one)", "mode": "method 6 (slowest)"},
            _library("libwebp", features.version_module, "webp"),
            _pillow("WEBP", method=6),
            _open,
        ),
        ClassicalCodec(
            "avif",
            "AVIF (4:4:4)",
            "AVIF",
            _qualities(1, 3, 6, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80),
            "quality of libavif, 1…80",
            {"subsampling": "4:4:4", "mode": "libaom, speed 6, tune psnr, one thread"},
            _library("libavif", features.version_module, "avif"),
            _pillow("AVIF", subsampling="4:4:4", codec="aom", speed=6, max_threads=1, advanced={"tune": "psnr"}),
            _open,
        ),
        ClassicalCodec(
            "hevc-intra-444",
            "HEVC-intra 4:4:4",
            "HEVC",
            _qualities(1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60),
            "quality of libheif, 1…60",
            {"subsampling": "4:4:4", "mode": "x265, preset slow, tune psnr, HEIF container (its bytes count)"},
            _hevc_library,
            _hevc,
            _open_heif,
        ),
    )
}
"""Codecs by name, in the order in which tables show them."""
