"""A model's transforms at one λ without their gains: folded into kernels, biases and GDN, as the codec runs them.

A gain m on a convolution's output scales its kernels and biases. One, d, on the input of IGDN scales column j of γ by
d_j² and the kernels that read channel j by d_j; ReLU and identity let positive gains through to the kernels. The scales
of a bottleneck are gains on the input of g_s; on the output of g_a they divide row i of the last GDN's β and γ by s_i².

What runs is arranged for CPUs: channels_last throughout, GDN as one product with its square roots in place, and a
transposed convolution to a few channels (the picture) as a 3×3 convolution to all their subpixels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.layers import GDN
from mae_viz.models import BottleneckScaling, Convolution, RateLayer, RateModel
from mae_viz.rates import Rate

KEPT = 8
"""Folded parts kept in memory: g_a and g_s of four rates, about 8 MB each."""


@dataclass(frozen=True)
class Folded:
    """One layer's tensors with its gains in them."""

    weight: Tensor
    bias: Tensor | None
    gdn: tuple[Tensor, Tensor] | None  # effective β (C,) and γ (C, C)


@torch.no_grad()
def fold_layer(layer: RateLayer, lmbda: Tensor, gains: Tensor | None = None) -> Folded:
    """The tensors of one layer of g_a, g_s, h_a or h_s at λ, a tensor of one element on the layer's device.

    ``gains``, positive (C,), replace those of the layer's own modulation; without either there are none.
    """
    conv, gdn = layer.conv, layer.nonlinearity
    transposed = isinstance(conv, nn.ConvTranspose2d)  # kernels (in, out, k, k)
    weight, bias, effective = conv.weight.double(), conv.bias, None
    if isinstance(gdn, GDN):
        effective = gdn.beta_reparam(gdn.beta), gdn.gamma_reparam(gdn.gamma)
    if gains is None and layer.modulation is not None:
        gains = layer.modulation(lmbda).flatten()
    if gains is not None:
        gains = gains.double()
        if layer.conv_first:
            weight = weight * gains[:, None, None, None]
            bias = None if bias is None else bias * gains
        else:
            weight = weight * (gains[:, None, None, None] if transposed else gains[:, None, None])
            effective = effective and (effective[0], effective[1] * gains**2)
    return Folded(
        weight.float(),
        None if bias is None else bias.float(),
        effective and (effective[0].float(), effective[1].float()),
    )


def folded_layers(model: RateModel, part: str, rate: Rate) -> list[tuple[RateLayer, Folded]]:
    """The layers of g_a, g_s, h_a or h_s (``part``) in the order of their data, each with its folded tensors."""
    layers, lmbda = list(getattr(model, part)), rate.tensor(model.device)
    scales = model.scale(lmbda).flatten().detach() if isinstance(model, BottleneckScaling) else None
    found = []
    for number, layer in enumerate(layers):
        gains = 1 / scales if scales is not None and part == "g_s" and number == 0 else None
        folded = fold_layer(layer, lmbda, gains)
        if scales is not None and part == "g_a" and layer is layers[-1]:
            assert folded.gdn
            beta, gamma = folded.gdn
            rows = scales.double() ** -2
            folded = replace(folded, gdn=((beta.double() * rows).float(), (gamma.double() * rows[:, None]).float()))
        found.append((layer, folded))
    return found


@lru_cache(maxsize=KEPT)
def transform(model: RateModel, part: str, rate: Rate) -> Callable[[Tensor], Tensor]:
    """g_a, g_s, h_a or h_s (``part``) of a model at one rate: a function of a float32 tensor (B, C, H, W)
    on the model's device.

    The same mathematics as `RateModel.analysis` and its like, but for the shifts by ½ and the |y| before h_a; sums
    are rounded in another order. A few are kept: the model's weights must not change afterwards.
    """
    steps: list[Callable[[Tensor], Tensor]] = []
    for layer, folded in folded_layers(model, part, rate):
        pair = [convolution(layer.conv, folded), _nonlinearity(layer.nonlinearity, folded)]
        steps += pair if layer.conv_first else reversed(pair)

    def run(x: Tensor) -> Tensor:
        h = x.contiguous(memory_format=torch.channels_last)
        for step in steps:
            h = step(h)
        return h

    return run


def convolution(conv: Convolution, folded: Folded) -> Callable[[Tensor], Tensor]:
    """A layer's convolution with its folded tensors, a function of a channels_last tensor of their type."""
    weight = folded.weight.contiguous(memory_format=torch.channels_last)
    bias, stride, padding = folded.bias, conv.stride[0], int(conv.padding[0])
    if not isinstance(conv, nn.ConvTranspose2d):
        return lambda h: F.conv2d(h, weight, bias, stride, padding)
    if conv.out_channels * stride**2 <= conv.in_channels:
        weight = subpixel_kernels(folded.weight, stride)
        bias = None if bias is None else bias.repeat_interleave(stride**2)
        return lambda h: F.pixel_shuffle(F.conv2d(h, weight, bias, padding=1), stride)
    return lambda h: F.conv_transpose2d(h, weight, bias, stride, padding, int(conv.output_padding[0]))


def subpixel_kernels(weight: Tensor, stride: int) -> Tensor:
    """Kernels (out · stride², in, 3, 3) of the convolution whose shuffled output is a transposed one's.

    ``weight`` (in, out, k, k) with k = 2 · stride + 1 and padding ``stride``: output o = stride · p + r takes tap
    stride · (p − i) + r + stride of input i, so that i = p − 1, p, p + 1 hold all of them.
    """
    channels, out, k, _ = weight.shape
    taps = F.pad(weight, (0, 3 * stride - k, 0, 3 * stride - k)).reshape(channels, out, 3, stride, 3, stride)
    kernels = taps.flip(2, 4).permute(1, 3, 5, 0, 2, 4).reshape(out * stride**2, channels, 3, 3)
    return kernels.contiguous(memory_format=torch.channels_last)


def _nonlinearity(module: nn.Module, folded: Folded) -> Callable[[Tensor], Tensor]:
    if folded.gdn:
        beta, gamma = folded.gdn
        gamma, inverse = gamma[:, :, None, None].contiguous(memory_format=torch.channels_last), module.inverse

        def gdn(h: Tensor) -> Tensor:
            norm = F.conv2d(h * h, gamma, beta)
            (norm.sqrt_ if inverse else norm.rsqrt_)()
            return norm.mul_(h)

        return gdn
    return F.relu if isinstance(module, nn.ReLU) else lambda h: h
