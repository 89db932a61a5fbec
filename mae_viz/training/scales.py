"""The best scales for a frozen autoencoder: a search with real rounding, where gradients mislead.

Noise in place of rounding charges a channel whose latents all round to 0 with an error that it does not make, and
straight-through gradients promise it a gain that it does not get: scales trained with either stay too large at low
rates. What a channel's scale should be beside the one that suits all channels together depends on how many
quantisation steps wide the channel is: one that is hardly ever anything but 0 is better off without its exceptions.
So log s is a piecewise linear function of the log of that width, and each of its few numbers goes where R + λ·MSE
itself is lowest on some of the crops. The others say what that is worth where they had no say: there, 192 scales chosen
one by one were no better than a single one.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from mae_viz.models import BottleneckScaling
from mae_viz.training.initialisation import scale_widths

_WIDTHS = (-3.5, -2.25, -1.0, 0.5, 2.0)  # log2 of a channel's deviation in quantisation steps
_BATCH = 32  # crops to decode together


@torch.no_grad()
def search(model: BottleneckScaling, crops: Tensor) -> Iterator[str]:
    """Set log s(λ) for every λ but the largest, where s = 1, and stretch the entropy tables alike: fit them afterwards.

    ``crops``: (n, 3, S, S) in [0, 1], a thousand or so. Two thirds of them choose, one third checks. Yields a sentence
    for each λ as soon as it is known; the model is ready after the last.
    """
    top = torch.full((1,), model.lmbdas[-1])
    z = torch.cat([model.analysis(some, top.expand(len(some))) for some in crops.split(_BATCH)])  # s = 1
    centre = model.prior.medians(top)
    deviation = (z - centre).square().mean((0, 2, 3)).sqrt()
    checks = torch.arange(len(crops)) % 3 == 2
    changes = []
    for i, lmbda in enumerate(model.lmbdas[:-1]):
        choosing, checking = (_lagrangian(model, crops[some], z[some], centre, lmbda) for some in (~checks, checks))
        classical = (lmbda / model.lmbdas[-1]) ** 0.5
        alike = torch.ones(len(deviation))
        single = alike * math.log2(classical)
        for reach in (0.5, 0.2):
            single = single + _vertex(choosing, single, alike, reach) * alike
        hats = _hats(deviation.log2() + single)
        by_width = sum((_vertex(choosing, single, hat, 0.2) * hat for hat in hats), torch.zeros(()))
        half = single + by_width / 2  # widths do meet in the decoder: how far to go in all of them together
        octaves = half + _vertex(choosing, half, by_width, 0.5) * by_width
        changes.append(octaves * math.log(2) - model.scale.log_scale[i])
        rival = single + _vertex(checking, single, alike, 0.1) * alike
        yield (
            f"λ {lmbda:g}: R + λ·MSE {checking(octaves):.5f}; best single scale {checking(rival):.5f} at "
            f"{2 ** float(rival[0]):.3f}, classical √(λ/λmax) = {classical:.3f}"
        )
    changes.append(torch.zeros_like(changes[0]))
    model.scale.log_scale.add_(torch.stack(changes))
    scale_widths(model.prior.entropy_bottleneck, torch.cat(changes).exp())
    model.prior.update_medians()


def _lagrangian(model: BottleneckScaling, crops: Tensor, z: Tensor, centre: Tensor, lmbda: float) -> Callable:
    """R + λ·MSE of frozen latents z (n, C, h, w), as a function of log2 s (C,)."""
    top = torch.full((_BATCH,), model.lmbdas[-1])  # where s = 1
    known: dict[tuple, float] = {}

    def cost(octaves: Tensor) -> float:
        key = tuple(octaves.tolist())
        if key not in known:
            known[key] = measured(octaves)
        return known[key]

    def measured(octaves: Tensor) -> float:
        s = torch.exp2(octaves)[None, :, None, None]
        symbols = torch.round((z - centre) * s)
        errors = 0.0
        for some, wanted in zip((symbols / s + centre).split(_BATCH), crops.split(_BATCH), strict=True):
            decoded = model.synthesis(some, top[: len(some)])
            errors += float((decoded.clamp(0, 1) - wanted).square().sum())
        return sum(map(_bits, symbols.unbind(1))) / crops[:, 0].numel() + lmbda * errors / crops.numel()

    return cost


def _vertex(cost: Callable[[Tensor], float], at: Tensor, direction: Tensor, reach: float) -> float:
    """How far along a direction the parabola through three costs is lowest, at most 2 · ``reach``.

    Not the lowest of the costs themselves, which says more about these crops than about others.
    """
    low, here, high = (cost(at + step * direction) for step in (-reach, 0.0, reach))
    slope, bend = (high - low) / 2, (high + low) / 2 - here
    if bend <= 0:
        return 2 * reach * ((slope < 0) - (slope > 0))
    return reach * max(-2.0, min(2.0, -slope / (2 * bend)))


def _hats(widths: Tensor) -> list[Tensor]:
    """For each of `_WIDTHS` how much a channel of log2 width ``widths`` (C,) belongs to it: (C,), together 1."""
    return [torch.from_numpy(np.interp(widths.numpy(), _WIDTHS, row)).to(widths) for row in np.eye(len(_WIDTHS))]


def _bits(symbols: Tensor) -> float:
    """Bits of all symbols together, by their own frequencies."""
    counts = torch.bincount((symbols - symbols.min()).long().flatten())
    return float((counts * (counts.sum() / counts.clamp(min=1)).log2()).sum())
