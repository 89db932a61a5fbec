"""Ladders: one picture coded by one codec at many rates, for scrubbing through them.

Their frames (`frame.py`) are computed by the owner of computing (`mae_viz.computing`), the rate at hand first and then
coarse to fine, as long as somebody asks about them, and kept on disk:

    <cache>/ladders/<ladder id>/<rate>.json   a frame's numbers, and the names of its files
    <cache>/ladders/<ladder id>/<hash>.webp   a decoded picture
    <cache>/ladders/<ladder id>/<hash>.bin    the coded file, where its codec shows maps
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
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mae_viz import computing
from mae_viz.codecs.interface import AnyRate, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.computing import DroppedError, Job
from mae_viz.ladders.frame import SCRUBBED_PIXELS, Frame, Maps, Source, compute, fingerprint
from mae_viz.storage import cache_folder, write_whole

CACHE_BYTES = 3 << 30
PATIENCE_S = 10.0
"""How long after somebody last asked about a frame it keeps its place. Viewers ask three times a second, but a busy
server answers late."""

_IN_MEMORY = 320  # of nine codecs and more than thirty pictures: what somebody has on show must not be forgotten


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
    """One ladder: the frames that are there, and those on their way."""

    id: str
    picture: Image.Image
    source: Source
    folder: Path
    maps: Maps | None = None
    frames: dict[AnyRate, Frame] = field(default_factory=dict)
    jobs: dict[AnyRate, Job[Frame]] = field(default_factory=dict)  # of frames that are not there yet
    done: float = 0
    """Fraction of the frame in work that is done."""
    error: str | None = None

    def listing(self) -> dict:
        """The frames and their numbers, as the viewer reads them."""
        grid = self.source.grid
        there = all(rate in self.frames for rate in grid) and all(job.done() for job in self.jobs.values())
        frames = [
            (frame if rate in grid else replace(frame, extra=True)).to_json() for rate, frame in self.frames.items()
        ]
        return {
            "id": self.id,
            "total": len(grid),
            "complete": self.error is not None or there,
            **({"error": self.error} if self.error else {}),
            "done": round(self.done, 3),
            **(asdict(self.maps) if self.maps else {}),
            "frames": frames,
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
        source = Source.of_whole(name) if whole else Source.of(name)
        key = source.ladder_id(pixels or fingerprint(picture))
        with self._lock:
            ladder = self._open.get(key)
        if ladder is None or ladder.error:
            ladder = Ladder(key, picture, source, self.folder / key)
            _load(ladder)
        with self._lock:
            if (there := self._open.get(key)) and not there.error:
                ladder = there
            self._open[key] = ladder
            self._open.move_to_end(key)
            while len(self._open) > _IN_MEMORY:
                self._open.popitem(last=False)
        return ladder

    def open(self, picture: Image.Image, name: str, start: AnyRate | None = None) -> Ladder:
        """Like `offer`, with the missing frames on their way: ``start`` or the grid's point nearest to it first.
        Returns at once."""
        ladder = self.offer(picture, name)
        self._ask_for_grid(ladder, start)
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
        asked = [rate for rate in map(ladder.source.codec.axis.at, at) if rate is not None]
        for rate in asked:
            self._ask(ladder, rate, computing.ON_SCREEN, self.patience_s)
        self._ask_for_grid(ladder, asked[0] if asked else None, self.patience_s)
        with self._lock:
            return ladder.listing()

    def frame(self, ladder: Ladder, rate: AnyRate) -> Frame:
        """The frame of a rate of the codec, made first where it is not there. Blocks.

        Raises ValueError outside the codec's range and where the codec failed, DroppedError where the server stops.
        """
        rate = ladder.source.codec.rate(rate.number)
        return self._ask(ladder, rate, computing.ON_SCREEN).result()

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
                coming = [rate for rate, job in ladder.jobs.items() if not job.done()]
            asked += self._ask_for_grid(ladder, None) + [self._ask(ladder, rate, computing.SOON) for rate in coming]
        total, left = max(1, sum(len(ladder.source.grid) for ladder in ladders), len(asked)), len(asked)
        for frame in as_completed(asked):
            if progress:
                progress(1 - left / total)
            frame.result()
            left -= 1
        if progress:
            progress(1.0)

    def stream(self, picture: Image.Image, name: str, rate: AnyRate) -> bytes | None:
        """The coded file of a picture at a rate, where its frame holds it; nothing is computed."""
        ladder = self.offer(picture, name)
        try:
            file = ladder.frames[rate].stream
            return (ladder.folder / file).read_bytes() if file else None
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

    def _ask_for_grid(self, ladder: Ladder, start: AnyRate | None, wanted_s: float = math.inf) -> list[Future[Frame]]:
        """The missing frames of the grid, `coarse_to_fine`."""
        codec, grid = ladder.source.codec, ladder.source.grid
        before = 2 if codec is ORIGINAL else 0  # the original is quick, and never waits for codecs
        missing = {rate for rate in grid if rate not in ladder.frames}
        order = coarse_to_fine(grid, start or codec.axis.start) if missing else []
        return [
            self._ask(ladder, rate, computing.SOON + rank - before, wanted_s)
            for rank, rate in enumerate(order)
            if rate in missing
        ]

    def _ask(self, ladder: Ladder, rate: AnyRate, urgency: float, wanted_s: float = math.inf) -> Future[Frame]:
        """A frame: one that is there, is on its way, or sets out now; a failure where the codec has failed before."""
        with self._lock:
            if ladder.error or rate in ladder.frames:
                known: Future[Frame] = Future()
                if ladder.error:
                    known.set_exception(ValueError(ladder.error))
                else:
                    known.set_result(ladder.frames[rate])
                return known
            job = ladder.jobs.get(rate)
            if job and job.want(wanted_s):
                computing.shared().hurry(job, urgency)
                return job
            large = ladder.picture.width * ladder.picture.height > SCRUBBED_PIXELS
            job = ladder.jobs[rate] = computing.shared().submit(
                self._make, ladder, rate, urgency=urgency, large=large, wanted_s=wanted_s
            )
            return job

    def _make(self, ladder: Ladder, rate: AnyRate) -> Frame:
        """One frame, computed or found on disk where another server has made it; then everyone sees it."""
        try:
            if ladder.error:
                raise ValueError(ladder.error)
            maps, frame = _read(ladder.folder / _entry(rate), _names(ladder.folder)) or self._compute(ladder, rate)
        except DroppedError:
            raise
        except Exception as error:  # whatever a codec raises must reach the person, in words
            ladder.error = ladder.error or f"{ladder.source.codec.title}: {error}"
            raise ValueError(ladder.error) from error
        finally:
            ladder.done = 0
        with self._lock:
            ladder.maps = maps or ladder.maps
            ladder.frames[rate] = frame
            ladder.jobs.pop(rate, None)
        return frame

    def _compute(self, ladder: Ladder, rate: AnyRate) -> tuple[Maps | None, Frame]:
        """A frame, computed and kept on disk."""

        def progress(done: float) -> None:
            ladder.done = done
            computing.go_on()

        if isinstance(ladder.source.codec.axis, LambdaAxis):
            with self._lock:
                self.model_calls += 1
        maps, frame, files = compute(ladder.picture, ladder.source, rate, progress)
        entry = {"maps": maps and asdict(maps), "frame": frame.to_json()}
        files[_entry(rate)] = json.dumps(entry).encode()  # the last: it vouches for the others
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
        return maps, frame

    def _forget_lost(self, ladder: Ladder) -> None:
        """Frames whose files somebody has deleted are not there."""
        there = _names(ladder.folder)
        with self._lock:
            for rate in [rate for rate, frame in ladder.frames.items() if not there.issuperset(frame.files)]:
                del ladder.frames[rate]

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


def _entry(rate: AnyRate) -> str:
    """The name of the file with a frame's numbers."""
    return f"{float(rate.at)}.json"


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except OSError:
        return set()


def _read(entry: Path, there: set[str]) -> tuple[Maps | None, Frame] | None:
    """A frame on disk and the shape of its maps, None where its files are not all ``there``."""
    try:
        found = json.loads(entry.read_bytes())
        frame, maps = Frame.from_json(found["frame"]), found["maps"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not there.issuperset(frame.files):
        return None
    return maps and Maps(tuple(maps["places"]), maps["channels"], maps["stride"], tuple(maps["layers"])), frame


def _load(ladder: Ladder) -> None:
    """Read what is on disk of a ladder."""
    there = _names(ladder.folder)
    found = [entry for name in there if name.endswith(".json") and (entry := _read(ladder.folder / name, there))]
    for maps, frame in sorted(found, key=lambda entry: entry[1].at):
        if (rate := ladder.source.codec.axis.at(frame.at)) is not None:
            ladder.maps, ladder.frames[rate] = maps, frame
    if found:
        with contextlib.suppress(OSError):
            os.utime(ladder.folder)  # in use


@lru_cache
def shared() -> Ladders:
    """The ladders that all browser sessions of this process share."""
    return Ladders()
