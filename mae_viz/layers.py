"""Building blocks: convolutions, GDN, the modulating perceptron, the bottleneck scale, priors.

λ arrives everywhere as a (B,) tensor. GDN and the priors are those of CompressAI, with parameters of the same names,
shapes and meaning; tests compare them with it. They are written here because the rate-conditional prior needs
cumulative logits, which are private there and may change, and because importing CompressAI takes longer than coding a
picture. Of CompressAI nothing private is used anywhere (`tests/test_rooms.py`).
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.rates import LMBDA_MAX, LMBDA_MIN

_LEAST_PROBABILITY = 1e-9
_LEAST_SIGMA = 0.11


def conv(in_channels: int, out_channels: int, kernel: int, stride: int, bias: bool = True) -> nn.Conv2d:
    """Convolution that divides height and width by ``stride`` exactly."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=bias)


def deconv(in_channels: int, out_channels: int, kernel: int, stride: int) -> nn.ConvTranspose2d:
    """Transposed convolution that multiplies height and width by ``stride`` exactly."""
    return nn.ConvTranspose2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, output_padding=stride - 1)


class _AtLeast(torch.autograd.Function):
    """max(x, bound), whose gradient also passes below the bound where it leads upwards."""

    @staticmethod
    def forward(ctx, x: Tensor, bound: float) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return gradient * ((x >= ctx.bound) | (gradient < 0)), None


def at_least(x: Tensor, bound: float) -> Tensor:
    """max(x, bound) with a gradient that can lead out from below."""
    return _AtLeast.apply(x, bound)


class NonNegative(nn.Module):
    """A number ≥ ``minimum`` as the square of what is stored, so that steps near 0 are small."""

    pedestal = 2.0**-36  # keeps the gradient at 0 from vanishing

    def __init__(self, minimum: float = 0.0):
        super().__init__()
        self.bound = math.sqrt(minimum + self.pedestal)

    def init(self, value: Tensor) -> Tensor:
        """What to store for a value."""
        return torch.sqrt((value + self.pedestal).clamp(min=self.pedestal))

    def forward(self, stored: Tensor) -> Tensor:
        """What is stored → the value, 0 or more, of the same shape."""
        return at_least(stored, self.bound) ** 2 - self.pedestal


class GDN(nn.Module):
    """Generalised divisive normalisation: y_i = x_i / √(β_i + Σ_j γ_ij x_j²), or with ``inverse`` the product.

    Source: Ballé, Laparra and Simoncelli, "Density Modeling of Images Using a Generalized Normalization
    Transformation", ICLR 2016.
    """

    def __init__(self, channels: int, inverse: bool = False):
        super().__init__()
        self.inverse = inverse
        self.beta_reparam, self.gamma_reparam = NonNegative(1e-6), NonNegative()
        self.beta = nn.Parameter(self.beta_reparam.init(torch.ones(channels)))
        self.gamma = nn.Parameter(self.gamma_reparam.init(0.1 * torch.eye(channels)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same shape."""
        gamma = self.gamma_reparam(self.gamma)[:, :, None, None]
        norm = F.conv2d(x**2, gamma, self.beta_reparam(self.beta))
        return x * (torch.sqrt(norm) if self.inverse else torch.rsqrt(norm))


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


class EntropyModel(nn.Module):
    """What quantises: with uniform noise in training, otherwise by rounding about the means."""

    def quantize(self, inputs: Tensor, means: Tensor | None = None) -> Tensor:
        """Values of any shape, plus noise in [−½, ½) in training, else rounded about ``means`` (0 without)."""
        if self.training:
            return inputs + torch.empty_like(inputs).uniform_(-0.5, 0.5)
        return torch.round(inputs) if means is None else torch.round(inputs - means) + means

    def rated(self, inputs: Tensor, y_hat: Tensor) -> Tensor:
        """What the rate is computed of: what the decoder sees, unless a trainer has it otherwise."""
        return y_hat


class Cumulatives(EntropyModel):
    """Learned distributions, one for each row, as increasing functions: the logit of the cumulative probability.

    Source: Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018, appendix 6.1: small
    networks of one input and one output with positive weights.
    """

    filters = (3, 3, 3)
    start = 10.0
    """How wide the distributions are at first."""

    def __init__(self, rows: int):
        super().__init__()
        self.rows = rows
        widths = (1, *self.filters, 1)
        scale = self.start ** (1 / (len(widths) - 1))
        self.matrices, self.biases, self.factors = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            slope = math.log(math.expm1(1 / scale / outputs))
            self.matrices.append(nn.Parameter(torch.full((rows, outputs, inputs), slope)))
            self.biases.append(nn.Parameter(torch.empty(rows, outputs, 1).uniform_(-0.5, 0.5)))
            if i < len(self.filters):
                self.factors.append(nn.Parameter(torch.zeros(rows, outputs, 1)))
        quantiles = torch.tensor([-self.start, 0.0, self.start]).repeat(rows, 1, 1)
        self.quantiles = nn.Parameter(quantiles, requires_grad=False)
        """(rows, 1, 3), of which the middle one is used, the median: found by bisection, not by gradients."""

    def logits(self, v: Tensor, pick: Callable[[Tensor], Tensor] = lambda rows: rows) -> Tensor:
        """Cumulative logits at v, (rows, 1, n); or at v (…, 1, n) by the rows that ``pick`` takes of a (rows, …)."""
        h = v
        for i, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            h = _product(F.softplus(pick(matrix)), h) + pick(bias)
            if i < len(self.factors):
                h = h + torch.tanh(pick(self.factors[i])) * torch.tanh(h)
        return h


def _product(matrix: Tensor, h: Tensor) -> Tensor:
    """Small matrices (…, o, i) times h (…, i, n), in full precision."""
    return product_written_out(matrix, h) if h.is_cuda else matrix @ h


def product_written_out(matrix: Tensor, h: Tensor) -> Tensor:
    """The same as sums of products.

    A GPU's compiler fuses them with what is around; a library would be called for thousands of matrices of three rows,
    dozens of times in a step.
    """
    terms = [matrix[..., i, None] * h[..., None, i, :] for i in range(h.shape[-2])]
    return sum(terms[1:], terms[0])


class GaussianConditional(EntropyModel):
    """Zero-mean Gaussians whose standard deviations are told: the prior of latents with side information.

    Source: Ballé et al. 2018, section 3; standard deviations under 0.11 count as that.
    """

    def forward(self, y: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
        """y and σ (B, C, H, W) → y_hat and likelihoods, shaped alike."""
        y_hat = self.quantize(y)
        return y_hat, at_least(self.likelihood(self.rated(y, y_hat), sigma), _LEAST_PROBABILITY)

    def likelihood(self, values: Tensor, sigma: Tensor) -> Tensor:
        """Probability of the unit bin around each value."""
        sigma, size = at_least(sigma, _LEAST_SIGMA), torch.abs(values)
        return _normal((0.5 - size) / sigma) - _normal((-0.5 - size) / sigma)


def _normal(v: Tensor) -> Tensor:
    """Φ, precise in its lower tail."""
    return 0.5 * torch.erfc(-(2**-0.5) * v)


class RatePrior(_RateTable):
    """Factorised prior with one set of tables for each of a few λ, its knots, continuous in between.

    Knots are the trained λ or lie closer. The tables are `Cumulatives` with a row for each (knot, channel). Between two
    knots the cumulative logits of the two rows, each taken relative to its own median, are interpolated linearly in
    log λ, and so are the medians: a convex combination of increasing functions increases, so this is a CDF, its median
    is known, and its value at a symbol's edge follows from the two rows' values at the same edge - which is what lets
    the codec do it in integers (`mae_viz.coding.entropy_tables`).
    """

    def __init__(self, channels: int, knots: Sequence[float]):
        super().__init__(knots)
        self.channels = channels
        self.entropy_bottleneck = Cumulatives(len(knots) * channels)
        self.update_medians()

    def forward(self, y: Tensor, lmbda: Tensor) -> tuple[Tensor, Tensor]:
        """Quantise y (B, C, H, W) and give each value its probability.

        Returns y_hat and likelihoods, both shaped like y: with additive uniform noise in training, rounded
        about the prior's median otherwise.
        """
        medians = self.medians(lmbda)
        y_hat = self.entropy_bottleneck.quantize(y, medians)
        with torch.autocast(y.device.type, enabled=False):  # bf16 has too few digits for probabilities
            return y_hat, self.likelihood(self.entropy_bottleneck.rated(y, y_hat) - medians, lmbda)

    def likelihood(self, centred: Tensor, lmbda: Tensor) -> Tensor:
        """Probability of the unit bin around each value; ``centred`` (B, C, H, W) counts from the median."""
        batch, channels = centred.shape[:2]
        v = centred.reshape(batch, channels, 1, -1)
        upper, lower = self.logits(torch.cat([v + 0.5, v - 0.5], -1), lmbda).chunk(2, -1)
        # σ(a) − σ(b) = σ(−b) − σ(−a): on the side where both are small the difference keeps its digits
        sign = torch.where(upper + lower > 0, -1.0, 1.0)  # never 0, not even at the centre of a symmetric CDF
        p = torch.abs(torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower))
        return at_least(p, _LEAST_PROBABILITY).reshape(centred.shape)

    def logits(self, v: Tensor, lmbda: Tensor) -> Tensor:
        """Cumulative logits at v (B, C, 1, n), where v counts from the median of its channel at λ."""
        lower, upper, fraction = self.neighbours(lmbda)
        at_lower = self._row_logits(v, lower)
        if not fraction.is_cuda and not fraction.any():  # a GPU would have to be waited for
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
        """Cumulative logits by the tables of one knot, ``row`` (B,), for each image."""

        def of_knot(rows: Tensor) -> Tensor:
            return self._by_rate(rows)[row]

        tables = self.entropy_bottleneck
        return tables.logits(v + of_knot(tables.quantiles[:, :, 1:2]), of_knot)

    @torch.no_grad()
    def update_medians(self) -> None:
        """Store the medians of all rows, found by bisection on the CDF (call after changing the tables)."""
        tables = self.entropy_bottleneck
        low = torch.full((tables.rows, 1, 1), -1e5, device=tables.quantiles.device)
        high = -low
        for _ in range(60):
            middle = (low + high) / 2
            below = tables.logits(middle) < 0
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        tables.quantiles[:, :, 1:2] = (low + high) / 2
