"""Fewer channels between the two outermost layers of a hyperprior model: two thirds of a step's arithmetic are theirs.

The second layer and its mirror work at a quarter of the picture's width and read 192 channels of half of it. A start
needs 12 of these, colours times places of a 2×2 block; a run may train with a few more and hand the rest over silent,
as ordinary channels that a later run at full width lets speak.
"""

import torch

from mae_viz.layers import GDN, conv, deconv
from mae_viz.models import Convolution, RateModel, RateTransform
from mae_viz.rates import LMBDA_MAX
from mae_viz.training import initialisation


@torch.no_grad()
def resize(model: RateModel, outer: int) -> None:
    """Leave a hyperprior model ``outer`` channels there, in place; it keeps the first of those that it has.

    Exact where those dropped were silent, as `mae_viz.training.deepen` and the classical start leave all after the
    twelfth. New ones are silent: they see something, each its own, but nothing downstream listens to them yet.
    """
    inner = model.channels
    _replace(model.g_a, 0, conv(3, outer, 5, 2), noise=0.06)
    _replace(model.g_a, 1, conv(outer, inner, 5, 2), noise=0)
    _replace(model.g_s, 2, deconv(inner, outer, 5, 2), noise=0.02)
    _replace(model.g_s, 3, deconv(outer, 3, 5, 2), noise=0)


def silent(model: RateModel, outer: int) -> bool:
    """Whether nothing listens to the channels after the first ``outer``, so that `resize` loses nothing."""
    heard = model.g_a[1].conv.weight[:, outer:], model.g_s[3].conv.weight[outer:]
    return not any(kernels.any() for kernels in heard)


def _replace(layers: RateTransform, place: int, kernels: Convolution, noise: float) -> None:
    """Layer ``place`` with other kernels, ``noise`` the deviation of new ones; what both have in common is copied."""
    before = layers[place]
    kernels.weight.normal_(0, noise)
    kernels.bias.zero_()
    gdn = GDN(kernels.out_channels if before.conv_first else kernels.in_channels, inverse=not before.conv_first)
    initialisation.near_identity(gdn)
    after = type(before)(kernels, gdn) if before.conv_first else type(before)(gdn, kernels)
    if after.modulation is not None:
        initialisation.gains(after.modulation, 0.0, LMBDA_MAX)
    common = before.state_dict()
    for name, tensor in after.state_dict().items():
        block = tuple(slice(min(sides)) for sides in zip(tensor.shape, common[name].shape, strict=True))
        tensor[block] = common[name][block]
    layers[place] = after
