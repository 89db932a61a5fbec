"""Files of pictures: what each format says that Pillow does not pass on, and what is refused before it is decoded.

One function for each format takes a file's bytes to an `Opened`: a picture not yet decoded, its colours, and what a
user should know about it.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from PIL import Image, ImageFile, UnidentifiedImageError

from mae_viz import colour

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "avif", "heic", "heif", "hif", "tif", "tiff", "bmp"),
        *("jp2", "j2k", "jpc", "jpx", "gif", "ppm", "pgm", "pbm", "pnm", "tga"),
    )
)
"""What the names of pictures end with; whether a file is one, and which, its first bytes say."""

CUT_OFF = "the file lacks its last bytes: what they held of the picture is grey."

_ICC_LIMIT = 1 << 24
_SCANS_LIMIT = 100  # encoders write 10 or so; each goes over the whole picture, however few bytes it has
_SCANNED_LIMIT = 1 << 31  # pixels of all scans: 16 of the largest picture


class ImageError(ValueError):
    """A picture that cannot be read or coded."""


@dataclass
class Opened:
    """A picture in a file, not yet decoded."""

    image: Image.Image
    profile: bytes | None = None
    """An ICC profile."""
    stated: colour.Stated | None = None
    """Colours, where there is no profile."""
    white_is_zero: bool = False
    bits: int = 16
    """Of samples that Pillow hands over in 16."""
    alpha: bool = True
    """Whether a fourth channel, or a second, is transparency."""
    notes: list[str] = field(default_factory=list)
    """Sentences."""


def opened(data: bytes) -> Opened:
    """The picture in a file's bytes.

    Raises ImageError with a sentence for what has no defined meaning, UnidentifiedImageError for what is no picture in
    one of the formats that this module knows, and all that Pillow's readers raise over damaged files.
    """
    for pattern, reader, _ in _READERS:
        if re.match(pattern, data, re.DOTALL):
            return reader(data)
    raise UnidentifiedImageError


def bounded(data: bytes) -> bool:
    """Whether a file that `opened` takes is decoded in a time that its size and its header bound.

    Of PNG, WebP and TGA a decoder goes over every pixel once, of JPEG as often as there are scans, which are counted.
    All others may take any time: AV1 and HEVC hide frames in a picture, GIF and TIFF hold any number of them, which
    Pillow counts one by one, tiles and layers of JPEG 2000 overlap, and PPM and BMP have forms that Python decodes.
    """
    return next((known for pattern, _, known in _READERS if re.match(pattern, data, re.DOTALL)), True)


def _plain(form: str) -> Callable[[bytes], Opened]:
    def read(data: bytes) -> Opened:
        image = _image(data, form)
        return Opened(image, image.info.get("icc_profile"), notes=_frames(image, "frames"))

    return read


def _image(data: bytes, form: str) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(data), formats=[form])


def _frames(image: Image.Image, what: str) -> list[str]:
    count = getattr(image, "n_frames", 1)
    return [f"of {count} {what} in the file the first is taken."] if count > 1 else []


def _png(data: bytes) -> Opened:
    """PNG: chunks that the picture does not need are left out, so that no damage or size of theirs matters. Of what
    is said about its colours cICP comes first, then iCCP, sRGB, and gAMA with cHRM."""
    needed: list[bytes] = [data[:8]]
    further: dict[bytes, bytes] = {}
    for kind, body, whole in _chunks(data):
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            needed.append(whole)
        else:
            further.setdefault(kind, body)
    image = _image(b"".join(needed), "PNG")
    if b"eXIf" in further:
        image.info["exif"] = b"Exif\0\0" + further[b"eXIf"]
    result = Opened(image, _iccp(further.get(b"iCCP", b"")))
    primaries, transfer, matrix, full = further.get(b"cICP", b"").ljust(4, b"\0")[:4]
    if matrix == 0 and full == 1 and (stated := colour.by_code(primaries, transfer)):
        result.profile, result.stated = None, stated
    elif not result.profile and b"sRGB" not in further and len(further.get(b"gAMA", b"")) == 4:
        chrm = further.get(b"cHRM", b"")
        points = tuple(value / 100_000 for value in struct.unpack(">8I", chrm)) if len(chrm) == 32 else None
        result.stated = colour.by_gamma(int.from_bytes(further[b"gAMA"]) / 100_000, points)
    frames = int.from_bytes(further.get(b"acTL", b"")[:4])
    if frames > 1:
        result.notes.append(f"of {frames} frames in the file the first is taken.")
    depth, colour_type = data[24:26]
    transparent = image.info.get("transparency")
    if colour_type == 0 and 1 < depth < 8 and transparent is not None:
        image.info["transparency"] = transparent * 255 // (2**depth - 1)  # Pillow spreads the samples, but not this
    if colour_type == 2 and depth == 16 and transparent is not None:
        raise ImageError("its transparent colour has 16 bits per channel: save the picture with an alpha channel.")
    return result


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """A PNG file's chunks: kind, body, and all bytes."""
    place = 8
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length], data[place : place + 12 + length]
        place += 12 + length


def _iccp(body: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(body[body.index(b"\0") + 2 :], _ICC_LIMIT)
    except (ValueError, zlib.error):
        return None


_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])")
"""Of a segment, with its length behind it."""


def _jpeg(data: bytes) -> Opened:
    """JPEG: one that lacks its last bytes is decoded as far as it goes, one of very many scans is refused."""
    scans, place, whole = 0, 2, False
    while (marker := _MARKER.search(data, place)) and not whole:
        place, kind = marker.end(), marker[1]
        whole = kind == b"\xd9"
        scans += kind == b"\xda"
        place += int.from_bytes(data[place : place + 2])
    notes = []
    if scans and not whole:
        data += b"\xff\xd9"
        notes.append(CUT_OFF)
    image = _image(data, "JPEG")
    if scans > min(_SCANS_LIMIT, _SCANNED_LIMIT // (image.width * image.height)):
        raise ImageError(f"the JPEG has {scans} scans, which take too long: export it again.")
    return Opened(image, image.info.get("icc_profile"), notes=notes)


def _tiff(data: bytes) -> Opened:
    image = _image(data, "TIFF")
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits, kinds = tags.get(258, (1,)), set(tags.get(339, (1,)))
    if kinds & {3, 6}:
        raise ImageError("floating-point pictures have no defined range: save it with 8 or 16 bits per channel.")
    if kinds != {1} or max(bits) > 16:
        raise ImageError(
            "samples with a sign or more than 16 bits have no defined range: save it with 8 or 16 bits per channel."
        )
    result = Opened(image, image.info.get("icc_profile"), notes=_frames(image, "pages"))
    result.bits = bits[0]
    result.white_is_zero = tags.get(262) == 0
    if tags.get(262) == 2 and len(bits) == 4 and 338 not in tags:
        result.alpha = False
        result.notes.append("the file does not say what its fourth channel is: it is left out.")
    return result


def _tga(data: bytes) -> Opened:
    return Opened(_image(data, "TGA"), alpha=bool(data[17] & 15))


def _bmp(data: bytes) -> Opened:
    result = Opened(_image(data, "BMP"))
    if len(data) >= 138 and data[14:18] == struct.pack("<I", 124) and data[70:74] == b"DEBM":  # LINK, EMBD: backwards
        offset, size = struct.unpack_from("<II", data, 126)
        result.profile = data[14 + offset : 14 + offset + size]
    return result


def _jpeg2000(data: bytes) -> Opened:
    result = Opened(_image(data, "JPEG2000"))
    for kind, body in _boxes(data):
        if kind == b"jp2h":
            said = (box for name, box in _boxes(body) if name == b"colr")
            result.profile = next((box[3:] for box in said if box[:1] in (b"\2", b"\3")), None)
    return result


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        if length < 8:  # to the end of the file, or above 4 GB
            return
        yield kind, data[place + 8 : place + length]
        place += length


def _avif(data: bytes) -> Opened:
    result = _plain("AVIF")(data)
    if not result.profile:
        import pillow_heif

        with suppress(Exception):  # it raises all sorts of things, over files that libavif reads
            result.stated = _nclx(pillow_heif.open_heif(data).info)  # Pillow does not pass the code points on
    return result


def _heif(data: bytes) -> Opened:
    """HEIC and HEIF: the primary one of its pictures."""
    from pillow_heif import HeifImageFile

    image = HeifImageFile(io.BytesIO(data))
    result = Opened(image, image.info.get("icc_profile"))
    if not result.profile:
        result.stated = _nclx(image.info)
    if image.n_frames > 1:
        result.notes.append(f"of {image.n_frames} pictures in the file the primary one is taken.")
    return result


def _nclx(info: dict) -> colour.Stated | None:
    said = info.get("nclx_profile")
    return colour.of_video(said["color_primaries"], said["transfer_characteristics"]) if said else None


def _jpeg_xl(data: bytes) -> Opened:
    # the plugin for Pillow is under the GPL, and decodes all of a picture before it says how large that is
    raise ImageError("JPEG XL is not read here: convert it to PNG first (djxl does).")


_READERS: list[tuple[bytes, Callable[[bytes], Opened], bool]] = [
    (rb"\x89PNG\r\n\x1a\n", _png, True),
    (rb"\xff\xd8\xff", _jpeg, True),
    (rb"RIFF....WEBP", _plain("WEBP"), True),
    (rb"....ftypavi[fs]", _avif, False),
    (rb"....ftyp(mif1|msf1)....(....){0,16}?avi[fs]", _avif, False),
    (rb"....ftyp(hei|hev|mif1|msf1)", _heif, False),
    (rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+", _tiff, False),
    (rb"BM", _bmp, False),
    (rb"\xff\x4f\xff\x51|\x00\x00\x00\x0cjP  \r\n\x87\n", _jpeg2000, False),
    (rb"\xff\n|\x00\x00\x00\x0cJXL \r\n\x87\n", _jpeg_xl, True),
    (rb"GIF8[79]a", _plain("GIF"), False),
    (rb"P[1-6]\s", _plain("PPM"), False),
    (rb".[\x00\x01][\x01\x02\x03\x09\x0a\x0b].{13}[\x01\x08\x10\x18\x20]", _tga, True),
]
"""How files begin, who reads them, and whether that is `bounded`."""
