"""Ladders: one picture coded by one codec at many rates, for scrubbing through them.

Their frames (`frame.py`) are computed by one background thread, the rate at hand first and then coarse to fine,
and kept on disk:

    <cache>/ladders/<ladder id>/index.json    the frames and their numbers
    <cache>/ladders/<ladder id>/<hash>.webp   a decoded picture
    <cache>/ladders/<ladder id>/<hash>.bin    the coded file, where its codec shows maps
    <cache>/ladders/<ladder id>/<hash>.f32    float32, little-endian: y (channels, h, w), or bits per place (h, w)

A ladder's id is a hash of the picture's pixels and of everything in the codec that the frames depend on; a file's
name is the hash of its contents. So nothing here ever changes under its name, and browsers may keep it for good.
The cache lies in MAE_VIZ_CACHE, else where this system keeps caches; above its limit the ladders longest unused go.
"""

import itertools
import json
import math
import os
import queue
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mae_viz.codecs.interface import AnyRate, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.ladders.frame import Frame, Maps, Source, compute, fingerprint
from mae_viz.storage import cache_folder, write_whole

CACHE_BYTES = 3 << 30
_IN_MEMORY = 320  # of nine codecs and more than thirty pictures: what somebody has on show must not be forgotten
_INDEX = "index.json"


def coarse_to_fine(grid: Iterable[AnyRate], start: AnyRate) -> list[AnyRate]:
    """The grid's rates: the nearest to ``start`` first, then always the one farthest from all before it."""
    rest = list(grid)
    if not rest:
        return []
    order = [rest.pop(min(range(len(rest)), key=lambda i: abs(rest[i].at - start.at)))]
    gaps = [abs(rate.at - order[0].at) for rate in rest]
    while rest:
        i = max(range(len(rest)), key=gaps.__getitem__)
        order.append(rest.pop(i))
        gaps.pop(i)
        gaps = [min(gap, abs(rate.at - order[-1].at)) for gap, rate in zip(gaps, rest, strict=True)]
    return order


@dataclass
class Ladder:
    """One ladder: the frames that are there, and those still to come."""

    id: str
    picture: Image.Image
    source: Source
    folder: Path
    maps: Maps | None = None
    frames: dict[AnyRate, Frame] = field(default_factory=dict)
    pending: dict[AnyRate, int] = field(default_factory=dict)  # rate → rank in the queue
    started: bool = False
    done: float = 0
    """Fraction of the frame in work that is done."""
    error: str | None = None

    def listing(self) -> dict:
        """The frames and their numbers, as the viewer reads them."""
        frames = [
            (frame if rate in self.source.grid else replace(frame, extra=True)).to_json()
            for rate, frame in self.frames.items()
        ]
        return {
            "id": self.id,
            "total": len(self.source.grid),
            "complete": self.error is not None or (self.started and not self.pending),
            **({"error": self.error} if self.error else {}),
            "done": round(self.done, 3),
            **(asdict(self.maps) if self.maps else {}),
            "frames": frames,
        }


class _SupersededError(Exception):
    """Nobody waits any more for the frame in work."""


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

    def offer(self, picture: Image.Image, name: str, whole: bool = False, pixels: str | None = None) -> Ladder:
        """The ladder of an RGB picture with a source, with whatever frames are on disk; nothing is computed yet.

        ``whole``: one without a grid, for pictures too large to have one. ``pixels``: the picture's `fingerprint`,
        where it is known. Raises CheckpointError for an unknown source.
        """
        made_with = Source.of_whole(name) if whole else Source.of(name)
        key = made_with.ladder_id(pixels or fingerprint(picture))
        with self._changed:
            ladder = self._open.get(key)
            if ladder is None or ladder.error:
                ladder = self._open[key] = self._load(key, picture, made_with)
                while len(self._open) > _IN_MEMORY:
                    self._open.popitem(last=False)
            self._open.move_to_end(key)
        return ladder

    def open(self, picture: Image.Image, name: str, at: AnyRate | None = None) -> Ladder:
        """Like `offer`, with the missing frames on their way: ``at`` or the grid's point nearest to it first. Returns
        at once."""
        ladder = self.offer(picture, name)
        with self._changed:
            self._start(ladder, at)
        return ladder

    def listing(self, key: str, at: Iterable[float] = ()) -> dict | None:
        """The frames of a ladder as the viewer reads them; None for one that was never offered.

        Asking starts the work. ``at``, rate indices or qualities, may lie between the grid's: their frames are then
        made as well, before all others. Of a whole picture only the frames last asked for are made.
        """
        with self._changed:
            ladder = self._open.get(key)
            if ladder is None:
                return None
            asked = [rate for rate in map(ladder.source.codec.axis.at, at) if rate is not None]
            if asked and not ladder.source.grid:
                ladder.pending = {rate: rank for rate, rank in ladder.pending.items() if rate in asked}
            for rate in asked:
                self._ask(ladder, rate, -1)
            self._start(ladder, asked[0] if asked else None)
            return ladder.listing()

    def stream(self, picture: Image.Image, name: str, rate: AnyRate, pixels: str | None = None) -> bytes | None:
        """The coded file of a picture at a rate, where its frame holds it; nothing is computed."""
        ladder = self.offer(picture, name, pixels=pixels)
        try:
            return (ladder.folder / ladder.frames[rate].stream).read_bytes()
        except (KeyError, TypeError, OSError):
            return None

    def path(self, key: str, file: str) -> Path | None:
        """A frame's file, None where there is none; the names come from outside and are not trusted."""
        if not (key.isalnum() and file.replace(".", "", 1).isalnum()):
            return None
        path = self.folder / key / file
        return path if path.suffix in (".webp", ".f32") and path.is_file() else None

    def wait(self, ladders: Iterable[Ladder], progress=None, at: AnyRate | None = None) -> None:
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

    def _start(self, ladder: Ladder, at: AnyRate | None) -> None:
        if not ladder.started:
            ladder.started = True
            self._evict()
            order = coarse_to_fine(ladder.source.grid, ladder.source.codec.axis.start if at is None else at)
            before = 2 if ladder.source.codec is ORIGINAL else 0  # the original is quick, and never waits for codecs
            for rank, point in enumerate(order):
                self._ask(ladder, point, rank - before)

    def _ask(self, ladder: Ladder, at: AnyRate, rank: int) -> None:
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
            if at not in ladder.pending or ladder.error or self._open.get(ladder.id) is not ladder:
                continue
            try:
                if isinstance(ladder.source.codec.axis, LambdaAxis):
                    self.model_calls += 1
                self._make(ladder, at)
            except _SupersededError:
                continue
            except Exception as error:  # whatever a codec raises must reach the person, and not end the thread
                ladder.error = f"{ladder.source.codec.title}: {error}"
            with self._changed:
                ladder.done = 0
                self._changed.notify_all()

    def _make(self, ladder: Ladder, at: AnyRate) -> None:
        """Compute one frame, then show it to everyone."""

        def progress(done: float) -> None:
            ladder.done = done
            if at not in ladder.pending:
                raise _SupersededError

        maps, frame, files = compute(ladder.picture, ladder.source, at, progress)
        ladder.folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_whole(ladder.folder / name, data)
        with self._changed:
            ladder.maps = maps or ladder.maps
            ladder.frames[at] = frame
            ladder.pending.pop(at, None)
            index = {
                "maps": asdict(ladder.maps) if ladder.maps else None,
                "frames": [frame.to_json() for frame in ladder.frames.values()],
            }
        write_whole(ladder.folder / _INDEX, json.dumps(index).encode())

    def _load(self, key: str, picture: Image.Image, made_with: Source) -> Ladder:
        """A ladder with the frames that are on disk."""
        ladder = Ladder(key, picture, made_with, self.folder / key)
        try:
            index = json.loads((ladder.folder / _INDEX).read_text(encoding="utf-8"))
            os.utime(ladder.folder / _INDEX)
        except (OSError, json.JSONDecodeError):
            return ladder
        for frame in map(Frame.from_json, index["frames"]):
            rate = made_with.codec.axis.at(frame.at)
            if rate is not None and all((ladder.folder / name).is_file() for name in frame.files):
                ladder.frames[rate] = frame
        if maps := index["maps"]:
            ladder.maps = Maps(tuple(maps["places"]), maps["channels"], maps["stride"])
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
