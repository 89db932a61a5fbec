"""Ladders: one picture coded by one codec at many rates, for scrubbing through them.

Their frames (`frame.py`) are computed by the owner of computing (`mae_viz.computing`), the rate at hand first and then
coarse to fine, as long as somebody asks about them, and kept on disk:

    <cache>/ladders/<ladder id>/<rate>.json   a frame's numbers, and the names of its files
    <cache>/ladders/<ladder id>/<hash>.webp   a decoded picture
    <cache>/ladders/<ladder id>/<hash>.mae    the file that a model made
    <cache>/ladders/<ladder id>/<hash>.f32    float32, little-endian: y (channels, h, w), or bits per place (h, w)

A ladder's id is a hash of the picture's pixels and of everything in the codec that the frames depend on; a file's
name is the hash of its contents. So nothing here ever changes under its name, and browsers may keep it for good.
The cache lies in MAE_VIZ_CACHE, else where this system keeps caches; above its limit the ladders longest unused go,
each at once and whole. Any number of servers may share it: what one has made the others find, and what one has deleted
the others make again when they miss it.
"""

import contextlib
import json
import math
import os
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mae_viz import computing
from mae_viz.computing import DroppedError, Job
from mae_viz.ladders.frame import (
    FRAME_STEP,
    MAX_PIXELS,
    ORIGINAL,
    Source,
    compute,
    fingerprint,
    ladder_id,
    middle,
    source,
    sources,
)
from mae_viz.storage import cache_folder, write_whole

__all__ = [
    "CACHE_BYTES",
    "FRAME_STEP",
    "MAX_PIXELS",
    "ORIGINAL",
    "Ladder",
    "Ladders",
    "coarse_to_fine",
    "fingerprint",
    "middle",
    "shared",
    "source",
    "sources",
]

CACHE_BYTES = 3 << 30
PATIENCE_S = 5.0
"""How long after somebody last asked about a frame it keeps its place: viewers ask three times a second."""

_IN_MEMORY = 320  # of nine codecs and more than thirty pictures: what somebody has on show must not be forgotten


def coarse_to_fine(grid: Iterable[float], at: float) -> list[float]:
    """The grid's points: the nearest to ``at`` first, then always the one farthest from all before it."""
    rest = list(grid)
    if not rest:
        return []
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
    """One ladder: the frames that are there, and those on their way."""

    id: str
    picture: Image.Image
    source: Source
    folder: Path
    facts: dict = field(default_factory=dict)  # channels, places and stride of a model's maps
    frames: dict[float, dict] = field(default_factory=dict)  # by rate index or quality
    jobs: dict[float, Job] = field(default_factory=dict)  # of frames that are not there yet
    done: float = 0
    """Fraction of the frame in work that is done."""
    error: str | None = None

    def rate(self, at: float) -> float:
        """The rate nearest to ``at`` that there can be a frame of. Raises ValueError outside the codec's range."""
        rate = at if at in self.source.grid else self.source.rate(at)
        if rate is None:
            raise ValueError(f"{self.source.title} has no rate {at:g}: choose one between those that it offers.")
        return rate

    def listing(self) -> dict:
        """The frames and their numbers, as the viewer reads them."""
        grid = self.source.grid
        there = all(at in self.frames for at in grid) and all(job.done() for job in self.jobs.values())
        return {
            "id": self.id,
            "total": len(grid),
            "complete": self.error is not None or there,
            "error": self.error,
            "done": round(self.done, 3),
            **self.facts,
            "frames": [frame if at in grid else {**frame, "extra": True} for at, frame in self.frames.items()],
        }


class Ladders:
    """All ladders of a process.

    ``folder``: of the cache, whose files take ``limit`` bytes at most. ``patience_s``: see `PATIENCE_S`.
    """

    def __init__(self, folder: Path | None = None, limit: int = CACHE_BYTES, patience_s: float = PATIENCE_S):
        self.folder = (folder or cache_folder()) / "ladders"
        self.limit, self.patience_s = limit, patience_s
        self.model_calls = 0
        """How many frames a model has computed: a second request for one must not raise it."""
        self._open: OrderedDict[str, Ladder] = OrderedDict()
        self._unmeasured = limit  # bytes written since the cache was last measured
        self._lock = threading.Lock()  # of all dictionaries here; nobody touches a file while holding it

    def offer(self, picture: Image.Image, name: str, whole: bool = False, pixels: str | None = None) -> Ladder:
        """The ladder of an RGB picture with a source, with whatever frames are on disk; nothing is computed yet.

        ``whole``: one without a grid, for pictures too large to have one. ``pixels``: the picture's `fingerprint`,
        where it is known. Raises CheckpointError for an unknown source.
        """
        made_with = source(name).whole if whole else source(name)
        key = ladder_id(pixels or fingerprint(picture), made_with)
        with self._lock:
            ladder = self._open.get(key)
        if ladder is None or ladder.error:
            ladder = Ladder(key, picture, made_with, self.folder / key, *_load(self.folder / key))
        with self._lock:
            if (there := self._open.get(key)) and not there.error:
                ladder = there
            self._open[key] = ladder
            self._open.move_to_end(key)
            while len(self._open) > _IN_MEMORY:
                self._open.popitem(last=False)
        return ladder

    def open(self, picture: Image.Image, name: str, at: float | None = None) -> Ladder:
        """Like `offer`, with the missing frames on their way: ``at`` (a rate index for a model, a quality for a
        classical codec) or the grid's point nearest to it first. Returns at once."""
        ladder = self.offer(picture, name)
        self._ask_for_grid(ladder, at)
        return ladder

    def listing(self, key: str, at: Iterable[float] = ()) -> dict | None:
        """The frames of a ladder as the viewer reads them; None for one that was never offered.

        Asking starts the work, and keeps it going: what nobody has asked about for a while is dropped. ``at``, rate
        indices or qualities, may lie between the grid's: their frames are then made as well, before all others.
        """
        with self._lock:
            ladder = self._open.get(key)
        if ladder is None:
            return None
        asked = [rate for rate in map(ladder.source.rate, at) if rate is not None]
        with contextlib.suppress(ValueError):  # the listing says it
            for rate in asked:
                self._ask(ladder, rate, computing.ON_SCREEN, self.patience_s)
            self._ask_for_grid(ladder, asked[0] if asked else None, self.patience_s)
        with self._lock:
            return ladder.listing()

    def frame(self, ladder: Ladder, at: float) -> dict:
        """The frame of the rate nearest to ``at``, made first where it is not there. Blocks.

        Raises ValueError outside the codec's range and where the codec failed, DroppedError where the server stops.
        """
        return self._ask(ladder, ladder.rate(at), computing.ON_SCREEN).result()

    def wait(self, ladders: Iterable[Ladder], progress: Callable[[float], None] | None = None) -> None:
        """Block until every ladder has its whole grid, and whatever else is on its way.

        Calls ``progress`` with the fraction done. Raises ValueError where a codec failed, DroppedError where the server
        stops.
        """
        computing.outside_jobs()
        ladders, asked = list(ladders), []
        for ladder in ladders:
            self._forget_lost(ladder)
            with self._lock:
                coming = [at for at, job in ladder.jobs.items() if not job.done()]
            asked += self._ask_for_grid(ladder) + [self._ask(ladder, at, computing.SOON) for at in coming]
        total, left = max(1, sum(len(ladder.source.grid) for ladder in ladders), len(asked)), len(asked)
        for frame in as_completed(asked):
            if progress:
                progress(1 - left / total)
            frame.result()
            left -= 1
        if progress:
            progress(1.0)

    def stream(self, picture: Image.Image, name: str, at: float, pixels: str | None = None) -> bytes | None:
        """A model's `.mae` file of a picture at a rate index, where its frame is there; nothing is computed."""
        ladder = self.offer(picture, name, pixels=pixels)
        try:
            return (ladder.folder / ladder.frames[at]["stream"]).read_bytes()
        except (KeyError, OSError):
            return None

    def path(self, key: str, file: str) -> Path | None:
        """A frame's file, None where there is none; the names come from outside and are not trusted."""
        if not (key.isalnum() and file.replace(".", "", 1).isalnum()):
            return None
        path = self.folder / key / file
        if path.suffix not in (".webp", ".f32"):
            return None
        if path.is_file():
            return path
        with self._lock:
            ladder = self._open.get(key)
        if ladder:
            self._forget_lost(ladder)  # the next listing is true again, and has made what is missing
        return None

    def _ask_for_grid(self, ladder: Ladder, at: float | None = None, wanted_s: float = math.inf) -> list[Future]:
        """The missing frames of the grid, `coarse_to_fine`."""
        before = 2 if ladder.source.axis == "none" else 0  # the original is quick, and never waits for codecs
        missing = {rate for rate in ladder.source.grid if rate not in ladder.frames}
        order = coarse_to_fine(ladder.source.grid, ladder.source.start if at is None else at) if missing else []
        return [
            self._ask(ladder, rate, computing.SOON + rank - before, wanted_s)
            for rank, rate in enumerate(order)
            if rate in missing
        ]

    def _ask(self, ladder: Ladder, at: float, urgency: float, wanted_s: float = math.inf) -> Future:
        """A frame: one that is there, is on its way, or sets out now. Raises ValueError where the codec has failed."""
        with self._lock:
            if ladder.error:
                raise ValueError(ladder.error)
            if frame := ladder.frames.get(at):
                there: Future = Future()
                there.set_result(frame)
                return there
            job = ladder.jobs.get(at)
            if job and job.want(wanted_s):
                computing.shared().hurry(job, urgency)
                return job
            large = ladder.picture.width * ladder.picture.height > MAX_PIXELS
            job = ladder.jobs[at] = computing.shared().submit(
                self._make, ladder, at, urgency=urgency, large=large, wanted_s=wanted_s
            )
            return job

    def _make(self, ladder: Ladder, at: float) -> dict:
        """One frame, computed or found on disk where another server has made it; then everyone sees it."""
        try:
            if ladder.error:
                raise ValueError(ladder.error)
            facts, frame = _read(ladder.folder / _entry(at), _names(ladder.folder)) or self._compute(ladder, at)
        except DroppedError:
            raise
        except Exception as error:  # whatever a codec raises must reach the person, in words
            ladder.error = ladder.error or f"{ladder.source.title}: {error}"
            raise ValueError(ladder.error) from error
        finally:
            ladder.done = 0
        with self._lock:
            ladder.facts |= facts
            ladder.frames[at] = frame
            ladder.jobs.pop(at, None)
        return frame

    def _compute(self, ladder: Ladder, at: float) -> tuple[dict, dict]:
        """A frame, into the cache: facts of the ladder, and the frame's numbers."""

        def progress(done: float) -> None:
            ladder.done = done
            computing.go_on()

        if ladder.source.axis == "lmbda":
            with self._lock:
                self.model_calls += 1
        facts, frame, files = compute(ladder.picture, ladder.source, at, progress)
        files[_entry(at)] = json.dumps({"facts": facts, "frame": frame}).encode()  # the last: it vouches for the others
        self._make_room(sum(map(len, files.values())))
        for tries_left in reversed(range(10)):
            try:
                ladder.folder.mkdir(parents=True, exist_ok=True)
                for name, data in files.items():
                    write_whole(ladder.folder / name, data)
                break
            except FileNotFoundError:  # another server has deleted the ladder this very moment
                if not tries_left:
                    raise
        return facts, frame

    def _forget_lost(self, ladder: Ladder) -> None:
        """Frames whose files somebody has deleted are not there."""
        there = _names(ladder.folder)
        with self._lock:
            for at in [at for at, frame in ladder.frames.items() if not _files(frame) <= there]:
                del ladder.frames[at]

    def _make_room(self, size: int) -> None:
        """Delete the ladders longest unused until the rest fits, where much has been written; those in use stay."""
        with self._lock:
            self._unmeasured += size
            if self._unmeasured < self.limit / 50:
                return
            self._unmeasured, in_use = 0, set(self._open)
        found = []
        for folder in self.folder.glob("*"):
            with contextlib.suppress(OSError):  # another server may be at it
                found.append((folder.stat().st_mtime, sum(path.stat().st_size for path in folder.iterdir()), folder))
        total = sum(size for _, size, _ in found)
        for _, size, folder in sorted(found):
            if total <= self.limit:
                return
            if folder.name not in in_use:
                gone = folder.with_name(f".{folder.name}.{os.getpid()}")  # it vanishes at once: no half ladder is left
                with contextlib.suppress(OSError):
                    folder.rename(gone)
                    total -= size
                shutil.rmtree(gone, ignore_errors=True)


def _entry(at: float) -> str:
    """The name of the file with a frame's numbers."""
    return f"{float(at)}.json"


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except OSError:
        return set()


def _files(frame: dict) -> set[str]:
    return {frame[kind] for kind in ("file", "stream", "y", "bits") if kind in frame}


def _read(entry: Path, there: set[str]) -> tuple[dict, dict] | None:
    """Facts of a ladder and a frame's numbers, None where its files are not all ``there``."""
    try:
        found = json.loads(entry.read_bytes())
    except (OSError, ValueError):
        return None
    return (found["facts"], found["frame"]) if _files(found["frame"]) <= there else None


def _load(folder: Path) -> tuple[dict, dict[float, dict]]:
    """Facts of a ladder and its frames by rate, as they are on disk."""
    there = _names(folder)
    found = [entry for name in there if name.endswith(".json") and (entry := _read(folder / name, there))]
    if found:
        with contextlib.suppress(OSError):
            os.utime(folder)  # in use
    frames = sorted((frame for _, frame in found), key=lambda frame: frame["at"])
    return found[0][0] if found else {}, {frame["at"]: frame for frame in frames}


@lru_cache
def shared() -> Ladders:
    """The ladders that all browser sessions of this process share."""
    return Ladders()
