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
"""

import json
import secrets

from PIL import Image

from mae_viz.codecs.interface import Codec, Progress, Quality, QualityAxis
from mae_viz.images import open_rgb


class OwnCodec(Codec):
    """An object with ``name``, ``encode`` and ``decode``, as a codec."""

    kind = "other"

    def __init__(self, made: object):
        """Raises ValueError for an object that lacks one of the three, or whose qualities do not rise."""
        if lacking := [part for part in ("name", "encode", "decode") if not hasattr(made, part)]:
            raise ValueError(f"{type(made).__name__} is no codec: it lacks {', '.join(lacking)}.")
        self.made = made
        self.name = str(made.name)
        self.title = getattr(made, "title", self.name)
        self.short = getattr(made, "short", self.title)
        self.about = getattr(made, "about", f"{type(made).__module__}.{type(made).__qualname__}")
        qualities = tuple(getattr(made, "qualities", ()))
        if list(qualities) != sorted(set(qualities)):
            raise ValueError(f"{self.name}: qualities must rise, from the smallest file to the largest.")
        whole = all(isinstance(quality, int) for quality in qualities)
        listed = tuple(map(Quality, qualities))
        self.axis = QualityAxis(listed or (Quality(0),), getattr(made, "unit", "quality"), whole)
        self._rated = bool(listed)
        self._identity = getattr(made, "identity", secrets.token_hex(8))

    @property
    def identity(self) -> str:
        return json.dumps([self._identity, self.settings], sort_keys=True, default=str)

    @property
    def settings(self) -> dict:
        return {"library": self.about, **getattr(self.made, "settings", {})}

    def encode(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> bytes:
        return bytes(self.made.encode(picture, rate.value) if self._rated else self.made.encode(picture))

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        return open_rgb(self.made.decode(data))
