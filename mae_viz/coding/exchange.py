"""Weights to and from CompressAI's `ScaleHyperprior`, as far as the two architectures coincide.

CompressAI has no model with the 9 × 9 transforms of the models without hyperprior. With hyperprior kernels, GDN and
IGDN have the same shapes and parametrisation, and `state_dict` and `load` carry them over, γ and β bit for bit. What
is not the same, and what becomes of it:

- **The picture's zero.** Ours enter as x − ½ and leave as x̂ + ½. The first and the last bias take that over; latents
  at the border differ, because padding is grey here and black there.
- **A bias.** The last convolution of our h_a has none: theirs becomes 0. One of theirs that is not 0 is refused.
- **The last ReLU of h_s.** Theirs gives σ = max(h, 0), ours σ = exp(h): the kernels come along, the numbers mean
  something else, and h_s has to be trained anew.
- **The prior's filters.** Theirs are (3, 3, 3, 3), ours (3, 3, 3): the prior is not carried over either.

So this is a start for training on either side, with analysis and synthesis that work, and no codec by itself.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from mae_viz.layers import GDN
from mae_viz.models import IndependentHyperprior

_PARTS = ("g_a", "g_s", "h_a", "h_s")


def _layers(model: IndependentHyperprior) -> Iterator[tuple[str, nn.Module]]:
    """Our convolutions and (I)GDNs, each with its name in a `ScaleHyperprior`, where they are numbered in a row."""
    for part in _PARTS:
        place = 0
        for layer in getattr(model, part):
            pair = [layer.conv, layer.nonlinearity]
            for module in pair if layer.conv_first else reversed(pair):
                if not isinstance(module, nn.Identity):
                    yield f"{part}.{place}", module
                    place += 1


@torch.no_grad()
def state_dict(model: IndependentHyperprior) -> dict[str, Tensor]:
    """Our transforms under the names of CompressAI's ``ScaleHyperprior(N, N)``: load it with ``strict=False``."""
    found = {}
    for name, module in _layers(model):
        for key, value in module.named_parameters():
            found[f"{name}.{key}"] = value.clone()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module.bias is None:
            found[f"{name}.bias"] = torch.zeros(module.out_channels)
    first, last = "g_a.0", f"g_s.{2 * len(model.g_s) - 2}"
    found[f"{first}.bias"] -= 0.5 * found[f"{first}.weight"].sum((1, 2, 3))
    found[f"{last}.bias"] += 0.5
    return found


@torch.no_grad()
def load(model: IndependentHyperprior, theirs: Mapping[str, Tensor]) -> None:
    """The transforms of a `ScaleHyperprior` of CompressAI into a model of ours of the same width, in place.

    ``theirs``: its state dict, as published. Raises ValueError for other shapes, for a part that is missing, and for a
    bias that ours has no place for.
    """
    for name, module in _layers(model):
        own = dict(module.named_parameters())
        for key, parameter in own.items():
            value = theirs.get(f"{name}.{key}")
            if value is None or value.shape != parameter.shape:
                shape = "missing" if value is None else f"{tuple(value.shape)}"
                raise ValueError(
                    f"{name}.{key} is {shape} where {tuple(parameter.shape)} is wanted: only a ScaleHyperprior(N, M) "
                    f"with N = M = {model.channels} fits this model."
                )
            parameter.copy_(value)
        bias = theirs.get(f"{name}.bias")
        if not isinstance(module, GDN) and "bias" not in own and bias is not None and bias.any():
            raise ValueError(f"{name}.bias is not 0, and this model has none there: set it to 0 and train on.")
    first, last = model.g_a[0].conv, model.g_s[-1].conv
    assert first.bias is not None
    assert last.bias is not None
    first.bias += 0.5 * first.weight.sum((1, 2, 3))
    last.bias -= 0.5
