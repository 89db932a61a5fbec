"""The rate axis: which λ exist, where they lie in octaves, and which of them a stream can name.

λ weighs the mean squared error of images in [0, 1] against the rate in bits per pixel: minimise
R + λ·MSE. For 0-255 images divide λ by 65025. A λ that a person typed or a slider gave becomes a `Rate` once, at the
edge, and travels unchanged; only training, which draws λ off the grid, keeps plain tensors. Importing this costs no
torch, so that figures and the command line can use it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LMBDAS = (64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
"""Λ of the models without hyperprior: the values are those of the authors' released code."""

LMBDAS_HYPERPRIOR = (64.0, 256.0, 1024.0, 4096.0)
"""Λ of the models with hyperprior: the paper says that there are four, its figure suggests these."""

LMBDA_MIN, LMBDA_MAX = 64.0, 4096.0
"""Between these λ lies every other."""

STEPS_PER_OCTAVE = 64
"""A stream names λ on a grid of 1/64 octave: a λ asked for is at most 0.55 % away from the nearest."""

LAST_INDEX = round(STEPS_PER_OCTAVE * math.log2(LMBDA_MAX / LMBDA_MIN))
"""Of the grid: 384, λ = 4096."""


@dataclass(frozen=True, order=True)
class Rate:
    """A λ that a file can name: a point of the grid. Trained λ lie on it exactly."""

    index: int
    """0…384: what a stream stores."""

    def __post_init__(self) -> None:
        if not 0 <= self.index <= LAST_INDEX:
            raise ValueError(f"rate index {self.index} is outside 0…{LAST_INDEX}.")

    @classmethod
    def near(cls, lmbda: float) -> "Rate":
        """The rate nearest to any λ. Raises ValueError where λ lies outside [64, 4096] or is not a number."""
        return cls(round(STEPS_PER_OCTAVE * octave(lmbda)))

    @property
    def lmbda(self) -> float:
        """λ, 64…4096."""
        return LMBDA_MIN * 2.0 ** (self.index / STEPS_PER_OCTAVE)

    @property
    def number(self) -> float:
        """λ: what people and result files know this rate by."""
        return self.lmbda

    @property
    def octave(self) -> float:
        """t = log2(λ / 64), 0…6."""
        return self.index / STEPS_PER_OCTAVE

    @property
    def at(self) -> int:
        """The number that frames and addresses know this rate by."""
        return self.index

    def higher(self, octaves: float) -> "Rate":
        """The rate so many octaves up (down below 0). Raises ValueError where that leaves the range."""
        return Rate(self.index + round(octaves * STEPS_PER_OCTAVE))

    def tensor(self, device: "torch.device | str" = "cpu") -> "Tensor":
        """λ as a float32 tensor of one element, as models on a device take it."""
        import torch

        return torch.full((1,), self.lmbda, device=device)

    def __str__(self) -> str:
        """λ in four digits, "512" or "702.2": enough to find the rate again."""
        return f"{self.lmbda:.4g}"


def check(lmbda: float) -> float:
    """Return λ as a float. Raises ValueError where it lies outside [64, 4096] or is not a number."""
    if not LMBDA_MIN <= lmbda <= LMBDA_MAX:
        raise ValueError(f"λ = {lmbda:g} is outside the trained range: choose 64 ≤ λ ≤ 4096.")
    return float(lmbda)


def check_knots(knots: Sequence[float], lmbdas: Sequence[float]) -> tuple[float, ...]:
    """λ at which a prior has rows, as floats.

    Raises ValueError where they do not rise from the first trained λ to the last, or two are one point of the grid.
    """
    found = tuple(map(float, knots))
    if found[:1] != tuple(lmbdas[:1]) or found[-1:] != tuple(lmbdas[-1:]):
        raise ValueError(f"knots must go from the first trained λ to the last, {lmbdas[0]:g} … {lmbdas[-1]:g}.")
    points = [Rate.near(knot).index for knot in found]
    if any(b <= a for a, b in pairwise(points)):
        raise ValueError(f"knots = {[f'{v:g}' for v in found]} must rise by 1/{STEPS_PER_OCTAVE} octave or more.")
    return found


def octave(lmbda: float) -> float:
    """t = log2(λ / 64): 0 at λ = 64, 6 at λ = 4096."""
    return math.log2(check(lmbda) / LMBDA_MIN)
