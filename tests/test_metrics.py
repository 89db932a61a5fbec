"""The definitions of rate and distortion, against independent computations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import convolve1d

from mae_viz import metrics


def test_bpp_counts_the_whole_file():
    assert metrics.bpp(100, 10, 16) == 5.0


@given(st.integers(1, 255))
def test_psnr_of_a_constant_error(error):
    a = np.zeros((5, 7, 3), np.uint8)
    assert metrics.psnr_db(a, a + np.uint8(error)) == pytest.approx(20 * math.log10(255 / error))


def test_equal_pictures_have_infinite_psnr(noise):
    assert metrics.psnr_db(noise(5, 5), noise(5, 5)) != math.inf
    a = noise(5, 5)
    assert metrics.psnr_db(a, a) == math.inf


def test_ms_ssim_against_the_definition(photograph, noise):
    """Wang, Simoncelli, Bovik 2003, written out in numpy."""
    a = np.asarray(photograph)[100:300, 200:400]
    b = np.clip(a.astype(int) + noise(200, 200) // 16 - 8, 0, 255).astype(np.uint8)
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(x):
        return convolve1d(convolve1d(x, window, axis=0), window, axis=1)[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for channel in range(3):
        x, y = a[..., channel].astype(float), b[..., channel].astype(float)
        value = 1.0
        for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
            mx, my = blur(x), blur(y)
            vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
            contrast = (2 * vxy + c2) / (vx + vy + c2)
            luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
            value *= np.mean(luminance * contrast if scale == 4 else contrast) ** weight
            x, y = (z[: len(z) // 2 * 2, : z.shape[1] // 2 * 2] for z in (x, y))
            x, y = ((z[::2, ::2] + z[1::2, ::2] + z[::2, 1::2] + z[1::2, 1::2]) / 4 for z in (x, y))
        values.append(value)
    assert metrics.ms_ssim_db(a, b) == pytest.approx(-10 * math.log10(1 - np.mean(values)), abs=0.02)


def test_ms_ssim_needs_161_pixels(noise):
    assert metrics.ms_ssim_db(noise(160, 300), noise(160, 300)) is None
    assert metrics.ms_ssim_db(noise(161, 161), noise(161, 161)) is not None


def test_pictures_of_different_sizes_or_types_are_refused(noise):
    with pytest.raises(ValueError, match="of one size"):
        metrics.psnr_db(noise(4, 5), noise(5, 4))
    with pytest.raises(ValueError, match="two uint8 images"):
        metrics.psnr_db(noise(4, 5) / 255, noise(4, 5))
