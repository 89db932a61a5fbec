"""Mutated `.mae` files against `info` and `decompress`: no crash, no hang, no wrong picture that is not reported.

    python benchmarks/fuzz.py --count 100000 [--seed 0]

Half of the files are mutated as they are (the checksum must find every change); half get their checksum repaired, so
that the damage reaches the header's checks, the coder and the check of the symbols. Each must end in a sentence or in
the very symbols of the file it was made from, within LIMIT_S. A run of 2,000 is part of the tests.
"""

import argparse
import random
import re
import resource
import struct
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from mae_viz.coding import bitstream, checkpoints, coder

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
LIMIT_S = 5.0
"""No file of the corpus takes a tenth of this; a busy machine may."""


def mutated(data: bytes, random_: random.Random) -> bytes:
    """One to four changes: bits, bytes, stretches deleted, inserted or filled, header fields set to extremes."""
    out = bytearray(data)
    for _ in range(random_.choice((1, 1, 1, 2, 4))):
        at = random_.randrange(len(out)) if random_.random() < 0.6 else random_.randrange(min(len(out), 36))
        kind = random_.randrange(7)
        if kind == 0:
            out[at] ^= 1 << random_.randrange(8)
        elif kind == 1:
            out[at] = random_.randrange(256)
        elif kind == 2:
            del out[at : at + random_.choice((1, 2, 4, 40))]
        elif kind == 3:
            out[at:at] = random_.randbytes(random_.choice((1, 2, 4, 40)))
        elif kind == 4:
            out[at : at + 4] = random_.choice((b"\0" * 4, b"\xff" * 4, b"\x80\0\0\0", random_.randbytes(4)))
        elif kind == 5:
            offset, size = random_.choice(((13, 2), (15, 2), (17, 2), (19, 4), (23, 4), (27, 4)))
            out[offset : offset + size] = random_.choice(
                ((0).to_bytes(size, "little"), b"\xff" * size, random_.randrange(2000).to_bytes(size, "little"))
            )
        else:
            out = out[: random_.randrange(len(out))]
        if not out:
            return b""
    return bytes(out)


def repaired(data: bytes) -> bytes:
    """The same file with lengths and checksum that fit, as far as it has a header."""
    if len(data) < bitstream.HEADER_BYTES:
        return data
    out = bytearray(data)
    body = len(out) - bitstream.HEADER_BYTES
    words, extra = struct.unpack_from("<II", out, 19)
    if 4 * words + extra != body:
        extra = min(extra, body) if extra < 64 else 0
        struct.pack_into("<II", out, 19, (body - extra) // 4, body - (body - extra) // 4 * 4)
    crc = zlib.crc32(out[bitstream.HEADER_BYTES :], zlib.crc32(out[: bitstream.HEADER_BYTES - 4]))
    struct.pack_into("<I", out, bitstream.HEADER_BYTES - 4, crc)
    return bytes(out)


def corpus() -> dict[str, bytes]:
    """The files to mutate: the golden ones."""
    return {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.mae"))}


def trial(name: str, original: bytes, changed: bytes, intact: list[np.ndarray]) -> str:
    """What became of a mutated file. Raises AssertionError for anything but a sentence or the original symbols."""
    model = model_of(name)
    start = time.perf_counter()
    try:
        coder.info(changed)
        parsed = bitstream.parse(changed)
        symbols = coder.decode_symbols(coder.find_checkpoint(parsed, model), parsed)
        if parsed.width * parsed.height < 1 << 16:
            coder.decompress(changed, model)
    except bitstream.StreamError as error:
        outcome = re.sub(r"\d+", "N", str(error).split(":")[0].split("(")[0])
    else:
        # equal symbols: bits of the last word that the coder never reads, or a size with as many latents
        assert changed != original
        assert all(np.array_equal(a.ravel(), b.ravel()) for a, b in zip(symbols, intact, strict=True))
        outcome = "same symbols"
    assert time.perf_counter() - start < LIMIT_S
    return outcome


def model_of(name: str) -> str:
    return str((GOLDEN / name.split(".")[0].rpartition("-")[0]).resolve())


def fuzz(count: int, seed: int) -> Counter:
    """Outcomes of so many mutated files; the same for the same seed."""
    random_, outcomes = random.Random(seed), Counter()
    files = corpus()
    intact = {
        name: coder.decode_symbols(checkpoints.open_checkpoint(model_of(name)), bitstream.parse(data))
        for name, data in files.items()
    }
    names = sorted(files)
    for number in range(count):
        name = names[number % len(names)]
        changed = mutated(files[name], random_)
        if number // len(names) % 2:
            changed = repaired(changed)
        if changed != files[name]:
            outcomes[trial(name, files[name], changed, intact[name])] += 1
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.perf_counter()
    outcomes = fuzz(options.count, options.seed)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{sum(outcomes.values())} mutated files in {seconds:.0f} s, {peak:.0f} MiB at most")
    for outcome, number in outcomes.most_common():
        print(f"  {number:7}  {outcome}")


if __name__ == "__main__":
    main()
