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
arranged for speed in WebAssembly and WebGPU: GDN is a 1×1 convolution, a square root and a product, and a transposed
convolution is one plain convolution for each of its phases, since ONNX's own would first write out the whole product,
25 times its input; to a few channels (the picture) it is one convolution to all subpixels.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from torch import Tensor, nn

from mae_viz import probe
from mae_viz.coding.folding import subpixel_kernels
from mae_viz.layers import GDN, BottleneckScale, Modulation
from mae_viz.models import BottleneckScaling, Convolution, RateLayer, RateModel
from mae_viz.rates import LMBDA_MAX, LMBDA_MIN

_OPSET, _IR = 17, 8  # of 2022: every onnxruntime-web since 1.13 reads them
_LATENT = 16  # pixels to a latent

Shape = list[int | str]
"""Sides of a tensor: numbers, or names for what may vary."""

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
    building = _Building(lambda module: names.get(module, "s") if takes_gains else None)
    (source, _), (target, _) = _PORTS[part]
    layers = list(getattr(model, part))
    scale = _scales(building, model.scale) if isinstance(model, BottleneckScaling) else None
    h = source
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
    return building.finished(part, h, target, model.channels, about)


class _Building:
    """A graph that grows in the order its data flow: nodes and constants, by names that count them."""

    def __init__(self, given: Callable[[nn.Module], str | None]) -> None:
        """``given``: the name of the input for what λ makes of a module, None where the graph computes that."""
        self.given = given
        self._nodes: list = []
        self._constants: list = []
        self._inputs: dict[str, int] = {}

    def constant(self, values: Tensor | np.ndarray | float) -> str:
        """The name of a constant, float32 to those who read it; stored as float16 where it came so."""
        array = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self("Cast", name, to=TensorProto.FLOAT) if array.dtype == np.float16 else name

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The name of what an operator gives."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def lmbda(self) -> str:
        """The name of the input λ, which the graph then has."""
        return self.input("lmbda", 1)

    def input(self, name: str, count: int) -> str:
        """An input of so many numbers."""
        self._inputs[name] = count
        return name

    def finished(self, part: str, last: str, target: str, channels: int, about: Mapping[str, object]) -> ModelProto:
        """The model whose output ``target`` is what ``last`` names."""
        self._nodes.append(helper.make_node("Identity", [last], [target]))
        ports = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, _shape(pixels, channels))
            for name, pixels in _PORTS[part]
        ]
        ports[1:1] = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [n]) for name, n in self._inputs.items()]
        made = helper.make_model(
            helper.make_graph(self._nodes, part, ports[:-1], ports[-1:], self._constants),
            producer_name="mae_viz",
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
        )
        texts = {key: v if isinstance(v, str) else json.dumps(v) for key, v in {"part": part, **about}.items()}
        helper.set_model_props(made, texts)
        checker.check_model(made, full_check=True)
        return made


def _shape(pixels: int, channels: int) -> Shape:
    sides: Shape = ["height", "width"] if pixels == 1 else [f"height/{pixels}", f"width/{pixels}"]
    return ["batch", 3 if pixels == 1 else channels, *sides]


def _layer(building: _Building, h: str, layer: RateLayer) -> str:
    """One layer of any transform: convolution, gain and nonlinearity, or the reverse."""
    gains = None if layer.modulation is None else _gains(building, layer.modulation)
    if layer.conv_first:
        h = _convolution(building, h, layer.conv)
        h = building("Mul", h, gains) if gains else h
        return _nonlinearity(building, h, layer.nonlinearity)
    h = building("Mul", h, gains) if gains else h
    return _convolution(building, _nonlinearity(building, h, layer.nonlinearity), layer.conv)


def _gains(building: _Building, modulation: Modulation) -> str:
    """Gains (1, C, 1, 1) of a layer at λ."""
    fc1, fc2 = modulation.fc1, modulation.fc2
    if name := building.given(modulation):
        return _by_channel(building, building.input(name, fc2.out_features))
    ratio = building("Div", building.lmbda(), building.constant(LMBDA_MAX))
    hidden = building("Mul", ratio, building.constant(fc1.weight[:, 0]))
    hidden = building("Relu", building("Add", hidden, building.constant(fc1.bias)))
    out = building("MatMul", hidden, building.constant(fc2.weight.T))
    return _by_channel(building, building("Exp", building("Add", out, building.constant(fc2.bias))))


def _scales(building: _Building, scale: BottleneckScale) -> str:
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


def _by_channel(building: _Building, values: str) -> str:
    return building("Reshape", values, building.constant(np.array([1, -1, 1, 1], np.int64)))


def _nonlinearity(building: _Building, h: str, module: nn.Module) -> str:
    if isinstance(module, GDN):
        beta = module.beta_reparam(module.beta)
        norm = building("Conv", building("Mul", h, h), _gamma(building, module), building.constant(beta))
        return building("Mul" if module.inverse else "Div", h, building("Sqrt", norm))
    return building("Relu", h) if isinstance(module, nn.ReLU) else h


def _gamma(building: _Building, module: GDN) -> str:
    """γ (C, C, 1, 1) from what the checkpoint stores of it."""
    reparam = module.gamma_reparam
    stored = building.constant(module.gamma[:, :, None, None].half())
    root = building("Max", stored, building.constant(reparam.bound))
    return building("Sub", building("Mul", root, root), building.constant(reparam.pedestal))


def _convolution(building: _Building, h: str, conv: Convolution) -> str:
    stride, padding, bias = conv.stride[0], int(conv.padding[0]), conv.bias

    def plain(kernels: Tensor, bias: Tensor | None, **attributes: Any) -> str:
        constants = [building.constant(v) for v in (kernels.half(), bias) if v is not None]
        return building("Conv", h, *constants, **attributes)

    if not isinstance(conv, nn.ConvTranspose2d):
        return plain(conv.weight, bias, strides=[stride] * 2, pads=[padding] * 4)
    if conv.out_channels * stride**2 <= conv.in_channels:
        repeated = None if bias is None else bias.repeat_interleave(stride**2)
        subpixels = plain(subpixel_kernels(conv.weight, stride).contiguous(), repeated, pads=[1] * 4)
        return building("DepthToSpace", subpixels, blocksize=stride, mode="CRD")
    phases = [
        # output stride · q + r takes taps r, r + stride, … of inputs q + 1, q, …
        plain(taps.flip(2, 3).transpose(0, 1), bias, pads=[taps.shape[2] - 2, taps.shape[3] - 2, 1, 1])
        for row in range(stride)
        for column in range(stride)
        for taps in [conv.weight[:, :, row::stride, column::stride]]
    ]
    return building("DepthToSpace", building("Concat", *phases, axis=1), blocksize=stride, mode="DCR")
