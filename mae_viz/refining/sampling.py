"""Stochastic Gumbel annealing: latents between two integers that learn which of the two to be.

Yang, Bamler and Mandt, "Improving Inference for Neural Image Compression", NeurIPS 2020: each latent v is drawn between
⌊v⌋ and ⌈v⌉, with logits −atanh(distance) / τ and a relaxation of temperature τ. As τ falls the draws come close to
integers, which is what a file can hold. The last τ leaves a little noise: ten times less of it gains a sixth less.
"""

import torch
from torch import Tensor

FIRST, LAST = 0.5, 0.15
"""τ at the start and at the end."""

_WARM = 0.2  # of the steps at the first τ
_EDGE = 1e-6  # distance to an integer at which atanh is cut


def temperature(step: int, steps: int) -> float:
    """τ at a step of so many: constant at first, then falling geometrically to the last."""
    done = max(step - _WARM * steps, 0) / max((1 - _WARM) * steps - 1, 1)
    return FIRST * (LAST / FIRST) ** min(done, 1.0)


def draw(v: Tensor, tau: float, noise: torch.Generator) -> Tensor:
    """A draw of each latent, between its two integers; shaped like v, with a gradient.

    The noise is the CPU's, wherever v lies.
    """
    low = v.detach().floor()
    up = (v - low).clamp(_EDGE, 1 - _EDGE)
    uniform = torch.rand(v.shape, generator=noise).to(v.device).clamp_(_EDGE, 1 - _EDGE)
    logit = (torch.atanh(up) - torch.atanh(1 - up)) / tau + torch.logit(uniform)
    return low + torch.sigmoid(logit / tau)
