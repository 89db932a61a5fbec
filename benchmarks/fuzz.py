"""Mutated `.mae` files against `info` and `decompress`: no crash, no hang, no wrong picture that is not reported.

    python benchmarks/fuzz.py --count 100000 [--seed 0]
    python benchmarks/fuzz.py --forged 5000 [--seed 0]

Half of the files are mutated as they are (the checksum must find every change); half get their checksum repaired, so
that the damage reaches the header's checks, the coder and the check of the symbols. Forged files, so many for each
architecture, have fields that were changed on purpose and the checksum of a whole file. Each must end in a sentence or
in the very symbols of the file it was made from, within LIMIT_S. A short run of both is part of the tests.
"""

import argparse
import random
import re
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from mae_viz.architectures import FACTS
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.models import ARCHITECTURES

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "golden"))
import make

GOLDEN = make.HERE
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


def forged(intact: bitstream.Stream, random_: random.Random) -> bytes:
    """The file with one to three of its fields changed, and with a checksum that fits."""

    def near(value: int, largest: int) -> int:
        others = (
            value + 1,
            value - 1,
            value // 2,
            2 * value,
            0,
            largest,
            random_.randrange(200),
            random_.randrange(12000),
        )
        return min(max(random_.choice(others), 0), largest)

    def other(section: bytes, step: int) -> bytes:
        at, some = step * random_.randrange(len(section) // step + 1), random_.randbytes(step)
        rest = section[at + step :]
        return random_.choice(
            (b"", section[:at], section + some, section + bytes(8 * step), section[:at] + some + rest)
        )

    changes: dict = {}
    for _ in range(random_.choice((1, 1, 2, 3))):
        changes |= random_.choice(
            (
                {"fingerprint": random_.randbytes(8)},
                {"rate_index": near(intact.rate_index, 65535)},
                {"width": near(intact.width, 65535)},
                {"height": near(intact.height, 65535)},
                {"width": intact.height, "height": intact.width},
                {"payload": other(intact.payload, 4)},
                {"escapes": other(intact.escapes, 1)},
                {"symbols_crc": random_.randrange(1 << 32)},
                {"version": random_.choice((0, 1, 2, 3, 255))},
            )
        )
    data = bytearray(replace(intact, **changes).pack())
    if random_.random() < 0.1:  # lengths that contradict the file's
        struct.pack_into("<I", data, random_.choice((19, 23)), random_.choice((0, 1, 1 << 20, (1 << 32) - 1)))
        struct.pack_into("<I", data, 31, zlib.crc32(data[35:], zlib.crc32(data[:31])))
    return bytes(data)


def corpus() -> dict[str, bytes]:
    """The files to mutate: the golden ones."""
    return {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.mae"))}


def trial(model: str, original: bytes, changed: bytes, intact: list[np.ndarray]) -> str:
    """What became of a changed file. Raises AssertionError for anything but a sentence or the original symbols."""
    start = time.perf_counter()
    try:
        coder.info(changed)
        parsed = bitstream.parse(changed)
        symbols = coder.decode_symbols(coder.find_checkpoint(parsed, model), parsed)
        if parsed.width * parsed.height < 1 << 16:
            coder.decompress(changed, model)
    except bitstream.StreamError as error:
        outcome = re.sub(r"model [0-9a-f]+|\d+", "N", str(error).split(":")[0].split("(")[0])
    else:
        # equal symbols: bits of the last word that the coder never reads; in version 1, a size with as many latents
        assert changed != original
        assert all(np.array_equal(a.ravel(), b.ravel()) for a, b in zip(symbols, intact, strict=True))
        if parsed.version > 1:
            before = bitstream.parse(original)
            assert replace(parsed, payload=before.payload, escapes=before.escapes) == before
        outcome = f"same symbols, version {parsed.version}"
    assert time.perf_counter() - start < LIMIT_S
    return outcome


def model_of(name: str) -> str:
    return str((GOLDEN / name.split("-")[0]).resolve())


def decoded(model: str, data: bytes) -> list[np.ndarray]:
    return coder.decode_symbols(checkpoints.open_checkpoint(model), bitstream.parse(data))


def fuzz(count: int, seed: int) -> Counter:
    """Outcomes of so many mutated files; the same for the same seed."""
    random_, outcomes = random.Random(seed), Counter()
    files = corpus()
    intact = {name: decoded(model_of(name), data) for name, data in files.items()}
    names = sorted(files)
    for number in range(count):
        name = names[number % len(names)]
        changed = mutated(files[name], random_)
        if number // len(names) % 2:
            changed = repaired(changed)
        if changed != files[name]:
            outcomes[trial(model_of(name), files[name], changed, intact[name])] += 1
    return outcomes


def forge(architecture: str, count: int, seed: int) -> Counter:
    """Outcomes of so many forged files of a tiny model of one architecture; the same for the same seed."""
    random_, outcomes = random.Random(seed), Counter()
    lmbdas = {"lmbdas": (512.0,)} if FACTS[architecture].single else {}
    with tempfile.TemporaryDirectory() as home:
        made = make.lively(ARCHITECTURES[architecture](6, **lmbdas))
        model = str(checkpoints.save(made, architecture, "random weights", into=Path(home)))
        data = coder.compress(make.picture(67, 45), model)
        stream, intact = bitstream.parse(data), decoded(model, data)
        for _ in range(count):
            changed = forged(stream, random_)
            if changed != data:
                outcomes[trial(model, data, changed, intact)] += 1
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--forged", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    runs = {"golden": lambda: fuzz(options.count, options.seed)}
    if options.forged:
        runs = {name: lambda name=name: forge(name, options.forged, options.seed) for name in FACTS}
    for name, run in runs.items():
        start = time.perf_counter()
        outcomes = run()
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}: {sum(outcomes.values())} changed files in {seconds:.0f} s, {peak:.0f} MiB at most")
        for outcome, number in outcomes.most_common():
            print(f"  {number:7}  {outcome}")


if __name__ == "__main__":
    main()
