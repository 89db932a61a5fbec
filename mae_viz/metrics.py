"""Rate and distortion as every number of this project defines them: pure functions.

PSNR and MS-SSIM are taken on 8-bit RGB, per image; a data set's value is the mean of the images' dB.
"""

import math

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
    return math.inf if value >= 1 else -10 * math.log10(1 - value)


def _check_pair(a: np.ndarray, b: np.ndarray) -> None:
    if a.dtype != np.uint8 or b.dtype != np.uint8 or a.shape != b.shape or a.ndim != 3:
        raise ValueError(
            f"two uint8 images (H, W, 3) of one size are needed, not {a.dtype}{a.shape} and {b.dtype}{b.shape}."
        )
