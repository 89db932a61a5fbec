"""Look inside a model: (checkpoint, picture, λ) → arrays for maps, ratios and bit counts.

Maps are float32 numpy, channels first, at 1/16 of the padded picture's resolution. They are computed where the model's
weights lie (`mae_viz.load(name, device="cuda")`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz.coding.bitstream import parse
from mae_viz.coding.checkpoints import Checkpoint
from mae_viz.coding.coder import decode_picture, decode_symbols, encode_latents, quantise, to_tensor, write
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from mae_viz.layers import BottleneckScale, Modulation
    from mae_viz.models import RateModel

MASK_SHARE = 0.05
"""Places where |y(λ2)| is under this share of the channel's largest |y(λ2)| have no meaningful ratio."""


def latents(checkpoint: Checkpoint, picture: Image.Image, rate: Rate) -> tuple[np.ndarray, np.ndarray]:
    """y before quantisation, and the bits that each of its places costs: both (C, h, w).

    The bits are the entropy estimate −log2 p of the quantised value.
    """
    import torch

    with torch.inference_mode():
        y = encode_latents(checkpoint, to_tensor(picture, checkpoint.model.stride), rate)
    return y[0].numpy(), _cost(checkpoint, quantise(checkpoint, y, rate), rate).y


def unrounded(checkpoint: Checkpoint, picture: Image.Image, rate: Rate) -> Image.Image:
    """g_s(g_a(x, λ), λ): the picture that comes back where y is not rounded. What it lacks, the transforms lose."""
    y = encode_latents(checkpoint, to_tensor(picture, checkpoint.model.stride), rate)
    return decode_picture(checkpoint, y, rate, picture.height, picture.width)


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

    Channels of two models share no order: this is how a channel of one finds its like in the other. Where one model
    extends the picture further than the other, what both have is compared.
    """
    h, w = np.minimum(y.shape, others.shape[1:])
    y, others = y[:h, :w], others[:, :h, :w]
    a = y.ravel() - y.mean(dtype=np.float64)
    b = others.reshape(len(others), -1) - others.mean(axis=(1, 2), dtype=np.float64)[:, None]
    norms = np.linalg.norm(a) * np.linalg.norm(b, axis=1)
    alike = np.abs(np.divide(b @ a, norms, out=np.zeros(len(b)), where=norms > 0))
    best = int(np.argmax(alike))
    return best, float(alike[best])


# What is in a file


@dataclass(frozen=True)
class Cost:
    """Bits that every symbol of a file costs: the entropy estimate −log2 p."""

    y: np.ndarray  # (C, h, w)
    z: np.ndarray | None = None  # (C, h / 4, w / 4), the side information of a model with hyperprior
    sigma: np.ndarray | None = None  # (C, h, w), the standard deviation that it tells of every latent

    @property
    def bits(self) -> float:
        """Of the whole file."""
        return sum(float(part.sum(dtype=np.float64)) for part in (self.y, self.z) if part is not None)

    @property
    def places(self) -> np.ndarray:
        """Bits (h, w) of each place of y, and its share of the side information's."""
        own = self.y.sum(axis=0)
        return own if self.z is None else own + np.kron(self.z.sum(axis=0), np.full((4, 4), 1 / 16, np.float32))


def _cost(checkpoint: Checkpoint, groups: list[np.ndarray], rate: Rate) -> Cost:
    """The cost of symbols as `mae_viz.coding.coder.quantise` gives them."""
    import torch

    from mae_viz.models import HyperpriorModel

    model, lmbda = checkpoint.model, rate.tensor(checkpoint.model.device)
    with torch.inference_mode():
        centred, *of_y = (torch.from_numpy(group)[None].to(lmbda) for group in groups)
        first = -torch.log2(model.prior.likelihood(centred, lmbda))[0].cpu().numpy()
        if not isinstance(model, HyperpriorModel):
            return Cost(first)
        sigma = model.hyper_synthesis(centred + model.prior.medians(lmbda), lmbda)
        _, likelihoods = model.conditional(of_y[0], sigma)
        return Cost(-torch.log2(likelihoods)[0].cpu().numpy(), first, sigma[0].cpu().numpy())


def cost(checkpoint: Checkpoint, stream: bytes) -> Cost:
    """What the symbols of a `.mae` file cost."""
    parsed = parse(stream)
    return _cost(checkpoint, decode_symbols(checkpoint, parsed), parsed.rate)


def symbols(checkpoint: Checkpoint, stream: bytes) -> np.ndarray:
    """The integers that a `.mae` file holds for y, int32 (C, h, w): latents minus their `medians`, rounded."""
    return decode_symbols(checkpoint, parse(stream))[-1]


def switched_off(checkpoint: Checkpoint, stream: bytes, channel: int) -> bytes:
    """The same `.mae` file with every symbol of one channel of y at 0: the decoder sees its median everywhere."""
    parsed = parse(stream)
    groups = decode_symbols(checkpoint, parsed)
    groups[-1][channel] = 0
    return write(checkpoint, groups, parsed.rate, (parsed.width, parsed.height))


def contrast(picture: Image.Image, stride: int = 16, block: int = 16) -> np.ndarray:
    """Standard deviation of luma (0…255) in each block of a picture: (h, w), beside the maps of a model.

    ``stride``: of the model, which extends the picture to multiples of it.
    """
    luma = np.asarray(picture.convert("L"), np.float64)
    luma = np.pad(luma, [(0, -side % stride) for side in luma.shape], mode="edge")
    rows, columns = (side // block for side in luma.shape)
    return luma.reshape(rows, block, columns, block).std(axis=(1, 3))


def ratio_and_contrast(ratio: Ratio, contrast: np.ndarray) -> float:
    """Pearson correlation, over the places of a ratio that are not masked, of log |ratio| with the picture's contrast.

    Both (h, w). nan where one of the two does not vary, or under three places are left.
    """
    kept = np.isfinite(ratio.values) & (ratio.values != 0)
    if kept.sum() < 3:
        return np.nan
    size, local = np.log(np.abs(ratio.values[kept])), contrast[kept]
    return float(np.corrcoef(size, local)[0, 1]) if size.std() > 1e-6 and local.std() > 0 else np.nan


# What is in a model: priors and gains at any λ


def prior_pmf(model: "RateModel", rate: Rate, reach: int) -> np.ndarray:
    """Learned probabilities (C, 2 · reach + 1) of the symbols −reach … reach of every channel at λ."""
    import torch

    lmbda = rate.tensor(model.device)
    k = torch.arange(-reach, reach + 1).to(lmbda)
    with torch.inference_mode():
        centred = k[None, None, None].expand(1, model.prior.channels, 1, -1)
        return model.prior.likelihood(centred, lmbda)[0, :, 0].double().cpu().numpy()


def expected_pmf(checkpoint: Checkpoint, sigma: np.ndarray, reach: int) -> np.ndarray:
    """Probabilities (2 · reach + 1,) of the symbols −reach … reach of a channel whose σ (h, w) side information tells.

    They are the mean over all places of the zero-mean Gaussians of `Cost.sigma`, integrated over unit bins.
    """
    import torch

    from mae_viz.models import HyperpriorModel

    model = checkpoint.model
    assert isinstance(model, HyperpriorModel)
    k = torch.arange(-reach, reach + 1).float()[:, None, None, None]
    with torch.inference_mode():
        sigmas = torch.from_numpy(sigma)[None, None].expand(len(k), 1, *sigma.shape)
        _, likelihoods = model.conditional(k.expand_as(sigmas), sigmas)
    return likelihoods.double().mean((1, 2, 3)).numpy()


def histogram_bits(symbols: np.ndarray) -> np.ndarray:
    """Bits (C,) that symbols (C, h, w) cost with the channel's own histogram as its prior, the same at all places.

    No prior without side information (and without memory) codes this picture in fewer.
    """
    bits = np.zeros(len(symbols))
    for channel, values in enumerate(symbols):
        counts = np.unique(values, return_counts=True)[1]
        bits[channel] = -(counts * np.log2(counts / values.size)).sum() + 0.0
    return bits


def medians(model: "RateModel", rate: Rate) -> np.ndarray:
    """The latents (C,) that symbol 0 stands for at λ: the prior's medians, 0 with a hyperprior."""
    import torch

    if model.facts.hyperprior:
        return np.zeros(model.channels, np.float32)
    with torch.inference_mode():
        return model.prior.medians(rate.tensor(model.device))[0, :, 0, 0].cpu().numpy()


def prior_mix(model: "RateModel", rate: Rate) -> tuple[float, float, float]:
    """The two λ, of the prior's knots, whose tables make the prior at λ, and the weight (0…1) of the upper one."""

    lower, upper, weight = model.prior.neighbours(rate.tensor(model.device))
    return model.knots[int(lower)], model.knots[int(upper)], float(weight)


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
        if layer.modulation is not None
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

    device = next(gain.parameters()).device
    with torch.inference_mode():
        return gain(torch.tensor(lmbdas, dtype=torch.float32, device=device))[:, :, 0, 0].double().cpu().numpy()


def all_gains(model: "RateModel", rate: Rate) -> dict[str, np.ndarray]:
    """What λ multiplies each channel by, (C,) by layer: `layers` of a modulated model, "s" of bottleneck scaling."""
    found = {layer.name: layer.modulation for layer in layers(model)}
    if scale := getattr(model, "scale", None):
        found["s"] = scale
    return {name: gains(gain, [rate.lmbda])[0] for name, gain in found.items()}


def inverse_correlation(m: np.ndarray, d: np.ndarray) -> float:
    """Pearson correlation of log d with −log m: 1 where d is a multiple of a power of 1/m, nan for a constant."""
    with np.errstate(invalid="ignore"):
        return float(np.corrcoef(np.log(d).ravel(), -np.log(m).ravel())[0, 1])
