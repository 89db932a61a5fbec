"""Colours as a file states them, and the same in sRGB, as a browser shows them.

An embedded ICC profile is converted by littleCMS. Colours that a file states in other ways (code points of ITU-T
H.273, or chromaticities and a gamma) are primaries and a transfer function: linear light, a matrix (white adapted by
Bradford's method), and sRGB's curve, in floating point.

PQ and HLG (ITU-R BT.2100) are HDR; their tones are mapped by the rule of SMPTE ST 2094-50 for files that bring no curve
of their own, which is Chromium's. White of 203 cd/m² (BT.2408) is 1, the brightest light is 1000 cd/m². The largest of
R, G and B in BT.2020's primaries, m, gives one factor for all three: ½ for m ≤ 1; above, a quadratic Bézier curve
from (1, ½) by way of (1.65, 0.825) to (1000/203, 1) is the new maximum. HLG is shown as on a screen of 1000 cd/m²
(system gamma 1.2).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image, ImageCms

_D65 = (0.3127, 0.3290)
_C = (0.310, 0.316)

_BT709 = (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_BT2020 = (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
_SMPTE170M = (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070)

_PRIMARIES = {
    1: _BT709,
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),  # NTSC of 1953
    5: (*_D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),  # PAL
    6: _SMPTE170M,
    7: _SMPTE170M,
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),  # film
    9: _BT2020,
    10: (1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0),  # XYZ
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI P3
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),  # EBU 3213
}
"""Code points of H.273 → x, y of white, red, green and blue."""

_WHITE_NITS, _PEAK_NITS = 203, 1000
_PEAK = _PEAK_NITS / _WHITE_NITS

Curve = Callable[[np.ndarray], np.ndarray]


def _srgb(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _pq(value: np.ndarray) -> np.ndarray:
    power = value ** (32 / 2523)
    light = (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (8192 / 1305)
    return light * 10_000 / _WHITE_NITS


def _hlg(value: np.ndarray) -> np.ndarray:
    """The scene's light, in [0, 1]: the screen's comes from all three channels."""
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def _power(exponent: float) -> Curve:
    return lambda value: value**exponent


_BT1886 = _power(2.4)  # how screens show what BT.709 and its kin record

_TRANSFERS: dict[int, Curve] = {
    1: _BT1886,
    4: _power(2.2),
    5: _power(2.8),
    6: _BT1886,
    7: lambda value: np.where(value < 0.0912, value / 4, ((value + 0.1115) / 1.1115) ** (1 / 0.45)),  # SMPTE 240M
    8: lambda value: value,
    11: _BT1886,
    13: _srgb,
    14: _BT1886,
    15: _BT1886,
    16: _pq,
    17: lambda value: value**2.6 * 52.37 / 48,  # SMPTE ST 428-1
    18: _hlg,
}
"""Code points of H.273 → values in [0, 1] to linear light; 1 is white."""

_HDR: dict[Curve, str] = {_pq: "PQ", _hlg: "HLG"}


@dataclass(frozen=True)
class Stated:
    """Colours by primaries (x, y of white, red, green, blue) and a transfer function."""

    primaries: tuple[float, ...]
    curve: Curve

    @property
    def hdr(self) -> str | None:
        """What kind of HDR this is, if it is."""
        return _HDR.get(self.curve)

    def to_srgb(self, image: Image.Image) -> Image.Image:
        """An RGB picture of such colours, in sRGB."""
        if self.primaries == _BT709 and self.curve is _srgb:
            return image
        pixels = np.array(image)
        for start in range(0, len(pixels), _ROWS):  # memory for some rows at a time
            rows = self._table[pixels[start : start + _ROWS]]
            rows = self._tone_mapped(rows) if self.hdr else rows @ self._matrix(_BT709)
            np.clip(rows, 0, 1, out=rows)
            pixels[start : start + _ROWS] = _ENCODED[(rows * 65535 + 0.5).astype(np.uint16)]
        return Image.fromarray(pixels)

    @cached_property
    def _table(self) -> np.ndarray:
        return self.curve(np.arange(256) / 255).astype(np.float32)

    def _matrix(self, primaries: tuple[float, ...]) -> np.ndarray:
        """Linear light of these primaries, times this, is that of others."""
        return (np.linalg.inv(_to_xyz(primaries)) @ _to_xyz(self.primaries)).T.astype(np.float32)

    def _tone_mapped(self, light: np.ndarray) -> np.ndarray:
        light = light @ self._matrix(_BT2020)
        if self.curve is _hlg:
            luminance = light @ _to_xyz(_BT2020)[1].astype(np.float32)
            light *= _PEAK * np.maximum(luminance, 0)[..., None] ** 0.2
        red, green, blue = np.split(light, 3, -1)
        largest = np.maximum(np.maximum(np.maximum(red, green), blue), 1)
        t = (np.sqrt(0.65**2 + (_PEAK - 2.3) * (np.minimum(largest, _PEAK) - 1)) - 0.65) / (_PEAK - 2.3)
        mapped = light * (0.5 + 0.65 * t - 0.15 * t**2) / largest
        return mapped @ Stated(_BT2020, self.curve)._matrix(_BT709)


_ROWS = 64

_LIGHT = np.arange(65536) / 65535
_ENCODED = np.rint(255 * np.where(_LIGHT <= 0.0031308, 12.92 * _LIGHT, 1.055 * _LIGHT ** (1 / 2.4) - 0.055)).astype(
    np.uint8
)
"""Linear light in 65535ths, in sRGB."""


def by_code(primaries: int, transfer: int) -> Stated | None:
    """Colours by their code points in H.273; None for codes that mean nothing here, "unspecified" among them."""
    if primaries in _PRIMARIES and transfer in _TRANSFERS:
        return Stated(_PRIMARIES[primaries], _TRANSFERS[transfer])
    return None


def of_video(primaries: int, transfer: int) -> Stated | None:
    """As `by_code`, for AVIF and HEIF: there the curve of BT.709 and its kin stands for sRGB's, as in browsers."""
    return by_code(primaries, 13 if _TRANSFERS.get(transfer) is _BT1886 else transfer)


def by_gamma(gamma: float, chromaticities: tuple[float, ...] | None) -> Stated | None:
    """Colours by the gamma of encoding (0.45455 is a screen of 2.2) and x, y of white, red, green, blue.

    None where nothing but the usual gamma is said: that has always meant sRGB. None too for what is no colour space.
    """
    if not 0.1 <= gamma <= 10 or (chromaticities is None and round(gamma, 5) == 0.45455):
        return None
    stated = Stated(chromaticities or _BT709, _power(1 / gamma))
    try:
        with np.errstate(all="ignore"):
            return stated if np.isfinite(stated._matrix(_BT709)).all() else None
    except np.linalg.LinAlgError:
        return None


def by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """A picture (RGB, CMYK, L, LAB) by an ICC profile, in sRGB; None where the profile does not fit or is damaged."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """Linear R, G, B → X, Y, Z, white adapted to D65 by Bradford's method: (3, 3)."""
    x, y = np.array(primaries).reshape(4, 2).T
    white, *colorants = np.stack([x, y, 1 - x - y], axis=1)
    matrix = np.stack(colorants, axis=1)
    matrix = matrix * np.linalg.solve(matrix, white / white[1])
    screen = np.array([0.3127, 0.3290, 0.3583]) / 0.3290
    cones = (_BRADFORD @ screen) / (_BRADFORD @ (white / white[1]))
    return np.linalg.inv(_BRADFORD) @ (cones[:, None] * _BRADFORD) @ matrix
