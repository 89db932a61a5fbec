"""The rate axis: which λ exist, where they lie in octaves, and which of them a stream can name.

λ weighs the mean squared error of images in [0, 1] against the rate in bits per pixel: minimise
R + λ·MSE. For 0-255 images divide λ by 65025. Everything here is plain Python, so that figures and the
command line can use it without torch.
"""

import math

LMBDAS = (64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0)
"""Λ of the models without hyperprior (paper, section IV-A)."""

LMBDAS_HYPERPRIOR = (64.0, 256.0, 1024.0, 4096.0)
"""Λ of the models with hyperprior: the paper says that there are four, its figure suggests these."""

LMBDA_MIN, LMBDA_MAX = 64.0, 4096.0

STEPS_PER_OCTAVE = 64
"""A stream names λ on a grid of 1/64 octave: a λ asked for is at most 0.55 % away from the nearest."""

LAST_INDEX = round(STEPS_PER_OCTAVE * math.log2(LMBDA_MAX / LMBDA_MIN))


def check(lmbda: float) -> float:
    """Return λ as a float. Raises ValueError where it lies outside [64, 4096] or is not a number."""
    if not LMBDA_MIN <= lmbda <= LMBDA_MAX:
        raise ValueError(f"λ = {lmbda:g} is outside the trained range: choose 64 ≤ λ ≤ 4096.")
    return float(lmbda)


def octave(lmbda: float) -> float:
    """t = log2(λ / 64): 0 at λ = 64, 6 at λ = 4096."""
    return math.log2(check(lmbda) / LMBDA_MIN)


def grid_index(lmbda: float) -> int:
    """Index (0…384) of the grid point nearest to λ: what a stream stores."""
    return round(STEPS_PER_OCTAVE * octave(lmbda))


def at_index(index: int) -> float:
    """λ of a grid point. Raises ValueError outside 0…384."""
    if not 0 <= index <= LAST_INDEX:
        raise ValueError(f"rate index {index} is outside 0…{LAST_INDEX}.")
    return LMBDA_MIN * 2.0 ** (index / STEPS_PER_OCTAVE)


def snap(lmbda: float) -> float:
    """λ moved to the nearest grid point; trained λ stay exactly where they are."""
    return at_index(grid_index(lmbda))
