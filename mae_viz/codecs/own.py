"""A codec of one's own: any object that turns pictures into bytes and back.

    class Blocks:
        name, qualities = "blocks", (1, 2, 4, 8)

        def encode(self, picture, quality): ...   # PIL.Image, RGB → bytes
        def decode(self, data): ...               # bytes → PIL.Image, or uint8 (H, W, 3)

    mae_viz.register(Blocks())

``qualities`` are the numbers that it takes, from the smallest file to the largest; an object without them codes at one
rate, and its ``encode`` takes the picture alone. Where they are there, ``title``, ``short``, ``unit`` (what a quality
is called), ``about`` and ``settings`` (a dict for result files) are shown, and ``identity``, a text that changes when
the codec's files do, keeps its frames on disk from one run of Python to the next.

Whole qualities stand for all whole numbers between them; others for all numbers between them, to four decimals.
"""

import itertools
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Any

from PIL import Image

from mae_viz.codecs.interface import Codec, Progress, Quality, QualityAxis
from mae_viz.images import open_rgb


class OwnCodec(Codec[Quality]):
    """An object with ``name``, ``encode`` and ``decode``, as a codec.

    What goes wrong inside it is raised as a ValueError that names it.
    """

    kind = "other"

    def __init__(self, made: Any):
        """Raises ValueError for an object that lacks one of the three, or whose qualities are no rising numbers."""
        if lacking := [part for part in ("name", "encode", "decode") if not hasattr(made, part)]:
            raise ValueError(f"{type(made).__name__} is no codec: it lacks {', '.join(lacking)}.")
        self.made = made
        self.name = str(made.name)
        self.title = getattr(made, "title", self.name)
        self.short = getattr(made, "short", self.title)
        self.about = getattr(made, "about", f"{type(made).__module__}.{type(made).__qualname__}")
        self._rated = hasattr(made, "qualities")
        numbers = made.qualities if self._rated else (0,)
        self.axis = quality_axis(self.name, numbers, getattr(made, "unit", "quality"))
        self._identity = getattr(made, "identity", secrets.token_hex(8))

    @property
    def identity(self) -> str:
        return json.dumps([self._identity, self.settings], sort_keys=True, default=str)

    @property
    def settings(self) -> dict:
        return {"library": self.about, **getattr(self.made, "settings", {})}

    def encode(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> bytes:
        with naming(self, "code this picture"):
            # a copy: Pillow notes on a picture how it is being saved, and several threads may code the same one
            data = self.made.encode(picture.copy(), *([rate.value] if self._rated else []))
        if not isinstance(data, bytes | bytearray | memoryview):
            raise ValueError(f"{self.title}: encode must return bytes, not {type(data).__name__}.")
        if not len(data):
            raise ValueError(f"{self.title}: encode returned no bytes at all.")
        return bytes(data)

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        with naming(self, "decode this file"):
            picture = self.made.decode(data)
            try:
                return open_rgb(picture)
            except ValueError as error:
                raise ValueError(f"decode must return a picture or a uint8 array (H, W, 3): {error}") from None


@contextmanager
def naming(codec: Codec, doing: str) -> Iterator[None]:
    """Whatever goes wrong inside is raised as a ValueError with a sentence that names the codec."""
    try:
        yield
    except Exception as error:  # other people's code raises all sorts of things
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        raise ValueError(f"{codec.title} could not {doing}: {kind}{error}") from error


def quality_axis(name: str, numbers: Iterable, unit: str, axis: type[QualityAxis] = QualityAxis) -> QualityAxis:
    """The axis of a codec's qualities. Raises ValueError for what are no rising numbers that an axis can hold."""
    listed = tuple(numbers)
    if not listed or not all(isinstance(number, Real) for number in listed):
        raise ValueError(f"{name}: qualities must be numbers, one at least, not {listed}.")
    whole = all(isinstance(number, Integral) for number in listed)
    listed = tuple(map(int if whole else float, listed))
    if any(a >= b for a, b in itertools.pairwise(listed)):
        raise ValueError(f"{name}: qualities must rise, from the smallest file to the largest.")
    if not whole and (listed[0] <= 0 or any(number != round(number, 4) for number in listed)):
        raise ValueError(f"{name}: qualities that are not whole must be above 0 and have four decimals at most.")
    return axis(tuple(map(Quality, listed)), unit, whole)
