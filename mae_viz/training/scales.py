"""The best scales for a frozen autoencoder: a search with real rounding, where gradients mislead.

Noise in place of rounding charges a channel whose latents all round to 0 with an error that it does not make, and
straight-through gradients promise it a gain that it does not get: scales trained with either stay too large at low
rates. But channels hardly meet in R + λ·MSE: the rate is a sum over them, and so, to first order in the decoder, is the
error. So every channel's scale is chosen by itself from a grid, on one half of the crops, and what was chosen is
checked on the real Lagrangian of the other half: 192 scales fitted to a few pictures would otherwise lose elsewhere
what they win there.
"""

import torch
from torch import Tensor

from mae_viz.models import BottleneckScaling
from mae_viz.training.start import scale_widths

_COARSE = 2.0 ** torch.arange(-2, 1.01, 0.5)  # times √(λ/λmax): for all channels alike
_OCTAVES = torch.arange(-0.375, 0.376, 0.125)  # beside the best of those, then for each channel, in each round
_ROUNDS = 8
_STEPS = (1.0, 0.5, 0.25, 0.125)  # how far to go towards what was chosen channel by channel


@torch.no_grad()
def search(model: BottleneckScaling, crops: Tensor) -> list[str]:
    """Set log s(λ) for every λ but the largest, where s = 1, and stretch the entropy tables alike: fit them afterwards.

    ``crops``: (n, 3, S, S) in [0, 1], a few hundred. Returns a sentence for each λ.
    """
    top = torch.full((len(crops),), model.lmbdas[-1])
    z = model.analysis(crops, top)  # s = 1
    centre = model.prior.medians(top[:1])
    said, changes = [], []
    for i, lmbda in enumerate(model.lmbdas[:-1]):
        choosing, checking = (_Task(model, crops[k::2], z[k::2], centre, lmbda) for k in (0, 1))
        scalar, first = torch.tensor((lmbda / model.lmbdas[-1]) ** 0.5), 0.0
        for grid in (_COARSE, 2**_OCTAVES):
            scalars = scalar * grid
            costs = [checking.lagrangian(value.expand(z.shape[1])) for value in scalars]
            scalar, first = min(zip(scalars, costs, strict=True), key=lambda pair: pair[1])
        best, cost = scalar.repeat(z.shape[1]), first
        for _ in range(_ROUNDS):
            wanted = choosing.channel_by_channel(best)
            tried = [torch.exp(torch.lerp(best.log(), wanted.log(), step)) for step in _STEPS]
            costs = [checking.lagrangian(s) for s in tried]
            if min(costs) >= cost:
                break
            best, cost = tried[costs.index(min(costs))], min(costs)
        changes.append(best.log() - model.scale.log_scale[i])
        said.append(
            f"λ {lmbda:g}: R + λ·MSE {cost:.4f}; best single scale {first:.4f} at {float(scalar):.3f}, "
            f"classical √(λ/λmax) = {(lmbda / model.lmbdas[-1]) ** 0.5:.3f}"
        )
    changes.append(torch.zeros_like(changes[0]))
    model.scale.log_scale += torch.stack(changes)
    scale_widths(model.prior.entropy_bottleneck, torch.cat(changes).exp())
    model.prior.update_medians()
    return said


class _Task:
    """R + λ·MSE of frozen latents z (n, C, h, w) at one λ, as a function of the scales."""

    def __init__(self, model: BottleneckScaling, crops: Tensor, z: Tensor, centre: Tensor, lmbda: float):
        self.model, self.crops, self.z, self.centre, self.lmbda = model, crops, z, centre, lmbda
        self.pixels = crops[:, 0].numel()

    def rounded(self, s: Tensor) -> tuple[Tensor, Tensor]:
        """Symbols, and what the decoder sees of them, at scales s (C,)."""
        s = s[None, :, None, None]
        symbols = torch.round((self.z - self.centre) * s)
        return symbols, symbols / s + self.centre

    def decode(self, z_hat: Tensor) -> Tensor:
        return self.model.synthesis(z_hat, torch.full((len(z_hat),), self.model.lmbdas[-1]))  # where s = 1

    def lagrangian(self, s: Tensor) -> float:
        symbols, z_hat = self.rounded(s)
        bits = sum(_entropy(symbols[:, c]) * symbols[:, c].numel() for c in range(symbols.shape[1]))
        mse = float((self.decode(z_hat).clamp(0, 1) - self.crops).square().mean())
        return bits / self.pixels + self.lmbda * mse

    def channel_by_channel(self, s: Tensor) -> Tensor:
        """The scale near s of each channel (C,) that would be best if the errors of channels simply added up.

        A channel's costs hang on a few symbols, so the smallest of them says less than the parabola through all.
        """
        weights = self._weights(s)
        wanted = s.clone()
        for c in range(len(s)):
            z = self.z[:, c] - self.centre[:, c]
            costs = []
            for candidate in s[c] * 2**_OCTAVES:
                symbols = torch.round(z * candidate)
                error = float((symbols / candidate - z).square().mean()) * float(weights[c])
                costs.append(_entropy(symbols) * symbols.numel() / self.pixels + self.lmbda * error)
            wanted[c] = s[c] * 2 ** _lowest(torch.tensor(costs))
        return wanted

    def _weights(self, s: Tensor) -> Tensor:
        """MSE of the picture (C,) for each unit of a channel's own mean squared error, at scales s.

        From the slope of the MSE where one channel's error shrinks and the others stay: so what the decoder makes of
        many large errors together counts, which its Jacobian alone puts a third too low.
        """
        z_hat = self.rounded(s)[1]
        with torch.enable_grad():
            at = z_hat.detach().requires_grad_(True)
            mse = (self.decode(at) - self.crops).square().mean()
            (slope,) = torch.autograd.grad(mse, at)
        error = z_hat - self.z
        own = error.square().mean((0, 2, 3)).clamp(min=1e-9)
        return ((slope * error).sum((0, 2, 3)) / 2 / own).clamp(min=0)


def _lowest(costs: Tensor) -> float:
    """Where among `_OCTAVES` the parabola fitted to the costs there is lowest."""
    design = torch.stack([torch.ones_like(_OCTAVES), _OCTAVES, _OCTAVES**2], dim=1)
    _, slope, bend = torch.linalg.lstsq(design, costs[:, None]).solution.flatten().tolist()
    low, high = float(_OCTAVES[0]), float(_OCTAVES[-1])
    if bend <= 0:
        return low if slope > 0 else high
    return min(max(-slope / (2 * bend), low), high)


def _entropy(symbols: Tensor) -> float:
    """Bits per symbol, of the symbols' own frequencies."""
    _, counts = torch.unique(symbols, return_counts=True)
    p = counts / counts.sum()
    return float(-(p * torch.log2(p)).sum())
