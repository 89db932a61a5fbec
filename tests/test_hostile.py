"""Files and pictures that mean harm, or met with it: a sentence each, soon, and nothing half written."""

import os
import random
import signal
import struct
import subprocess
import sys
import time
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import chunk, encoded, heic
from PIL import Image

import mae_viz
from mae_viz import apart, images
from mae_viz.architectures import FACTS
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.images import ImageError, open_rgb
from mae_viz.storage import write_whole

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import fuzz

CORPUS = fuzz.corpus()
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.slow
def test_a_thousand_mutated_files():
    outcomes = fuzz.fuzz(1000, seed=0)
    assert sum(outcomes.values()) > 900
    reached = " ".join(outcomes)
    # deep enough: past the checksum, into the coder and to the check of the symbols
    for sentence in ("cut off", "damaged", "contradict", "do not match their checksum", "claims more pixels"):
        assert sentence in reached


@pytest.mark.parametrize("architecture", FACTS)
def test_forged_files_end_in_a_sentence_or_the_same_picture(architecture):
    outcomes = fuzz.forge(architecture, 150, seed=0)
    assert sum(outcomes.values()) > 140
    reached = " ".join(outcomes)
    for sentence in ("contradict", "do not match their checksum", "claims more pixels", "same symbols, version 2"):
        assert sentence in reached


@pytest.mark.parametrize("stem", ["factorized-1.v2", "hyperprior-2.v1"])
def test_every_change_of_any_byte_is_detected(stem):
    """Every byte of the file, each bit of it and two other values: refused before anything is decoded."""
    data = CORPUS[stem]
    for position in range(len(data)):
        for value in {*(data[position] ^ 1 << bit for bit in range(8)), 0, 255} - {data[position]}:
            with pytest.raises(bitstream.StreamError):
                bitstream.parse(data[:position] + bytes([value]) + data[position + 1 :])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(CORPUS)), st.data())
def test_spliced_files_are_refused(stem, data):
    first, second = CORPUS[stem], CORPUS[data.draw(st.sampled_from(sorted(CORPUS)))]
    a, b = data.draw(st.integers(0, len(first))), data.draw(st.integers(0, len(second)))
    spliced = first[:a] + second[b:]
    if spliced in CORPUS.values():
        return
    with pytest.raises(bitstream.StreamError):
        mae_viz.decompress(spliced)


def test_a_header_that_claims_a_huge_picture_costs_nothing(crop):
    """Right checksum, 134 million pixels, a payload of a few bytes: refused before memory is taken for them."""
    stream = bytearray(mae_viz.compress(crop, lmbda=4096))
    struct.pack_into("<HH", stream, 15, 11000, 12000)
    crc = zlib.crc32(stream[35:], zlib.crc32(stream[:31]))
    struct.pack_into("<I", stream, 31, crc)
    start = time.process_time()
    with pytest.raises(bitstream.StreamError, match="claims more pixels than it can hold"):
        coder.decompress(bytes(stream))
    assert time.process_time() - start < 5


def test_a_hyperprior_file_that_claims_a_huge_picture_takes_no_memory_for_it():
    """134 million pixels whose z is there, and says that y needs more bits than there are."""
    folder = str(fuzz.GOLDEN / "hyperprior")
    checkpoint, parsed = checkpoints.open_checkpoint(folder), bitstream.parse(CORPUS["hyperprior-3.v2"])
    encoder = bitstream.SymbolEncoder()
    z = np.random.default_rng(0).integers(-4, 5, (6, 182 * 182)).astype(np.int32)
    encoder.add(z, checkpoint.tables.at(parsed.rate_index))
    payload, escapes = encoder.sections()
    forged = replace(parsed, payload=payload, escapes=escapes, width=11585, height=11585).pack()
    tracemalloc.start()
    with pytest.raises(bitstream.StreamError, match="claims more pixels than it can hold"):
        coder.decompress(forged, folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6  # y alone, in the order of its scales, would need more


def png(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims a size."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (png(60000, 60000), "more than 134 megapixels"),
        (png(2**31 - 1, 2**31 - 1), "more than 134 megapixels|damaged|no picture"),
        (png(100_000, 10), "more than 134 megapixels"),
        (png(0, 10), "no pixels|damaged|no picture"),
        (png(64, 64), "damaged or cut off"),
        (encoded(Image.new("RGB", (64, 64), "red"))[:-30], "damaged or cut off"),
        (encoded(NOISE, "JPEG")[:300], "damaged or cut off|no picture"),
        (encoded(NOISE, "WEBP")[:400], "damaged or cut off|no picture"),
        (encoded(Image.fromarray(np.full((8, 8), np.nan, np.float32)), "TIFF"), "floating-point"),
        (encoded(Image.fromarray(np.full((8, 8), np.inf, np.float32)), "TIFF"), "floating-point"),
        (encoded(Image.new("RGB", (9, 9)), "TIFF")[:60], "damaged or cut off|no picture"),
        (np.zeros((0, 0, 3), np.uint8), "no pixels"),
        (np.full((4, 4, 3), np.nan), "must be uint8"),
    ],
)
def test_pictures_that_mean_harm_get_a_sentence(source, sentence):
    start = time.process_time()
    with pytest.raises(ImageError, match=sentence):
        open_rgb(source)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000", "TGA", "PPM", "HEIF"]
)
def test_mutated_pictures_are_read_or_refused(form, noise):
    picture = Image.fromarray(noise(30, 40))
    data, random_, read = heic([picture]) if form == "HEIF" else encoded(picture, form), random.Random(0), 0
    for _ in range(150):
        try:
            read += open_rgb(fuzz.mutated(data, random_)).mode == "RGB"
        except ImageError:
            continue
    assert read < 150


def many_frames(count: int) -> bytes:
    """A GIF of so many frames after its first: 40 bytes each, which Pillow counts one by one."""
    data = encoded(Image.new("L", (8, 8)), "GIF", save_all=True, append_images=[Image.new("L", (8, 8), 9)])
    return data[:-1] + (count - 1) * data[data.rindex(b",") : -1] + b";"


def vast(side: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


PLAIN = b"P3 700 700 255\n" + b"1 " * 3 * 700 * 700
"""PPM in words, which Pillow reads one by one: a second and more for each megapixel."""

SLOW = {
    "GIF": (lambda: many_frames(50_000), lambda: many_frames(2)),
    "PPM": (lambda: PLAIN, lambda: b"P6 1 1 255\n123"),
    "JPEG2000": (lambda: encoded(vast(1000), "JPEG2000"), lambda: encoded(NOISE, "JPEG2000")),
    "AVIF": (lambda: encoded(vast(1000), "AVIF", quality=100, speed=10), lambda: encoded(NOISE, "AVIF")),
}
"""Files that take a while, and others of their kind that do not."""


@pytest.mark.parametrize("form", SLOW)
def test_a_picture_that_takes_too_long_is_given_up(form, tmp_path):
    """Whatever holds its decoder up; others are read as before."""
    slow, quick = (made() for made in SLOW[form])
    apart.close_idle()  # of other tests, whichever came before
    expected = open_rgb(quick)
    assert np.array_equal(open_rgb(quick, seconds=0.04), expected)
    (before,) = waiting()
    (tmp_path / "slow").write_bytes(slow)
    with pytest.raises(ImageError, match=r"takes longer than 0\.04 s to decode: export it again, as PNG\."):
        open_rgb(tmp_path / "slow", seconds=0.04)
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert np.array_equal(open_rgb(quick), expected)


def waiting() -> list[int]:
    """Processes that wait for a picture."""
    return [process.pid for processes in apart._idle.values() for process in processes]


def test_a_large_picture_has_more_time(monkeypatch):
    open_rgb(b"P6 1 1 255\n123")
    monkeypatch.setattr(images, "_LEAST_S", 0.04)
    monkeypatch.setattr(images, "_S_PER_PIXEL", 20e-6)
    assert np.array_equal(open_rgb(PLAIN), np.ones((700, 700, 3)))
    monkeypatch.setattr(images, "_S_PER_PIXEL", 0.02e-6)
    with pytest.raises(ImageError, match=r"than 0\.04 s to decode, and 0\.02 s more for each megapixel"):
        open_rgb(PLAIN)


def test_a_process_that_somebody_ended_is_replaced():
    small = encoded(NOISE, "JPEG2000")
    open_rgb(small)
    (before,) = waiting()
    os.kill(before, signal.SIGKILL)
    assert np.array_equal(open_rgb(small), NOISE)
    (now,) = waiting()
    assert now != before
    apart.close_idle()
    for ended in (before, now):
        with pytest.raises(ProcessLookupError):
            os.kill(ended, 0)


def test_a_decoder_that_crashes_takes_nothing_with_it(monkeypatch):
    monkeypatch.setattr(images, "__name__", "nothing.of.the.kind")  # the process ends where it imports this
    with pytest.raises(ImageError, match="its decoder crashed"):
        open_rgb(encoded(NOISE, "JPEG2000"))


def test_a_process_ends_with_whoever_asked():
    """Also with one that has no time to say so, and in a script without a guard for its main part: standard error
    ends when the last process that has it does."""
    program = (
        "import os, sys; from mae_viz import images; images.open_rgb(sys.stdin.buffer.read()); os.kill(os.getpid(), 9)"
    )
    data = encoded(NOISE, "JPEG2000")
    ended = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, b"")


def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "out.mae"
    target.write_bytes(b"before")
    real = Path.write_bytes

    def interrupted(path, data):
        real(path, data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(target, b"x" * 1000)
    monkeypatch.undo()
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mae"]
