"""One frame of a ladder: what it is made with, and how it is made.

A frame is a picture coded by one codec at one rate: the decoded picture as a lossless file (its pixels are those of
`decompress(compress(picture, λ))`), the size of the real coded file, its quality, and for models the maps of the
bottleneck. Models have a frame at every quarter octave of λ (25 from 64 to 4096), classical codecs at their list of
qualities and halfway between; any other rate that a file can have is made where someone asks for it.
"""

import hashlib
import io
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mae_viz import metrics, rates
from mae_viz.codecs import classical
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.coding import checkpoints

ORIGINAL = "original"
FRAME_STEP = rates.STEPS_PER_OCTAVE // 4
"""Grid points between two frames of a model's ladder: a quarter octave."""

MAX_PIXELS = 800_000
"""Larger pictures get a ladder of a part of them, and of the whole only the frames that someone asks for."""

RANKED = 32
"""How many channels a frame lists, those with the most bits first."""

_FORMAT = 2


@dataclass(frozen=True)
class Source:
    """What a ladder is made with: the original itself, a model, or a classical codec."""

    name: str
    title: str
    axis: str  # "none", "lmbda" or "quality"
    unit: str  # what the axis is called
    grid: tuple[float, ...]  # rate indices of λ, or qualities, from the smallest file to the largest
    ends: tuple[float, float]  # the first rate and the last
    start: float
    about: str
    key: str  # changes where the frames would
    trained: tuple[float, ...] = ()
    maps: bool = False  # frames hold the bottleneck's maps
    models: tuple[tuple[int, str], ...] = ()  # where each rate has a network of its own: rate index, model

    @property
    def whole(self) -> "Source":
        """The same for whole large pictures: no frame but those asked for, and no maps."""
        return replace(self, grid=(0,) if self.axis == "none" else (), key=f"{self.key} whole", maps=False)

    def rate(self, at: float) -> float | None:
        """The rate nearest to ``at`` that a file can have: whole numbers where all on the grid are whole. None outside
        the ends."""
        if not (self.axis != "none" and self.ends[0] <= at <= self.ends[1]):
            return None
        if self.models:
            return min((index for index, _ in self.models), key=lambda index: abs(index - at))
        return round(at, 4) if any(isinstance(end, float) for end in self.ends) else round(at)

    def model(self, at: float) -> str:
        """The model that makes the frame at a rate index."""
        return dict(self.models).get(at, self.name)

    def describe(self) -> dict:
        """What the viewer says about the codec."""
        return {
            "id": self.name,
            "title": self.title,
            "colour": _PALETTE.get(self.name, _PALETTE["own"][0])["colour"],
            "axis": self.axis,
            "unit": self.unit,
            "first": self.ends[0],
            "last": self.ends[1],
            "start": self.start,
            "about": self.about,
            "trained": self.trained,
            "only": [index for index, _ in self.models],
            "between": _BETWEEN.get(self.name.split("-")[0], ""),
        }


_PALETTE = json.loads((Path(classical.__file__).parent / "palette.json").read_text(encoding="utf-8"))
_TITLES = {"mae": "MAE", "mae-hyperprior": "MAE + hyperprior", "bottleneck-scaling": "Bottleneck scaling"}
_GROUPS = {"independent": "Independent models", "independent-hyperprior": "Independent + hyperprior"}
_BETWEEN = {
    "mae": "between trained λ: the gains come from λ itself, the entropy model is interpolated",
    "bottleneck": "between trained λ: log s(λ) and the entropy model are interpolated",
}


def sources() -> list[str]:
    """Names of everything that a ladder can be made with; models that serve one λ each are one source together."""
    groups = {name: group for group in _GROUPS for name in checkpoints.independents(group).values()}
    return [ORIGINAL, *dict.fromkeys(groups.get(name, name) for name in checkpoints.available()), *CLASSICAL]


@lru_cache
def source(name: str) -> Source:
    """The source of that name. Raises CheckpointError for a name that is neither a codec nor a model."""
    if name == ORIGINAL:
        about = "the picture itself, 24 bits per pixel uncompressed"
        return Source(name, "Original", "none", "", (0,), (0, 0), 0, about, name)
    if codec := CLASSICAL.get(name):
        middles = (_middle(a, b) for a, b in itertools.pairwise(codec.qualities))
        settings = {k: v for k, v in codec.settings.items() if k != "qualities"}
        grid = tuple(sorted({*codec.qualities, *middles}))
        return Source(
            name,
            codec.title,
            "quality",
            "asked bpp" if "bits per pixel" in codec.quality_means else "quality",
            grid,
            (grid[0], grid[-1]),
            grid[len(grid) // 2],
            settings["library"],
            json.dumps(settings, sort_keys=True),
        )
    if name in _GROUPS and (group := checkpoints.independents(name)):
        models = tuple((rates.grid_index(lmbda), model) for lmbda, model in group.items())
        grid = tuple(index for index, _ in models)
        key = " ".join(checkpoints.card(model)["sha256"] for _, model in models)
        middle, about = grid[len(grid) // 2], "one network for each λ"
        return Source(
            name, _GROUPS[name], "lmbda", "λ", grid, (grid[0], grid[-1]), middle, about, key, tuple(group), True, models
        )
    card = checkpoints.card(name)
    trained = tuple(card["lmbdas"])
    first, last = rates.grid_index(trained[0]), rates.grid_index(trained[-1])
    title = _TITLES.get(name, name)
    grid = (*range(first, last, FRAME_STEP), last)
    middle = grid[len(grid) // 2]
    return Source(name, title, "lmbda", "λ", grid, (first, last), middle, title, card["sha256"], trained, maps=True)


def _middle(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int):
        return (a + b) // 2
    return round(math.sqrt(a * b), 3)


def fingerprint(picture: Image.Image) -> str:
    """Hash of a picture's pixels."""
    return hashlib.sha256(f"{picture.size}".encode() + picture.tobytes()).hexdigest()


def ladder_id(picture: str, made_with: Source) -> str:
    """Hash of all that the frames depend on; ``picture`` is a `fingerprint`."""
    facts = f"{_FORMAT} {made_with.name} {made_with.key} {picture}"
    return hashlib.sha256(facts.encode()).hexdigest()[:24]


def middle(picture: Image.Image) -> Image.Image:
    """The picture, or of one with more than MAX_PIXELS the middle part that has so many."""
    width, height = picture.size
    if width * height <= MAX_PIXELS:
        return picture
    scale = math.sqrt(MAX_PIXELS / (width * height))
    part_width, part_height = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return picture.crop((left, top, left + part_width, top + part_height))


def compute(
    picture: Image.Image, made_with: Source, at: float, progress: Callable[[float], None] | None = None
) -> tuple[dict, dict, dict[str, bytes]]:
    """One frame: facts of the ladder, the frame's numbers, and its files by name.

    ``progress`` hears the fraction done now and then; what it raises ends the work.
    """
    facts, files = {}, {}
    frame: dict = {"at": at, "bytes": None, "bpp": None}
    height, width = picture.height, picture.width

    def keep(data: bytes, suffix: str) -> str:
        name = hashlib.sha256(data).hexdigest()[:24] + suffix
        files[name] = data
        return name

    def part(first: float, share: float) -> Callable[[float], None] | None:
        return progress and (lambda done: progress(first + share * done))

    if made_with.axis == "lmbda":
        from mae_viz import probe
        from mae_viz.coding import coder

        lmbda = rates.at_index(at)
        frame["lmbda"] = lmbda
        model = made_with.model(at)
        encoded = coder.encode(picture, model, lmbda, part(0, 0.4))
        stream = encoded.stream
        frame["stream"] = keep(stream, ".mae")
        decoded = coder.decompress(stream, model, part(0.4, 0.5))
        if made_with.maps:
            checkpoint = checkpoints.open_checkpoint(model)
            y, cost = encoded.y, probe.cost(checkpoint, stream)
            facts = {"places": y.shape[1:], "stride": coder.LATENT, "channels": len(y)}
            frame |= {
                "estimate": round(cost.bits / (height * width), 5),
                "rank": np.argsort(-cost.y.sum((1, 2)), kind="stable")[:RANKED].tolist(),
                "y": keep(y.astype("<f4").tobytes(), ".f32"),
                "bits": keep(cost.places.astype("<f4").tobytes(), ".f32"),
            }
    elif made_with.axis == "quality":
        codec = CLASSICAL[made_with.name]
        stream = codec.encode(picture, at)
        decoded = codec.decode(stream)
    else:
        stream, decoded = None, picture
    frame["file"] = keep(lossless(decoded), ".webp")
    if stream is not None:
        pixels, original = np.asarray(decoded), np.asarray(picture)
        frame |= {
            "bytes": len(stream),
            "bpp": round(metrics.bpp(len(stream), height, width), 5),
            "psnr": _decibels(metrics.psnr_db(pixels, original)),
            "ms_ssim": _decibels(metrics.ms_ssim_db(pixels, original)),
        }
    return facts, frame, files


def lossless(picture: Image.Image) -> bytes:
    """A picture as lossless WebP: a third smaller than PNG and no slower at this effort."""
    data = io.BytesIO()
    picture.save(data, "WEBP", lossless=True, quality=20, method=1)
    return data.getvalue()


def _decibels(value: float | None) -> float | str | None:
    """JSON knows no infinity."""
    return value if value is None or math.isfinite(value) else "inf"
