"""Ladders: one picture coded by one codec at many rates, for scrubbing through them.

A ladder's frame at a rate holds the decoded picture as a lossless file (its pixels are those of
`decompress(compress(picture, λ))`), the size of the real coded file, its quality, and for models the maps of the
bottleneck. Models have a frame at every quarter octave of λ (25 from 64 to 4096), and more where someone asks;
classical codecs at their list of qualities and halfway between. Frames are computed by one background thread, the
rate at hand first and then coarse to fine, and kept on disk:

    <cache>/ladders/<ladder id>/index.json    the frames and their numbers
    <cache>/ladders/<ladder id>/<hash>.webp   a decoded picture
    <cache>/ladders/<ladder id>/<hash>.f32    float32, little-endian: y (channels, h, w), or bits per place (h, w)

A ladder's id is a hash of the picture's pixels and of everything in the codec that the frames depend on; a file's
name is the hash of its contents. So nothing here ever changes under its name, and browsers may keep it for good.
The cache lies in MAE_VIZ_CACHE, else where this system keeps caches; above its limit the ladders longest unused go.
"""

import hashlib
import io
import itertools
import json
import math
import os
import queue
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from mae_viz import checkpoints, metrics, rates
from mae_viz.classical import CLASSICAL
from mae_viz.files import cache_folder, write_whole

ORIGINAL = "original"
FRAME_STEP = rates.STEPS_PER_OCTAVE // 4
"""Grid points between two frames of a model's ladder: a quarter octave."""

MAX_PIXELS = 800_000
"""Larger pictures get a ladder of a crop."""

CACHE_BYTES = 3 << 30
RANKED = 32
"""How many channels a frame lists, those with the most bits first."""

_FORMAT = 1
_IN_MEMORY = 48
_INDEX = "index.json"


@dataclass(frozen=True)
class Source:
    """What a ladder is made with: the original itself, a model, or a classical codec."""

    name: str
    title: str
    axis: str  # "none", "lmbda" or "quality"
    unit: str  # what the axis is called
    grid: tuple[float, ...]  # rate indices of λ, or qualities, from the smallest file to the largest
    about: str
    key: str  # changes where the frames would
    trained: tuple[float, ...] = ()

    @property
    def start(self) -> float:
        return self.grid[len(self.grid) // 2]

    def describe(self) -> dict:
        """What the viewer says about the codec."""
        return {
            "id": self.name,
            "title": self.title,
            "axis": self.axis,
            "unit": self.unit,
            "first": self.grid[0],
            "last": self.grid[-1],
            "start": self.start,
            "about": self.about,
            "trained": self.trained,
            "between": _BETWEEN.get(self.name.split("-")[0], ""),
        }


_TITLES = {"mae": "MAE", "bottleneck-scaling": "Bottleneck scaling", "independent": "Independent"}
_BETWEEN = {
    "mae": "between trained λ: the gains come from λ itself, the entropy model is interpolated",
    "bottleneck": "between trained λ: log s(λ) and the entropy model are interpolated",
}


def sources() -> list[str]:
    """Names of everything that a ladder can be made with."""
    return [ORIGINAL, *checkpoints.available(), *CLASSICAL]


@lru_cache
def source(name: str) -> Source:
    """The source of that name. Raises CheckpointError for a name that is neither a codec nor a model."""
    if name == ORIGINAL:
        return Source(name, "Original", "none", "", (0,), "the picture itself, 24 bits per pixel uncompressed", name)
    if codec := CLASSICAL.get(name):
        middles = (_middle(a, b) for a, b in itertools.pairwise(codec.qualities))
        settings = {k: v for k, v in codec.settings.items() if k != "qualities"}
        return Source(
            name,
            codec.title,
            "quality",
            "asked bpp" if "bits per pixel" in codec.quality_means else "quality",
            tuple(sorted({*codec.qualities, *middles})),
            settings["library"],
            json.dumps(settings, sort_keys=True),
        )
    card = checkpoints.card(name)
    trained = tuple(card["lmbdas"])
    first, last = rates.grid_index(trained[0]), rates.grid_index(trained[-1])
    title = _TITLES.get(name) or _TITLES.get(name.rpartition("-")[0], name) + f" (λ {name.rpartition('-')[2]})"
    grid = (*range(first, last, FRAME_STEP), last)
    return Source(name, title, "lmbda", "λ", grid, title, card["sha256"], trained)


def _middle(a: float, b: float) -> float:
    if isinstance(a, int) and isinstance(b, int):
        return (a + b) // 2
    return round(math.sqrt(a * b), 3)


def coarse_to_fine(grid: Iterable[float], at: float) -> list[float]:
    """The grid's points: the nearest to ``at`` first, then always the one farthest from all before it."""
    rest = list(grid)
    order = [rest.pop(min(range(len(rest)), key=lambda i: abs(rest[i] - at)))]
    gaps = [abs(p - order[0]) for p in rest]
    while rest:
        i = max(range(len(rest)), key=gaps.__getitem__)
        order.append(rest.pop(i))
        gaps.pop(i)
        gaps = [min(gap, abs(p - order[-1])) for gap, p in zip(gaps, rest, strict=True)]
    return order


@dataclass
class Ladder:
    """One ladder: the frames that are there, and those still to come."""

    id: str
    picture: Image.Image
    source: Source
    folder: Path
    facts: dict = field(default_factory=dict)  # channels, places and stride of a model's maps
    frames: dict[float, dict] = field(default_factory=dict)  # by rate index or quality
    pending: dict[float, int] = field(default_factory=dict)  # rate → rank in the queue
    started: bool = False
    error: str | None = None

    def listing(self) -> dict:
        """The frames and their numbers, as the viewer reads them."""
        frames = [
            {**frame, "extra": True} if at not in self.source.grid else frame for at, frame in self.frames.items()
        ]
        return {
            "id": self.id,
            "total": len(self.source.grid),
            "complete": self.error is not None or (self.started and not self.pending),
            "error": self.error,
            **self.facts,
            "frames": frames,
        }


class Ladders:
    """All ladders of a process, and the thread that computes them."""

    def __init__(self, folder: Path | None = None, limit: int = CACHE_BYTES):
        self.folder = (folder or cache_folder()) / "ladders"
        self.limit = limit
        self.model_calls = 0
        """How many frames a model has computed: a second request for one must not raise it."""
        self._open: OrderedDict[str, Ladder] = OrderedDict()
        self._jobs: queue.PriorityQueue = queue.PriorityQueue()
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._worker: threading.Thread | None = None

    def offer(self, picture: Image.Image, name: str) -> Ladder:
        """The ladder of an RGB picture with a source, with whatever frames are on disk; nothing is computed yet.

        Raises CheckpointError for an unknown source.
        """
        made_with = source(name)
        key = ladder_id(picture, made_with)
        with self._changed:
            ladder = self._open.get(key)
            if ladder is None or ladder.error:
                ladder = self._open[key] = self._load(key, picture, made_with)
                while len(self._open) > _IN_MEMORY:
                    self._open.popitem(last=False)
            self._open.move_to_end(key)
        return ladder

    def open(self, picture: Image.Image, name: str, at: float | None = None) -> Ladder:
        """Like `offer`, with the missing frames on their way: ``at`` (a rate index for a model, a quality for a
        classical codec) or the grid's point nearest to it first. Returns at once."""
        ladder = self.offer(picture, name)
        with self._changed:
            self._start(ladder, at)
        return ladder

    def listing(self, key: str, at: float | None = None) -> dict | None:
        """The frames of a ladder as the viewer reads them; None for one that was never offered.

        Asking starts the work. ``at``, a rate index, may lie between the grid's: its frame is then made as well,
        before all others.
        """
        with self._changed:
            ladder = self._open.get(key)
            if ladder is None:
                return None
            lmbda = ladder.source.axis == "lmbda"
            if lmbda and at is not None and ladder.source.grid[0] <= at <= ladder.source.grid[-1]:
                self._ask(ladder, at, -1)
            self._start(ladder, at if lmbda else None)
            return ladder.listing()

    def path(self, key: str, file: str) -> Path | None:
        """A frame's file, None where there is none; the names come from outside and are not trusted."""
        if not (key.isalnum() and file.replace(".", "", 1).isalnum()):
            return None
        path = self.folder / key / file
        return path if path.suffix in (".webp", ".f32") and path.is_file() else None

    def wait(self, ladders: Iterable[Ladder], progress=None, at: float | None = None) -> None:
        """Block until the ladders are complete (with ``at``: until each has that frame).

        Calls ``progress`` with the fraction done. Raises ValueError where a codec failed.
        """
        ladders = list(ladders)
        with self._changed:
            while True:
                if errors := [ladder.error for ladder in ladders if ladder.error]:
                    raise ValueError(errors[0])
                left = sum(len(v.pending) if at is None else at not in v.frames for v in ladders)
                if progress:
                    total = sum(len(v.source.grid) if at is None else 1 for v in ladders)
                    progress(1 - left / total)
                if not left:
                    return
                self._changed.wait()

    def _start(self, ladder: Ladder, at: float | None) -> None:
        if not ladder.started:
            ladder.started = True
            self._evict()
            order = coarse_to_fine(ladder.source.grid, ladder.source.start if at is None else at)
            for rank, point in enumerate(order):
                self._ask(ladder, point, rank)

    def _ask(self, ladder: Ladder, at: float, rank: int) -> None:
        if at in ladder.frames or ladder.pending.get(at, math.inf) <= rank:
            return
        ladder.pending[at] = rank  # asked for again with a smaller rank, it overtakes what is queued
        self._jobs.put((rank, next(self._count), ladder, at))
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="ladders", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        while True:
            _, _, ladder, at = self._jobs.get()
            if at in ladder.frames or ladder.error or self._open.get(ladder.id) is not ladder:
                continue
            try:
                if ladder.source.axis == "lmbda":
                    self.model_calls += 1
                facts, frame, files = compute(ladder.picture, ladder.source, at)
                ladder.folder.mkdir(parents=True, exist_ok=True)
                for name, data in files.items():
                    write_whole(ladder.folder / name, data)
                with self._changed:
                    ladder.facts |= facts
                    ladder.frames[at] = frame
                    ladder.pending.pop(at, None)
                    index = {"facts": ladder.facts, "frames": list(ladder.frames.values())}
                write_whole(ladder.folder / _INDEX, json.dumps(index).encode())
            except Exception as error:  # whatever a codec raises must reach the person, and not end the thread
                ladder.error = f"{ladder.source.title}: {error}"
            with self._changed:
                self._changed.notify_all()

    def _load(self, key: str, picture: Image.Image, made_with: Source) -> Ladder:
        """A ladder with the frames that are on disk."""
        ladder = Ladder(key, picture, made_with, self.folder / key)
        try:
            index = json.loads((ladder.folder / _INDEX).read_text(encoding="utf-8"))
            os.utime(ladder.folder / _INDEX)
        except (OSError, json.JSONDecodeError):
            return ladder
        for frame in index["frames"]:
            if all((ladder.folder / frame[k]).is_file() for k in ("file", "y", "bits") if frame.get(k)):
                ladder.frames[frame["at"]] = frame
        ladder.facts = index["facts"]
        return ladder

    def _evict(self) -> None:
        """Delete the ladders longest unused until the rest fits; those in use stay."""
        found = []
        for index in self.folder.glob(f"*/{_INDEX}"):
            size = sum(path.stat().st_size for path in index.parent.iterdir())
            found.append((index.stat().st_mtime, size, index.parent))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.limit:
                return
            if path.name not in self._open:
                shutil.rmtree(path, ignore_errors=True)
                total -= size


@lru_cache
def shared() -> Ladders:
    """The ladders that all browser sessions of this process share."""
    return Ladders()


def ladder_id(picture: Image.Image, made_with: Source) -> str:
    """Hash of all that the frames depend on."""
    digest = hashlib.sha256(f"{_FORMAT} {made_with.name} {made_with.key} {picture.size}".encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()[:24]


def middle(picture: Image.Image) -> Image.Image:
    """The picture, or of one with more than MAX_PIXELS the middle part that has so many."""
    width, height = picture.size
    if width * height <= MAX_PIXELS:
        return picture
    scale = math.sqrt(MAX_PIXELS / (width * height))
    part_width, part_height = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (width - part_width) // 2, (height - part_height) // 2
    return picture.crop((left, top, left + part_width, top + part_height))


def compute(picture: Image.Image, made_with: Source, at: float) -> tuple[dict, dict, dict[str, bytes]]:
    """One frame: facts of the ladder, the frame's numbers, and its files by name."""
    facts, files = {}, {}
    frame: dict = {"at": at, "bytes": None, "bpp": None}
    height, width = picture.height, picture.width

    def keep(data: bytes, suffix: str) -> str:
        name = hashlib.sha256(data).hexdigest()[:24] + suffix
        files[name] = data
        return name

    if made_with.axis == "lmbda":
        from mae_viz import codec, probe

        lmbda = rates.at_index(at)
        stream = codec.compress(picture, made_with.name, lmbda)
        decoded = codec.decompress(stream)
        checkpoint = checkpoints.open_checkpoint(made_with.name)
        y, bits = probe.latents(checkpoint, picture, lmbda)
        facts = {"places": y.shape[1:], "stride": checkpoint.model.stride, "channels": len(y)}
        frame |= {
            "lmbda": lmbda,
            "estimate": round(float(bits.sum(dtype=np.float64)) / (height * width), 5),
            "rank": np.argsort(-bits.sum((1, 2)), kind="stable")[:RANKED].tolist(),
            "y": keep(y.astype("<f4").tobytes(), ".f32"),
            "bits": keep(bits.sum(0).astype("<f4").tobytes(), ".f32"),
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
