"""A model's transforms as ONNX, with λ as an input: for onnxruntime, in a browser or anywhere else.

| part | inputs | output |
|---|---|---|
| g_a | x (batch, 3, H, W) in [0, 1]; lmbda (1,) | y (batch, C, H/16, W/16), before quantisation |
| g_s | y_hat (batch, C, h, w); lmbda (1,) | x_hat (batch, 3, 16 h, 16 w), not clipped |
| h_a | y (batch, C, h, w); lmbda (1,) | z (batch, C, h/4, w/4), before quantisation |

All are float32, H and W multiples of the model's stride. A model for one λ has no input lmbda. In place of λ a graph
may take an input (C,) for the gains of each of its layers, by the layer's name (`mae_viz.probe.layers`; "s" of
bottleneck scaling): what λ says of them, or a person. h_s is no graph: decoders must agree on it bit for bit, which
floating point does not promise (`mae_viz.coding.hyper`).

Kernels and γ are stored as the checkpoint has them, in float16, and cast; a runtime does that once, when it loads the
graph. Gains multiply activations, not kernels, which so stay constants: a thousandth of a layer's work. What is
arranged for speed in WebAssembly and WebGPU: GDN is a 1×1 convolution, a square root and a product; the 5×5
convolutions and transposed ones between many channels, nearly all of the work, need three multiplications for five
(`mae_viz.browser.winograd`); and a transposed one to a few channels (the picture) is one convolution to all subpixels,
since ONNX's own would first write out the whole product, 25 times its input.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from onnx import ModelProto
from torch import Tensor, nn

from mae_viz import probe
from mae_viz.browser import winograd
from mae_viz.browser.building import Building, Port
from mae_viz.coding.folding import subpixel_kernels
from mae_viz.layers import GDN, BottleneckScale, Modulation
from mae_viz.models import BottleneckScaling, Convolution, RateLayer, RateModel
from mae_viz.rates import LMBDA_MAX, LMBDA_MIN

_LATENT = 16  # pixels to a latent

_PORTS: dict[str, tuple[tuple[str, int], tuple[str, int]]] = {
    "g_a": (("x", 1), ("y", _LATENT)),
    "g_s": (("y_hat", _LATENT), ("x_hat", 1)),
    "h_a": (("y", _LATENT), ("z", 4 * _LATENT)),
}
"""Input and output of each part, each with how many pixels lie between two of its places."""


@torch.no_grad()
def graph(model: RateModel, part: str, about: Mapping[str, object], takes_gains: bool = False) -> ModelProto:
    """One of ``model.parts`` as an ONNX model; ``about`` becomes its metadata, what is no text as JSON.

    ``takes_gains``: its inputs are gains in place of λ.
    """
    names: dict[nn.Module, str] = {layer.modulation: layer.name for layer in probe.layers(model)}
    building = _Graph(lambda module: names.get(module, "s") if takes_gains else None)
    source, target = (_port(*port, model.channels) for port in _PORTS[part])
    layers = list(getattr(model, part))
    scale = _scales(building, model.scale) if isinstance(model, BottleneckScaling) else None
    h, _ = source
    if part == "g_a":
        h = building("Sub", h, building.constant(0.5))
    elif part == "h_a":
        h = building("Abs", h)
    elif scale:
        h = building("Div", h, scale)
    for layer in layers:
        h = _layer(building, h, layer)
    if part == "g_a" and scale:
        h = building("Mul", h, scale)
    elif part == "g_s":
        h = building("Add", h, building.constant(0.5))
    return building.finished(part, source, h, target, about)


class _Graph(Building):
    """A graph of a transform."""

    def __init__(self, given: Callable[[nn.Module], str | None]) -> None:
        """``given``: the name of the input for what λ makes of a module, None where the graph computes that."""
        super().__init__()
        self.given = given

    def lmbda(self) -> str:
        """The name of the input λ, which the graph then has."""
        return self.input("lmbda", 1)


def _port(name: str, pixels: int, channels: int) -> Port:
    sides = ["height", "width"] if pixels == 1 else [f"height/{pixels}", f"width/{pixels}"]
    return name, ["batch", 3 if pixels == 1 else channels, *sides]


def _layer(building: _Graph, h: str, layer: RateLayer) -> str:
    """One layer of any transform: convolution, gain and nonlinearity, or the reverse."""
    gains = None if layer.modulation is None else _gains(building, layer.modulation)
    if layer.conv_first:
        h = _convolution(building, h, layer.conv)
        h = building("Mul", h, gains) if gains else h
        return _nonlinearity(building, h, layer.nonlinearity)
    h = building("Mul", h, gains) if gains else h
    return _convolution(building, _nonlinearity(building, h, layer.nonlinearity), layer.conv)


def _gains(building: _Graph, modulation: Modulation) -> str:
    """Gains (1, C, 1, 1) of a layer at λ."""
    fc1, fc2 = modulation.fc1, modulation.fc2
    if name := building.given(modulation):
        return _by_channel(building, building.input(name, fc2.out_features))
    ratio = building("Div", building.lmbda(), building.constant(LMBDA_MAX))
    hidden = building("Mul", ratio, building.constant(fc1.weight[:, 0]))
    hidden = building("Relu", building("Add", hidden, building.constant(fc1.bias)))
    out = building("MatMul", hidden, building.constant(fc2.weight.T))
    return _by_channel(building, building("Exp", building("Add", out, building.constant(fc2.bias))))


def _scales(building: _Graph, scale: BottleneckScale) -> str:
    """Scales (1, C, 1, 1) of a bottleneck at λ: log s is its first row and, for each step to the next one, as much of
    the step as λ has gone."""
    octaves, rows = scale.octaves, scale.log_scale
    if name := building.given(scale):
        return _by_channel(building, building.input(name, rows.shape[1]))
    log_scale = building.constant(rows[0])
    if len(rows) > 1:
        ratio = building("Div", building.lmbda(), building.constant(LMBDA_MIN))
        octave = building("Div", building("Log", ratio), building.constant(np.log(2)))
        gone = building("Sub", octave, building.constant(octaves[:-1]))
        gone = building("Div", gone, building.constant(octaves[1:] - octaves[:-1]))
        gone = building("Clip", gone, building.constant(0.0), building.constant(1.0))
        log_scale = building("Add", log_scale, building("MatMul", gone, building.constant(rows[1:] - rows[:-1])))
    return _by_channel(building, building("Exp", log_scale))


def _by_channel(building: _Graph, values: str) -> str:
    return building.reshaped(values, 1, -1, 1, 1)


def _nonlinearity(building: _Graph, h: str, module: nn.Module) -> str:
    if isinstance(module, GDN):
        beta = module.beta_reparam(module.beta)
        norm = building("Conv", building("Mul", h, h), _gamma(building, module), building.constant(beta))
        return building("Mul" if module.inverse else "Div", h, building("Sqrt", norm))
    return building("Relu", h) if isinstance(module, nn.ReLU) else h


def _gamma(building: _Graph, module: GDN) -> str:
    """γ (C, C, 1, 1) from what the checkpoint stores of it."""
    reparam = module.gamma_reparam
    stored = building.constant(module.gamma[:, :, None, None].half())
    root = building("Max", stored, building.constant(reparam.bound))
    return building("Sub", building("Mul", root, root), building.constant(reparam.pedestal))


def _convolution(building: _Graph, h: str, conv: Convolution) -> str:
    if winograd.fits(conv):
        return winograd.convolution(building, h, conv)
    stride, bias = conv.stride[0], conv.bias
    if isinstance(conv, nn.ConvTranspose2d):
        repeated = None if bias is None else bias.repeat_interleave(stride**2)
        kernels = subpixel_kernels(conv.weight, stride).contiguous()
        subpixels = _plain(building, h, kernels, repeated, pads=[1] * 4)
        return building("DepthToSpace", subpixels, blocksize=stride, mode="CRD")
    return _plain(building, h, conv.weight, bias, strides=[stride] * 2, pads=[int(conv.padding[0])] * 4)


def _plain(building: _Graph, h: str, kernels: Tensor, bias: Tensor | None, **attributes: Any) -> str:
    constants = [building.constant(v) for v in (kernels.half(), bias) if v is not None]
    return building("Conv", h, *constants, **attributes)
