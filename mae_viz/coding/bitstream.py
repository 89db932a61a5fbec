"""The `.mae` file, version 2.

A file is a header of 35 bytes, a payload and an escape section. All integers are little-endian.

    offset  size  field
         0     4  magic: 8B 4D 41 45 ("\\x8bMAE")
         4     1  version: 2
         5     8  model: first 8 bytes of the SHA-256 over the model's tensors, all integer tables included
        13     2  rate index k, 0…384: λ = 64 · 2^(k/64)
        15     2  width in pixels, 1…65535
        17     2  height in pixels, 1…65535 (width · height ≤ 2^27)
        19     4  n, length of the payload in words of 4 bytes
        23     4  m, length of the escape section in bytes
        27     4  CRC-32 of the bytes 5 to 18 (model, rate and size) and of the symbols (with hyperprior: of z's, then
                  of y's), each as a little-endian int32, channel by channel in raster order
        31     4  CRC-32 of the whole file but these four bytes
        35    4n  payload
     35+4n     m  escape section; the file ends here

**Symbols.** The picture is extended to the right and below to multiples of 16 (of 64 for a model with hyperprior) by
repeating its last column and row. Its latents y are C channels (192 in the models that ship) of (height / 16) ×
(width / 16) places.

Without hyperprior a symbol is round(y − median), with the median of its channel at λ. Coding order: channel by
channel, each in raster order; each channel is a group with a table of its own.

With hyperprior the side information z comes first, C channels of (height / 64) × (width / 64) places coded in just
this way. From its symbols the decoder computes a scale index, 0 … 63, for every place of y, in integers alone (see
`hyper.py`). A symbol of y is round(y). They follow z in the same payload and escape section, in 64 groups, that of
index 0 first: group i holds the symbols whose scale index is i, channel by channel in raster order, with table i.

**Frequencies.** For each group the integer tables of the model give, at rate index k (`entropy_tables.py`), the lowest
symbol `first` and frequencies for first, first + 1, … and last of all for the escape symbol; they add up to 65536. The
coder works with 24 bits: of s entries with 16-bit cumulative frequencies F₀ = 0, F₁, …, F_s, entry
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

**Version 1**, which is still read, differs in the CRC-32 at offset 27 alone: it is of the symbols and nothing else, and
does not notice where a forged file claims another size with as many latents.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mae_viz.coding.entropy_tables import Frequencies
from mae_viz.images import MAX_PIXELS, MAX_SIDE
from mae_viz.rates import LAST_INDEX, Rate

MAGIC = b"\x8bMAE"
"""What every file begins with."""

VERSION = 2
"""Of the files that are written."""

_VERSIONS = (1, 2)
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
"""Length of the header, 35."""

_CRC_OFFSET = HEADER_BYTES - 4
_FACTS = slice(5, 19)


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
    version: int = VERSION

    @property
    def rate(self) -> Rate:
        """Its place on the grid of λ."""
        return Rate(self.rate_index)

    @property
    def lmbda(self) -> float:
        """λ that the picture was coded with."""
        return self.rate.lmbda

    def pack(self) -> bytes:
        """The file's bytes."""
        head, body = self._header()[:_CRC_OFFSET], self.payload + self.escapes
        return head + struct.pack("<I", zlib.crc32(head + body)) + body

    def checksum(self, groups: Sequence[np.ndarray]) -> int:
        """What `symbols_crc` is for these symbols: those of y, with a hyperprior those of z before them."""
        crc = zlib.crc32(self._header()[_FACTS]) if self.version > 1 else 0
        for symbols in groups:
            crc = zlib.crc32(np.ascontiguousarray(symbols, "<i4").data, crc)
        return crc

    def _header(self) -> bytes:
        """The header, with 0 for the CRC-32 of the file."""
        return _HEADER.pack(
            MAGIC,
            self.version,
            self.fingerprint,
            self.rate_index,
            self.width,
            self.height,
            len(self.payload) // 4,
            len(self.escapes),
            self.symbols_crc,
            0,
        )


class Header(NamedTuple):
    """What the first HEADER_BYTES of a `.mae` file say."""

    magic: bytes
    version: int
    fingerprint: bytes
    rate_index: int
    width: int
    height: int
    words: int
    """Of the payload, 4 bytes each."""
    escape_bytes: int
    symbols_crc: int
    file_crc: int


def header(data: bytes, length: int) -> Header:
    """The header of a file of ``length`` bytes that begins with ``data``; whether all is intact `parse` alone can say.

    Raises StreamError for what is no `.mae` file, one of another length than it says, or one with values that none has.
    """
    found = _unpacked(data, length)
    _check(found)
    return found


def parse(data: bytes) -> Stream:
    """Read a `.mae` file and verify its checksum. Raises StreamError for anything but an intact one."""
    found = _unpacked(data, len(data))
    if zlib.crc32(data[HEADER_BYTES:], zlib.crc32(data[:_CRC_OFFSET])) != found.file_crc:
        raise StreamError("the file is damaged: its checksum does not match. Fetch it again.")
    _check(found)
    end = HEADER_BYTES + 4 * found.words
    return Stream(*found[2:6], data[HEADER_BYTES:end], data[end:], found.symbols_crc, found.version)


def _unpacked(data: bytes, length: int) -> Header:
    if length < HEADER_BYTES:
        raise StreamError(f"the file has {length} bytes, less than a .mae header: it is empty or cut off.")
    found = Header(*_HEADER.unpack_from(data))
    if found.magic != MAGIC:
        raise StreamError("this is no .mae file: its first bytes are wrong.")
    if found.version not in _VERSIONS:
        raise StreamError(f"the file has format version {found.version}, this program reads 1 and 2: update mae_viz.")
    expected = HEADER_BYTES + 4 * found.words + found.escape_bytes
    if length != expected:
        state = "cut off" if length < expected else "followed by other bytes"
        raise StreamError(f"the file is {state}: {length} bytes instead of {expected}. Fetch it again.")
    return found


def _check(found: Header) -> None:
    if found.rate_index > LAST_INDEX or not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE):
        raise StreamError("the file names a rate or a size that does not exist: it was written by a faulty program.")
    if found.width * found.height > MAX_PIXELS:
        raise StreamError(f"the file claims {found.width} × {found.height} pixels, more than this program decodes.")


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
    values = header(data, len(data))
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


class SymbolEncoder:
    """Writes groups of symbols, one table each, into one payload and one escape section."""

    def __init__(self) -> None:
        from constriction import stream

        self._coder, self._escapes = stream.queue.RangeEncoder(), bytearray()

    def add(self, symbols: np.ndarray, models: list[Frequencies]) -> None:
        """Groups of symbols, int32 (groups, places), with a table for each group."""
        if not symbols.size:
            return
        first, escape = np.array([(model.first, len(model.counts) - 1) for model in models], np.int32).T[..., None]
        entries = symbols - first
        outside = entries.view(np.uint32) >= escape.view(np.uint32)  # what is negative counts as huge
        for group, place in _places(outside):
            entry, end = int(entries[group, place]), int(escape[group, 0])
            self._escapes += _leb128(-2 * entry - 1 if entry < 0 else 2 * (entry - end + 1))
            entries[group, place] = end
        for group, model in zip(entries, models, strict=True):
            self._coder.encode(group, model.categorical)

    def sections(self) -> tuple[bytes, bytes]:
        """Payload and escape section of all that was added."""
        return self._coder.get_compressed().astype("<u4").tobytes(), bytes(self._escapes)


class SymbolDecoder:
    """Reads what `SymbolEncoder` wrote, given the same tables in the same order."""

    def __init__(self, payload: bytes, escapes: bytes):
        from constriction import stream

        self._payload_bytes, self._escapes, self._position = len(payload), escapes, 0
        self._least_bits = 0.0
        self._coder = stream.queue.RangeDecoder(np.frombuffer(payload, "<u4").astype(np.uint32))

    def check_room(self, models: list[Frequencies], places: int | np.ndarray) -> None:
        """Raises StreamError where so many further symbols of each group cannot be in so short a payload.

        To be asked once of all that will be taken, and before memory is taken for it: a header may claim any size.
        """
        self._least_bits += float(np.sum(places * np.array([model.least_bits for model in models])))
        if 0.9 * self._least_bits / 8 > self._payload_bytes + 16:
            raise StreamError("the file claims more pixels than it can hold: it was written by a faulty program.")

    def take(self, models: list[Frequencies], places: int) -> np.ndarray:
        """The next groups of symbols, int32 (groups, places). Raises StreamError where they do not fit their tables."""
        entries = np.empty((len(models), places), np.int32)
        if not entries.size:
            return entries
        try:
            for group, model in zip(entries, models, strict=True):
                group[:] = self._coder.decode(model.categorical, places)
        except AssertionError:  # what constriction raises for words that no encoder writes
            raise StreamError(_unfitting) from None
        first, escape = np.array([(model.first, len(model.counts) - 1) for model in models], np.int32).T[..., None]
        for group, place in _places(entries == escape):
            code, self._position = _read_leb128(self._escapes, self._position)
            entries[group, place] = -(code + 1) // 2 if code % 2 else int(escape[group, 0]) - 1 + code // 2
        entries += first
        return entries

    def finish(self) -> None:
        """Raises StreamError where escapes are left over."""
        if self._position != len(self._escapes):
            raise StreamError(_unfitting)


_unfitting = "the file's contents contradict each other: it was written by a faulty program."


def _places(mask: np.ndarray) -> list[tuple[int, int]]:
    """Row and column of what is true, row by row; where that is little, much faster than numpy.nonzero."""
    return [divmod(index, mask.shape[1]) for index in np.flatnonzero(mask).tolist()]


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
