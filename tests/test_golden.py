"""Version 1 of the format is what these files say: two tiny models, factorised and with hyperprior, three each."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from mae_viz.coding import bitstream, checkpoints, coder

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stem", EXPECTED)
def test_golden_files_decode_to_the_same_symbols_and_picture(stem):
    data, facts = (GOLDEN / f"{stem}.mae").read_bytes(), EXPECTED[stem]
    folder = str(GOLDEN / stem.split("-")[0])
    checkpoint, parsed = checkpoints.open_checkpoint(folder), bitstream.parse(data)
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
    """The coder has one way to write symbols: encoding them again gives payload and escapes of the file."""
    checkpoint = checkpoints.open_checkpoint(str(GOLDEN / stem.split("-")[0]))
    parsed = bitstream.parse((GOLDEN / f"{stem}.mae").read_bytes())
    encoder = bitstream.SymbolEncoder()
    symbols = coder.decode_symbols(checkpoint, parsed)
    encoder.add(symbols[0].reshape(len(symbols[0]), -1), checkpoint.tables.at(parsed.rate_index))
    if checkpoint.hyper:
        indexes = checkpoint.hyper.indexes(symbols[0], parsed.rate_index)
        for i, gaussian in enumerate(checkpoint.hyper.models()):
            encoder.add(symbols[1][None, indexes == i], [gaussian])
    assert encoder.sections() == (parsed.payload, parsed.escapes)
