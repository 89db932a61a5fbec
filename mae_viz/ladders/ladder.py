"""Ladders: one picture coded by one codec at many rates, for scrubbing through them.

Their frames (`frame.py`) are computed by the owner of computing (`mae_viz.computing`), the rate at hand first and then
coarse to fine, as long as somebody asks about them, and kept (`cache.py`).
"""

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import ClassVar

from PIL import Image

from mae_viz import computing
from mae_viz.codecs.interface import AnyRate, LambdaAxis
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.computing import DroppedError, Job
from mae_viz.ladders.cache import Cache
from mae_viz.ladders.frame import SCRUBBED_PIXELS, Frame, Maps, Source, compute, fingerprint
from mae_viz.storage import cache_folder

CACHE_BYTES = 3 << 30
"""How much room frames on disk may take: 3 GB."""

PATIENCE_S = 10.0
"""How long after somebody last asked about a frame it keeps its place. Viewers ask three times a second, but a busy
server answers late."""

RATES_AT_ONCE = 8
"""Rates that one viewer waits for at once: two in each of four panes. It has no turn for more."""

BETWEEN = 64
"""Frames that a ladder lists between its grid's, the latest: some codecs have thousands of rates."""

PICTURES_BYTES = 384 << 20
"""Of pictures in memory: thirty of 2 megapixels with the parts of them that are scrubbed, or six of 16. A page opens
again what it misses."""

_IN_MEMORY = 2000  # ladders, however small their pictures
_NAME = re.compile(r"[0-9a-f]{24}")
_FILE = re.compile(r"[0-9a-f]{24}\.(webp|png|f32|bin)")


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
    of: str = ""
    """The ladder that this one is a refinement of."""

    patient: ClassVar[bool] = False
    """Whether all other work goes before it."""

    @property
    def held(self) -> int:
        """Bytes in memory beside its picture."""
        return 0

    @property
    def root(self) -> str:
        """The ladder that pages name: itself, or what it is a refinement of."""
        return self.of or self.id

    def compute(
        self,
        rate: AnyRate,
        progress: Callable[[float], None],
        publish: Callable[[dict[str, bytes]], None],
    ) -> tuple[Maps | None, Frame, dict[str, bytes]]:
        """A frame, as `frame.compute` makes it. ``publish``: keeps files that are to be there before it is done."""
        return compute(self.picture, self.source, rate, progress)

    def recall(self, read: Callable[[str], bytes | None]) -> None:
        """``read`` brings what the cache keeps of it beside its frames, by name."""

    def forget(self, there: set[str]) -> None:
        """Frames that need other files than these are not there."""
        for rate in [rate for rate, frame in self.frames.items() if not there.issuperset(frame.files)]:
            del self.frames[rate]

    def add(self, rate: AnyRate, maps: Maps | None, frame: Frame) -> None:
        """A frame is there; of those between the grid's the oldest above BETWEEN are listed no more."""
        self.maps, self.frames[rate] = maps or self.maps, frame
        between = [rate for rate in self.frames if rate not in self.source.grid]
        for old in between[:-BETWEEN]:
            del self.frames[old]

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
        self.folder, self.patience_s = (folder or cache_folder()) / "ladders", patience_s
        self.model_calls = 0
        """How many frames a model has computed: a second request for one must not raise it."""
        self._cache = Cache(self.folder, limit, patience_s)
        self._open: OrderedDict[str, Ladder] = OrderedDict()  # the one asked about last at the end
        self._wishes: dict[str, dict[tuple[str, AnyRate], Job[Frame]]] = {}  # what each viewer waits for
        self._shown: dict[str, set[str]] = {}  # the ladders that a viewer shows, where it has said so
        self._refines: dict[str, str] = {}  # what each viewer has refined: one ladder at a time
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
        return self._enter(
            Ladder(key, picture, source, self.folder / key) if ladder is None or ladder.error else ladder
        )

    def find(self, key: str) -> Ladder | None:
        """An open ladder."""
        with self._lock:
            return self._open.get(key)

    def take_in(self, ladder: Ladder, viewer: str) -> None:
        """Open a ladder that a viewer has refined, and let go of the one that it has had refined before: nobody keeps
        the others waiting for more than one."""
        with self._lock:
            before = self._open.get(self._refines.get(viewer, ""))
            self._refines[viewer] = ladder.id
        if before and before.id != ladder.id:
            self.let_go(before.id, viewer)
        self._enter(ladder)

    def let_go(self, key: str, viewer: str) -> None:
        """A viewer waits for nothing of a ladder any more."""
        with self._lock:
            ladder = self._open.get(key)
            jobs = list(ladder.jobs.values()) if ladder else []
        for job in jobs:
            job.let_go(viewer)

    def _enter(self, made: Ladder) -> Ladder:
        """A ladder among those that are open, with whatever frames are on disk; the one that is there already."""
        key, ladder = made.id, made
        with self._lock:
            known = self._open.get(key) is made
        if not known:
            for maps, frame in self._cache.load(key):
                if (rate := made.source.codec.axis.at(frame.at)) is not None:
                    made.add(rate, maps, frame)
            if made.frames:
                made.recall(partial(self._cache.read, key))
        with self._lock:
            if (there := self._open.get(key)) and not there.error:
                ladder = there
            self._open[key] = ladder
            self._open.move_to_end(key)
            if ladder is not there:
                self._close_oldest()
        return ladder

    def _close_oldest(self) -> None:
        """Of the ladders asked about last those stay that memory has room for."""
        pictures, taken = set(), 0
        for number, (key, ladder) in enumerate(reversed(list(self._open.items()))):
            taken += ladder.held
            if id(ladder.picture) not in pictures:
                pictures.add(id(ladder.picture))
                taken += 4 * math.prod(ladder.picture.size)
            if number and (number >= _IN_MEMORY or taken > PICTURES_BYTES):
                del self._open[key]

    def close(self) -> None:
        """Let go of all ladders and their pictures: those that are offered again are there again."""
        with self._lock:
            self._open.clear()
            self._wishes.clear()
            self._shown.clear()
            self._refines.clear()

    def open(self, picture: Image.Image, name: str, start: AnyRate | None = None) -> Ladder:
        """Like `offer`, with the missing frames on their way: ``start`` or the grid's point nearest to it first.
        Returns at once."""
        ladder = self.offer(picture, name)
        self._ask_for_grid(ladder, start)
        return ladder

    def listing(self, key: str, at: Iterable[float] = (), viewer: str = "") -> dict | None:
        """The frames of a ladder as the viewer reads them; None for one that is not open.

        Asking starts the work, and keeps it going: what nobody has asked about for a while is dropped. ``at``, rate
        indices or qualities, may lie between the grid's: their frames are then made as well, before all others, but
        of what a ``viewer`` asks for so only the latest counts.
        """
        with self._lock:
            ladder = self._open.get(key)
            if ladder is None:
                return None
            self._open.move_to_end(key)
        if not self._cache.show(key):
            self._forget_lost(ladder)
        if self._may_ask(ladder, viewer):
            asked = [rate for rate in map(ladder.source.codec.axis.at, at) if rate is not None]
            new = not (ladder.frames or ladder.jobs)
            self._look(viewer, ladder, asked)
            if not (asked and new):  # of a new ladder the rate on screen alone: others on the same screen have theirs
                self._ask_for_grid(ladder, asked[0] if asked else None, self.patience_s, viewer)
        with self._lock:
            return ladder.listing()

    def _may_ask(self, ladder: Ladder, viewer: str) -> bool:
        """Whether a viewer's question starts work: of what it shows, and of refinements of the latest."""
        with self._lock:
            return ladder.root in self._shown.get(viewer, (ladder.root,)) and (
                not ladder.of or self._refines.get(viewer) == ladder.id
            )

    def show(self, viewer: str, keys: Iterable[str]) -> None:
        """A viewer turns to these ladders: what it waits for of others it lets go, and starts no more of, so that
        theirs comes at once."""
        with self._lock:
            shown = self._shown[viewer] = set(keys)
            left = [job for one in self._open.values() if one.root not in shown for job in one.jobs.values()]
        for job in left:
            job.let_go(viewer)

    def _look(self, viewer: str, ladder: Ladder, rates: list[AnyRate]) -> None:
        """A viewer waits for these rates of a ladder, and for no others of it: the first of every ladder before the
        rest of any."""
        jobs = {
            rate: self._ask(ladder, rate, computing.BESIDE if k else computing.ON_SCREEN, self.patience_s, viewer)
            for k, rate in enumerate(rates)
        }
        with self._lock:
            before = self._wishes.pop(viewer, {})
            others = {wish: job for wish, job in before.items() if wish[0] != ladder.id}
            wishes = others | {(ladder.id, rate): job for rate, job in jobs.items() if isinstance(job, Job)}
            now = dict([(wish, job) for wish, job in wishes.items() if not job.done()][-RATES_AT_ONCE:])
            if now:
                self._wishes[viewer] = now
        for wish, job in (before | wishes).items():
            if wish not in now:
                job.let_go(viewer)

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
                coming = [rate for rate, job in ladder.jobs.items() if not (job.done() or job.lost())]
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
        frame = ladder.frames.get(rate)
        return self._cache.read(ladder.id, frame.stream) if frame and frame.stream else None

    def path(self, key: str, file: str) -> Path | None:
        """Where a frame's file lies, None where it is not on disk; names come from outside and are not trusted."""
        if not (_NAME.fullmatch(key) and _FILE.fullmatch(file)):
            return None
        self._cache.show(key)
        return self._cache.path(key, file)

    def read(self, key: str, file: str) -> bytes | None:
        """What is in a frame's file, be it on disk or in memory; None as `path`."""
        if not (_NAME.fullmatch(key) and _FILE.fullmatch(file)):
            return None
        data = self._cache.read(key, file)
        with self._lock:
            ladder = self._open.get(key)
        if ladder and data is None:
            self._forget_lost(ladder)  # the next listing is true again, and has made what is missing
        return data

    def must_read(self, key: str, file: str) -> bytes:
        """Like `read`, for files of frames that are there. Raises ValueError where they have gone meanwhile."""
        data = self.read(key, file)
        if data is None:
            raise ValueError("frames have gone from the cache meanwhile: do it again.")
        return data

    def _ask_for_grid(
        self, ladder: Ladder, start: AnyRate | None, wanted_s: float = math.inf, who: str | None = None
    ) -> list[Future[Frame]]:
        """The missing frames of the grid, `coarse_to_fine`."""
        codec, grid = ladder.source.codec, ladder.source.grid
        before = 2 if codec is ORIGINAL else 0  # the original is quick, and never waits for codecs
        missing = {rate for rate in grid if rate not in ladder.frames}
        order = coarse_to_fine(grid, start or codec.axis.start) if missing else []
        return [
            self._ask(ladder, rate, computing.SOON + rank - before, wanted_s, who)
            for rank, rate in enumerate(order)
            if rate in missing
        ]

    def _ask(
        self, ladder: Ladder, rate: AnyRate, urgency: float, wanted_s: float = math.inf, who: str | None = None
    ) -> Future[Frame]:
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
            if job and job.want(wanted_s, who):
                if not ladder.patient:
                    computing.shared().hurry(job, urgency)
                return job
            large = ladder.picture.width * ladder.picture.height > SCRUBBED_PIXELS
            job = computing.shared().submit(
                self._make,
                ladder,
                rate,
                urgency=computing.SOON if ladder.patient else urgency,
                large=large,
                patient=ladder.patient,
                wanted_s=wanted_s,
                who=who,
            )
            ladder.jobs = {rate: job for rate, job in ladder.jobs.items() if not job.done()} | {rate: job}
            return job

    def _make(self, ladder: Ladder, rate: AnyRate) -> Frame:
        """One frame, computed or found on disk where another server has made it; then everyone sees it."""
        try:
            if ladder.error:
                raise ValueError(ladder.error)
            maps, frame = self._cache.find(ladder.id, rate) or self._compute(ladder, rate)
        except DroppedError:
            raise
        except Exception as error:  # whatever a codec raises must reach the person, in words
            ladder.error = ladder.error or f"{ladder.source.codec.title}: {error}"
            raise ValueError(ladder.error) from error
        finally:
            ladder.done = 0
        with self._lock:
            ladder.add(rate, maps, frame)
            ladder.jobs.pop(rate, None)
        return frame

    def _compute(self, ladder: Ladder, rate: AnyRate) -> tuple[Maps | None, Frame]:
        """A frame, computed and kept."""

        def progress(done: float) -> None:
            ladder.done = done
            computing.go_on()

        if isinstance(ladder.source.codec.axis, LambdaAxis):
            with self._lock:
                self.model_calls += 1
        maps, frame, files = ladder.compute(rate, progress, partial(self._cache.put, ladder.id))
        self._cache.keep(ladder.id, rate, maps, frame, files)
        return maps, frame

    def _forget_lost(self, ladder: Ladder) -> None:
        """Frames whose files somebody has deleted are not there."""
        there = self._cache.names(ladder.id)
        with self._lock:
            ladder.forget(there)


@lru_cache
def shared() -> Ladders:
    """The ladders that all browser sessions of this process share."""
    return Ladders()
