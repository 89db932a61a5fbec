"""Each version of the format is what these files say: two tiny models, factorised and with hyperprior, three each."""

import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mae_viz.coding import bitstream, checkpoints, coder

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("stem", EXPECTED)
def test_golden_files_decode_to_the_same_symbols_and_picture(stem, version):
    data, facts = (GOLDEN / f"{stem}.v{version}.mae").read_bytes(), EXPECTED[stem]
    folder = str(GOLDEN / stem.split("-")[0])
    checkpoint, parsed = checkpoints.open_checkpoint(folder), bitstream.parse(data)
    assert parsed.version == version
    assert parsed.lmbda == pytest.approx(facts["lmbda"], rel=1e-12)
    symbols = coder.decode_symbols(checkpoint, parsed)
    assert [zlib.crc32(s.astype("<i4").tobytes()) for s in symbols] == facts["symbols"]
    assert len(symbols) == (2 if "hyper" in stem else 1)
    assert any(s.any() for s in symbols)
    pixels = np.asarray(coder.decompress(data, folder))
    assert pixels.shape == (facts["size"][1], facts["size"][0], 3)
    assert pixels.reshape(-1, 3).mean(0) == pytest.approx(facts["means"], abs=0.05)
    corners = [pixels[y, x].tolist() for y in (0, -1) for x in (0, -1)]
    assert np.abs(np.array(corners) - facts["corners"]).max() <= 1


@pytest.mark.parametrize("stem", EXPECTED)
def test_symbols_of_golden_files_are_written_as_the_same_bytes(stem):
    """The coder has one way to write symbols: encoding them again gives the file of the present version."""
    checkpoint = checkpoints.open_checkpoint(str(GOLDEN / stem.split("-")[0]))
    old, new = ((GOLDEN / f"{stem}.v{version}.mae").read_bytes() for version in (1, 2))
    parsed = bitstream.parse(old)
    symbols = coder.decode_symbols(checkpoint, parsed)
    assert coder.write(checkpoint, symbols, parsed.rate, (parsed.width, parsed.height)) == new
    assert len(old) == len(new)


def test_version_2_notices_a_forged_size_or_rate_and_version_1_does_not():
    """With as many latents, and the checksum of a whole file."""
    for version in (1, 2):
        parsed = bitstream.parse((GOLDEN / f"factorized-1.v{version}.mae").read_bytes())
        narrower = replace(parsed, width=parsed.width - 1).pack()
        folder = str(GOLDEN / "factorized")
        if version == 1:
            assert coder.decompress(narrower, folder).size == (parsed.width - 1, parsed.height)
            continue
        for forged in (narrower, replace(parsed, rate_index=1).pack(), replace(parsed, version=1).pack()):
            with pytest.raises(bitstream.StreamError, match="do not match their checksum"):
                coder.decompress(forged, folder)
