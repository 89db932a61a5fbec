"""The networks of the paper: g_a, g_s, h_a, h_s put together.

All models share one call: ``model(x, lmbda)`` with x (B, 3, H, W) in [0, 1], H and W multiples of
``model.stride``, and λ a float or a (B,) tensor. It returns a dict:

- ``x_hat`` (B, 3, H, W): the reconstruction, not clipped;
- ``likelihoods``: ``{"y": (B, N, H/16, W/16)}``, with a hyperprior also ``"z"``: probabilities, so that
  the rate in bits is −log2 of them, summed;
- ``y``: the latents before quantisation (for bottleneck scaling: after scaling).

λ is an argument and never state: one model serves many callers at different λ. Images enter as x − ½ and leave as
x̂ + ½. The decoder's order is that of the paper's text: d(λ), then IGDN, then the deconvolution; the badges in its
Fig. 2 and the authors' released code put IGDN before d(λ). In training mode quantisation is additive uniform noise,
otherwise rounding.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mae_viz import architectures
from mae_viz.layers import GDN, BottleneckScale, GaussianConditional, Modulation, RatePrior, conv, deconv
from mae_viz.rates import LMBDAS, LMBDAS_HYPERPRIOR, check_knots

Convolution = nn.Conv2d | nn.ConvTranspose2d
"""What a layer is built around."""


class RateLayer(nn.Module):
    """What every layer of g_a, g_s, h_a and h_s has; ``modulation`` is None where λ does not reach it."""

    conv_first: bool
    conv: Convolution
    nonlinearity: nn.Module
    modulation: Modulation | None


class Analysis(RateLayer):
    """One layer of g_a or h_a with a fixed rate: f(conv(x))."""

    conv_first = True
    modulation = None

    def __init__(self, conv: Convolution, nonlinearity: nn.Module):
        super().__init__()
        self.conv, self.nonlinearity = conv, nonlinearity

    def forward(self, x: Tensor, lmbda: Tensor) -> Tensor:
        """x (B, C, H, W) → what the next layer takes; λ is not asked."""
        return self.nonlinearity(self.conv(x))


class ModulatedAnalysis(RateLayer):
    """One layer of the modulated g_a or h_a: f(m(λ) ⊙ conv(x)) (paper, Fig. 2)."""

    conv_first = True
    modulation: Modulation

    def __init__(self, conv: Convolution, nonlinearity: nn.Module):
        super().__init__()
        self.conv, self.nonlinearity = conv, nonlinearity
        self.modulation = Modulation(conv.out_channels)

    def forward(self, x: Tensor, lmbda: Tensor) -> Tensor:
        """x (B, C, H, W) and λ (B,) → what the next layer takes."""
        u = self.conv(x)
        return self.nonlinearity(self.modulation(lmbda).to(u.dtype) * u)


class Synthesis(RateLayer):
    """One layer of g_s or h_s with a fixed rate: deconv(f(y))."""

    conv_first = False
    modulation = None

    def __init__(self, nonlinearity: nn.Module, conv: Convolution):
        super().__init__()
        self.nonlinearity, self.conv = nonlinearity, conv

    def forward(self, y: Tensor, lmbda: Tensor) -> Tensor:
        """y (B, C, H, W) → what the next layer takes; λ is not asked."""
        return self.conv(self.nonlinearity(y))


class ModulatedSynthesis(RateLayer):
    """One layer of the demodulated g_s or h_s: deconv(f(d(λ) ⊙ y)) (paper, Fig. 2)."""

    conv_first = False
    modulation: Modulation

    def __init__(self, nonlinearity: nn.Module, conv: Convolution):
        super().__init__()
        self.modulation = Modulation(conv.in_channels)
        self.nonlinearity, self.conv = nonlinearity, conv

    def forward(self, y: Tensor, lmbda: Tensor) -> Tensor:
        """y (B, C, H, W) and λ (B,) → what the next layer takes."""
        return self.conv(self.nonlinearity(self.modulation(lmbda).to(y.dtype) * y))


class RateTransform(nn.ModuleList):
    """g_a, g_s, h_a or h_s: its layers in the order the data flow."""

    def forward(self, h: Tensor, lmbda: Tensor) -> Tensor:
        """h (B, C, H, W) and λ (B,) through all layers."""
        for layer in self:
            h = layer(h, lmbda)
        return h

    if TYPE_CHECKING:  # torch says of what it holds that these are modules, and no more

        def __iter__(self) -> Iterator[RateLayer]: ...
        def __getitem__(self, idx: int) -> RateLayer: ...  # type: ignore[override]


class RateModel(nn.Module):
    """What every model shares: λ, the check of x and λ, and the pass through the layers.

    ``lmbdas``: the trained λ in rising order. ``knots``: the λ at which the prior has rows of its own, the trained ones
    where None; they rise from the first trained λ to the last and may lie closer, where channels wake in between.
    """

    stride = 16
    parts: tuple[str, ...] = ("g_a", "g_s")
    """The transforms that coding a picture computes in floating point."""
    g_a: RateTransform
    g_s: RateTransform
    prior: RatePrior

    def __init__(self, channels: int, lmbdas: Sequence[float], knots: Sequence[float] | None = None):
        super().__init__()
        self.channels, self.lmbdas = channels, tuple(map(float, lmbdas))
        self.knots = check_knots(self.lmbdas if knots is None else knots, self.lmbdas)
        self.prior = RatePrior(channels, self.knots)

    @property
    def device(self) -> torch.device:
        """Where its weights lie, and where it computes."""
        return next(self.parameters()).device

    @property
    def facts(self) -> architectures.Architecture:
        """What its architecture is called and has."""
        return architectures.FACTS[type(self).__name__]

    def rates(self, lmbda: float | Tensor, x: Tensor) -> Tensor:
        """λ as a (B,) tensor beside x. Raises ValueError outside the trained range or for a wrong shape."""
        rates = torch.as_tensor(lmbda, dtype=torch.float32, device=x.device)
        if rates.ndim > 1 or (rates.ndim == 1 and len(rates) not in (1, len(x))):
            raise ValueError(f"λ must be a number or one number per image, not shape {tuple(rates.shape)}.")
        low, high = self.lmbdas[0], self.lmbdas[-1]
        if not bool(((rates >= low) & (rates <= high)).all()):
            span = f"λ = {low:g} alone" if low == high else f"{low:g} ≤ λ ≤ {high:g}"
            raise ValueError(f"λ = {lmbda} is outside what this model was trained for: {span}.")
        return rates.expand(len(x)) if rates.ndim < 1 or len(rates) == 1 else rates

    def check_size(self, x: Tensor) -> None:
        """Raises ValueError where x is no (B, 3, H, W) batch with sides that the strides divide."""
        if x.ndim != 4 or x.shape[1] != 3 or x.shape[2] % self.stride or x.shape[3] % self.stride:
            raise ValueError(
                f"x must be (B, 3, H, W) with H and W multiples of {self.stride}, not {tuple(x.shape)}: "
                "pad it first (mae_viz.coding.coder.to_tensor does)."
            )

    def forward(self, x: Tensor, lmbda: float | Tensor) -> dict:
        """As this module describes it. Raises ValueError where x or λ does not fit."""
        self.check_size(x)
        return self.passed(x, self.rates(lmbda, x))

    def passed(self, x: Tensor, lmbda: Tensor) -> dict:
        """The same for an x and λ (B,) that fit: no question that a GPU would have to answer first."""
        raise NotImplementedError

    def analysis(self, x: Tensor, lmbda: Tensor) -> Tensor:
        """y = g_a(x, λ): x (B, 3, H, W) in [0, 1] and λ (B,) → latents before quantisation."""
        return self.g_a(x - 0.5, lmbda)

    def synthesis(self, y_hat: Tensor, lmbda: Tensor) -> Tensor:
        """x_hat = g_s(y_hat, λ): quantised latents and λ (B,) → image, not clipped."""
        return self.g_s(y_hat, lmbda) + 0.5


class _Factorized(RateModel):
    """Models whose latents are coded with the factorised prior."""

    def passed(self, x: Tensor, lmbda: Tensor) -> dict:
        y = self.analysis(x, lmbda)
        y_hat, likelihoods = self.prior(y.float(), lmbda)
        return {"x_hat": self.synthesis(y_hat, lmbda), "likelihoods": {"y": likelihoods}, "y": y}


AnalysisLayer = Callable[[Convolution, nn.Module], RateLayer]
"""Makes a layer of g_a or h_a of a convolution and the nonlinearity after it."""

SynthesisLayer = Callable[[nn.Module, Convolution], RateLayer]
"""Makes a layer of g_s or h_s of a nonlinearity and the deconvolution after it."""


def _transforms(n: int, analysis: AnalysisLayer, synthesis: SynthesisLayer) -> tuple[RateTransform, RateTransform]:
    """g_a and g_s of Ballé et al. 2017 as the paper uses them."""
    g_a = [
        analysis(conv(3, n, 9, 4), GDN(n)),
        analysis(conv(n, n, 5, 2), GDN(n)),
        analysis(conv(n, n, 5, 2, bias=False), GDN(n)),
    ]
    g_s = [
        synthesis(GDN(n, inverse=True), deconv(n, n, 5, 2)),
        synthesis(GDN(n, inverse=True), deconv(n, n, 5, 2)),
        synthesis(GDN(n, inverse=True), deconv(n, 3, 9, 4)),
    ]
    return RateTransform(g_a), RateTransform(g_s)


class Independent(_Factorized):
    """Autoencoder for one λ (Ballé et al. 2017): the paper needs seven of them for seven rates."""

    def __init__(self, channels: int = 192, lmbdas: Sequence[float] = (4096.0,), knots: Sequence[float] | None = None):
        super().__init__(channels, lmbdas, knots)
        self.g_a, self.g_s = _transforms(channels, Analysis, Synthesis)


class MAE(_Factorized):
    """Modulated autoencoder: one network for every λ (paper, section III)."""

    def __init__(self, channels: int = 192, lmbdas: Sequence[float] = LMBDAS, knots: Sequence[float] | None = None):
        super().__init__(channels, lmbdas, knots)
        self.g_a, self.g_s = _transforms(channels, ModulatedAnalysis, ModulatedSynthesis)


class BottleneckScaling(_Factorized):
    """The autoencoder of the largest λ, its latents scaled for the others (Theis et al. 2017; paper, section II).

    q = round(z ⊙ s(λ)), x̂ = g_s(q ⊙ 1/s(λ)).
    """

    def __init__(self, channels: int = 192, lmbdas: Sequence[float] = LMBDAS, knots: Sequence[float] | None = None):
        super().__init__(channels, lmbdas, knots)
        self.g_a, self.g_s = _transforms(channels, Analysis, Synthesis)
        self.scale = BottleneckScale(channels, self.lmbdas)

    def analysis(self, x: Tensor, lmbda: Tensor) -> Tensor:
        return super().analysis(x, lmbda) * self.scale(lmbda)

    def synthesis(self, y_hat: Tensor, lmbda: Tensor) -> Tensor:
        return super().synthesis(y_hat / self.scale(lmbda), lmbda)


class HyperpriorModel(RateModel):
    """Models whose latents have a standard deviation that side information z tells (Ballé et al. 2018)."""

    stride = 64
    parts = ("g_a", "g_s", "h_a")  # h_s: in integers
    h_a: RateTransform
    h_s: RateTransform

    def __init__(
        self,
        channels: int,
        lmbdas: Sequence[float],
        knots: Sequence[float] | None,
        analysis: AnalysisLayer,
        synthesis: SynthesisLayer,
    ):
        super().__init__(channels, lmbdas, knots)
        n = channels
        self.g_a = RateTransform(
            [
                analysis(conv(3, n, 5, 2), GDN(n)),
                analysis(conv(n, n, 5, 2), GDN(n)),
                analysis(conv(n, n, 5, 2), GDN(n)),
                analysis(conv(n, n, 5, 2), nn.Identity()),
            ]
        )
        self.g_s = RateTransform(
            [
                synthesis(nn.Identity(), deconv(n, n, 5, 2)),
                synthesis(GDN(n, inverse=True), deconv(n, n, 5, 2)),
                synthesis(GDN(n, inverse=True), deconv(n, n, 5, 2)),
                synthesis(GDN(n, inverse=True), deconv(n, 3, 5, 2)),
            ]
        )
        self.h_a = RateTransform(
            [
                analysis(conv(n, n, 3, 1), nn.ReLU()),
                analysis(conv(n, n, 5, 2), nn.ReLU()),
                analysis(conv(n, n, 5, 2, bias=False), nn.Identity()),
            ]
        )
        self.h_s = RateTransform(
            [
                synthesis(nn.Identity(), deconv(n, n, 5, 2)),
                synthesis(nn.ReLU(), deconv(n, n, 5, 2)),
                synthesis(nn.ReLU(), conv(n, n, 3, 1)),
            ]
        )
        self.conditional = GaussianConditional()

    def passed(self, x: Tensor, lmbda: Tensor) -> dict:
        y = self.analysis(x, lmbda)
        z_hat, z_likelihoods = self.prior(self.hyper_analysis(y, lmbda).float(), lmbda)
        y_hat, y_likelihoods = self.conditional(y.float(), self.hyper_synthesis(z_hat, lmbda))
        likelihoods = {"y": y_likelihoods, "z": z_likelihoods}
        return {"x_hat": self.synthesis(y_hat, lmbda), "likelihoods": likelihoods, "y": y}

    def hyper_analysis(self, y: Tensor, lmbda: Tensor) -> Tensor:
        """z = h_a(|y|, λ), in float32: logarithms of what spans four decades."""
        with torch.autocast(y.device.type, enabled=False):
            return self.h_a(torch.abs(y.float()), lmbda)

    def hyper_synthesis(self, z_hat: Tensor, lmbda: Tensor) -> Tensor:
        """σ = exp(h_s(z_hat, λ)), shaped like y. The exponential keeps σ positive with a gradient everywhere."""
        with torch.autocast(z_hat.device.type, enabled=False):
            return torch.exp(self.h_s(z_hat.float(), lmbda))


class IndependentHyperprior(HyperpriorModel):
    """Autoencoder with scale hyperprior for one λ (Ballé et al. 2018)."""

    def __init__(self, channels: int = 192, lmbdas: Sequence[float] = (4096.0,), knots: Sequence[float] | None = None):
        super().__init__(channels, lmbdas, knots, Analysis, Synthesis)


class MAEHyperprior(HyperpriorModel):
    """Modulated autoencoder with scale hyperprior: gains in all 14 layers (paper, section III-B)."""

    def __init__(
        self, channels: int = 192, lmbdas: Sequence[float] = LMBDAS_HYPERPRIOR, knots: Sequence[float] | None = None
    ):
        super().__init__(channels, lmbdas, knots, ModulatedAnalysis, ModulatedSynthesis)


ARCHITECTURES: dict[str, type[MAE | BottleneckScaling | Independent | MAEHyperprior | IndependentHyperprior]] = {
    cls.__name__: cls for cls in (MAE, BottleneckScaling, Independent, MAEHyperprior, IndependentHyperprior)
}
"""Models by the name that a checkpoint's card gives."""


def count_parameters(model: RateModel) -> int:
    """Parameters of transforms, modulation and scales; entropy tables not counted (paper, Table I)."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("prior."))
