"""The hyperprior's decoder in exact integers: which scale each latent has, the same on every machine.

h_s says how wide every latent's Gaussian is. Were one of its answers rounded differently by the decoder than by the
encoder, everything after it would be lost, so it is evaluated here in integers (Ballé et al., "Integer networks for
data compression with latent-variable models", ICLR 2019), carried in float64, where sums below 2^53 are exact and so
independent of their order, of threads and of hardware.

A checkpoint stores as integers what needs a transcendental function: h_s's gains d(λ) at every fourth rate index from
the first trained one, 16 fractional bits; the medians of z at the prior's knots, 12; the fractional bits W of each
layer's kernels; and the tables of 64 zero-mean Gaussians, whose standard deviations go from 0.11 to 256 in equal
ratios. The kernels are the stored float16 ones times 2^W, rounded; the biases times 2^(12 + W), rounded. At rate index
k, with all values v standing for v / 2^12 and clipped to ±2^24 after every step, and ⌊x⌉_b = (x + 2^(b−1)) >> b:

1. v = symbol of z · 2^12 + median; medians between knots as logits are (see `entropy_tables.py`), gains between the
   stored rate indices a and b = a + 4 as ((b − k) · d_a + (k − a) · d_b + 2) >> 2
2. for each of the three layers: v ← ⌊v · gain⌉_16, then max(v, 0) except in the first; v ← ⌊layer(v)⌉_W with the
   kernels and biases in integers
3. index = number of thresholds that are ≤ v, where threshold i is the mean of ln σ_i and ln σ_{i+1}
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from mae_viz import rates
from mae_viz.coding import entropy_tables

if TYPE_CHECKING:
    from torch import Tensor

    from mae_viz.models import Convolution, HyperpriorModel

SCALES = 0.11 * (256 / 0.11) ** (np.arange(64) / 63)
"""Standard deviations that a latent may be coded with: CompressAI's table."""

BITS = 12  # fractional bits of activations
GAIN_BITS = 16
LIMIT = 1 << 24  # of activations
_EXACT = 1 << 52  # of sums: half of what float64 holds exactly
_HALO = 2  # rows of z around a strip that its indexes depend on
_STRIP_PLACES = 4096  # of z in a strip
_GAIN_STEP = 4  # rate indices between two stored gains
_PREFIX = "gaussian."


class IntegerHyperSynthesis:
    """h_s of one checkpoint, in integers, and the tables that its indexes choose from."""

    names = ("gains", "medians", "shifts", "thresholds", "rows")

    def __init__(self, model: "HyperpriorModel", arrays: Mapping[str, ArrayLike]):
        self._arrays = {name: np.asarray(arrays[name], np.int64) for name in self.names}
        self.gains, self.medians, self.shifts, self.thresholds, self.rows = self._arrays.values()
        gaussian = {key.removeprefix(_PREFIX): v for key, v in arrays.items() if key.startswith(_PREFIX)}
        self.gaussians = entropy_tables.EntropyTables(gaussian)
        self.layers = [
            _IntegerLayer(layer.conv, int(shift), first=number == 0)
            for number, (layer, shift) in enumerate(zip(model.h_s, self.shifts, strict=True))
        ]

    def arrays(self) -> dict[str, np.ndarray]:
        """The integers as a checkpoint stores them."""
        own = {name: v.astype(np.int32) for name, v in self._arrays.items()}
        return own | {_PREFIX + name: v for name, v in self.gaussians.arrays().items()}

    def models(self) -> list[entropy_tables.Frequencies]:
        """The tables of all scale indexes."""
        return self.gaussians.at(0)

    def indexes(self, z: np.ndarray, index: int, look: Callable[[np.ndarray], None] | None = None) -> np.ndarray:
        """Scale indexes, uint8 (C, 4 h, 4 w), of the latents whose side information is z, integers (C, h, w).

        They are computed in strips, so that memory stays bounded; ``look`` sees each, and what it raises ends the work.
        """
        channels, height, width = z.shape
        out = np.empty((channels, 4 * height, 4 * width), np.uint8)
        rows = max(_STRIP_PLACES // width, 4 * _HALO)
        for top in range(0, height, rows):
            end, above = min(top + rows, height), max(top - _HALO, 0)
            v = z[:, above : end + _HALO].astype(np.float64) * (1 << BITS) + self._medians_at(index)[:, None, None]
            v = np.clip(v, -LIMIT, LIMIT)
            for layer, gains in zip(self.layers, self._gains_at(index), strict=True):
                v = layer(v, gains)
            strip = v[:, 4 * (top - above) : 4 * (end - above)]
            strip = np.searchsorted(self.thresholds, strip.ravel(), side="right").astype(np.uint8).reshape(strip.shape)
            out[:, 4 * top : 4 * end] = strip
            if look:
                look(strip)
        return out

    def _medians_at(self, index: int) -> np.ndarray:
        below = int(np.searchsorted(self.rows, index, side="right")) - 1
        a = int(self.rows[below])
        if index == a:
            return self.medians[below]
        b = int(self.rows[below + 1])
        return ((b - index) * self.medians[below] + (index - a) * self.medians[below + 1]) // (b - a)

    def _gains_at(self, index: int) -> np.ndarray:
        entry, rest = divmod(index - int(self.rows[0]), _GAIN_STEP)
        after = self.gains[min(entry + 1, len(self.gains) - 1)]
        return ((_GAIN_STEP - rest) * self.gains[entry] + rest * after + _GAIN_STEP // 2) // _GAIN_STEP


class _IntegerLayer:
    """One layer of h_s: gain, ReLU (not in the first layer), convolution, each exact."""

    def __init__(self, conv: "Convolution", shift: int, first: bool):
        self.shift, self.first, self.stride = shift, first, conv.stride[0]
        weight, bias = (np.rint(p.detach().double().numpy()) for p in _scaled(conv, shift))
        transposed = conv.transposed
        # (tap, tap, out, in): contributions of input i to output stride · i + tap − padding
        self.kernels = np.ascontiguousarray(
            weight.transpose(2, 3, 1, 0) if transposed else weight[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
        )
        self.bias = bias[:, None, None]
        bound = np.abs(self.kernels).sum(axis=(0, 1, 3)) * LIMIT + np.abs(bias)
        if not bound.max() < _EXACT:
            raise ValueError("the integers of this checkpoint's hyperprior contradict its weights: download it again.")

    def __call__(self, v: np.ndarray, gains: np.ndarray) -> np.ndarray:
        v = _rounded_shift(v * gains[:, None, None], GAIN_BITS)  # below 2^24 · 2^28: exact
        v = np.clip(v, -LIMIT if self.first else 0, LIMIT)
        channels, height, width = v.shape
        flat = v.reshape(channels, -1)
        k, s = len(self.kernels), self.stride
        rows, columns = s * height, s * width
        out = np.zeros((self.kernels.shape[2], rows + k + s, columns + k + s))
        for i in range(k):
            for j in range(k):
                part = (self.kernels[i, j] @ flat).reshape(-1, height, width)
                out[:, i : i + rows : s, j : j + columns : s] += part
        out = out[:, k // 2 : k // 2 + rows, k // 2 : k // 2 + columns] + self.bias
        return np.clip(_rounded_shift(out, self.shift), -LIMIT, LIMIT)


def _scaled(conv: "Convolution", shift: int) -> tuple["Tensor", "Tensor"]:
    assert conv.bias is not None
    return conv.weight.double() * 2.0**shift, conv.bias.double() * 2.0 ** (shift + BITS)


def _rounded_shift(v: np.ndarray, bits: int) -> np.ndarray:
    """⌊v⌉_bits of integers in float64: adding below 2^53 and scaling by a power of two are exact."""
    return np.floor((v + 2.0 ** (bits - 1)) * 2.0**-bits) if bits else v


def build(model: "HyperpriorModel") -> IntegerHyperSynthesis:
    """The integers of a model with hyperprior: done once, when a checkpoint is written.

    Raises ValueError for weights that are infinite or so large that 52 bits cannot hold their sums.
    """
    import torch

    first, last = (rates.Rate.near(model.lmbdas[i]).index for i in (0, -1))
    steps = list(range(first, last + _GAIN_STEP, _GAIN_STEP)) if last > first else [first]
    lmbdas = torch.tensor([rates.Rate(min(step, last)).lmbda for step in steps])
    with torch.inference_mode():
        gains = [
            layer.modulation(lmbdas)[:, :, 0, 0].double().numpy()
            if layer.modulation is not None
            else np.ones((len(steps), model.channels))
            for layer in model.h_s
        ]
        medians = torch.cat([model.prior.medians(torch.tensor([v]))[:, :, 0, 0] for v in model.knots])
    arrays = {
        "gains": np.clip(np.rint(np.stack(gains, axis=1) * (1 << GAIN_BITS)), 0, (1 << 28) - 1),
        "medians": np.clip(np.rint(medians.double().numpy() * (1 << BITS)), -LIMIT, LIMIT),
        "shifts": [_shift(layer.conv) for layer in model.h_s],
        "thresholds": np.rint((np.log(SCALES[:-1]) + np.log(SCALES[1:])) / 2 * (1 << BITS)),
        "rows": [rates.Rate.near(lmbda).index for lmbda in model.knots],
    }
    # ln Φ(x) − ln Φ(−x) of the symbols' edges: the logit of the Gaussian's cumulative distribution
    edges = torch.from_numpy(entropy_tables.EDGES)[None] / torch.from_numpy(SCALES)[:, None]
    logits = (torch.special.log_ndtr(edges) - torch.special.log_ndtr(-edges)).numpy()
    gaussian = entropy_tables.from_logits(logits[None], [0]).arrays()
    return IntegerHyperSynthesis(model, arrays | {_PREFIX + name: v for name, v in gaussian.items()})


def _shift(conv: "Convolution") -> int:
    """The largest number of fractional bits, up to 16, with which a layer's sums stay exact."""
    assert conv.bias is not None
    weight, bias = conv.weight.detach().double(), conv.bias.detach().double()
    fan = weight.abs().sum(dim=(0, 2, 3) if conv.transposed else (1, 2, 3))
    taps = weight.numel() / len(fan)
    for shift in range(16, -1, -1):
        bound = (fan * 2.0**shift + taps) * LIMIT + bias.abs() * 2.0 ** (shift + BITS) + 1
        if math.isfinite(worst := float(bound.max())) and worst < 0.99 * _EXACT:  # float16 may yet round up
            return shift
    raise ValueError("the hyperprior's weights are too large to be computed with in integers.")
