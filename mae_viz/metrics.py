"""Rate and distortion as every number of this project defines them: pure functions.

PSNR and MS-SSIM are taken on 8-bit RGB, per image. A data set's PSNR is the mean of the images' dB. Its MS-SSIM is told
in two ways that differ: the mean of the images' dB, and the dB of the images' mean (`db_of_mean_ms_ssim`), which most
others publish. BD-rate compares two curves of such values, both of one kind.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def bpp(size_bytes: int, height: int, width: int) -> float:
    """Bits per pixel: 8 × bytes of the whole file, header included, over the pixels of the original image."""
    return 8 * size_bytes / (height * width)


def psnr_db(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 images (H, W, 3); inf for equal ones."""
    _check_pair(a, b)
    mse = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return math.inf if mse == 0 else 10 * math.log10(255**2 / mse)


def ms_ssim_db(a: np.ndarray, b: np.ndarray) -> float | None:
    """−10 log10(1 − MS-SSIM) in dB of two uint8 RGB images (H, W, 3); None under 161 px a side.

    MS-SSIM after Wang et al. 2003, five scales, as in `pytorch_msssim` (the one that CompressAI uses).
    """
    _check_pair(a, b)
    if min(a.shape[:2]) < 161:  # five scales of an 11-pixel window
        return None
    import torch
    from pytorch_msssim import ms_ssim

    planes = [torch.from_numpy(np.array(im)).permute(2, 0, 1)[None].float() for im in (a, b)]
    with torch.inference_mode():
        value = ms_ssim(*planes, data_range=255).item()
    return to_db(value)


def to_db(ms_ssim: float | None) -> float | None:
    """−10 log10(1 − MS-SSIM) of a value from 0 to 1; inf for 1, None for None."""
    if ms_ssim is None:
        return None
    return math.inf if ms_ssim >= 1 else -10 * math.log10(1 - ms_ssim)


def mean_ms_ssim(images_db: Sequence[float]) -> float:
    """The mean over images of the MS-SSIM value, from each image's dB."""
    return float(np.mean(1 - 10 ** (-np.asarray(images_db, dtype=np.float64) / 10)))


def db_of_mean_ms_ssim(images_db: Sequence[float]) -> float:
    """−10 log10(1 − the mean over images of the MS-SSIM value), from each image's dB: never above their mean."""
    return -10 * math.log10(1 - mean_ms_ssim(images_db))


@dataclass(frozen=True)
class BDRate:
    """Average difference in rate at equal quality, and where it was taken."""

    percent: float | None  # below 0: the tested curve needs fewer bits; None where there is no such number
    overlap: tuple[float, float] | None  # the interval of quality (dB) that both curves cover

    method = (
        "Bjøntegaard delta rate: mean over the quality interval that both curves cover of log10(rate of the tested "
        "curve) − log10(rate of the anchor), each interpolated in quality by PCHIP, as a percentage of the anchor's "
        "rate (package bjontegaard); n/a where the curves do not overlap or one has fewer than 4 points"
    )


def bd_rate(
    anchor_bpp: Sequence[float], anchor_db: Sequence[float], test_bpp: Sequence[float], test_db: Sequence[float]
) -> BDRate:
    """BD-rate of a tested curve against an anchor, on whatever quality in dB the two lists hold.

    Points come in any order. There is none where a curve has fewer than four, of which PCHIP would make a straight
    line through anything, or where the two have no interval of quality in common. Raises ValueError where a curve's
    lists differ in length, a rate is not positive, a value is not finite or one quality appears at two rates.
    """
    import bjontegaard

    anchor, test = _curve(anchor_bpp, anchor_db), _curve(test_bpp, test_db)
    low, high = max(anchor[1][0], test[1][0]), min(anchor[1][-1], test[1][-1])
    if low >= high or min(len(anchor[0]), len(test[0])) < _FEWEST:
        return BDRate(None, None)
    percent = bjontegaard.bd_rate(*anchor, *test, method="pchip", require_matching_points=False, min_overlap=0)
    return BDRate(float(percent), (float(low), float(high)))


def bd_rates(anchor_bpp: np.ndarray, anchor_db: np.ndarray, test_bpp: np.ndarray, test_db: np.ndarray) -> np.ndarray:
    """BD-rates in per cent of many pairs of curves at once, as `bd_rate` defines them; nan where a pair has none.

    Rates and qualities are (pairs, points), each curve's of one shape. This is what resampling needs in a fraction of
    a second; one pair takes `bd_rate`.
    """
    if min(anchor_bpp.shape[1], test_bpp.shape[1]) < _FEWEST:
        return np.full(len(anchor_bpp), np.nan)
    anchor, test = _sorted(anchor_bpp, anchor_db), _sorted(test_bpp, test_db)
    low = np.maximum(anchor[1][:, 0], test[1][:, 0])
    high = np.minimum(anchor[1][:, -1], test[1][:, -1])
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = (_integrals(*test, low, high) - _integrals(*anchor, low, high)) / (high - low)
    return np.where(high > low, 100 * (10**gap - 1), np.nan)


def _sorted(bpp: np.ndarray, db: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log10 of the rates, and the qualities, each pair's by rising quality."""
    order = np.argsort(db, axis=1, kind="stable")
    return np.log10(np.take_along_axis(bpp, order, axis=1)), np.take_along_axis(db, order, axis=1)


def _integrals(y: np.ndarray, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """∫ of PCHIP's y(x) from low to high, row by row (Fritsch and Butland 1984, ends as in SciPy)."""
    h = np.diff(x, axis=1)
    slope = np.diff(y, axis=1) / h
    before, after, h0, h1 = slope[:, :-1], slope[:, 1:], h[:, :-1], h[:, 1:]
    inner = 3 * (h0 + h1) / ((2 * h1 + h0) / before + (h1 + 2 * h0) / after)
    inner = np.where(before * after > 0, inner, 0)
    first = _end(h[:, 0], h[:, 1], slope[:, 0], slope[:, 1])
    last = _end(h[:, -1], h[:, -2], slope[:, -1], slope[:, -2])
    d = np.column_stack([first, inner, last])
    c2 = (3 * slope - 2 * d[:, :-1] - d[:, 1:]) / h
    c3 = (d[:, :-1] + d[:, 1:] - 2 * slope) / h**2

    def from_left(to: np.ndarray) -> np.ndarray:
        s = np.clip(to[:, None] - x[:, :-1], 0, h)
        return s * (y[:, :-1] + s * (d[:, :-1] / 2 + s * (c2 / 3 + s * c3 / 4)))

    return (from_left(high) - from_left(low)).sum(axis=1)


def _end(h0: np.ndarray, h1: np.ndarray, m0: np.ndarray, m1: np.ndarray) -> np.ndarray:
    """The slope at an end from the two nearest segments' lengths and slopes, kept monotone."""
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    d = np.where(np.sign(d) == np.sign(m0), d, 0)
    return np.where((np.sign(m0) != np.sign(m1)) & (np.abs(d) > 3 * np.abs(m0)), 3 * m0, d)


_FEWEST = 4
"""Points of a curve: as many as Bjøntegaard's polynomials took."""


def _curve(bpp: Sequence[float], db: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Rates and qualities as arrays, by rising quality."""
    rate, quality = np.asarray(bpp, dtype=np.float64), np.asarray(db, dtype=np.float64)
    if rate.ndim != 1 or rate.shape != quality.shape or not len(rate):
        raise ValueError(f"a curve is a list of rates and one of qualities, not {rate.shape} and {quality.shape}.")
    if not (np.isfinite(rate).all() and np.isfinite(quality).all() and (rate > 0).all()):
        raise ValueError("a curve needs finite qualities at positive, finite rates: leave out the other points.")
    order = np.argsort(quality, kind="stable")
    rate, quality = rate[order], quality[order]
    if (np.diff(quality) == 0).any():
        raise ValueError("a curve has one quality at two rates: leave out one of the points.")
    return rate, quality


def _check_pair(a: np.ndarray, b: np.ndarray) -> None:
    if a.dtype != np.uint8 or b.dtype != np.uint8 or a.shape != b.shape or a.ndim != 3:
        raise ValueError(
            f"two uint8 images (H, W, 3) of one size are needed, not {a.dtype}{a.shape} and {b.dtype}{b.shape}."
        )
