"""What a model costs between its trained λ: every measured λ against the curve through the trained ones."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mae_viz.numbers import percent

if TYPE_CHECKING:
    import pandas as pd


def rate_at(curve_bpp: ArrayLike, curve_db: ArrayLike, db: ArrayLike) -> np.ndarray:
    """Bits per pixel of a curve at qualities in dB: log rate by PCHIP, as BD-rates have it; nan outside the curve."""
    from scipy.interpolate import PchipInterpolator

    bpp, quality = np.asarray(curve_bpp, np.float64), np.asarray(curve_db, np.float64)
    order = np.lexsort((bpp, quality))  # of files that are equally good, as those of tiny pictures may be, the smallest
    quality, first = np.unique(quality[order], return_index=True)
    kept = np.isfinite(quality)
    if kept.sum() < 2:
        return np.full(np.shape(db), np.nan)
    rate = np.log(bpp[order][first])
    return np.exp(PchipInterpolator(quality[kept], rate[kept], extrapolate=False)(db))


def between(frame: "pd.DataFrame", codec: str, dataset: str = "kodak") -> "pd.DataFrame":
    """A row for each λ at which a codec was measured on a data set, by rising λ.

    Columns: lmbda, trained, bpp, psnr_db, excess_percent (bits per pixel over those of the curve through the trained λ
    at the same PSNR; 0 at these, nan outside), growth_percent (bits per pixel over those of the λ before; nan at the
    first). Raises ValueError where nothing was measured.
    """
    rows = frame[(frame["codec"] == codec) & (frame["dataset"] == dataset) & (frame["image"] == "mean")]
    if rows.empty:
        raise ValueError(f"nothing of {codec!r} is measured on {dataset!r}: run `mae-viz evaluate {codec}` first.")
    rows = rows.sort_values("lmbda")[["lmbda", "trained", "bpp", "psnr_db"]].reset_index(drop=True)
    curve = rows[rows["trained"]]
    same = rate_at(curve["bpp"], curve["psnr_db"], rows["psnr_db"].to_numpy())
    return rows.assign(
        excess_percent=100 * (rows["bpp"] / same - 1),
        growth_percent=100 * rows["bpp"].pct_change(fill_method=None),
    )


def sentence(found: "pd.DataFrame", title: str) -> str:
    """The extremes of a table of `between`, in words."""
    worst, growth = found.loc[found["excess_percent"].idxmax()], found["growth_percent"].dropna()
    return (
        f"**{title} at {len(found)} λ**: at most {percent(worst['excess_percent'] / 100, '+.1f')} above the curve "
        f"through the trained ones (at λ = {worst['lmbda']:.4g}); from one λ to the next its files grow by "
        f"{growth.min():.1f} to {percent(growth.max() / 100, '.1f')}."
    )
