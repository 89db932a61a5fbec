"""One frame of a ladder: what it says of itself, and how it is made.

A frame is a picture coded by one codec at one rate: the decoded picture as a lossless file (its pixels are those of
`codec.decode(codec.encode(picture, rate))`), the size of the real coded file, its quality, and where a codec shows them
the maps of its latents. Ladders have a frame at every rate of the codec's ``axis.ladder``; any other rate that a file
can have is made where someone asks for it.

``frame.schema.json`` beside this file is the form in which frames travel: into the cache, to the viewer, into HTML
files. There an infinite number of dB is the text "inf".
"""

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from PIL import Image

from mae_viz import further, metrics
from mae_viz.codecs.interface import AnyRate, Codec, Inspected, Quality
from mae_viz.codecs.registry import ORIGINAL, codec, names
from mae_viz.rates import Rate

SCRUBBED_PIXELS = 800_000
"""Larger pictures get a ladder of a part of them, and of the whole only the frames that someone asks for."""

RANKED = 32
"""How many channels a frame lists, those with the most bits first."""

_FORMAT = 5
_WEBP_SIDE = 16383
INFINITE = "inf"
"""How frames write an infinite number of dB."""


@dataclass(frozen=True)
class Frame:
    """A picture coded at one rate. Files are named by the hash of what they hold."""

    at: float
    """Rate index of λ, or quality."""
    file: str
    """The decoded picture, lossless."""
    bytes: int | None = None
    """Of the coded file; None for the original."""
    bpp: float | None = None
    psnr_db: float | None = None
    """Infinite for a picture without loss."""
    ms_ssim_db: float | None = None
    """None under 161 pixels a side."""
    further: dict[str, float | None] | None = None
    """By the name of a further metric; None where it is not defined."""
    lmbda: float | None = None
    stream: str | None = None
    """The coded file, where its codec shows maps."""
    y: str | None = None
    """Latents before quantisation: float32, little-endian, (channels, h, w)."""
    bits: str | None = None
    """Bits of each place, all channels together: float32, little-endian, (h, w)."""
    by_channel: str | None = None
    """Bits of each channel, all places together, then the gains of each layer of `Maps.layers`: float32,
    little-endian, (1 + layers, channels)."""
    estimated_bpp: float | None = None
    rank: tuple[int, ...] | None = None
    """Channels by falling bits, the first RANKED of them."""
    extra: bool | None = None
    """True for a rate between those of the ladder."""

    @property
    def files(self) -> list[str]:
        """All files that it needs."""
        return [name for name in (self.file, self.stream, self.y, self.bits, self.by_channel) if name]

    def to_json(self) -> dict[str, Any]:
        """As ``frame.schema.json`` says: what is not there is left out, infinity is a text."""
        there = {key: value for key, value in asdict(self).items() if value is not None}
        if self.rank is not None:
            there["rank"] = list(self.rank)
        return {key: INFINITE if value == math.inf else value for key, value in there.items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Frame":
        """The reverse of `to_json`. Raises TypeError or KeyError for what is no frame."""
        names = {field.name for field in fields(cls)}
        known: dict[str, Any] = {k: math.inf if v == INFINITE else v for k, v in value.items() if k in names}
        frame = cls(**known)
        return replace(frame, rank=tuple(frame.rank)) if frame.rank is not None else frame


@dataclass(frozen=True)
class Maps:
    """The shape of all maps of a ladder."""

    places: tuple[int, int]
    """Rows and columns."""
    channels: int
    stride: int
    """Pixels to a place, both ways."""
    layers: tuple[str, ...] = ()
    """Layers whose channels λ multiplies by gains, in the order data flow: "m1" … and "d1" …, or "s"."""


@dataclass(frozen=True)
class Source:
    """What a ladder is made with: a codec, the rates to have at hand, and whether maps are kept."""

    codec: Codec
    grid: tuple[AnyRate, ...]
    maps: bool
    metrics: dict[str, str]
    """What computes each further metric that frames tell."""

    @classmethod
    def of(cls, name: str) -> "Source":
        """For scrubbing: every rate of the codec's ladder, with maps. Raises CheckpointError for an unknown name."""
        found = codec(name)
        return cls(found, found.axis.ladder, "maps" in found.looks, further.chosen())

    @classmethod
    def of_whole(cls, name: str) -> "Source":
        """For whole large pictures: no frame but those asked for, and no maps."""
        found = codec(name)
        return cls(found, found.axis.ladder if found is ORIGINAL else (), False, further.chosen())

    def ladder_id(self, picture: str) -> str:
        """Hash of all that the frames of a picture depend on; ``picture`` is a `fingerprint`."""
        facts = f"{_FORMAT} {self.codec.name} {self.codec.identity} {self.grid} {self.maps} {picture}"
        if self.metrics:
            facts += f" {self.metrics}"
        return hashlib.sha256(facts.encode()).hexdigest()[:24]


def sources() -> list[str]:
    """Names of everything that a ladder can be made with: the original, and every codec to compare."""
    return [ORIGINAL.name, *names()]


def describe(source: Source) -> dict[str, Any]:
    """What the viewer says about a codec."""
    made_with, axis = source.codec, source.codec.axis
    return {
        "id": made_with.name,
        "title": made_with.title,
        "short": made_with.short,
        "colour": made_with.colour,
        "axis": axis.kind,
        "unit": axis.unit,
        "first": axis.first.at,
        "last": axis.last.at,
        "start": axis.start.at,
        "about": made_with.about,
        "trained": [rate.lmbda for rate in axis.listed if isinstance(rate, Rate)],
        "listed": [rate.at for rate in axis.listed],
        "only": [rate.at for rate in axis.only],
        "between": getattr(axis, "between", ""),
        "maps": source.maps,
        "gains": "gains" in made_with.looks,
        "stride": made_with.stride,
        "refinable": made_with.refinable and source.maps,
    }


def fingerprint(picture: Image.Image) -> str:
    """Hash of a picture's pixels."""
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()


def middle(picture: Image.Image) -> Image.Image:
    """The picture, or of one with more than SCRUBBED_PIXELS the middle part that has so many."""
    width, height = picture.size
    if width * height <= SCRUBBED_PIXELS:
        return picture
    scale = math.sqrt(SCRUBBED_PIXELS / (width * height))
    part_width, part_height = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return picture.crop((left, top, left + part_width, top + part_height))


def compute(
    picture: Image.Image, source: Source, rate: AnyRate, progress: Callable[[float], None] | None = None
) -> tuple[Maps | None, Frame, dict[str, bytes]]:
    """One frame: the shape of its maps where it has some, its numbers, and its files by name.

    ``progress`` hears the fraction done now and then; what it raises ends the work.
    """

    def part(first: float, share: float) -> Callable[[float], None] | None:
        return progress and (lambda done: progress(first + share * done))

    if source.codec is ORIGINAL:
        data, suffix = lossless(picture)
        return None, Frame(rate.at, name := file_name(data, suffix)), {name: data}
    found = source.codec.inspect(picture, rate, part(0, 0.4)) if source.maps else None
    data = found.stream if found else source.codec.encode(picture, rate, part(0, 0.4))
    return of_file(picture, source, rate, data, found, part(0.4, 0.5))


def of_file(
    picture: Image.Image,
    source: Source,
    rate: AnyRate,
    data: bytes,
    found: Inspected | None,
    progress: Callable[[float], None] | None = None,
) -> tuple[Maps | None, Frame, dict[str, bytes]]:
    """The same of a file that is there, with what was found in it where maps are kept."""
    files: dict[str, bytes] = {}

    def keep(data: bytes, suffix: str) -> str:
        files[name := file_name(data, suffix)] = data
        return name

    decoded = source.codec.reconstruct(picture, data, progress)
    pixels, original = np.asarray(decoded), np.asarray(picture)
    frame = Frame(
        rate.at,
        keep(*lossless(decoded)),
        len(data),
        round(metrics.bpp(len(data), picture.height, picture.width), 5),
        metrics.psnr_db(pixels, original),
        metrics.ms_ssim_db(pixels, original),
        {name: further.FURTHER[name].compute(original, pixels) for name in source.metrics} or None,
        None if isinstance(rate, Quality) else rate.lmbda,
    )
    if not found:
        return None, frame, files
    channels = found.bits.sum((1, 2), dtype=np.float64)
    frame = replace(
        frame,
        stream=keep(data, ".bin"),
        y=keep(found.y.astype("<f4").tobytes(), ".f32"),
        bits=keep(found.places.astype("<f4").tobytes(), ".f32"),
        by_channel=keep(np.stack([channels, *found.gains.values()]).astype("<f4").tobytes(), ".f32"),
        estimated_bpp=round(found.estimated_bits / (picture.height * picture.width), 5),
        rank=tuple(np.argsort(-channels, kind="stable")[:RANKED].tolist()),
    )
    rows, columns = found.places.shape
    return Maps((rows, columns), len(found.y), source.codec.stride, tuple(found.gains)), frame, files


def file_name(data: bytes, suffix: str) -> str:
    """What a file with these bytes is called."""
    return hashlib.sha256(data).hexdigest()[:24] + suffix


def lossless(picture: Image.Image) -> tuple[bytes, str]:
    """A picture as lossless WebP, a third smaller than PNG and no slower at this effort; one that is longer than WebP
    can be as PNG. With its suffix."""
    data = io.BytesIO()
    if max(picture.size) > _WEBP_SIDE:
        picture.copy().save(data, "PNG", compress_level=1)
        return data.getvalue(), ".png"
    picture.copy().save(data, "WEBP", lossless=True, quality=20, method=1)
    return data.getvalue(), ".webp"
