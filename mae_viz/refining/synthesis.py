"""g_s as refinement runs it: forward and backward for one picture, with a gradient to its latents and to nothing else.

Its first layer and the picture are float32: latents have more digits than bfloat16 holds. What lies between is bfloat16
on processors with instructions for it, where a step takes half the time; the files it leads to are as good. What is
written and shown never comes from here: rounded latents are judged by the decoder's own g_s.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor

from mae_viz.coding.folding import Folded, convolution, folded_layers
from mae_viz.models import RateLayer, RateModel
from mae_viz.rates import Rate


@cache
def fast_type(device: str = "cpu") -> torch.dtype:
    """bfloat16 where the processor, or the GPU, multiplies it in hardware, else float32; without that it is slower than
    float32."""
    if device != "cpu":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def synthesis(model: RateModel, rate: Rate, inner: torch.dtype) -> Callable[[Tensor], Tensor]:
    """g_s of a model at a rate for latents (1, C, h, w): x_hat − ½ in float32, (1, 3, 16 h, 16 w).

    ``inner``: the type of all layers but the first.
    """
    layers = [
        _layer(layer, folded, torch.float32 if number == 0 else inner)
        for number, (layer, folded) in enumerate(folded_layers(model, "g_s", rate))
    ]

    def g_s(y_hat: Tensor) -> Tensor:
        h = y_hat.contiguous(memory_format=torch.channels_last)
        for layer in layers:
            h = layer(h)
        return h.float()

    return g_s


def _layer(layer: RateLayer, folded: Folded, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    bias = None if folded.bias is None else folded.bias.to(dtype)
    conv = convolution(layer.conv, Folded(folded.weight.to(dtype), bias, None))
    nonlinearity: Callable[[Tensor], Tensor] = layer.nonlinearity
    if folded.gdn:
        beta, gamma = (tensor.to(dtype) for tensor in folded.gdn)
        nonlinearity = partial(_inverse_gdn, beta, gamma)
    first, second = (conv, nonlinearity) if layer.conv_first else (nonlinearity, conv)
    return lambda h: second(first(h.to(dtype)))


def _inverse_gdn(beta: Tensor, gamma: Tensor, h: Tensor) -> Tensor:
    return _InverseGDN.apply(h, beta, gamma)


class _InverseGDN(torch.autograd.Function):
    """h · √(β + γ h²), channels in rows: one product each way, and no more than two tensors kept between them."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, beta: Tensor, gamma: Tensor) -> Tensor:
        rows = _rows(h)
        root = torch.addmm(beta, rows * rows, gamma.T).sqrt_()
        ctx.save_for_backward(rows, root, gamma)
        return _places(rows * root, h.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        rows, root, gamma = ctx.saved_tensors
        gradient = _rows(gradients[0])
        around = ((gradient * rows).div_(root) @ gamma).mul_(rows)
        return _places(around.addcmul_(gradient, root), gradients[0].shape), None, None


def _rows(h: Tensor) -> Tensor:
    """(N, C, H, W), channels_last in memory, as (N · H · W, C)."""
    return h.permute(0, 2, 3, 1).reshape(-1, h.shape[1])


def _places(rows: Tensor, shape: torch.Size) -> Tensor:
    number, channels, height, width = shape
    return rows.view(number, height, width, channels).permute(0, 3, 1, 2)
