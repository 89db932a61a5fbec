"""Rate control: the λ of a model, or the quality of another codec, that a byte budget or a PSNR asks for.

All rates that the codec can name are searched (λ: 1/64 octave; qualities: whole numbers; JPEG 2000: 1/64 octave of the
rate asked of it). The size of a file and its PSNR grow with the rate, log bytes and dB almost linearly in log λ:
a secant through the points known finds its place in a few steps. Large pictures are searched first on a mosaic of
patches of them, whose curve has their shape, and codecs that take long by way of a quicker one beside them. What is
returned has been coded for real, and so has its neighbour on the grid that would break the budget: the answer does not
depend on where the search began. Neither bytes nor dB of small pictures grow steadily: of those the rates around that
reach a PSNR too are coded, and the smallest file is taken.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mae_viz import metrics
from mae_viz.codecs.interface import AnyRate, Codec, Progress
from mae_viz.codecs.registry import codec
from mae_viz.images import ImageSource, open_rgb
from mae_viz.rates import Rate

PATCH = 128
"""Side of a patch of the mosaic, in pixels; there are 16 of them."""

_WAVERING = 1 << 16
"""Over how many rates bytes and dB of a picture may waver, times its pixels: 64 of the MAE's rates at 32 × 32."""

BYTES_TOLERANCE = 0.01
"""How far outside a codec's range a budget of bytes may lie and still be met by the range's end: a share of it."""

PSNR_TOLERANCE_DB = 0.05
"""The same of a PSNR, in dB."""


@dataclass(frozen=True)
class Known:
    """A rate of this picture that has already been coded, from a ladder for instance: it need not be coded again."""

    rate: AnyRate
    bytes: int
    psnr_db: float


@dataclass(frozen=True)
class Found:
    """The file that a target asks for."""

    codec: Codec
    rate: AnyRate
    stream: bytes
    bpp: float
    psnr_db: float
    left: float
    """What the target leaves unused: for a budget the share of its bytes, for a PSNR the dB above it."""
    coded: int
    """How many times the whole picture was coded."""
    whole: bool = True
    """False where Ctrl-C ended the search: the file meets the target, another one might come closer."""

    @property
    def bytes(self) -> int:
        """Length of the file."""
        return len(self.stream)

    @property
    def lmbda(self) -> float | None:
        """λ of a model, None for a quality."""
        return self.rate.lmbda if isinstance(self.rate, Rate) else None


class UnreachableError(ValueError):
    """A target outside what the codec can do with the picture; ``low`` and ``high`` bound what it can."""

    def __init__(self, sentence: str, unit: str, low: float, high: float):
        super().__init__(sentence)
        self.unit, self.low, self.high = unit, low, high


def compress_to(
    image: ImageSource,
    model: str | Codec = "mae",
    *,
    bytes: int | None = None,
    bpp: float | None = None,
    psnr_db: float | None = None,
    known: Iterable[Known] = (),
    progress: Progress | None = None,
) -> Found:
    """The largest file within a budget of ``bytes`` or ``bpp``, or the smallest one that reaches ``psnr_db``.

    ``image``: anything that `mae_viz.images.open_rgb` reads. ``model``: any codec, or its name as
    `mae_viz.codecs.registry.codec` takes it. Exactly one target must be given. ``known`` saves
    coding what has been coded before. Ctrl-C ends the search of a refined codec with the best file so far, at
    the least one coded in one pass. Raises UnreachableError where no rate of the codec meets the target,
    ValueError for other targets than one positive number, ImageError, CheckpointError.
    """
    given = {"bytes": bytes, "bpp": bpp, "psnr_db": psnr_db}
    asked = {name: value for name, value in given.items() if value is not None}
    if len(asked) != 1:
        raise ValueError("name exactly one target: bytes, bpp or psnr_db.")
    ((unit, target),) = asked.items()
    if not (target > 0 and math.isfinite(target)):
        raise ValueError(f"{unit} = {target:g} is no target: it must be a positive number.")
    picture = open_rgb(image)
    made_with = codec(model) if isinstance(model, str) else model
    return _Search(picture, made_with, unit, float(target), known, progress).run()


class _Search:
    """One search: a picture, a codec and a target."""

    def __init__(
        self,
        picture: Image.Image,
        codec: Codec,
        unit: str,
        target: float,
        known: Iterable[Known],
        progress: Progress | None,
    ):
        self.picture, self.codec, self.unit, self.target, self.progress = picture, codec, unit, target, progress
        self.pixels = picture.width * picture.height
        self.by_psnr = unit == "psnr_db"
        self.grid, self.encode = codec.axis.every, codec.encode
        self.streams: dict[int, bytes] = {}
        budget = target * self.pixels / 8 if unit == "bpp" else target
        self.level = target if self.by_psnr else math.log(round(budget, 6))
        position = {rate: i for i, rate in enumerate(self.grid)}
        self.values = {
            position[k.rate]: k.psnr_db if self.by_psnr else math.log(k.bytes) for k in known if k.rate in position
        }

    def run(self) -> Found:
        try:
            return self._found(self._settle())
        except KeyboardInterrupt:
            if not self.codec.guide:
                raise
            return self._so_far(self.codec.guide)

    def _settle(self) -> int:
        """The rate that the target asks for, by its place on the grid."""
        first_guess = None
        if len(self.values) < 2:
            if self.codec.guide:
                first_guess = self._guess(self.codec.guide, self.picture)
            elif self.pixels >= 64 * PATCH**2:
                first_guess = self._guess(self.codec, mosaic(self.picture))
        below, above = _bracket(self._value, self.values, len(self.grid), self.level, self.by_psnr, first_guess)
        # the last rate within the budget, or the first that reaches the PSNR
        nearest = above if self.by_psnr else below
        found = self._smallest(above) if self.by_psnr else below
        if not 0 <= found < len(self.grid) or self._left(found) < 0:
            raise self._unreachable()
        at_end = above == 0 if self.by_psnr else below == len(self.grid) - 1
        if at_end and self._left(nearest) > (PSNR_TOLERANCE_DB if self.by_psnr else BYTES_TOLERANCE):
            raise self._unreachable()
        return found

    def _so_far(self, guide: Codec) -> Found:
        """The best of what is coded that meets the target; where nothing does, the guide's file."""
        meeting = [i for i in self.streams if i in self.values and self._left(i) >= 0]
        if not meeting:
            found = _Search(self.picture, guide, self.unit, self.target, (), None).run()
        else:
            longest_last = sorted(meeting, key=lambda i: len(self.streams[i]))
            found = self._found(longest_last[0 if self.by_psnr else -1])
        return replace(found, whole=False)

    def _found(self, i: int) -> Found:
        stream = self._stream(i)
        return Found(
            self.codec,
            self.grid[i],
            stream,
            metrics.bpp(len(stream), self.picture.height, self.picture.width),
            self.values[i] if self.by_psnr else self._psnr(self.picture, stream),
            self._left(i),
            len(self.streams),
        )

    def _smallest(self, above: int) -> int:
        """Of the rates around ``above`` that reach the PSNR the one with the smallest file."""
        far = _WAVERING // self.pixels
        near = range(max(above - far, 0), min(above + far + 1, len(self.grid)))
        for i in sorted(near, key=lambda i: len(self._stream(i))):
            if i not in self.values:
                self.values[i] = self._value(i)
            if self._left(i) >= 0:
                return i
        return above

    def _stream(self, i: int) -> bytes:
        if i not in self.streams:
            self.streams[i] = self.encode(self.picture, self.grid[i])
            if self.progress:
                self.progress(1 - 0.7 ** len(self.streams))  # how many there will be is not known
        return self.streams[i]

    def _value(self, i: int) -> float:
        stream = self._stream(i)
        return self._psnr(self.picture, stream) if self.by_psnr else math.log(len(stream))

    def _psnr(self, picture: Image.Image, stream: bytes) -> float:
        return metrics.psnr_db(np.asarray(self.codec.reconstruct(picture, stream)), np.asarray(picture))

    def _left(self, i: int) -> float:
        return self.values[i] - self.level if self.by_psnr else 1 - math.exp(self.values[i] - self.level)

    def _guess(self, codec: Codec, stand_in: Image.Image) -> Callable[[dict[int, float]], int]:
        """Where the curve of a codec for a stand-in, moved through what is known of the picture's, meets the target."""
        values: dict[int, float] = {}

        def value(i: int) -> float:
            stream = codec.encode(stand_in, self.grid[i])
            return self._psnr(stand_in, stream) if self.by_psnr else math.log(len(stream))

        def guess(known: dict[int, float]) -> int:
            offset = 0.0 if self.by_psnr else math.log(self.pixels / (stand_in.width * stand_in.height))
            if known:
                nearest = min(known, key=lambda i: abs(known[i] - self.level))
                if nearest not in values:
                    values[nearest] = value(nearest)
                offset = known[nearest] - values[nearest]
            below, above = _bracket(value, values, len(self.grid), self.level - offset, self.by_psnr)
            return above if self.by_psnr else below

        return guess

    def _unreachable(self) -> UnreachableError:
        last = len(self.grid) - 1
        for i in (0, last):
            if i not in self.values:
                self.values[i] = self._value(i)
        low, high = (self.values[i] if self.by_psnr else round(math.exp(self.values[i])) for i in (0, last))
        if self.unit == "bpp":
            low, high = 8 * low / self.pixels, 8 * high / self.pixels
        form, unit = {"bytes": (",.0f", "bytes"), "bpp": (".4f", "bpp"), "psnr_db": (".2f", "dB")}[self.unit]
        return UnreachableError(
            f"{self.target:{form}} {unit} is out of reach: {self.codec.title} can give this picture "
            f"{low:{form}} … {high:{form}} {unit}.",
            self.unit,
            low,
            high,
        )


def _bracket(
    value: Callable[[int], float],
    values: dict[int, float],
    count: int,
    level: float,
    strict: bool,
    first_guess: Callable[[dict[int, float]], int] | None = None,
) -> tuple[int, int]:
    """Neighbours i, i + 1 of 0 … count − 1 between which an increasing function crosses a level.

    The lower one's value is ≤ ``level`` (< where ``strict``), the upper one's above. Where the level is outside, one of
    them is −1 or ``count``. ``values`` holds what is known and receives what is evaluated.
    """
    for step in range(count + 2):
        under = [i for i, v in values.items() if v < level or (v == level and not strict)]
        below = max(under, default=-1)
        above = min((i for i in values if i not in under and i > below), default=count)
        if above - below == 1:
            break
        if first_guess and step < 2:
            i = first_guess(values)
        elif step > 5:
            i = (below + above) // 2
        else:
            i = math.floor(_crossing(values, below, above, count, level))
        i = min(max(i, below + 1), above - 1)
        values[i] = value(i)
    return below, above


def _crossing(values: dict[int, float], below: int, above: int, count: int, level: float) -> float:
    """Where the level is crossed by the line through the two nearest points, or else half-way."""
    nearest = sorted((i for i in values if math.isfinite(values[i])), key=lambda i: abs(values[i] - level))[:2]
    for a, b in ([nearest] if len(nearest) == 2 else []) + [(below, above)]:
        rise = values.get(b, math.inf) - values.get(a, math.inf)
        if math.isfinite(rise) and rise * (b - a) > 0:
            crossing = a + (level - values[a]) / rise * (b - a)
            if below <= crossing < above or (below < 0 or above == count):
                return crossing
    return (below + above) / 2


def mosaic(picture: Image.Image) -> Image.Image:
    """Sixteen square patches of a picture, evenly spread over it, side by side: 4 · PATCH pixels a side."""
    out = Image.new("RGB", (4 * PATCH, 4 * PATCH))
    for row in range(4):
        for column in range(4):
            left = round((2 * column + 1) * picture.width / 8 - PATCH / 2)
            top = round((2 * row + 1) * picture.height / 8 - PATCH / 2)
            left, top = (
                min(max(at, 0), max(side - PATCH, 0)) for at, side in zip((left, top), picture.size, strict=True)
            )
            out.paste(picture.crop((left, top, left + PATCH, top + PATCH)), (column * PATCH, row * PATCH))
    return out
