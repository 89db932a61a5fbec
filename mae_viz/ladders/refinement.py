"""A file that gets better before one's eyes: one picture's latents refined at one rate, as a ladder of that rate alone.

Its frame comes again and again, each time of the best file so far; the last one stays in the cache like all others.
It is a patient job: one at a time on a server, behind all that somebody looks for (`mae_viz.computing`).

Where a mask says what is important, the file of the same size moves its bits there: the picture is refined once to see
how long its file gets, then at the λ whose plain file is longer by as much as that one was too short.
"""

import hashlib
import io
import json
import math
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from mae_viz import computing, metrics
from mae_viz.codecs.interface import AnyRate
from mae_viz.codecs.refined import RefinedCodec
from mae_viz.codecs.search import UnreachableError, compress_to
from mae_viz.ladders.frame import INFINITE, Frame, Maps, Source, of_file
from mae_viz.ladders.ladder import Ladder, Ladders
from mae_viz.rates import Rate

STEPS = 80
"""Of a refinement; a step of 768 × 512 pixels takes 0.2 to 0.4 s of a core."""

NEAR = 0.003
"""Files whose bytes differ by this share or less are as long as one another."""

_TOLD = "told.json"
_IMPORTANT = 128  # of 255: from here on a place of a mask counts as painted


def _number(value: float) -> float | str:
    """As frames write numbers: infinity is a text."""
    return INFINITE if value == math.inf else value


class MaskError(ValueError):
    """What was sent is no mask of the picture."""


@dataclass(frozen=True)
class Part:
    """PSNR in dB of a part of the picture, in the plain file and in the refined one."""

    before_db: float | str
    after_db: float | str


@dataclass
class Told:
    """What a refinement says of itself."""

    steps: int
    """All in all."""
    step: int = 0
    seconds: float = 0.0
    """At work."""
    step_s: float | None = None
    """What a step took lately."""
    trail: list[dict[str, float | str]] = field(default_factory=list)
    """Bytes, bpp and qualities of the plain file, then of the best file at each look."""
    painted: Part | None = None
    rest: Part | None = None


@dataclass(frozen=True)
class _Look:
    """A file as it is shown."""

    stream: bytes
    maps: Maps | None
    frame: Frame
    files: dict[str, bytes]

    @cached_property
    def pixels(self) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.files[self.frame.file])))


@dataclass
class Refinement(Ladder):
    """The refinement of a picture at a rate; ``of``: the ladder of the plain codec."""

    patient = True
    mask: np.ndarray | None = None
    """uint8 (H, W): what is important; None where all is alike."""
    told: Told = field(default_factory=lambda: Told(1))
    moments: list[Frame] = field(default_factory=list)
    """The latest two, the newer first: the other is shown until a viewer has this one. Files of all stay in the cache
    as long as others do, for those who are slow to fetch them."""

    @property
    def codec(self) -> RefinedCodec:
        assert isinstance(self.source.codec, RefinedCodec)
        return self.source.codec

    @property
    def held(self) -> int:
        return 0 if self.mask is None else self.mask.nbytes

    @property
    def steps(self) -> list[int]:
        """Steps of each pass. With a mask, half of them show first how long its file gets."""
        steps = self.codec.steps
        return [steps] if self.mask is None else [max(1, steps // 2), steps]

    def compute(
        self,
        rate: AnyRate,
        progress: Callable[[float], None],
        publish: Callable[[dict[str, bytes]], None],
    ) -> tuple[Maps | None, Frame, dict[str, bytes]]:
        assert isinstance(rate, Rate)
        told, self.moments = Told(sum(self.steps)), []
        self.told, plain, last, at = told, None, None, rate
        for steps in self.steps:
            if last and plain:
                at = self._as_long(rate, len(plain.stream), len(last.stream), progress)
                told.trail = told.trail[:1]
            for stream in self._pass(steps, at, progress):
                if last is None or last.stream != stream:
                    last = self._look(stream, rate, at)
                    publish(last.files)
                    self.moments = [last.frame, *self.moments[:1]]
                plain = plain or last
                self._tell(last, plain)
        assert last  # there is a pass
        told.step = told.steps
        return last.maps, last.frame, last.files | {_TOLD: json.dumps(asdict(told), allow_nan=False).encode()}

    def _pass(self, steps: int, at: Rate, progress: Callable[[float], None]) -> Iterator[bytes]:
        """The best file at each look of a refinement at λ; the plain one comes first, where it is that of all."""
        important = None if self.mask is None else self.mask / 255
        codec = self.codec.guide.refined(steps, self.codec.objective.name, important)
        told, before, begun = self.told, self.told.step, time.monotonic()
        for moment in codec.moments(self.picture, at):
            step, taken = before + round(moment.done * steps), time.monotonic() - begun
            if step > told.step:
                told.step_s = taken / (step - told.step)
            told.step, told.seconds = step, told.seconds + taken
            if step or not told.trail:
                yield moment.best.stream
            progress(step / told.steps)
            computing.give_way()
            begun = time.monotonic()

    def _look(self, stream: bytes, rate: Rate, at: Rate) -> _Look:
        """A file coded at a λ, in its place on the ladder."""
        maps, frame, files = of_file(self.picture, self.source, at, stream, self.codec.inspect_file(stream))
        return _Look(stream, maps, replace(frame, at=rate.at), files)

    def _as_long(self, rate: Rate, plain_size: int, size: int, progress: Callable[[float], None]) -> Rate:
        """The λ to refine at for a file as long as the plain one of a rate, where one refined there takes ``size``: its
        plain file is longer by as much as that is too short. The end of the axis where none is so long."""
        plain = self.codec.guide
        if abs(size / plain_size - 1) <= NEAR or plain.axis.first == plain.axis.last:
            return rate

        def look(_: float) -> None:
            progress(self.told.step / self.told.steps)
            computing.give_way()

        wanted = plain_size**2 / size
        try:
            found = compress_to(self.picture, plain, bytes=round(wanted), progress=look).rate
        except UnreachableError as error:
            return plain.axis.last if wanted > error.high else plain.axis.first
        assert isinstance(found, Rate)
        return found

    def _tell(self, look: _Look, plain: _Look) -> None:
        told, self.maps = self.told, look.maps
        numbers = {name: getattr(look.frame, name) for name in ("bytes", "bpp", "psnr_db", "ms_ssim_db")}
        told.trail = [*told.trail, {name: _number(value) for name, value in numbers.items() if value is not None}]
        if self.mask is not None:
            original, painted = np.asarray(self.picture), self.mask >= _IMPORTANT
            told.painted, told.rest = (
                Part(
                    *(_number(metrics.psnr_db(each.pixels[part][None], original[part][None])) for each in (plain, look))
                )
                for part in (painted, ~painted)
            )

    def recall(self, read: Callable[[str], bytes | None]) -> None:
        """What the cache has kept of it beside its frame."""
        try:
            found: dict[str, Any] = json.loads(read(_TOLD) or b"")
            parts = {name: Part(**found[name]) for name in ("painted", "rest") if found.get(name)}
            self.told = Told(**(found | parts))
        except (ValueError, TypeError):  # anything may lie there
            self.told = Told(sum(self.steps), sum(self.steps))

    def forget(self, there: set[str]) -> None:
        super().forget(there)
        self.moments = [frame for frame in self.moments if there.issuperset(frame.files)]

    def listing(self) -> dict:
        rate = self.source.grid[0]
        final, told = self.frames.get(rate), self.told
        job = self.jobs.get(rate)
        waits = bool(job and not (job.done() or job.running()))
        known = [final] if final else []
        frames = [frame.to_json() for frame in [*known, *(m for m in self.moments if m is not final)]][:2]
        codec = self.codec
        refinement = {
            "of": self.of,
            "codec": {"id": codec.name, "title": codec.title, "short": codec.short, "colour": codec.colour},
            "steps": told.steps,
            "step": told.steps if final else told.step,
            "waits": waits,
            "before": computing.shared().before(job) if job and waits else 0,
            "seconds": round(told.seconds, 1),
            **({"seconds_left": round(told.step_s * (told.steps - told.step), 1)} if told.step_s else {}),
            "trail": told.trail,
            **{name: asdict(part) for name in ("painted", "rest") if (part := getattr(told, name))},
        }
        return super().listing() | {"frames": frames, "done": round(self.done, 3), "refinement": refinement}


def start(ladders: Ladders, key: str, at: float, mask: bytes, viewer: str, steps: int = STEPS) -> str | None:
    """The id of the refinement of an open ladder's picture at a rate, whose listing starts it; None where no such
    ladder is open. What the viewer has had refined before is worked at no more.

    ``mask``: what `unpacked` reads, or nothing. Raises MaskError, ValueError for codecs and rates that cannot be
    refined.
    """
    plain = ladders.find(key)
    if plain is None:
        return None
    codec = plain.source.codec
    rate = codec.axis.at(at)
    if not (codec.refinable and plain.source.maps and isinstance(rate, Rate)):
        raise ValueError(f"{codec.title} has no latents to refine here: choose one of the networks, and its λ.")
    painted = unpacked(mask, *plain.picture.size) if mask else None
    made = codec.model_at(rate).refined(steps)
    assert isinstance(made, RefinedCodec)
    what = f"{plain.id} {made.name} {made.identity} {rate} {hashlib.sha256(mask).hexdigest() if mask else ''}"
    name = hashlib.sha256(what.encode()).hexdigest()[:24]
    source = Source(made, (rate,), True, plain.source.metrics)
    refinement = Refinement(name, plain.picture, source, ladders.folder / name, of=plain.id, mask=painted)
    refinement.told = Told(sum(refinement.steps))
    ladders.take_in(refinement, viewer)
    return name


def unpacked(data: bytes, width: int, height: int) -> np.ndarray:
    """A mask, uint8 (H, W), from what browsers send: a byte for each pixel, row by row, as zlib packs them.

    Raises MaskError for anything else, and for a mask that is the same everywhere.
    """
    unpacker = zlib.decompressobj()
    try:
        values = unpacker.decompress(data, width * height + 1)
    except zlib.error:
        raise MaskError("this is no mask: it is not packed as browsers pack.") from None
    if len(values) != width * height or not unpacker.eof:
        raise MaskError(f"the mask must have the picture's {width} × {height} pixels: paint it again.")
    mask = np.frombuffer(values, np.uint8).reshape(height, width)
    if not (mask >= _IMPORTANT).any() or (mask >= _IMPORTANT).all():
        raise MaskError("all of the picture is painted, or nothing: paint what matters more than the rest.")
    return mask
