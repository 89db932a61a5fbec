"""The `.mae` file, version 1.

A file is a header of 35 bytes, a payload and an escape section. All integers are little-endian.

    offset  size  field
         0     4  magic: 8B 4D 41 45 ("\\x8bMAE")
         4     1  version: 1
         5     8  model: first 8 bytes of the SHA-256 over the model's tensors, entropy tables included
        13     2  rate index k, 0…384: λ = 64 · 2^(k/64)
        15     2  width in pixels, 1…65535
        17     2  height in pixels, 1…65535 (width · height ≤ 2^27)
        19     4  n, length of the payload in words of 4 bytes
        23     4  m, length of the escape section in bytes
        27     4  CRC-32 of the symbols, each as a little-endian int32, in coding order
        31     4  CRC-32 of the whole file but these four bytes
        35    4n  payload
     35+4n     m  escape section; the file ends here

**Symbols.** The picture is extended to the right and below to multiples of 16 by repeating its last column and
row. Its latents are 192 channels of (height / 16) × (width / 16) places. A symbol is round(y − median), with the
median of its channel at λ. Coding order: channel by channel, each in raster order.

**Frequencies.** For each channel the integer tables of the model give, at rate index k (see `mae_viz.tables`),
the lowest symbol `first` and frequencies for first, first + 1, … and last of all for the escape symbol; they add
up to 65536. The coder works with 24 bits: of s entries with 16-bit cumulative frequencies F₀ = 0, F₁, …, F_s, entry
i owns the interval from ⌊F_i · (2²⁴ − s) / 2¹⁶⌋ + i to ⌊F_{i+1} · (2²⁴ − s) / 2¹⁶⌋ + i + 1 (the last one up to 2²⁴).

**Payload.** A range coder (Martin 1979) with 64-bit state and 32-bit words, as `constriction` 0.4 and later
implement it (`stream.queue`). The decoder starts with lower = 0, range = 2⁶⁴ − 1, point = the first two words, the
first one in the high half; words past the end read as 0. For each symbol: scale = range >> 24; find the entry with
low ≤ (point − lower) // scale < high; lower += low · scale; range = (high − low) · scale, and for the last
entry too; where range < 2³², shift lower, range and point left by 32 and take the next word into point. Arithmetic
on lower and point is modulo 2⁶⁴.

**Escape section.** For each escape symbol in coding order, how far it lies outside: first − q for q < first as
2 · (first − q) − 1, q − last for q > last as 2 · (q − last), in LEB128 (seven bits a byte, low bits first, the
high bit says that more follow), four bytes at most.

A decoder refuses a file with a wrong magic, version, model, size, length or checksum, and one with bytes left over.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from mae_viz import rates
from mae_viz.images import MAX_PIXELS, MAX_SIDE
from mae_viz.tables import TOTAL, Frequencies

MAGIC = b"\x8bMAE"
VERSION = 1
_FIELDS = {
    "magic": "4s",
    "version": "B",
    "model": "8s",
    "rate index": "H",
    "width": "H",
    "height": "H",
    "payload words": "I",
    "escape bytes": "I",
    "CRC-32 of the symbols": "I",
    "CRC-32 of the file": "I",
}
_HEADER = struct.Struct("<" + "".join(_FIELDS.values()))
HEADER_BYTES = _HEADER.size
_CRC_OFFSET = HEADER_BYTES - 4


class StreamError(ValueError):
    """A file that is no intact `.mae` file, or one that this installation cannot decode."""


@dataclass(frozen=True)
class Stream:
    """A parsed `.mae` file, its checksum verified."""

    fingerprint: bytes
    rate_index: int
    width: int
    height: int
    payload: bytes
    escapes: bytes
    symbols_crc: int

    @property
    def lmbda(self) -> float:
        """λ that the picture was coded with."""
        return rates.at_index(self.rate_index)

    def pack(self) -> bytes:
        """The file's bytes."""
        head = _HEADER.pack(
            MAGIC,
            VERSION,
            self.fingerprint,
            self.rate_index,
            self.width,
            self.height,
            len(self.payload) // 4,
            len(self.escapes),
            self.symbols_crc,
            0,
        )[:_CRC_OFFSET]
        body = self.payload + self.escapes
        return head + struct.pack("<I", zlib.crc32(head + body)) + body


def parse(data: bytes) -> Stream:
    """Read a `.mae` file and verify its checksum. Raises StreamError for anything but an intact one."""
    if len(data) < HEADER_BYTES:
        raise StreamError(f"the file has {len(data)} bytes, less than a .mae header: it is empty or cut off.")
    magic, version, fingerprint, index, width, height, words, extra, symbols_crc, crc = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise StreamError("this is no .mae file: its first bytes are wrong.")
    if version != VERSION:
        raise StreamError(f"the file has format version {version}, this program reads {VERSION}: update mae_viz.")
    expected = HEADER_BYTES + 4 * words + extra
    if len(data) != expected:
        state = "cut off" if len(data) < expected else "followed by other bytes"
        raise StreamError(f"the file is {state}: {len(data)} bytes instead of {expected}. Fetch it again.")
    if zlib.crc32(data[HEADER_BYTES:], zlib.crc32(data[:_CRC_OFFSET])) != crc:
        raise StreamError("the file is damaged: its checksum does not match. Fetch it again.")
    if index > rates.LAST_INDEX or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise StreamError("the file names a rate or a size that does not exist: it was written by a faulty program.")
    if width * height > MAX_PIXELS:
        raise StreamError(f"the file claims {width} × {height} pixels, more than this program decodes.")
    end = HEADER_BYTES + 4 * words
    return Stream(fingerprint, index, width, height, data[HEADER_BYTES:end], data[end:], symbols_crc)


@dataclass(frozen=True)
class Part:
    """A stretch of a `.mae` file, as the specification above names it."""

    name: str
    offset: int
    size: int  # bytes
    value: str


def anatomy(data: bytes) -> list[Part]:
    """What every byte of an intact file is, in order. Raises StreamError like `parse`."""
    stream = parse(data)
    values = _HEADER.unpack_from(data)
    shown = (
        values[0].hex(" "),
        str(values[1]),
        stream.fingerprint.hex(),
        f"{stream.rate_index}: λ = {stream.lmbda:.1f}",
        *(str(value) for value in values[4:8]),
        *(f"{value:08x}" for value in values[8:]),
    )
    parts, offset = [], 0
    for (name, code), value in zip(_FIELDS.items(), shown, strict=True):
        parts.append(Part(name, offset, struct.calcsize(code), value))
        offset += parts[-1].size
    parts.append(Part("payload", offset, len(stream.payload), f"{len(stream.payload):,} bytes"))
    offset += len(stream.payload)
    return [*parts, Part("escape section", offset, len(stream.escapes), f"{len(stream.escapes):,} bytes")]


def encode_symbols(symbols: np.ndarray, models: list[Frequencies]) -> tuple[bytes, bytes]:
    """Payload and escape section of symbols, int32 (channels, places), with one model per channel."""
    from constriction import stream

    encoder, escapes = stream.queue.RangeEncoder(), bytearray()
    for row, model in zip(symbols, models, strict=True):
        escape = len(model.counts) - 1
        entries = row - model.first
        outside = (entries < 0) | (entries >= escape)
        for entry in entries[outside].tolist():
            escapes += _leb128(-2 * entry - 1 if entry < 0 else 2 * (entry - escape + 1))
        encoder.encode(np.where(outside, escape, entries).astype(np.int32), _categorical(model))
    return encoder.get_compressed().astype("<u4").tobytes(), bytes(escapes)


def decode_symbols(payload: bytes, escapes: bytes, models: list[Frequencies], places: int) -> np.ndarray:
    """Symbols, int32 (channels, places). Raises StreamError where payload and models do not fit."""
    from constriction import stream

    decoder = stream.queue.RangeDecoder(np.frombuffer(payload, "<u4").astype(np.uint32))
    symbols = np.empty((len(models), places), np.int32)
    position = 0
    for row, model in zip(symbols, models, strict=True):
        escape = len(model.counts) - 1
        try:
            entries = decoder.decode(_categorical(model), places)
        except AssertionError:  # what constriction raises for words that no encoder writes
            raise StreamError(_unfitting) from None
        for place in np.flatnonzero(entries == escape):
            code, position = _read_leb128(escapes, position)
            entries[place] = -(code + 1) // 2 if code % 2 else escape - 1 + code // 2
        row[:] = entries + model.first
    if position != len(escapes):
        raise StreamError(_unfitting)
    return symbols


_unfitting = "the file's contents contradict each other: it was written by a faulty program."


def _categorical(model: Frequencies):
    from constriction import stream

    # sixteen-bit counts are exact in float64, and so is everything that constriction does with them
    return stream.model.Categorical(model.counts / TOTAL, perfect=False)


def _leb128(code: int) -> bytes:
    out = bytearray()
    while code >= 128:
        out.append(code & 127 | 128)
        code >>= 7
    out.append(code)
    if len(out) > 4:
        raise ValueError("a symbol lies too far outside its table: this model cannot code this picture.")
    return bytes(out)


def _read_leb128(data: bytes, position: int) -> tuple[int, int]:
    code = 0
    for shift in range(0, 28, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        code |= (byte & 127) << shift
        if byte < 128:
            if code == 0:
                break
            return code, position
    raise StreamError(_unfitting)
