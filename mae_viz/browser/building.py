"""A graph of ONNX that grows in the order its data flow."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper
from torch import Tensor

_OPSET, _IR = 17, 8  # of 2022: every onnxruntime-web since 1.13 reads them

Port = tuple[str, Sequence[int | str]]
"""An input or output: its name, and its sides: numbers, or names for what may vary."""


class Building:
    """Nodes and constants, by names that count them."""

    def __init__(self) -> None:
        self._nodes: list = []
        self._constants: list = []
        self._inputs: dict[str, int] = {}

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """The name of what an operator gives."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, values: Tensor | np.ndarray | float) -> str:
        """The name of a constant, float32 to those who read it; stored as float16 where it came so."""
        array = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        stored = self._stored(array)
        return self("Cast", stored, to=TensorProto.FLOAT) if array.dtype == np.float16 else stored

    def _stored(self, array: np.ndarray | np.float64) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def double(self, values: Tensor | float) -> str:
        """A constant, float64 to those who read it; stored as float16 where it came so."""
        array = values.numpy() if isinstance(values, Tensor) else np.float64(values)
        stored = self._stored(array)
        return stored if array.dtype == np.float64 else self("Cast", stored, to=TensorProto.DOUBLE)

    def whole(self, *numbers: int) -> str:
        """A constant list of whole numbers: sides, places, axes."""
        return self.constant(np.array(numbers, np.int64))

    def sides(self, h: str, start: int, end: int = 4) -> str:
        """Sides of a tensor as it comes, those of some axes."""
        return self("Shape", h, start=start, end=end)

    def reshaped(self, h: str, *sides: int | str) -> str:
        """The same numbers in another shape: sides, 0 as it was, −1 for the rest, or a list that `sides` has named."""
        named = [self.whole(side) if isinstance(side, int) else side for side in sides]
        fixed = all(isinstance(side, int) for side in sides)
        return self("Reshape", h, self.whole(*sides) if fixed else self("Concat", *named, axis=0))  # type: ignore[arg-type]

    def input(self, name: str, count: int) -> str:
        """An input of so many numbers, besides what flows through the graph."""
        self._inputs[name] = count
        return name

    def finished(
        self,
        part: str,
        source: Port,
        last: str,
        target: Port,
        about: Mapping[str, object],
        kind: int = TensorProto.FLOAT,
    ) -> ModelProto:
        """The model whose output is what ``last`` names; ``about``: its metadata, what is no text becomes JSON."""
        self("Identity", last)
        self._nodes[-1].output[0] = target[0]
        ports: list[Port] = [source, *((name, [count]) for name, count in self._inputs.items()), target]
        infos = [helper.make_tensor_value_info(name, kind, sides) for name, sides in ports]
        made = helper.make_model(
            helper.make_graph(self._nodes, part, infos[:-1], infos[-1:], self._constants),
            producer_name="mae_viz",
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR,
        )
        texts = {key: v if isinstance(v, str) else json.dumps(v) for key, v in {"part": part, **about}.items()}
        helper.set_model_props(made, texts)
        checker.check_model(made, full_check=True)
        return made
