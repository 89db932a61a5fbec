"""What pages compute, cached once for all browser sessions by (picture, model, rate)."""

import base64
import functools
import hashlib
import io
from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mae_viz import computing, metrics, probe
from mae_viz.coding import coder, devices
from mae_viz.coding.bitstream import StreamError, parse
from mae_viz.coding.checkpoints import Checkpoint, folder, open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import SCRUBBED_PIXELS
from mae_viz.rates import Rate
from mae_viz.viewer.sweep import film

MAX_UPLOAD_PIXELS = 16_000_000


def is_large(width: int, height: int) -> bool:
    return width * height > SCRUBBED_PIXELS


@dataclass(frozen=True)
class Picture:
    """A picture on show; ``key`` identifies its pixels.

    What Streamlit keeps as long as a visit lasts (callbacks, files for later) must not hold one: those of a class would
    take gigabytes. It may hold the ``source``, the file's bytes, from which `picture_from` brings it again.
    """

    name: str
    image: Image.Image
    source: bytes = b""

    @cached_property
    def key(self) -> str:
        return hashlib.sha256(f"{self.image.size}".encode() + self.image.tobytes()).hexdigest()

    @property
    def large(self) -> bool:
        return is_large(*self.image.size)

    @cached_property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.image)


@dataclass(frozen=True)
class Coded:
    """A picture after a real round trip through a file, and what that cost."""

    stream: bytes
    png: bytes
    bpp: float
    estimated_bpp: float
    psnr_db: float
    ms_ssim_db: float | None


@dataclass(frozen=True)
class Opened:
    """What is in an uploaded `.mae` file: `coder.info`, and the picture as PNG."""

    facts: dict
    png: bytes


_LARGE_ENTRIES = 4

computing.at_rest(lambda: ladder.shared().close())

P = ParamSpec("P")
T = TypeVar("T")
OfPicture = Callable[Concatenate[str, Picture, P], T]
"""A function of (key, picture, …)."""


def run(function: Callable[..., T], *args: object, large: bool = False, urgency: float = computing.ON_SCREEN) -> T:
    """``function(*args)``, computed in its turn: what pages compute is handed over here, and nothing is in their own
    threads. Raises what the function raises.

    ``large``: about a large picture. ``urgency``: see `mae_viz.computing`. Before its turn comes the visit may end, or
    the page begin anew; what has begun is finished, because it is kept for whoever asks next.
    """
    job = computing.shared().submit(function, *args, large=large, urgency=urgency)
    try:
        while not (job.running() or job.done()):
            wait([job], timeout=0.1)
            if get_script_run_ctx(suppress_warning=True):
                st.session_state.get("image")  # Streamlit ends a run here that nobody looks at any more
        return job.result()
    except BaseException:
        job.drop()
        raise


def _cached(entries: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Caches so many results for all sessions, until the server rests."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        cached = st.cache_data(max_entries=entries, show_spinner=False)(function)
        computing.at_rest(cached.clear)
        return cached

    return decorate


def kept(entries: int) -> Callable[[OfPicture[P, T]], OfPicture[P, T]]:
    """Caches a function of (key, picture, …) for all sessions: so many results, but of large pictures a few alone."""

    def decorate(function: OfPicture[P, T]) -> OfPicture[P, T]:
        @functools.wraps(function)
        def of_large(key: str, picture: Picture, *args: P.args, **kwargs: P.kwargs) -> T:
            return function(key, picture, *args, **kwargs)

        of_large.__qualname__ += " of large pictures"  # by its name Streamlit knows a cache
        few, many = _cached(min(entries, _LARGE_ENTRIES))(of_large), _cached(entries)(function)

        @functools.wraps(function)
        def call(key: str, picture: Picture, *args: P.args, **kwargs: P.kwargs) -> T:
            return (few if picture.large else many)(key, picture, *args, **kwargs)

        return call

    return decorate


def _decoded(data: bytes) -> Image.Image:
    """In a job: the picture in a file."""
    return coder.decompress(data, None, computing.go_on, devices.named())


def open_model(model: str) -> Checkpoint:
    return open_checkpoint(model, devices.named())


def get_ready(*models: str) -> None:
    """Load models before anybody asks for their pictures; returns at once."""
    for model in models:
        computing.shared().submit(open_model, model, urgency=computing.SOON)


def checkpoint(model: str) -> Checkpoint:
    """A model with its tables and card, loaded once."""
    return _checkpoint(model, folder())


@st.cache_resource(show_spinner=False)
def _checkpoint(model: str, home: Path) -> Checkpoint:
    return run(open_model, model)


@_cached(16)
def picture_from(name: str, source: bytes) -> Picture:
    """A file's bytes as a picture. Raises ImageError with a sentence."""

    def opened() -> Picture:
        picture = Picture(name, open_rgb(source, max_pixels=MAX_UPLOAD_PIXELS), source)
        assert picture.key  # from here on it travels along
        return picture

    return run(opened)


@_cached(16)
def photograph(name: str) -> Picture:
    """A bundled photograph. They are small: this thread opens them, where the workers may be in the middle of a
    frame."""
    found = gallery()[name]
    source = found.path.read_bytes()
    return Picture(found.title, open_rgb(source), source)


def coded(picture: Picture, model: str, rate: Rate) -> Coded:
    """The picture after `decompress(compress(picture, λ))`."""
    return _coded(picture.key, picture, model, rate)


def latents(picture: Picture, model: str, rate: Rate) -> tuple[np.ndarray, np.ndarray]:
    """y before quantisation and bits of each place, (C, h, w) both."""
    return _latents(picture.key, picture, model, rate)


def unrounded_psnr_db(picture: Picture, model: str, rate: Rate) -> float:
    """PSNR of what comes back where y is not rounded."""
    return _unrounded_psnr_db(picture.key, picture, model, rate)


@dataclass(frozen=True)
class SwitchedOff:
    """What a picture's file loses with one channel: both are real files, decoded by the real decoder."""

    before: bytes  # files
    after: bytes
    before_pixels: np.ndarray
    after_pixels: np.ndarray
    before_db: float  # PSNR
    after_db: float


def stream(picture: Picture, model: str, rate: Rate) -> bytes:
    """The picture's `.mae` file."""
    return _stream(picture.key, picture, model, rate)


def stream_of(name: str, source: bytes, model: str, rate: Rate) -> bytes:
    """The same, for a picture that `picture_from` brings."""
    return stream(picture_from(name, source), model, rate)


def cost(picture: Picture, model: str, rate: Rate) -> probe.Cost:
    """What every symbol of the picture's file costs (estimate)."""
    return _cost(picture.key, picture, model, rate)


def sweep(picture: Picture, models: tuple[str, ...], kind: str) -> bytes:
    """A film over λ, as `mae_viz.viewer.sweep` makes it."""
    ladders = ladder.shared()
    opened = [ladders.open(picture.image, model) for model in models]
    ladders.wait(opened)
    return run(film, ladders, opened, kind, urgency=computing.SOON)


def sweep_of(name: str, source: bytes, box: tuple[int, int, int, int], models: tuple[str, ...], kind: str) -> bytes:
    """The same, of a part (left, top, right, bottom) of a picture that `picture_from` brings."""
    return sweep(Picture(name, picture_from(name, source).image.crop(box)), models, kind)


@dataclass(frozen=True)
class OverLambda:
    """A picture's files of one model at every λ of its ladder, by rising λ."""

    rates: list[Rate]
    bytes: np.ndarray  # (λ,)
    bits: np.ndarray  # (λ, C), of each channel, all places together


def over_lambda(picture: Picture, model: str) -> OverLambda:
    """The files of a picture's ladder; it must not be large."""
    ladders = ladder.shared()
    made = ladders.open(picture.image, model)
    ladders.wait([made])
    rates = sorted(rate for rate in made.source.grid if isinstance(rate, Rate))
    frames = [made.frames[rate] for rate in rates]
    spent = [np.frombuffer(ladders.must_read(made.id, str(f.by_channel)), "<f4") for f in frames]
    channels = made.maps.channels if made.maps else 0
    return OverLambda(rates, np.array([f.bytes for f in frames]), np.stack([each[:channels] for each in spent]))


def symbols(picture: Picture, model: str, rate: Rate) -> np.ndarray:
    """The integers (C, h, w) in the picture's file."""
    data = stream(picture, model, rate)
    return run(lambda: probe.symbols(open_model(model), data), large=picture.large)


def switched_off(picture: Picture, model: str, rate: Rate, channel: int) -> SwitchedOff:
    """The picture's file with and without one channel."""
    return _switched_off(picture.key, picture, model, rate, channel)


def opened(data: bytes) -> Opened:
    """What is in an uploaded `.mae` file. Raises StreamError with a sentence."""
    parsed = parse(data)
    if parsed.width * parsed.height > MAX_UPLOAD_PIXELS:
        raise StreamError(
            f"the picture has more than {MAX_UPLOAD_PIXELS / 1e6:.0f} megapixels: decode it with mae-viz decompress."
        )
    return _opened(data)


@_cached(_LARGE_ENTRIES)
def _opened(data: bytes) -> Opened:
    parsed = parse(data)
    large = is_large(parsed.width, parsed.height)
    return run(
        lambda: Opened(coder.info(data), to_png(_decoded(data))),
        large=large,
    )


@kept(200)
def _stream(key: str, _picture: Picture, model: str, rate: Rate) -> bytes:
    def made() -> bytes:
        return coder.compress(_picture.image, model, rate.lmbda, computing.go_on, devices.named())

    there = None if _picture.large else ladder.shared().stream(_picture.image, model, rate)
    return there or run(made, large=_picture.large)


@kept(64)
def _cost(key: str, _picture: Picture, model: str, rate: Rate) -> probe.Cost:
    data = stream(_picture, model, rate)
    return run(lambda: probe.cost(open_model(model), data), large=_picture.large)


@kept(64)
def _switched_off(key: str, _picture: Picture, model: str, rate: Rate, channel: int) -> SwitchedOff:
    before = stream(_picture, model, rate)

    def without() -> SwitchedOff:
        after = probe.switched_off(open_model(model), before, channel)
        a, b = (np.asarray(_decoded(data)) for data in (before, after))
        a_db, b_db = (metrics.psnr_db(pixels, _picture.pixels) for pixels in (a, b))
        return SwitchedOff(before, after, a, b, a_db, b_db)

    return run(without, large=_picture.large)


@kept(200)
def _coded(key: str, _picture: Picture, model: str, rate: Rate) -> Coded:
    data, estimate = stream(_picture, model, rate), cost(_picture, model, rate).bits

    def decoded() -> Coded:
        image = _decoded(data)
        pixels = np.asarray(image)
        height, width = pixels.shape[:2]
        return Coded(
            data,
            to_png(image),
            metrics.bpp(len(data), height, width),
            estimate / (height * width),
            metrics.psnr_db(pixels, _picture.pixels),
            metrics.ms_ssim_db(pixels, _picture.pixels),
        )

    return run(decoded, large=_picture.large)


@kept(64)
def _latents(key: str, _picture: Picture, model: str, rate: Rate) -> tuple[np.ndarray, np.ndarray]:
    def latents() -> tuple[np.ndarray, np.ndarray]:
        return probe.latents(open_model(model), _picture.image, rate)

    return run(latents, large=_picture.large)


@kept(16)
def _unrounded_psnr_db(key: str, _picture: Picture, model: str, rate: Rate) -> float:
    def measured() -> float:
        return metrics.psnr_db(np.asarray(probe.unrounded(open_model(model), _picture.image, rate)), _picture.pixels)

    return run(measured, large=_picture.large)


def to_png(image: Image.Image) -> bytes:
    """A picture as PNG, quickly: it travels over the local network at most."""
    data = io.BytesIO()
    image.save(data, "PNG", compress_level=1)
    return data.getvalue()


def data_url(png: bytes) -> str:
    """PNG bytes as a URL: `st.image` shows it as it is, where it would shrink wide pictures given as bytes."""
    return "data:image/png;base64," + base64.b64encode(png).decode()
