"""What a codec is: a name, a rate axis, pictures to bytes and back, and what can be seen inside it.

Everything that codes pictures here takes a `Codec` and asks it; nothing asks what it is called. A rate is a
`mae_viz.rates.Rate` on a λ axis and a `Quality` on any other; both know the number ``at`` that frames and addresses
name them by.
"""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np
from PIL import Image

from mae_viz.codecs import palette
from mae_viz.rates import LAST_INDEX, STEPS_PER_OCTAVE, Rate

if TYPE_CHECKING:
    from mae_viz.codecs.refined import RefinedCodec
    from mae_viz.refining.latents import Latents

Progress = Callable[[float], None]
"""Called with the fraction done, 0…1; what it raises ends the work."""

FRAME_STEP = STEPS_PER_OCTAVE // 4
"""Grid points between two λ of a ladder: a quarter octave."""

LOOKS = {
    "maps": "its latents, the bits that each place of them costs, and their ratio at two rates",
    "gains": "a gain for every channel of every layer, as a function of λ",
    "priors": "learned probabilities of every channel's symbols",
}
"""What a codec may let people see inside it."""


@dataclass(frozen=True, order=True)
class Quality:
    """A rate on an axis other than λ."""

    value: float

    @property
    def number(self) -> float:
        """What people and result files know this rate by."""
        return self.value

    @property
    def at(self) -> float:
        """The number that frames and addresses know this rate by."""
        return self.value

    def __str__(self) -> str:
        return f"{self.value:g}"


AnyRate = Rate | Quality
"""A rate of either kind of axis."""

R = TypeVar("R", bound=AnyRate)
"""The rates of one codec: `Rate` or `Quality`. ``Codec`` and ``Axis`` alone stand for those of either."""


class Axis(ABC, Generic[R]):
    """The rates that a codec offers, from the smallest file to the largest."""

    kind: ClassVar[str]
    """ "lmbda", "quality" or "none"; also the key of the rate in result files."""
    unit: str
    listed: Sequence[R]
    """Rates that it was trained for, or is measured at unless others are asked for."""

    @property
    def first(self) -> R:
        """The lowest listed rate."""
        return self.listed[0]

    @property
    def last(self) -> R:
        """The highest listed rate."""
        return self.listed[-1]

    @property
    def start(self) -> R:
        """Where somebody begins who has not chosen."""
        return self.ladder[len(self.ladder) // 2]

    @property
    @abstractmethod
    def ladder(self) -> tuple[R, ...]:
        """Rates to have at hand for scrubbing."""

    @property
    @abstractmethod
    def every(self) -> tuple[R, ...]:
        """All rates that a search may choose from."""

    @property
    def only(self) -> tuple[R, ...]:
        """The rates that there are, where there is nothing between them; empty where there is."""
        return ()

    @abstractmethod
    def near(self, number: float) -> R:
        """The rate that comes nearest to a λ or a quality. Raises ValueError outside the axis."""

    @abstractmethod
    def at(self, number: float) -> R | None:
        """The rate that comes nearest to what a frame or an address names; None outside the axis."""

    def name(self, rate: R) -> str:
        """The rate in words: "λ 702.2", "quality 40"."""
        return f"{self.unit} {rate}"


@dataclass(frozen=True)
class LambdaAxis(Axis[Rate]):
    """λ, on the grid of 1/64 octave that files can name."""

    listed: tuple[Rate, ...]
    between: str = ""
    """What happens between two trained λ, in words."""
    kind, unit = "lmbda", "λ"

    @cached_property
    def ladder(self) -> tuple[Rate, ...]:
        """Quarter octaves, and the last."""
        return (*map(Rate, range(self.first.index, self.last.index, FRAME_STEP)), self.last)

    @cached_property
    def every(self) -> tuple[Rate, ...]:
        return tuple(map(Rate, range(self.first.index, self.last.index + 1)))

    def near(self, number: float) -> Rate:
        if self.first.lmbda <= number <= self.last.lmbda:
            return Rate.near(number)
        span = f"{self.first} ≤ λ ≤ {self.last}" if self.first < self.last else f"λ = {self.first} alone"
        raise ValueError(f"λ = {number:g} is outside {span}, what this codec was trained for.")

    def at(self, number: float) -> Rate | None:
        return Rate(round(number)) if self.first.index <= number <= self.last.index else None


class SingleLambdas(LambdaAxis):
    """A few λ with a network each: of any other λ the nearest of them is meant."""

    @property
    def ladder(self) -> tuple[Rate, ...]:
        return self.listed

    every = only = ladder

    def near(self, number: float) -> Rate:
        return self._nearest(super().near(number).index)

    def at(self, number: float) -> Rate | None:
        return self._nearest(number) if 0 <= number <= LAST_INDEX else None

    def _nearest(self, index: float) -> Rate:
        return min(self.listed, key=lambda rate: abs(rate.index - index))


@dataclass(frozen=True)
class QualityAxis(Axis[Quality]):
    """Any other number that a codec takes. A larger one never means a smaller file."""

    listed: tuple[Quality, ...]
    unit: str = "quality"
    whole: bool = True
    """Whole numbers alone; else anything between the ends."""
    kind: ClassVar[str] = "quality"

    @cached_property
    def ladder(self) -> tuple[Quality, ...]:
        """The listed rates and one between each two."""
        middles = (self._middle(a.value, b.value) for a, b in itertools.pairwise(self.listed))
        return tuple(sorted({*self.listed, *middles}))

    @cached_property
    def every(self) -> tuple[Quality, ...]:
        low, high = self.first.value, self.last.value
        if self.whole:
            return tuple(map(Quality, range(int(low), int(high) + 1)))
        steps = math.floor(STEPS_PER_OCTAVE * math.log2(high / low))
        fine = {Quality(round(low * 2 ** (k / STEPS_PER_OCTAVE), 4)) for k in range(steps + 1)}
        return tuple(sorted({*fine, *self.listed}))

    def near(self, number: float) -> Quality:
        if (found := self.at(number)) is None:
            raise ValueError(f"{self.unit} {number:g} is outside {self.first} … {self.last}.")
        return found

    def at(self, number: float) -> Quality | None:
        if not self.first.value <= number <= self.last.value:
            return None
        return Quality(round(number) if self.whole else round(number, 4))

    def _middle(self, a: float, b: float) -> Quality:
        return Quality((int(a) + int(b)) // 2 if self.whole else round(math.sqrt(a * b), 3))


class SingleQualities(QualityAxis):
    """A few qualities with a network each: of any other between them the nearest is meant."""

    @property
    def ladder(self) -> tuple[Quality, ...]:
        return self.listed

    every = only = ladder

    def at(self, number: float) -> Quality | None:
        inside = super().at(number) is not None
        return min(self.listed, key=lambda quality: abs(quality.value - number)) if inside else None


class NoAxis(Axis[Quality]):
    """One rate and no other."""

    kind, unit = "none", ""
    listed = ladder = every = (Quality(0),)

    def near(self, number: float) -> Quality:
        return self.listed[0]

    at = near


@dataclass(frozen=True)
class Inspected:
    """A picture's file, and what went into it. Maps have the resolution of the latents."""

    stream: bytes
    y: np.ndarray
    """float32 (C, h, w): latents before quantisation."""
    bits: np.ndarray
    """float32 (C, h, w): what each latent's symbol costs, −log2 of its probability."""
    places: np.ndarray
    """float32 (h, w): the bits of all channels, and their share of any side information's."""
    estimated_bits: float
    """Of the whole file."""
    gains: dict[str, np.ndarray] = field(default_factory=dict)
    """float32 (C,): by layer, what λ multiplies each channel by; empty where λ multiplies nothing."""


class Codec(ABC, Generic[R]):
    """One way to code pictures, at many rates."""

    name: str
    """What it is asked for by, on the command line and in addresses: lower case, no spaces."""
    title: str
    short: str
    """A title for where there is little room."""
    kind: str
    """ "model" (one network), "group" (networks for one λ each), "classical", "other", or "original"."""
    axis: Axis[R]
    about: str
    """What it is, or made with, in a line."""
    looks: frozenset[str] = frozenset()
    """Which of `LOOKS` it offers."""
    history: str = ""
    """What its weights began at and what followed, in a sentence or two: to be read beside its curve."""
    stride: int = 16
    """Pixels to a place of its maps, both ways."""
    device: str = "cpu"
    """Where it computes: "cpu", or of a model "cuda:0"."""
    refinable: bool = False
    """Whether latents of its pictures can be refined (`refined`), each by `model_at`. Then it has `latents` and
    `lmbda`, and with "maps" `inspect_file`."""
    absent: str = ""
    """A sentence where weights that it needs are not here, with what to do; whatever needs them raises it."""
    guide: "Codec[R] | None" = None
    """A much quicker codec of the same rates, whose bytes and dB run beside this one's: searches begin there."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A text that differs wherever a result would: weights, library, settings."""

    @property
    @abstractmethod
    def settings(self) -> dict:
        """What its numbers depend on, for result files."""

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 of its weights (hex), None where it has none."""
        return None

    @property
    def file_name(self) -> str:
        """What its result files are called."""
        return self.name

    def rate(self, number: float) -> R:
        """The rate nearest to a λ or a quality. Raises ValueError outside the axis, in a sentence with the title."""
        try:
            return self.axis.near(number)
        except ValueError as error:
            raise ValueError(f"{self.title}: {error}") from None

    @abstractmethod
    def encode(self, picture: Image.Image, rate: R, progress: Progress | None = None) -> bytes:
        """An RGB picture as the bytes of a file, at a rate of the axis."""

    @abstractmethod
    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        """The RGB picture in a file's bytes."""

    def encode_together(self, pictures: Sequence[Image.Image], rate: R) -> list[bytes]:
        """RGB pictures of one size as a file each, those that `encode` makes."""
        return [self.encode(picture, rate) for picture in pictures]

    def reconstruct_together(self, pictures: Sequence[Image.Image], files: Sequence[bytes]) -> list[Image.Image]:
        """What files of one size and one rate decode to, as `reconstruct` gives it for each."""
        return [self.reconstruct(picture, data) for picture, data in zip(pictures, files, strict=True)]

    def reconstruct(self, picture: Image.Image, data: bytes, progress: Progress | None = None) -> Image.Image:
        """What a file decodes to, for comparison with the picture in it. Raises ValueError where their sizes differ."""
        decoded = self.decode(data, progress)
        if decoded.size != picture.size:
            (width, height), (own_width, own_height) = picture.size, decoded.size
            raise ValueError(
                f"{self.title} decodes {own_width} × {own_height} pixels from a file of {width} × {height}."
            )
        return decoded

    def estimated_bits(self, data: bytes) -> float | None:
        """−log2 of the probability of all symbols in a file; None where there is no such model."""
        return None

    def inspect(self, picture: Image.Image, rate: R, progress: Progress | None = None) -> Inspected:
        """A picture's file with the maps behind it. Raises ValueError where ``looks`` offers no "maps"."""
        raise ValueError(self.why_not("maps"))

    def inspect_file(self, data: bytes) -> Inspected:
        """A file with the maps behind it, y as it was coded."""
        raise ValueError(self.why_not("maps"))

    def latents(self, picture: Image.Image, rate: R) -> "Latents":
        """An RGB picture's latents, for `mae_viz.refining` to work at. Raises ValueError where there are none."""
        raise ValueError(f"{self.title} has no latents to refine: effort is for single models.")

    def lmbda(self, rate: R) -> float:
        """The λ of R + λ·MSE, bits per pixel and values in [0, 1], that files of a rate are made for."""
        raise ValueError(f"{self.title} is made for no λ.")

    def model_at(self, rate: R) -> "Codec[R]":
        """What codes pictures at a rate: itself, of a group one of its models."""
        return self

    def refined(self, steps: int, objective: str = "mse", importance: np.ndarray | None = None) -> "RefinedCodec[R]":
        """The codec whose encoder thinks for so many steps (`mae_viz.refining`), where ``importance`` (H, W) says.

        Raises ValueError where it cannot.
        """
        if not self.refinable:
            raise ValueError(f"{self.title} has no latents to refine: effort is for single models.")
        from mae_viz.codecs.refined import RefinedCodec

        return RefinedCodec(self, steps, objective, importance)

    def why_not(self, look: str) -> str:
        """A sentence on a look that it does not offer."""
        return f"{self.title} does not show {LOOKS[look]}."

    @property
    def drawing(self) -> palette.Drawing:
        """Its colour, marker and dash in every chart."""
        return palette.drawing(self.name)

    @property
    def colour(self) -> str:
        """Its colour on every page and in every figure, "#rrggbb"."""
        return self.drawing.colour
