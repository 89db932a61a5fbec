"""Pictures in and out: 8-bit sRGB is what every codec here sees, whatever the file held.

What `open_rgb` does, in this order: the first frame of an animation is taken, of several pictures the primary one; an
EXIF orientation is applied; samples of 12 and 16 bits are rounded to 8 (Pillow reads 16-bit colour as 8 bits itself);
colours are converted to sRGB, as `mae_viz.colour` says (where a file says nothing of them sRGB is assumed; CMYK without
a profile goes by Pillow's formula); transparency is laid on white; grey becomes three equal channels. Metadata is
dropped.
"""

import json
import logging
import math
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from mae_viz import apart, colour
from mae_viz.formats import CUT_OFF, SUFFIXES, ImageError, Opened, bounded, opened

MAX_PIXELS = 1 << 27
"""Pictures above 134 megapixels are refused, before they are decoded."""

MAX_SIDE = 65535
"""Pixels of the longest side that is read: what a `.mae` file can name."""

MAX_BYTES = 8 * MAX_PIXELS
"""Longer files are refused before they are read: so long is the largest picture with four channels of 16 bits."""

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray
"""What `open_rgb` reads: a path, the bytes of a file, a picture, or a uint8 array (H, W), (H, W, 3) or (H, W, 4)."""

_LEAST_S = 5.0
_S_PER_PIXEL = 1e-6  # a photograph takes a tenth of it in JPEG 2000 without loss, and less in all else

_log = logging.getLogger(__name__)


def open_rgb(source: ImageSource, max_pixels: int = MAX_PIXELS, seconds: float | None = None) -> Image.Image:
    """Any picture as an RGB `PIL.Image`.

    What a user should know about how it was read (the first frame of an animation, last bytes that are missing, HDR)
    is in its ``info["notes"]``, a list of sentences that is there if there are any, and is logged as a warning.

    ``seconds``: how long a file may take that could take any time (`formats.bounded`), in time of the processors; by
    default 5, and one more for each megapixel. Such files are decoded in a process of their own (`mae_viz.apart`).

    Raises ImageError with a sentence for what is none, for more than ``max_pixels`` before decoding them, and for what
    takes longer.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        picture = _decoded(source, max_pixels)
    elif isinstance(source, bytes | str | os.PathLike):
        data = source if isinstance(source, bytes) else read(Path(source))
        picture = _decoded(data, max_pixels) if bounded(data) else _decoded_apart(data, max_pixels, seconds)
    else:
        raise ImageError(f"{type(source).__name__} is no picture: give a path, bytes, a PIL image or an array.")
    name = f"{Path(source).name}: " if isinstance(source, str | os.PathLike) else ""
    for note in picture.info.get("notes", ()):
        _log.warning("%s%s", name, note)
    return picture


def _decoded(
    source: Image.Image | bytes, max_pixels: int, sized: Callable[[int], None] = lambda pixels: None
) -> Image.Image:
    """What `open_rgb` returns; ``sized`` hears how many pixels there are before they are decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures (`_check_size` has the say) and of damaged ones
            if isinstance(source, Image.Image):
                found = Opened(source, source.info.get("icc_profile"))
            else:
                found = opened(source)
            _check_size(*found.image.size, max_pixels)
            sized(math.prod(found.image.size))
            picture = _to_rgb(found)
    except UnidentifiedImageError:
        raise ImageError(
            "this is no picture that can be read here: try PNG, JPEG, WebP, AVIF, HEIC or TIFF with 8 or 16 bits."
        ) from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(max_pixels)) from None
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise all sorts of things over damaged files
        raise ImageError(f"the picture is damaged or cut off ({error}): export it again.") from None
    if found.notes:
        picture.info["notes"] = found.notes
    return picture


def _decoded_apart(data: bytes, max_pixels: int, seconds: float | None) -> Image.Image:
    least, each = (_LEAST_S, _S_PER_PIXEL) if seconds is None else (seconds, 0.0)
    try:
        told, pixels = apart.ask(
            __name__, "answer", {"max_pixels": max_pixels, "seconds": least, "of_each": each}, data
        )
    except apart.LateError:
        more = f", and {1e6 * each:g} s more for each megapixel" if each else ""
        said = f"the picture takes longer than {least:g} s to decode{more}: export it again, as PNG."
        raise ImageError(said) from None
    except apart.CrashError:
        raise ImageError("the picture is damaged: its decoder crashed. Export it again.") from None
    if "error" in told:
        raise ImageError(told["error"])
    picture = Image.frombytes("RGB", tuple(told["size"]), pixels)
    picture.info |= told["info"]
    return picture


def answer(said: dict, data: bytes) -> apart.Answer:
    """`open_rgb` in a process of its own."""
    apart.limit(said["seconds"])
    try:
        picture = _decoded(
            data, said["max_pixels"], lambda pixels: apart.limit(said["seconds"] + pixels * said["of_each"])
        )
    except ImageError as error:
        return {"error": str(error)}, b""
    return {"size": picture.size, "info": picture.info}, picture.tobytes()


def open_whole(source: ImageSource) -> Image.Image:
    """As `open_rgb`, to measure or train on: raises ImageError too for a file that lacks its last bytes."""
    picture = open_rgb(source)
    if CUT_OFF in picture.info.get("notes", ()):
        raise ImageError("the picture is damaged or cut off: export it again.")
    return picture


def names_in(folder: Path, suffixes: frozenset[str] = SUFFIXES) -> list[str]:
    """The pictures in a folder and in those below it, as `pictures_among` says: paths from there, with slashes."""
    inside = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return pictures_among(inside, suffixes)


def pictures_among(names: Iterable[str], suffixes: frozenset[str] = SUFFIXES) -> list[str]:
    """Those of a folder's or a zip's files that their suffixes call pictures, in order, without hidden ones.

    What macOS lays beside pictures (``._photo.jpg``) is logged as skipped.
    """
    named = sorted((name for name in names if PurePosixPath(name).suffix.lower() in suffixes), key=PurePosixPath)
    beside = [name for name in named if PurePosixPath(name).name.startswith("._")]
    if beside:
        _log.warning("skipped %d files such as %s: macOS's notes on other files, no pictures.", len(beside), beside[0])
    return [name for name in named if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)]


def read(path: Path) -> bytes:
    """The bytes of a picture's file. Raises ImageError where there is none, and for more than MAX_BYTES."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(TOO_LONG)
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"there is no file {path}.") from None
    except IsADirectoryError:
        raise ImageError(f"{path} is a folder: name a picture in it.") from None
    except OSError as error:
        raise ImageError(f"{path} cannot be read ({error.strerror}).") from None


TOO_LONG = f"the file has more than {MAX_BYTES / 1e9:.1f} GB: no picture that is read here is so long."
"""What is said of a file that is longer than MAX_BYTES."""


def _too_large(max_pixels: int) -> str:
    return f"the picture has more than {max_pixels / 1e6:.0f} megapixels: scale it down or crop it first."


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width < 1 or height < 1:
        raise ImageError("the picture has no pixels.")
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        raise ImageError(_too_large(max_pixels))


def _from_array(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(f"an array must be uint8 (H, W), (H, W, 3) or (H, W, 4), not {array.dtype}{array.shape}.")
    if 0 in array.shape:
        raise ImageError("the picture has no pixels.")
    return Image.fromarray(array)


def _to_rgb(found: Opened) -> Image.Image:
    image, alpha = _eight_bits(_upright(found.image), found)
    if image.mode in ("P", "PA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "La":
        image = image.convert("LA")
    if image.mode in ("RGBA", "LA"):
        if found.alpha:
            alpha = image.getchannel("A")
        image = image.convert(image.mode[:-1])
    image = _to_srgb(image, found)
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    pixels = Image.new("RGB", image.size)  # and nothing else: no metadata travels on
    pixels.paste(image)
    return pixels


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        turn = _TURNS.get(image.getexif().get(0x0112, 1))
    except Exception:  # damaged EXIF says nothing, whatever Pillow raises over it
        turn = None
    return image if turn is None else image.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientations → how to turn such a picture."""


def _eight_bits(image: Image.Image, found: Opened) -> tuple[Image.Image, Image.Image | None]:
    """The picture with 8 bits per channel; a mask, where one grey value of more bits stands for transparency."""
    if image.mode == "F":
        raise ImageError("floating-point pictures have no defined range: save it with 8 or 16 bits per channel.")
    if not image.mode.startswith("I"):
        return image, None
    wide, largest = np.asarray(image).astype(np.int64), 2**found.bits - 1
    if wide.min() < 0 or wide.max() > largest:
        raise ImageError(f"grey values beyond 0 to {largest} have no defined meaning: save it with 8 or 16 bits.")
    transparent = image.info.get("transparency")
    mask = None if transparent is None else Image.fromarray(np.where(wide == transparent, 0, 255).astype(np.uint8))
    if found.white_is_zero:
        wide = largest - wide
    return Image.fromarray(((wide * 255 + largest // 2) // largest).astype(np.uint8)), mask


def _to_srgb(image: Image.Image, found: Opened) -> Image.Image:
    if found.profile and (converted := colour.by_profile(image, found.profile)):
        return converted
    image = image.convert("RGB")
    if not found.stated:
        return image
    if found.stated.hdr:
        found.notes.append(f"the picture is HDR ({found.stated.hdr}): its tones are mapped to a common screen's.")
    return found.stated.to_srgb(image)


@dataclass(frozen=True)
class Photograph:
    """A bundled photograph, free to redistribute."""

    name: str
    title: str
    look_for: str
    credit: str
    path: Path
    counterexample: str = ""
    """Where it contradicts what most of them show, how and why."""


def gallery() -> dict[str, Photograph]:
    """The bundled photographs by name, in the app's order: the first is one that shows the MAE's gain clearly."""
    folder = Path(__file__).parent / "gallery"
    credits = json.loads((folder / "credits.json").read_text(encoding="utf-8"))
    return {
        name: Photograph(name, c["title"], c["look_for"], c["credit"], folder / c["file"], c.get("counterexample", ""))
        for name, c in credits.items()
    }


def bundled_or_file(image: str) -> tuple[Image.Image, str]:
    """A bundled photograph by its name, or else the picture in a file; and what to call it: its title, or its stem.

    Raises ImageError.
    """
    photograph = gallery().get(image)
    if photograph:
        return open_rgb(photograph.path), photograph.title
    return open_rgb(image), Path(image).stem
