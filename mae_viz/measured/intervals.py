"""How far a BD-rate would move with other images, or with a figure read otherwise: its 95 % interval.

A curve measured here is drawn again from its images, with replacement; two curves of the same images are drawn
together. Points read off a figure move within the limits of their reading error, each by itself. Means that others
published stand still.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mae_viz import metrics

if TYPE_CHECKING:
    import pandas as pd

DRAWS, SEED = 2000, 0
"""Bootstrap samples of an interval, and where their random numbers begin."""

IMAGES, READING = "images", "reading error"
"""What an interval is taken over."""

METHOD = (
    f"Intervals: 2.5th to 97.5th percentile of {DRAWS} bootstrap samples of the images, the same for both curves; "
    "where one curve is published as means alone, of the other's images alone; for points read off a figure, of "
    "values within their reading error"
)
"""How intervals are taken, in words, as pages and tables say it."""


@dataclass(frozen=True)
class Side:
    """One of the two curves that are compared."""

    images: tuple[str, ...]
    """Names of the images that it was measured on; none where only means are known."""
    bpp: np.ndarray
    """(draws, points); one draw where nothing moves it."""
    quality: np.ndarray
    moved_by: str
    """`IMAGES`, `READING`, or "" for means that stand still."""


def side(rows: "pd.DataFrame", column: str, of_image: str = "") -> Side:
    """One curve's rows of `mae_viz.measured.collected.results` as draws.

    ``column``: of the means; ``of_image``: of the images, where their mean is taken before the logarithm (MS-SSIM).
    """
    images = rows[rows["image"] != "mean"]
    if len(images):
        return _resampled(images, of_image or column, bool(of_image))
    means = rows[rows[column].notna()].sort_values("bpp", kind="stable")
    values = [means["bpp"].to_numpy(), means[column].to_numpy()]
    limits = [means.get(f"{name}_uncertainty") for name in ("bpp", column)]
    if any(limit is None or limit.isna().all() for limit in limits):
        return Side((), values[0][None], values[1][None], "")
    rng = np.random.default_rng([SEED, *means["curve"].iloc[0].encode()])  # each curve's errors are its own
    bpp, quality = (
        value + limit.fillna(0).to_numpy() * rng.uniform(-1, 1, (DRAWS, len(value)))
        for value, limit in zip(values, limits, strict=True)
        if limit is not None
    )
    return Side((), bpp, quality, READING)


def _resampled(rows: "pd.DataFrame", column: str, of_mean: bool) -> Side:
    """Means over images that are drawn with replacement, at the rates at which all images are measured."""
    points = rows.fillna({"lmbda": -1, "quality": -1}).pivot(
        index=["codec", "lmbda", "quality"], columns="image", values=["bpp", column]
    )
    points = points.dropna()
    bpp, quality = points["bpp"].to_numpy(np.float64).T, points[column].to_numpy(np.float64).T
    weighing = weights(len(bpp))
    # of the mean: 1 − MS-SSIM of each image, its mean, in dB
    quality = -10 * np.log10(weighing @ 10 ** (-quality / 10)) if of_mean else weighing @ quality
    return Side(tuple(points["bpp"].columns), weighing @ bpp, quality, IMAGES)


@lru_cache(maxsize=8)
def weights(images: int) -> np.ndarray:
    """How much each image weighs in each draw, (draws, images); the same for every curve of so many images."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(images, np.full(images, 1 / images), DRAWS) / images


def comparable(anchor: Side, test: Side) -> bool:
    """Whether both were measured on the same images, as far as that is known."""
    return not (anchor.images and test.images) or anchor.images == test.images


def interval(anchor: Side, test: Side) -> tuple[float | None, float | None, str]:
    """The 95 % interval of a BD-rate in per cent, and what it is over; None, None where there is none."""
    moved = {anchor.moved_by, test.moved_by} - {""}
    if not moved:
        return None, None, ""
    both = [np.broadcast_to(a, (DRAWS, a.shape[1])) for a in (anchor.bpp, anchor.quality, test.bpp, test.quality)]
    found = metrics.bd_rates(*both)
    if np.isnan(found).any():
        return None, None, ""
    low, high = np.percentile(found, [2.5, 97.5])
    over = " and ".join(sorted(moved))
    if "" in (anchor.moved_by, test.moved_by):
        over += " of the anchor alone" if test.moved_by == "" else " of this curve alone"
    return float(low), float(high), over
