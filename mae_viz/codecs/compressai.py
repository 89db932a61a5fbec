"""Torch modules with CompressAI's interface as codecs: CompressAI's own models, and those built like them.

    from compressai.zoo import bmshj2018_hyperprior

    models = {quality: bmshj2018_hyperprior(quality, pretrained=True) for quality in range(1, 9)}
    mae_viz.register(CompressAICodec("bmshj2018-hyperprior", models))

A model has ``compress(x)``, ``decompress(strings, shape)`` and the transforms ``g_a`` and ``g_s``. Where its
``forward(x)`` gives ``likelihoods`` with a part "y", as CompressAI's do, maps are shown as well.

A file, little-endian:

    offset  bytes
         0      4  CRC-32 of the SHA-256 over the weights and of all that follows
         4      8  the quality, float64
        12  2 + 2  width and height of the picture
        16  2 + 2  height and width of what the model calls ``shape``
        20      1  n, the number of strings
        21    4 n  the length of each, in bytes
              ...  the strings

CompressAI's coder relies on equal floating-point sums on both sides: a file is for the machine, the number of threads
and the versions of torch and CompressAI that wrote it.
"""

import copy
import inspect
import itertools
import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mae_viz.codecs.interface import Codec, Inspected, Progress, Quality, QualityAxis, SingleQualities
from mae_viz.codecs.own import naming, quality_axis
from mae_viz.coding import checkpoints
from mae_viz.coding.coder import to_image, to_tensor
from mae_viz.images import MAX_PIXELS

if TYPE_CHECKING:
    from mae_viz.codecs.module_latents import ModuleLatents

Model = Any
"""A torch module with CompressAI's interface, of which torch's types know no method."""

Arguments = Callable[[float], dict]
"""A quality → what a model's ``compress``, ``decompress`` and ``forward`` take beside the picture."""

_CRC = struct.Struct("<I")
_HEAD = struct.Struct("<dHHHHB")


@dataclass(frozen=True)
class _File:
    """What a file holds."""

    rate: Quality
    size: tuple[int, int]  # width, height
    shape: tuple[int, int]
    strings: list[list[bytes]]


class CompressAICodec(Codec[Quality]):
    """A module with CompressAI's interface, or one for each quality.

    Modules are copied, to the CPU and into evaluation mode, and their coding tables made where they are missing: who
    trains them on does not change the codec. What goes wrong inside them is raised as a ValueError that names it.
    """

    kind = "other"

    def __init__(
        self,
        name: str,
        models: nn.Module | Mapping[float, nn.Module],
        *,
        title: str | None = None,
        short: str | None = None,
        about: str | None = None,
        qualities: Iterable[float] | None = None,
        arguments: Arguments | None = None,
        unit: str | None = None,
        multiple: int | None = None,
        lmbdas: Mapping[float, float] | None = None,
    ):
        """``models``: one for each quality, {1: …, 2: …} from the smallest file to the largest, or one alone.

        One alone serves many rates where it takes the rate as an argument: CompressAI's variable-rate models
        (``compress(x, inputscale=…)``) all scales between those that they were trained for, of which a larger one
        rounds more finely; of others say the ``qualities``, and the ``arguments`` that each stands for, such as
        ``lambda quality: {"s": quality}``. ``unit``: what a quality is called. ``multiple``: pictures are extended to
        sides that so many pixels divide, a model's ``downsampling_factor`` or 64 by default. ``lmbdas``: the λ that
        each quality was trained for, with which its pictures can be refined: of R + λ·MSE, bits per pixel and values
        in [0, 1], which is 255² times that of CompressAI's tables. Raises ValueError where a small grey picture does
        not come through.
        """
        by_quality = dict(models) if isinstance(models, Mapping) else {}
        modules: list[Model] = list(by_quality.values()) or [models]
        if not all(isinstance(model, nn.Module) for model in modules):
            raise ValueError(f"{name}: models must be a torch module, or a dict of them by quality.")
        if not by_quality and qualities is None and _takes_scale(modules[0]):
            qualities = sorted({round(abs(gain), 4) for gain in modules[0].Gain.tolist()})
            arguments, unit = _scale, unit or "scale"
        numbers = list(by_quality) or ((0,) if qualities is None else qualities)
        self.name, self.title = name, title or name
        self.short = short or self.title
        self.about = about or f"{type(modules[0]).__name__}, CompressAI {version('compressai')}"
        self.axis = quality_axis(name, numbers, unit or "quality", SingleQualities if by_quality else QualityAxis)
        self.lmbdas = dict(lmbdas or {})
        self.refinable = bool(self.lmbdas)
        self._arguments = arguments or (lambda quality: {})
        self.multiple: int = multiple if multiple else getattr(modules[0], "downsampling_factor", 64)
        self._lock = threading.Lock()
        with naming(self, "be copied"):
            self._models = dict(zip(self.axis.listed, map(_copied, modules), strict=False))
            tensors = {f"{rate} {key}": v for rate, m in self._models.items() for key, v in m.state_dict().items()}
            self._sha256 = checkpoints.fingerprint({key: value.numpy() for key, value in tensors.items()})
        self._blind = ""
        self._find_looks()

    def _find_looks(self) -> None:
        """Find out what can be seen inside, on a grey picture; where nothing can, keep the reason."""
        picture = Image.new("RGB", (self.multiple, self.multiple), "grey")
        data = {rate: self.encode(picture, rate) for rate in self._models}
        for of_rate in data.values():
            self.decode(of_rate)
        try:
            shapes = [self._latents(picture, rate)[0].shape for rate in self._models]
            for of_rate in data.values():
                self._cost(of_rate)
        except ValueError as error:
            self._blind = str(error)
            return
        strides = {self.multiple // width for _, _, width in shapes}
        if len(strides) > 1:
            self._blind = "the latents of its models differ in resolution"
            return
        self.looks, self.stride = frozenset({"maps"}), strides.pop()
        self._channels = max(channels for channels, _, _ in shapes)

    @property
    def identity(self) -> str:
        return json.dumps([self._sha256, self.settings], sort_keys=True)

    @property
    def fingerprint(self) -> str:
        return self._sha256

    @property
    def settings(self) -> dict:
        return {
            "library": f"CompressAI {version('compressai')}",
            "models": sorted({type(model).__qualname__ for model in self._models.values()}),
            "parameters": [sum(p.numel() for p in model.parameters()) for model in self._models.values()],
            "multiple": self.multiple,
            self.axis.unit: [rate.value for rate in self.axis.listed],
        }

    def why_not(self, look: str) -> str:
        return f"{super().why_not(look)} {self._blind}".strip() if look == "maps" else super().why_not(look)

    def encode(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> bytes:
        rate = self.axis.near(rate.value)
        with self._working(rate, "code this picture") as (model, arguments):
            return self.compressed(model, to_tensor(picture, self.multiple), picture.size, rate, arguments)

    def compressed(self, model: Model, x: Tensor, size: tuple[int, int], rate: Quality, arguments: dict) -> bytes:
        """The file of an extended picture (1, 3, H, W) of so many pixels by a model."""
        out = model.compress(x, **arguments)
        file = _File(rate, size, tuple(out["shape"]), out["strings"])
        if len(file.shape) != 2 or any(len(strings) != 1 for strings in file.strings):
            raise ValueError("compress must give a shape of two numbers, and of each kind of string one.")
        return self._pack(file)

    def latents(self, picture: Image.Image, rate: Quality) -> "ModuleLatents":
        """A picture's latents, to be refined. Raises ValueError for models whose latents cannot be."""
        from mae_viz.codecs.module_latents import ModuleLatents

        rate = self.axis.near(rate.value)
        with naming(self, "refine latents"), self._lock:
            own = _copied(self._at(rate))  # others' hooks stay out
            arguments = self._arguments(rate.value)
            _set(own, arguments)
        with naming(self, "refine latents"):
            return ModuleLatents(picture, self, own, arguments, rate)

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        file = self._unpack(data)
        with self._working(file.rate, "decode this file") as (model, arguments):
            x_hat = model.decompress(file.strings, file.shape, **arguments)["x_hat"]
            return to_image(x_hat, file.size[1], file.size[0])

    def estimated_bits(self, data: bytes) -> float | None:
        return self._cost(data) if "maps" in self.looks else None

    def inspect(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> Inspected:
        """A picture's file with the maps behind it. ``y`` are latents as the entropy model gets them, after any scale.

        Where models differ in their channels, those that one lacks are empty.
        """
        if "maps" not in self.looks:
            raise ValueError(self.why_not("maps"))
        y, bits = self._latents(picture, self.axis.near(rate.value))
        return self._inspected(self.encode(picture, rate), y, bits)

    def _inspected(self, data: bytes, y: np.ndarray, bits: dict[str, np.ndarray]) -> Inspected:
        places = np.zeros(y.shape[1:], np.float32)
        for part in bits.values():
            n = y.shape[1] // part.shape[1]
            places += np.kron(part.sum(axis=0), np.full((n, n), n**-2, np.float32))
        missing = ((0, self._channels - len(y)), (0, 0), (0, 0))
        return Inspected(data, np.pad(y, missing), np.pad(bits["y"], missing), places, _total(bits))

    def _latents(self, picture: Image.Image, rate: Quality) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Latents (C, h, w), and the bits (…, h, w) of all kinds of symbols, those of the latents as "y"."""
        heard: dict[str, Tensor] = {}
        with self._working(rate, "show its latents") as (model, arguments), ExitStack() as stack:
            for part in ("gaussian_conditional", "entropy_bottleneck"):
                if hasattr(model, part):
                    stack.enter_context(hear(model, part, heard))
            bits = bits_of(model, to_tensor(picture, self.multiple), arguments)
            # a model with context asks its entropy model place by place, and only g_a knows all latents together
            found = [y for y in heard.values() if y.shape[1:] == bits["y"].shape]
            y = found[0] if found else model.g_a(to_tensor(picture, self.multiple))
            return y[0].numpy(), bits

    def inspect_file(self, data: bytes) -> Inspected:
        """A file with the maps behind it, ``y`` as the decoder gets it."""
        if "maps" not in self.looks:
            raise ValueError(self.why_not("maps"))
        return self._inspected(data, *self._replayed(data))

    def _cost(self, data: bytes) -> float:
        """Bits of all symbols in a file."""
        return _total(self._replayed(data)[1])

    def _replayed(self, data: bytes) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The latents (C, h, w) that the decoder finds in a file, and the bits of all kinds of symbols: what forward
        says where the latents are these.

        Rounding leaves them as they are: they lie on its steps, or less than half a step beside.
        """
        file = self._unpack(data)
        with self._working(file.rate, "tell what the symbols of this file cost") as (model, arguments):
            seen: dict[str, Tensor] = {}
            pairs = [(mine, theirs) for mine, theirs in (("g_s", "g_a"), ("h_s", "h_a")) if hasattr(model, mine)]
            with ExitStack() as stack:
                for synthesis, _ in pairs:
                    stack.enter_context(hear(model, synthesis, seen))
                model.decompress(file.strings, file.shape, **arguments)
            with ExitStack() as stack:
                for synthesis, analysis in pairs:
                    stack.enter_context(replace(model, analysis, seen[synthesis]))
                bits = bits_of(model, to_tensor(Image.new("RGB", file.size), self.multiple), arguments)
            return seen["g_s"][0].numpy(), bits

    def lmbda(self, rate: Quality) -> float:
        """As ``lmbdas`` says. Raises ValueError for qualities that it does not name."""
        try:
            return self.lmbdas[rate.value]
        except KeyError:
            raise ValueError(
                f"{self.title}: what λ {self.axis.unit} {rate} was trained for is not known: name it in lmbdas."
            ) from None

    @contextmanager
    def _working(self, rate: Quality, doing: str) -> Iterator[tuple[Model, dict]]:
        """The model of a rate and what it takes beside the picture; one thread at a time."""
        with naming(self, doing), self._lock, torch.inference_mode():
            model, arguments = self._at(rate), self._arguments(rate.value)
            _set(model, arguments)
            yield model, arguments

    def _at(self, rate: Quality) -> Model:
        return self._models.get(rate, self._models[self.axis.first])

    def _pack(self, file: _File) -> bytes:
        head = _HEAD.pack(file.rate.value, *file.size, *file.shape, len(file.strings))
        strings = [string for (string,) in file.strings]
        lengths = struct.pack(f"<{len(strings)}I", *map(len, strings))
        body = b"".join((head, lengths, *strings))
        return _CRC.pack(self._checksum(body)) + body

    def _unpack(self, data: bytes) -> _File:
        """Raises ValueError for a damaged file, or one that other weights wrote."""
        body = data[_CRC.size :]
        if len(body) < _HEAD.size or data[: _CRC.size] != _CRC.pack(self._checksum(body)):
            raise ValueError(
                f"the file is damaged, or {self.title} with other weights wrote it: code the picture again."
            )
        quality, *numbers, count = _HEAD.unpack_from(body)
        size, shape, end = tuple(numbers[:2]), tuple(numbers[2:]), _HEAD.size + 4 * count
        lengths = struct.unpack_from(f"<{count}I", body, _HEAD.size) if end <= len(body) else ()
        if len(body) != end + sum(lengths) or len(lengths) != count or not 0 < size[0] * size[1] <= MAX_PIXELS:
            raise ValueError("the file's contents contradict each other: it was written by a faulty program.")
        ends = list(itertools.accumulate(lengths, initial=end))
        strings = [[body[a:b]] for a, b in itertools.pairwise(ends)]
        return _File(self.axis.near(quality), size, shape, strings)

    def _checksum(self, body: bytes) -> int:
        return zlib.crc32(body, zlib.crc32(bytes.fromhex(self._sha256)))


def _total(bits: dict[str, np.ndarray]) -> float:
    return sum(float(part.sum(dtype=np.float64)) for part in bits.values())


def _copied(model: Model) -> Model:
    model = copy.deepcopy(model).cpu().float().eval().requires_grad_(False)
    if hasattr(model, "update"):
        model.update()
    return model


def _set(model: Model, arguments: dict) -> None:
    """Of CompressAI's variable-rate models the tables of z are those of one scale at a time."""
    if getattr(model, "vr_entbttlnck", False):
        model.update(force=True, scale=arguments["inputscale"])


def _takes_scale(model: Model) -> bool:
    """Whether it is a variable-rate model of CompressAI's."""
    return hasattr(model, "Gain") and "inputscale" in inspect.signature(model.compress).parameters


def _scale(scale: float) -> dict:
    return {"inputscale": torch.tensor(scale)}


def bits_of(model: Model, x: Tensor, arguments: dict) -> dict[str, np.ndarray]:
    """What every symbol costs, (C, h, w) for each kind of symbol."""
    likelihoods = model(x, **arguments)["likelihoods"]
    return {part: -torch.log2(p)[0].numpy() for part, p in likelihoods.items()}


def hear(model: Model, part: str, heard: dict[str, Tensor]) -> RemovableHandle:
    """While this is open, what a part of a model is given last is kept in ``heard``."""
    return getattr(model, part).register_forward_pre_hook(lambda _, given: heard.update({part: given[0].clone()}))


def replace(model: Model, part: str, value: Tensor) -> RemovableHandle:
    """While this is open, a part of a model gives this."""
    return getattr(model, part).register_forward_hook(lambda *_: value)
