"""Look inside a model: (checkpoint, picture, λ) → arrays for maps, ratios and bit counts.

Arrays are float32 numpy, channels first, at 1/16 of the padded picture's resolution.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mae_viz.checkpoints import Checkpoint
from mae_viz.codec import encode_latents, to_tensor

MASK_SHARE = 0.05
"""Places where |y(λ2)| is under this share of the channel's largest |y(λ2)| have no meaningful ratio."""


def latents(checkpoint: Checkpoint, picture: Image.Image, lmbda: float) -> tuple[np.ndarray, np.ndarray]:
    """y before quantisation, and the bits that each of its places costs: both (C, h, w).

    The bits are the entropy estimate −log2 p of the quantised value.
    """
    import torch

    model = checkpoint.model
    with torch.inference_mode():
        x = to_tensor(picture, model.stride)
        rate = model.rates(lmbda, x)
        y = encode_latents(checkpoint, x, rate)
        _, likelihoods = model.prior(y, rate)
    return y[0].numpy(), -torch.log2(likelihoods)[0].numpy()


@dataclass(frozen=True)
class Ratio:
    """Element-wise ratio of one channel at two λ (paper, Fig. 4)."""

    values: np.ndarray  # (h, w), nan where masked
    masked_share: float  # 0…1
    mean: float  # weighted by y(λ2)², nan where all is masked
    constancy: float  # coefficient of variation, weighted by y(λ2)²: 0 means one gain for the whole channel


def ratio(y1: np.ndarray, y2: np.ndarray) -> Ratio:
    """r = y1 / y2 for two maps (h, w) of one channel before quantisation, y1 at λ1 and y2 at λ2.

    Places where |y2| < 5 % of its largest are masked; the constancy score is the weighted std / |mean| of r
    over the others.
    """
    size = np.abs(y2.astype(np.float64))
    keep = (size >= MASK_SHARE * size.max()) & (size > 0)
    values = np.full(y1.shape, np.nan)
    np.divide(y1, y2, out=values, where=keep, dtype=np.float64)
    if not keep.any():
        return Ratio(values, 1.0, np.nan, np.nan)
    weights = size[keep] ** 2
    mean = np.average(values[keep], weights=weights)
    deviation = np.sqrt(np.average((values[keep] - mean) ** 2, weights=weights))
    return Ratio(values, float(1 - keep.mean()), float(mean), float(deviation / abs(mean)) if mean else np.inf)
