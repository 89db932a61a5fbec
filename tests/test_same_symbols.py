"""The same symbols from the same file whatever the machine does, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))

PROGRAM = """
import json, sys, zlib
from contextlib import nullcontext
from pathlib import Path
settings = json.loads(sys.argv[1])
if up := settings[next(iter(settings))].get("libm"):
    import math
    import numpy as np
    def off(function):
        return lambda *a, **k: np.nextafter(function(*a, **k), up * np.inf)
    for name in ("exp", "log", "log2", "exp2", "tanh", "power"):
        setattr(np, name, off(getattr(np, name)))
    for name in ("exp", "log", "log2", "pow"):
        setattr(math, name, lambda *a, f=getattr(math, name): math.nextafter(f(*a), up * math.inf))
import torch
from mae_viz.coding import bitstream, checkpoints, coder, folding
last = torch.channels_last
found = {}
for name, setting in settings.items():
    torch.set_num_threads(setting.get("threads", 1))
    torch.backends.mkldnn.enabled = setting.get("mkldnn", True)
    torch.channels_last = last if setting.get("channels_last", True) else torch.contiguous_format
    folding.transform.cache_clear()
    found[name] = {}
    for path in sorted(Path(sys.argv[2]).glob("*.mae")):
        folder = str(path.parent / path.stem.split("-")[0])
        checkpoint = checkpoints.open_checkpoint(folder)
        parsed = bitstream.parse(path.read_bytes())
        symbols = coder.decode_symbols(checkpoint, parsed)
        # and there again: what this setting encodes, of a picture that it decoded, it must decode to the same symbols
        with torch.autocast("cpu", torch.bfloat16) if setting.get("bf16") else nullcontext():
            encoded = coder.encode(coder.decompress(path.read_bytes(), folder), checkpoint, parsed.rate)
        again = coder.decode_symbols(checkpoint, bitstream.parse(encoded.stream))
        checkpoint.tables.at.cache_clear()
        found[name][path.stem] = {
            "symbols": [zlib.crc32(s.astype("<i4").tobytes()) for s in symbols],
            "tables": zlib.crc32(b"".join(m.counts.tobytes() for m in checkpoint.tables.at(parsed.rate_index))),
            "stream": encoded.stream.hex(),
            "again": [zlib.crc32(s.astype("<i4").tobytes()) for s in again],
        }
print(json.dumps(found))
"""

PROCESSES = [
    {
        "one thread": {},
        "two threads": {"threads": 2},
        "four threads": {"threads": 4},
        "without oneDNN": {"mkldnn": False},
        "channels first": {"channels_last": False},
        "encoder in bf16": {"bf16": True},
    },
    {"libm an ulp up": {"libm": 1}},
    {"libm an ulp down": {"libm": -1}},
]
"""Settings by the process that goes through them; another libm is there from the first import."""

SETTINGS = [name for settings in PROCESSES for name in settings]


def run(settings: dict, folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(settings), str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def files(crop, tmp_path_factory) -> Path:
    """The golden files, and two of the model with hyperprior that ships: its integers carry trained weights and all 192
    channels, where the golden model's are small."""
    from mae_viz.coding import checkpoints, coder

    folder, small = tmp_path_factory.mktemp("files"), crop.crop((0, 0, 63, 49))
    for stem in EXPECTED:
        (folder / f"{stem}.mae").symlink_to(GOLDEN / f"{stem}.v2.mae")
    for name in ("factorized", "hyperprior"):
        (folder / name).symlink_to(GOLDEN / name)
    (folder / "shipped").symlink_to(checkpoints.folder() / "mae-hyperprior")
    for lmbda in (64, 700):
        (folder / f"shipped-{lmbda}.mae").write_bytes(coder.compress(small, "mae-hyperprior", lmbda))
    return folder


@pytest.fixture(scope="module")
def found(files) -> dict[str, dict]:
    return {name: facts for settings in PROCESSES for name, facts in run(settings, files).items()}


@pytest.mark.parametrize("name", SETTINGS)
def test_files_hold_the_same_symbols_and_tables(found, name):
    assert len(found[name]) == len(EXPECTED) + 2
    for stem, facts in EXPECTED.items():
        assert found[name][stem]["symbols"] == facts["symbols"]
    for stem, facts in found["one thread"].items():
        assert found[name][stem]["symbols"] == facts["symbols"]
        assert found[name][stem]["tables"] == facts["tables"]


def test_what_one_setting_encodes_every_other_decodes_to_the_encoders_symbols(found, files):
    """The files of all settings, which may differ where a latent lies at a tie, decoded here."""
    import zlib

    from mae_viz.coding import bitstream, checkpoints, coder

    for name, streams in found.items():
        for stem, facts in streams.items():
            checkpoint = checkpoints.open_checkpoint(str(files / stem.split("-")[0]))
            symbols = coder.decode_symbols(checkpoint, bitstream.parse(bytes.fromhex(facts["stream"])))
            assert [zlib.crc32(s.astype("<i4").tobytes()) for s in symbols] == facts["again"], name


@pytest.mark.parametrize("direction", [np.inf, -np.inf])
def test_building_tables_with_another_libm_gives_the_same_bytes(monkeypatch, direction):
    """From the same logits: exp and log an ulp away round to the same integers."""
    from mae_viz.coding import entropy_tables, hyper
    from mae_viz.coding.checkpoints import open_checkpoint

    logits = np.linspace(-14, 14, len(entropy_tables.EDGES)) * np.array([[[0.3], [1.0], [4.0]]])
    model = open_checkpoint(str(GOLDEN / "hyperprior")).model
    before = entropy_tables.from_logits(logits, [0]).arrays(), hyper.build(model).arrays()
    for name in ("exp", "log", "log2", "power"):
        function = getattr(np, name)
        monkeypatch.setattr(np, name, lambda *a, f=function, **k: np.nextafter(f(*a, **k), direction))
    after = entropy_tables.from_logits(logits, [0]).arrays(), hyper.build(model).arrays()
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        assert all(np.array_equal(old[key], new[key]) for key in old)
