"""Look inside a model: (checkpoint, picture, λ) → arrays for maps, ratios and bit counts.

Maps are float32 numpy, channels first, at 1/16 of the padded picture's resolution.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz.bitstream import encode_symbols, parse
from mae_viz.checkpoints import Checkpoint
from mae_viz.codec import decode_y_hat, encode_latents, to_tensor

if TYPE_CHECKING:
    from mae_viz.layers import BottleneckScale, Modulation
    from mae_viz.models import RateModel

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


def constancies(y1: np.ndarray, y2: np.ndarray) -> np.ndarray:
    """Constancy score of every channel of y1 / y2, (C, h, w) both; nan for a channel that is off at λ2."""
    return np.array([ratio(a, b).constancy for a, b in zip(y1, y2, strict=True)])


def most_alike(y: np.ndarray, others: np.ndarray) -> tuple[int, float]:
    """Which of the maps ``others`` (C, h, w) looks most like the map y (h, w), and the |correlation| with it.

    Channels of two models share no order: this is how a channel of one finds its like in the other.
    """
    a = y.ravel() - y.mean(dtype=np.float64)
    b = others.reshape(len(others), -1) - others.mean(axis=(1, 2), dtype=np.float64)[:, None]
    norms = np.linalg.norm(a) * np.linalg.norm(b, axis=1)
    alike = np.abs(np.divide(b @ a, norms, out=np.zeros(len(b)), where=norms > 0))
    best = int(np.argmax(alike))
    return best, float(alike[best])


# What is in a file


def symbols(checkpoint: Checkpoint, stream: bytes) -> np.ndarray:
    """The integers that a `.mae` file holds, int32 (C, h, w): latents minus their prior's median, rounded."""
    parsed = parse(stream)
    y_hat = decode_y_hat(checkpoint, parsed)[0].numpy()
    return np.rint(y_hat - medians(checkpoint.model, parsed.lmbda)[:, None, None]).astype(np.int32)


def bits(checkpoint: Checkpoint, stream: bytes) -> np.ndarray:
    """Bits (C, h, w) that each symbol of a `.mae` file costs: the entropy estimate −log2 p.

    The same numbers as those of `latents`, without another pass through g_a.
    """
    import torch

    rate = torch.tensor([parse(stream).lmbda])
    with torch.inference_mode():
        centred = torch.from_numpy(symbols(checkpoint, stream))[None].float()
        return -torch.log2(checkpoint.model.prior.likelihood(centred, rate))[0].numpy()


def switched_off(checkpoint: Checkpoint, stream: bytes, channel: int) -> bytes:
    """The same `.mae` file with every symbol of one channel at 0: the decoder sees the prior's median everywhere."""
    parsed, kept = parse(stream), symbols(checkpoint, stream)
    kept[channel] = 0
    flat = kept.reshape(len(kept), -1)
    payload, escapes = encode_symbols(flat, checkpoint.tables.at(parsed.rate_index))
    crc = zlib.crc32(flat.astype("<i4").tobytes())
    return replace(parsed, payload=payload, escapes=escapes, symbols_crc=crc).pack()


def contrast(picture: Image.Image, block: int = 16) -> np.ndarray:
    """Standard deviation of luma (0…255) in each block of a picture: (h, w), beside the maps of a model."""
    luma = np.asarray(picture.convert("L"), np.float64)
    luma = np.pad(luma, [(0, -side % block) for side in luma.shape], mode="edge")
    rows, columns = (side // block for side in luma.shape)
    return luma.reshape(rows, block, columns, block).std(axis=(1, 3))


# What is in a model: priors and gains at any λ


def prior_pmf(model: "RateModel", lmbda: float, reach: int) -> np.ndarray:
    """Learned probabilities (C, 2 · reach + 1) of the symbols −reach … reach of every channel at λ."""
    import torch

    k = torch.arange(-reach, reach + 1).float()
    with torch.inference_mode():
        centred = k[None, None, None].expand(1, model.prior.channels, 1, -1)
        return model.prior.likelihood(centred, torch.tensor([float(lmbda)]))[0, :, 0].double().numpy()


def medians(model: "RateModel", lmbda: float) -> np.ndarray:
    """The prior's medians (C,) at λ: the latents that symbol 0 stands for."""
    import torch

    with torch.inference_mode():
        return model.prior.medians(torch.tensor([float(lmbda)]))[0, :, 0, 0].numpy()


def prior_mix(model: "RateModel", lmbda: float) -> tuple[float, float, float]:
    """The two trained λ whose tables make the prior at λ, and the weight (0…1) of the upper one."""
    import torch

    lower, upper, weight = model.prior.neighbours(torch.tensor([float(lmbda)]))
    return model.lmbdas[int(lower)], model.lmbdas[int(upper)], float(weight)


@dataclass(frozen=True)
class Layer:
    """A layer that λ modulates."""

    name: str  # in formulas: "m1" … of g_a, "d1" … of g_s, with a hyperprior "hm1" … of h_a and "hd1" … of h_s
    part: str  # "g_a", "g_s", "h_a" or "h_s"
    number: int  # from 1, in the order the data flow
    modulation: "Modulation"


_NAMES = {"g_a": "m", "g_s": "d", "h_a": "hm", "h_s": "hd"}


def layers(model: "RateModel") -> list[Layer]:
    """The modulated layers of a model: 6 without hyperprior, 14 with it, none where nothing is modulated."""
    return [
        Layer(f"{name}{number}", part, number, layer.modulation)
        for part, name in _NAMES.items()
        for number, layer in enumerate(getattr(model, part, ()), 1)
        if hasattr(layer, "modulation")
    ]


def mirrors(model: "RateModel") -> list[tuple[Layer, Layer]]:
    """Pairs of an encoder's layer and the decoder's layer that faces it: the last with the first, and so on."""
    parts = {part: [layer for layer in layers(model) if layer.part == part] for part in _NAMES}
    return [
        pair
        for encoder, decoder in (("g_a", "g_s"), ("h_a", "h_s"))
        for pair in zip(reversed(parts[encoder]), parts[decoder], strict=True)
    ]


def gains(gain: "Modulation | BottleneckScale", lmbdas: Sequence[float]) -> np.ndarray:
    """m(λ), d(λ) of a `Layer.modulation`, or s(λ) of a bottleneck-scaling model's ``scale``: (λ, C), positive."""
    import torch

    with torch.inference_mode():
        return gain(torch.tensor(lmbdas, dtype=torch.float32))[:, :, 0, 0].double().numpy()


def inverse_correlation(m: np.ndarray, d: np.ndarray) -> float:
    """Pearson correlation of log d with −log m over channels: 1 where d is a multiple of a power of 1/m."""
    return float(np.corrcoef(np.log(d).ravel(), -np.log(m).ravel())[0, 1])
