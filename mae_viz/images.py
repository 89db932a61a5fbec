"""Pictures in and out: 8-bit sRGB is what every codec here sees, whatever the file held.

What `open_rgb` does, in this order: the first frame of an animation is taken; an EXIF orientation is applied;
an embedded colour profile is converted to sRGB (without one sRGB is assumed; CMYK without one by Pillow's
formula); transparency is laid on white; grey becomes three equal channels; 16 bits per channel are rounded
to 8. Metadata is dropped.
"""

import io
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MAX_PIXELS = 1 << 27
"""Pictures above 134 megapixels are refused, before they are decoded."""

MAX_SIDE = 65535

ImageSource = str | os.PathLike[str] | bytes | Image.Image | np.ndarray
"""What `open_rgb` reads: a path, the bytes of a file, a picture, or a uint8 array (H, W), (H, W, 3) or (H, W, 4)."""


class ImageError(ValueError):
    """A picture that cannot be read or coded."""


def open_rgb(source: ImageSource, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Any picture as an RGB `PIL.Image`.

    Raises ImageError with a sentence for what is none, and for more than ``max_pixels`` before decoding them.
    """
    if isinstance(source, np.ndarray):
        source = _from_array(source)
    if isinstance(source, Image.Image):
        _check_size(*source.size, max_pixels)
        return _to_rgb(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures (`_check_size` has the say) and of damaged ones
            with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
                _check_size(*image.size, max_pixels)
                return _to_rgb(image)
    except FileNotFoundError as error:
        raise ImageError(f"there is no file {error.filename}.") from None
    except IsADirectoryError as error:
        raise ImageError(f"{error.filename} is a folder: name a picture in it.") from None
    except UnidentifiedImageError:
        raise ImageError("this is no picture that Pillow can read: try PNG, JPEG, WebP, AVIF or TIFF.") from None
    except Image.DecompressionBombError:
        raise ImageError(_too_large(max_pixels)) from None
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise all sorts of things over damaged files
        raise ImageError(f"the picture is damaged or cut off ({error}): export it again.") from None


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


def _to_rgb(image: Image.Image) -> Image.Image:
    if getattr(image, "is_animated", False):
        image.seek(0)
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ImageError("floating-point pictures have no defined range: save it with 8 or 16 bits per channel.")
    if image.mode.startswith("I"):  # 16 bits per channel; Pillow reads such colour files as 8 bits itself
        wide = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        image = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGB" if image.mode == "RGBA" else "L")
    image = _to_srgb(image, profile)
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    return Image.fromarray(np.asarray(image))  # pixels alone: no metadata travels on


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            assert converted is not None  # it is None for a change in place alone
            return converted
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that fits neither the mode nor the standard says nothing about the colours
    return image.convert("RGB")


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
