"""Picture files made byte by byte: what Pillow itself does not write."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SWAPPED = SRGB.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
"""A profile whose red and green primaries have changed places: what it calls red is green."""


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def heic(pictures: list[Image.Image], **options) -> bytes:
    heif, data = pillow_heif.from_pillow(pictures[0]), io.BytesIO()
    for picture in pictures[1:]:
        heif.add_from_pillow(picture)
    heif.save(data, quality=100, chroma=444, **options)
    return data.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels: np.ndarray, *chunks: bytes) -> bytes:
    """(H, W), (H, W, 2), (H, W, 3) or (H, W, 4) of uint8 or uint16, with further chunks before the pixels."""
    height, width = pixels.shape[:2]
    kind = {2: 0, 3: {2: 4, 3: 2, 4: 6}.get(pixels.shape[-1], 0)}[pixels.ndim]
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    body = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def cicp(primaries: int, transfer: int, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, full]))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*xy: float) -> bytes:
    """White, red, green, blue."""
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in xy)))


def tiff(samples: np.ndarray | bytes, size: tuple[int, int], bits: tuple[int, ...], **tags: int | tuple) -> bytes:
    """Uncompressed, little-endian. ``tags``: photometric, extra, format."""
    width, height = size
    body = samples if isinstance(samples, bytes) else samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    entries = {256: (width,), 257: (height,), 258: bits, 259: (1,), 262: (tags["photometric"],), 277: (len(bits),)}
    entries |= {278: (height,)} | {
        number: tags[name] for name, number in (("extra", 338), ("format", 339)) if name in tags
    }
    entries |= {273: (0,), 279: (len(body),)}
    place = 8 + 2 + 12 * len(entries) + 4
    far, table = b"", b""
    far_start = place
    for number, values in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}H", *values)
        if number in (273, 279):
            table += struct.pack("<HHII", number, 4, 1, 0xFFFFFFFF if number == 273 else len(body))
        elif len(packed) <= 4:
            table += struct.pack("<HHI", number, 3, len(values)) + packed.ljust(4, b"\0")
        else:
            table += struct.pack("<HHII", number, 3, len(values), far_start + len(far))
            far += packed
    table = table.replace(struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", far_start + len(far)))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + table + b"\0" * 4 + far + body


def nclx(avif: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF file with other code points in its colour box."""
    place = avif.index(b"colrnclx") + 8
    return avif[:place] + struct.pack(">HH", primaries, transfer) + avif[place + 4 :]


def jp2(pixels: np.ndarray, profile: bytes) -> bytes:
    """JPEG 2000 with an ICC profile."""
    data = encoded(Image.fromarray(pixels), "JPEG2000")
    place = data.index(b"colr") - 4
    (length,) = struct.unpack_from(">I", data, place)
    box = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    header = data.index(b"jp2h") - 4
    (header_length,) = struct.unpack_from(">I", data, header)
    header_length += len(box) - length
    data = data[:place] + box + data[place + length :]
    return data[:header] + struct.pack(">I", header_length) + data[header + 4 :]


def bmp5(pixels: np.ndarray, profile: bytes = b"", kind: bytes = b"DEBM", xy: tuple = (), gamma: float = 1.0) -> bytes:
    """A BMP with the fifth version's header: an embedded profile (kind DEBM), or chromaticities of red, green, blue
    and a gamma (kind 0)."""
    height, width = pixels.shape[:2]
    stride = -(-width * 3 // 4) * 4
    body = b"".join(row[:, ::-1].tobytes().ljust(stride, b"\0") for row in pixels[::-1])
    info = struct.pack("<IiiHHIIiiII", 124, width, height, 1, 24, 0, len(body), 0, 0, 0, 0) + b"\0" * 16 + kind
    points = [round(value * 2**30) for value in xy] or [0] * 9
    info += struct.pack("<9i", *points) + struct.pack("<3I", *[round(gamma * 65536)] * 3)
    info += struct.pack("<IIII", 4, 124 + len(body), len(profile), 0)
    return b"BM" + struct.pack("<IHHI", 138 + len(body) + len(profile), 0, 0, 138) + info + body + profile


def tga32(pixels: np.ndarray, alpha_bits: int) -> bytes:
    """Uncompressed, from the top, (H, W, 4) RGBA."""
    height, width = pixels.shape[:2]
    head = bytes([0, 0, 2]) + b"\0" * 9 + struct.pack("<HHBB", width, height, 32, 0x20 | alpha_bits)
    return head + pixels[..., [2, 1, 0, 3]].tobytes()
