"""Building blocks: convolutions, the modulating perceptron, the bottleneck scale, the rate-conditional prior.

GDN, EntropyBottleneck and GaussianConditional come from CompressAI. λ arrives everywhere as a (B,) tensor.
"""

import math
import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.rates import LMBDA_MAX, LMBDA_MIN

with warnings.catch_warnings():  # CompressAI's dependencies still use torch.jit, which is theirs to mend
    warnings.simplefilter("ignore")
    from compressai.entropy_models import EntropyBottleneck, GaussianConditional
    from compressai.layers import GDN

__all__ = [
    "GDN",
    "BottleneckScale",
    "EntropyBottleneck",
    "GaussianConditional",
    "Modulation",
    "RatePrior",
    "conv",
    "deconv",
]


def conv(in_channels: int, out_channels: int, kernel: int, stride: int, bias: bool = True) -> nn.Conv2d:
    """Convolution that divides height and width by ``stride`` exactly."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=bias)


def deconv(in_channels: int, out_channels: int, kernel: int, stride: int) -> nn.ConvTranspose2d:
    """Transposed convolution that multiplies height and width by ``stride`` exactly."""
    return nn.ConvTranspose2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, output_padding=stride - 1)


class Modulation(nn.Module):
    """Gains of one layer as a function of λ: m(λ) = exp(W₂ relu(W₁ λ/λmax + b₁) + b₂).

    Source: paper, section III-B and Fig. 2; d(λ) of the decoder has the same form.
    """

    hidden = 50

    def __init__(self, channels: int):
        super().__init__()
        self.fc1 = nn.Linear(1, self.hidden)
        self.fc2 = nn.Linear(self.hidden, channels)
        # λ/λmax crowds near 0 (1/64, 1/32, …), so the hidden units start as ramps with log-spaced ends;
        # the gains start at 1.
        ends = torch.logspace(math.log2(1.25 / 64), 1, self.hidden, base=2)
        with torch.no_grad():
            self.fc1.weight.copy_(-1 / ends[:, None])
            self.fc1.bias.fill_(1)
            self.fc2.weight.normal_(std=0.01)
            self.fc2.bias.zero_()

    def forward(self, lmbda: Tensor) -> Tensor:
        """λ (B,) → positive gains (B, channels, 1, 1), always in float32: bf16 is wrong by per cents."""
        with torch.autocast(lmbda.device.type, enabled=False):
            ratio = lmbda.float()[:, None] / LMBDA_MAX
            return torch.exp(self.fc2(F.relu(self.fc1(ratio))))[:, :, None, None]


class _RateTable(nn.Module):
    """What tables with a row for each of a few λ share: the position of any λ among them."""

    octaves: Tensor

    def __init__(self, knots: Sequence[float]):
        super().__init__()
        octaves = [math.log2(lmbda / LMBDA_MIN) for lmbda in knots]
        self.register_buffer("octaves", torch.tensor(octaves), persistent=False)

    def neighbours(self, lmbda: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (B,) of the knots below and above each λ, and the fraction (B,) between them in octaves."""
        t = torch.log2(lmbda.float() / LMBDA_MIN)
        last = len(self.octaves) - 1
        upper = torch.bucketize(t, self.octaves).clamp(0, last)
        lower = torch.where(self.octaves[upper] <= t, upper, (upper - 1).clamp(min=0))
        span = (self.octaves[upper] - self.octaves[lower]).clamp(min=1e-6)
        return lower, upper, ((t - self.octaves[lower]) / span).clamp(0, 1)


class BottleneckScale(_RateTable):
    """s(λ) of bottleneck scaling (Theis et al. 2017): one vector of positive scales per trained λ.

    Between trained λ, log s is interpolated linearly in log λ.
    """

    def __init__(self, channels: int, lmbdas: tuple[float, ...]):
        super().__init__(lmbdas)
        # A uniform quantiser's error is step²/12, so s ∝ √λ is the classical choice to start from.
        start = 0.5 * math.log(2) * (self.octaves - self.octaves[-1])
        self.log_scale = nn.Parameter(start[:, None].repeat(1, channels))

    def forward(self, lmbda: Tensor) -> Tensor:
        """λ (B,) → scales (B, channels, 1, 1)."""
        lower, upper, fraction = self.neighbours(lmbda)
        log_scale = torch.lerp(self.log_scale[lower], self.log_scale[upper], fraction[:, None])
        return torch.exp(log_scale)[:, :, None, None]


class RatePrior(_RateTable):
    """Factorised prior with one set of tables for each of a few λ, its knots, continuous in between.

    Knots are the trained λ or lie closer. The tables are CompressAI's `EntropyBottleneck` with a row for each (knot,
    channel). Between two knots the cumulative logits of the two rows, each taken relative to its own median, are
    interpolated linearly in log λ, and so are the medians: a convex combination of increasing functions increases, so
    this is a CDF, its median is known, and its value at a symbol's edge follows from the two rows' values at the same
    edge - which is what lets the codec do it in integers (`mae_viz.coding.entropy_tables`).
    """

    def __init__(self, channels: int, knots: Sequence[float]):
        super().__init__(knots)
        self.channels = channels
        self.entropy_bottleneck = EntropyBottleneck(len(knots) * channels, filters=(3, 3, 3))
        self.entropy_bottleneck.quantiles.requires_grad_(False)  # found by bisection, not by gradients
        self.update_medians()

    def forward(self, y: Tensor, lmbda: Tensor) -> tuple[Tensor, Tensor]:
        """Quantise y (B, C, H, W) and give each value its probability.

        Returns y_hat and likelihoods, both shaped like y: with additive uniform noise in training, rounded
        about the prior's median otherwise.
        """
        medians = self.medians(lmbda)
        mode = "noise" if self.training else "dequantize"
        y_hat = self.entropy_bottleneck.quantize(y, mode, medians)
        with torch.autocast(y.device.type, enabled=False):  # bf16 has too few digits for probabilities
            return y_hat, self.likelihood(y_hat - medians, lmbda)

    def likelihood(self, centred: Tensor, lmbda: Tensor) -> Tensor:
        """Probability of the unit bin around each value; ``centred`` (B, C, H, W) counts from the median."""
        batch, channels = centred.shape[:2]
        v = centred.reshape(batch, channels, 1, -1)
        upper, lower = self.logits(v + 0.5, lmbda), self.logits(v - 0.5, lmbda)
        # σ(a) − σ(b) = σ(−b) − σ(−a): on the side where both are small the difference keeps its digits
        sign = torch.where(upper + lower > 0, -1.0, 1.0)  # never 0, not even at the centre of a symmetric CDF
        p = torch.abs(torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower))
        return self.entropy_bottleneck.likelihood_lower_bound(p).reshape(centred.shape)

    def logits(self, v: Tensor, lmbda: Tensor) -> Tensor:
        """Cumulative logits at v (B, C, 1, n), where v counts from the median of its channel at λ."""
        lower, upper, fraction = self.neighbours(lmbda)
        at_lower = self._row_logits(v, lower)
        if not fraction.any():
            return at_lower
        return torch.lerp(at_lower, self._row_logits(v, upper), fraction[:, None, None, None])

    def medians(self, lmbda: Tensor) -> Tensor:
        """Medians (B, C, 1, 1) at λ: what values are rounded about."""
        lower, upper, fraction = self.neighbours(lmbda)
        rows = self._by_rate(self.entropy_bottleneck.quantiles[:, 0, 1])
        return torch.lerp(rows[lower], rows[upper], fraction[:, None])[:, :, None, None]

    def _by_rate(self, rows: Tensor) -> Tensor:
        return rows.reshape(len(self.octaves), self.channels, *rows.shape[1:])

    def _row_logits(self, v: Tensor, row: Tensor) -> Tensor:
        """`EntropyBottleneck._logits_cumulative` on the tables of one knot per image."""
        tables = self.entropy_bottleneck
        h = v + self._by_rate(tables.quantiles[:, :, 1:2])[row]
        for i in range(len(tables.filters) + 1):
            matrix, bias = self._by_rate(tables.matrices[i])[row], self._by_rate(tables.biases[i])[row]
            h = F.softplus(matrix) @ h + bias
            if i < len(tables.filters):
                h = h + torch.tanh(self._by_rate(tables.factors[i])[row]) * torch.tanh(h)
        return h

    @torch.no_grad()
    def update_medians(self) -> None:
        """Store the medians of all rows, found by bisection on the CDF (call after changing the tables)."""
        tables = self.entropy_bottleneck
        low = torch.full((tables.channels, 1, 1), -1e5, device=tables.quantiles.device)
        high = -low
        for _ in range(60):
            middle = (low + high) / 2
            below = tables._logits_cumulative(middle, stop_gradient=True) < 0
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        tables.quantiles[:, :, 1:2] = (low + high) / 2
