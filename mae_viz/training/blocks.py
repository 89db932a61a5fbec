"""The convolutions at the picture's end as 3 × 3 convolutions of blocks.

A kernel of 2s + 1 places that moves by s sees three blocks of s × s pixels. As channels of one place these make a
convolution of 3 · s² channels with stride 1, which libraries for GPUs do several times faster than one of three
channels: a picture has only three. The parameters stay those of the layers.
"""

import types

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mae_viz.coding.folding import subpixel_kernels
from mae_viz.models import RateModel


def use_blocks(model: RateModel, both: bool) -> None:
    """Have the last convolution of g_s computed so, in this copy of the model, and the first of g_a too if ``both``.

    On CPUs the last takes a half to a third of the time, and the first gains nothing.
    """
    first, last = model.g_a[0].conv, model.g_s[-1].conv
    assert isinstance(first, nn.Conv2d)
    assert isinstance(last, nn.ConvTranspose2d)
    if both:
        first.forward = types.MethodType(conv, first)  # type: ignore[method-assign]
    last.forward = types.MethodType(deconv, last)  # type: ignore[method-assign]


def conv(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """What a convolution with a kernel of 2s + 1, stride s and padding s gives for x (B, C, H, W), s dividing H, W."""
    s = layer.stride[0]
    more = s - 1  # zeros where the third block is not reached
    taps = F.pad(layer.weight, (0, more, 0, more)).reshape(*layer.weight.shape[:2], 3, s, 3, s)
    weight = taps.permute(0, 1, 3, 5, 2, 4).reshape(layer.out_channels, -1, 3, 3)
    blocks = F.pixel_unshuffle(x, s).contiguous(memory_format=torch.channels_last)
    return F.conv2d(blocks, weight.contiguous(memory_format=torch.channels_last), layer.bias, padding=1)


def deconv(layer: nn.ConvTranspose2d, h: Tensor) -> Tensor:
    """What a transposed convolution with a kernel of 2s + 1, stride s, padding s and output padding s − 1 gives."""
    s = layer.stride[0]
    bias = None if layer.bias is None else layer.bias.repeat_interleave(s * s)
    return F.pixel_shuffle(F.conv2d(h, subpixel_kernels(layer.weight, s), bias, padding=1), s)
