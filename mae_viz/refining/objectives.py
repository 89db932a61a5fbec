"""What a refined file shall be good at: distortions D, so that R + λ·D is what refinement lowers, R in bits per pixel.

With squared errors that is what the models were trained for. The scale of the others is such that at equal λ the files
come out about as large. One of your own is a function like those below in an `Objective`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MS_SSIM_SCALE = 36.0
"""(1 − MS-SSIM) over this costs as much as an MSE: on Kodak the rate falls by λ/36 bits per pixel where the shipped
MAE's 1 − MS-SSIM grows by 1, within a sixth of that at every λ."""

_MIXED = 0.15  # the share of MSE in the mixture: enough that flat areas keep their brightness
_MOST = 10.0  # how many times as much as black the white of an importance map counts
_MS_SSIM_SIDE = 161  # four halvings and a window of 11


@dataclass(frozen=True)
class Objective:
    """One distortion."""

    name: str
    title: str
    definition: str
    distortion: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    """Of x_hat and x, (1, 3, H, W) in [0, 1], and weights (1, 1, H, W) of mean 1 or None: a tensor of one element."""
    weighable: bool = True
    """Whether weights change it."""
    least_side: int = 1
    """Pixels that each side of a picture must have."""


def mse(x_hat: Tensor, x: Tensor, weights: Tensor | None) -> Tensor:
    """Mean squared error over pixels and colours, each pixel with its weight."""
    squares = (x_hat - x) ** 2
    return (squares if weights is None else weights * squares).mean()


def ms_ssim(x_hat: Tensor, x: Tensor, weights: Tensor | None) -> Tensor:
    """(1 − MS-SSIM) / 36; weights are not used."""
    from pytorch_msssim import ms_ssim

    return (1 - ms_ssim(x_hat.clamp(0, 1), x, data_range=1)) / MS_SSIM_SCALE


def mixture(x_hat: Tensor, x: Tensor, weights: Tensor | None) -> Tensor:
    """85 % MS-SSIM, 15 % squared errors; weights reach the squared errors."""
    return (1 - _MIXED) * ms_ssim(x_hat, x, None) + _MIXED * mse(x_hat, x, weights)


OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("mse", "MSE", "mean squared error", mse),
        Objective("ms-ssim", "MS-SSIM", "(1 − MS-SSIM) / 36", ms_ssim, False, _MS_SSIM_SIDE),
        Objective("mixture", "MS-SSIM and MSE", "0.85 · (1 − MS-SSIM) / 36 + 0.15 · MSE", mixture, True, _MS_SSIM_SIDE),
    )
}
"""All objectives by name."""


def named(name: str) -> Objective:
    """The objective of a name. Raises ValueError with the names that there are."""
    if name not in OBJECTIVES:
        raise ValueError(f"there is no objective {name!r}: choose {', '.join(OBJECTIVES)}.")
    return OBJECTIVES[name]


def weights(importance: np.ndarray, height: int, width: int) -> Tensor:
    """Weights (1, 1, H, W) of mean 1 from an importance map (H, W) in [0, 1]: 1 counts ten times as much as 0.

    Raises ValueError for another size, values outside, and a map that is the same everywhere.
    """
    values = np.asarray(importance, np.float64)
    if values.shape != (height, width):
        there = " × ".join(map(str, values.shape[::-1]))
        raise ValueError(f"the importance map has {there} pixels, the picture {width} × {height}: make them equal.")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError("an importance map holds numbers from 0 to 1: what it holds lies outside, or is no number.")
    if values.min() == values.max():
        raise ValueError("the importance map is the same everywhere, so it asks for nothing: paint what matters white.")
    found = 1 + (_MOST - 1) * values
    return torch.from_numpy(found / found.mean()).float()[None, None]
