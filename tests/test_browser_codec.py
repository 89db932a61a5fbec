"""The codec in JavaScript against the one in Python, both ways: streams, tables, files, damage, pictures."""

import json
import random
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_bitstream import frequencies, written
from test_golden import EXPECTED, GOLDEN
from test_javascript import node

from mae_viz.browser import export
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.coding.entropy_tables import TOTAL, Frequencies
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import LAST_INDEX, Rate

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
import fuzz

NAMES = ["mae", "bottleneck-scaling", "mae-hyperprior"]
SINGLE = ["independent-512", "independent-hyperprior-1024"]
"""Models of one λ, of both kinds."""
GOLDEN_NAMES = ["factorized", "hyperprior"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Where the files of the models that ship, and of the golden ones, lie: name → what the driver is told."""
    home, found = tmp_path_factory.mktemp("models"), {}
    for model in [*NAMES, *SINGLE, *(str(GOLDEN / name) for name in GOLDEN_NAMES)]:
        checkpoint = checkpoints.open_checkpoint(model)
        for _, file, data in export.files(checkpoint):
            (home / file).write_bytes(data)
        found[checkpoint.name] = {"name": checkpoint.name, "path": str(home)}
    return found


@pytest.fixture
def driven(tmp_path):
    """A task of tests/js/codec_driver.js and what it is given → what it finds; files beside it lie in tmp_path."""

    def drive(task: str, given):
        (tmp_path / "in.json").write_text(json.dumps(given), encoding="utf-8")
        node("tests/js/codec_driver.js", task, str(tmp_path), timeout=600)
        return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))

    return drive


def tables(random_: random.Random) -> Frequencies:
    """Any table: of few or many symbols, even, peaked, or with all the mass in one place, the escape's too."""
    n = random_.choice((2, 2, 3, 8, 40, 300, 4096))
    kind = random_.randrange(3)
    if kind == 0:
        weights = [random_.randint(1, 1000) for _ in range(n)]
    elif kind == 1:
        weights = [1 + round(60000 * 0.5 ** abs(i - n // 2)) for i in range(n)]
    else:
        weights = [1] * n
        weights[random_.randrange(n)] = 10**9
    return frequencies(random_.randint(-3000, 3000), weights)


def symbols_of(model: Frequencies, places: int, random_: random.Random) -> list[int]:
    """Symbols as its frequencies have them, or any, among them some outside the table."""
    n = len(model.counts)
    if random_.random() < 0.5:
        entries = random_.choices(range(n), weights=model.counts.tolist(), k=places)
    else:
        entries = [random_.randrange(n) for _ in range(places)]
    far = (-1, -2, -70, n, n + 200, n + 10**6, -(10**6))
    return [model.first + (random_.choice(far) if entry == n - 1 else entry) for entry in entries]


def bounds_of(model: Frequencies) -> list[int]:
    """Where the coder's intervals begin, and last where all end."""
    n, sums = len(model.counts), np.cumsum(model.counts)
    assert sums[-1] == TOTAL
    return [*(np.append(0, sums[:-1]) * ((1 << 24) - n) // TOTAL + np.arange(n)).tolist(), 1 << 24]


def at_a_carry(random_: random.Random) -> tuple[list[Frequencies], list[list[int]]]:
    """Tables and a symbol for each, after which a carry into many words is undecided for long: the interval goes on to
    hold a number whose words but the first are 0, and at last lies above it, below it, or neither."""
    offset, span, chosen, symbols = random_.randrange(1, 1 << 32) << 32, (1 << 64) - 1, [], []
    for _ in range(random_.randrange(2, 12)):
        scale = span >> 24
        near = min(max((offset // scale) >> 8, 2), TOTAL - 4)
        model = Frequencies(0, np.array([near - 1, 1, 1, TOTAL - near - 1]))
        bounds = bounds_of(model)
        entry = max(i for i in range(4) if bounds[i] * scale <= offset)
        offset, span = offset - bounds[entry] * scale, (bounds[entry + 1] - bounds[entry]) * scale
        if span < 1 << 32:
            offset, span = offset << 32, span << 32
        chosen.append(model)
        symbols.append([entry])
    end = random_.choice((None, 0, 2))
    return (chosen, symbols) if end is None else ([*chosen, frequencies(0, [1, 1, 1])], [*symbols, [end]])


def test_streams_are_the_same_bytes_and_give_the_same_symbols(driven):
    """3,000 of them, by random tables: what either program writes the other reads. In a third, carries go far."""
    random_ = random.Random(0)
    cases = []
    for number in range(3000):
        if number % 3:
            chosen = [tables(random_) for _ in range(random_.choice((1, 1, 2, 4)))]
            count = random_.choice((1, 2, 5, 30, 120))
            symbols = [symbols_of(model, count, random_) for model in chosen]
        else:
            chosen, symbols = at_a_carry(random_)
        payload, escapes = written(np.array(symbols, np.int32), chosen)
        described = [{"first": model.first, "counts": model.counts.tolist()} for model in chosen]
        cases.append({"models": described, "symbols": symbols, "payload": payload.hex(), "escapes": escapes.hex()})
    assert sum(len(case["escapes"]) > 0 for case in cases) > 500
    assert sum("00000000" * 2 in case["payload"] or "ffffffff" * 2 in case["payload"] for case in cases) > 300
    found = driven("streams", cases)
    for case, answer in zip(cases, found, strict=True):
        assert answer["payload"] == case["payload"]
        assert answer["escapes"] == case["escapes"]
        assert answer["symbols"] == [symbol for row in case["symbols"] for symbol in row]


def test_payloads_at_the_edges_of_intervals_are_read_alike(driven):
    """The last number below an interval, its first and the one after: what a division in float64 alone would get wrong.
    And numbers that lie in no interval."""
    random_, cases, expected = random.Random(2), [], []
    for _ in range(1500):
        model, scale = tables(random_), (1 << 40) - 1
        point = random_.choice(bounds_of(model)) * scale + random_.choice((-1, 0, 1))
        words = [max(point, 0) >> 32, max(point, 0) & 0xFFFFFFFF, *(random_.randrange(1 << 32) for _ in range(4))]
        payload, escapes = np.array(words, "<u4").tobytes(), b"\2" * 8
        try:
            symbols = bitstream.SymbolDecoder(payload, escapes).take([model], 4)[0].tolist()
        except bitstream.StreamError:
            symbols = None
        expected.append(symbols)
        described = {"first": model.first, "counts": model.counts.tolist()}
        cases.append({"model": described, "payload": payload.hex(), "escapes": escapes.hex(), "places": 4})
    assert 20 < expected.count(None) < 1000
    assert driven("payloads", cases) == expected


def test_scale_indexes_are_the_same_integers_at_every_rate(places, driven):
    """Of side information that real pictures have, and of such that reaches every limit; in strips, too."""
    generator, cases, expected = np.random.default_rng(3), [], []
    golden, shipped = (checkpoints.open_checkpoint(name) for name in (str(GOLDEN / "hyperprior"), "mae-hyperprior"))
    sizes = [
        (golden, (3, 5), range(0, LAST_INDEX + 1, 7)),
        (golden, (70, 40), (1, 386 // 2)),
        (shipped, (2, 3), (0, 221)),
    ]
    for checkpoint, size, indices in sizes:
        for index in indices:
            for reach in (3, 3000):
                z = generator.integers(-reach, reach + 1, (checkpoint.model.channels, *size)).astype(np.int32)
                expected.append(zlib.crc32(checkpoint.hyper.indexes(z, index).tobytes()))
                facts = {"height": size[0], "width": size[1], "index": index}
                cases.append({"place": places[checkpoint.name], "z": z.ravel().tolist(), **facts})
    assert driven("scales", cases) == expected


def summed(models: list[Frequencies]) -> int:
    """A checksum of where the coder's intervals lie."""
    total = 0
    for model in models:
        total = zlib.crc32(np.array(bounds_of(model), "<u4").tobytes(), total ^ (model.first & 0xFFFFFFFF))
    return total


@pytest.mark.parametrize("name", NAMES + GOLDEN_NAMES)
def test_entropy_tables_are_the_same_integers_at_every_rate(name, places, driven):
    """At every fifth rate index and those of the trained λ; medians to a unit in the last place."""
    checkpoint = checkpoints.open_checkpoint(str(GOLDEN / name) if name in GOLDEN_NAMES else name)
    indices = sorted({*range(0, LAST_INDEX + 1, 5), *(Rate.near(lmbda).index for lmbda in checkpoint.card["lmbdas"])})
    found = driven("tables", {"place": places[name], "indices": indices})
    assert found["at"] == [summed(checkpoint.tables.at(index)) for index in indices]
    assert found["gaussians"] == (summed(checkpoint.hyper.models()) if checkpoint.hyper else None)
    for index, medians in zip(indices, found["medians"], strict=True):
        expected = checkpoint.model.prior.medians(Rate(index).tensor()).flatten().numpy()
        np.testing.assert_allclose(medians, expected, rtol=1e-6, atol=1e-6)


def test_golden_files_decode_to_the_same_symbols_and_are_written_as_the_same_bytes(places, driven):
    files = {f"{stem}.v{version}": (stem, version) for stem in EXPECTED for version in (1, 2)}
    data = {name: (GOLDEN / f"{name}.mae").read_bytes().hex() for name in files}
    cases = [{"place": places[name.split("-")[0]], "data": data[name]} for name in files]
    for (stem, _), found in zip(files.values(), driven("files", cases), strict=True):
        assert found["symbols"] == EXPECTED[stem]["symbols"]
        assert found["written"] == data[f"{stem}.v2"]


def in_python(folder: str, data: bytes) -> list[int] | str:
    """Checksums of a file's symbols, or the sentence that refuses it."""
    try:
        parsed = bitstream.parse(data)
        symbols = coder.decode_symbols(coder.find_checkpoint(parsed, folder), parsed)
    except bitstream.StreamError as error:
        return str(error)
    return checksums(symbols)


def checksums(groups: list[np.ndarray]) -> list[int]:
    return [zlib.crc32(symbols.astype("<i4").tobytes()) for symbols in groups]


def test_changed_files_end_as_in_python(places, driven):
    """1,000 mutated ones, half of them with their checksum repaired, and 1,000 forged: a sentence wherever Python has
    one, otherwise the same symbols; never anything else."""
    random_, files, cases = random.Random(1), fuzz.corpus(), []
    for number in range(2000):
        stem = sorted(files)[number % len(files)]
        changed = fuzz.mutated(files[stem], random_)
        if number % 2:
            changed = fuzz.forged(bitstream.parse(files[stem]), random_)
        elif number % 4:
            changed = fuzz.repaired(changed)
        cases.append((stem.split("-")[0], changed))
    found = driven("refusals", [{"place": places[name], "data": data.hex()} for name, data in cases])
    refused, sentences = 0, set()
    for (name, data), answer in zip(cases, found, strict=True):
        expected = in_python(str(GOLDEN / name), data)
        if isinstance(expected, list):
            assert answer == {"symbols": expected}
            continue
        refused += 1
        assert answer.get("stream"), (expected, answer)
        sentences.add(expected[:30])
        assert answer["refused"][:30] == expected[:30] or "made with model" in answer["refused"]
    assert 1500 < refused < len(cases)
    assert len(sentences) > 8


def crops() -> list[Image.Image]:
    """A piece of each bundled photograph, of sizes that the strides do not divide."""
    found = []
    for number, photograph in enumerate(gallery().values()):
        picture = open_rgb(photograph.path)
        width, height = 97 + 7 * number, 131 - 5 * number
        left, top = (picture.width - width) // 2, (picture.height - height) // 2
        found.append(picture.crop((left, top, left + width, top + height)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES + SINGLE)
def test_pictures_are_exchanged_both_ways(name, places, driven, tmp_path, run):
    """Ten photographs at three λ; two where a model has one λ alone. Symbols differ where a latent lies within a
    thousandth of a tie, and rarely."""
    checkpoint, cases, latents = checkpoints.open_checkpoint(name), [], []
    trained = checkpoint.card["lmbdas"]
    lmbdas, pictures = ((64, 700, 4096), crops()) if len(trained) > 1 else (trained, crops()[3:5])
    for number, picture in enumerate(pictures):
        (tmp_path / f"{number}.rgb").write_bytes(picture.tobytes())
        for lmbda in lmbdas:
            file = f"{number}-{lmbda:g}.mae"
            encoded = coder.encode(picture, checkpoint, checkpoint.near(lmbda))
            (tmp_path / file).write_bytes(encoded.stream)
            latents.append(encoded.y)
            facts = {"width": picture.width, "height": picture.height, "lmbda": lmbda, "file": file}
            # one picture in tiles, with their halos
            cases.append(
                {"place": places[name], "tile": 64 if number == 1 else 512, "picture": f"{number}.rgb", **facts}
            )
    found = driven("pictures", cases)
    places_, unequal, ours, theirs = 0, 0, 0, 0
    for case, answer, y in zip(cases, found, latents, strict=True):
        stream, other = (tmp_path / case["file"]).read_bytes(), (tmp_path / f"{case['file']}.js").read_bytes()
        mine, back = (coder.decode_symbols(checkpoint, bitstream.parse(data)) for data in (stream, other))
        assert answer["symbols"] == checksums(back)
        places_ += sum(s.size for s in mine)
        if any((a != b).any() for a, b in zip(mine, back, strict=True)):
            differs = mine[-1] != back[-1]
            unequal += sum(int((a != b).sum()) for a, b in zip(mine, back, strict=True))
            centre = (
                0 if checkpoint.hyper else checkpoint.model.prior.medians(Rate.near(case["lmbda"]).tensor())[0].numpy()
            )
            assert np.all(np.abs(np.abs((y - centre) % 1) - 0.5)[differs] < 1e-3)
        else:
            assert other == stream
        ours, theirs = ours + len(stream), theirs + len(other)
        size = (case["width"], case["height"])
        assert tuple(answer["size"]) == size
        assert answer["lmbda"] == pytest.approx(Rate.near(case["lmbda"]).lmbda, rel=1e-12)
        assert answer["heard"][-1] == 1
        pixels = np.frombuffer((tmp_path / f"{case['file']}.rgba").read_bytes(), np.uint8).reshape(*size[::-1], 4)
        shown = np.asarray(coder.decompress(stream)).astype(int)
        assert np.abs(pixels[..., :3] - shown).max() <= 1
        assert (pixels[..., 3] == 255).all()
    assert unequal < places_ / 10_000
    assert theirs == pytest.approx(ours, rel=1e-3)
    last = cases[-1]["file"]
    (tmp_path / "from-js.mae").write_bytes((tmp_path / f"{last}.js").read_bytes())
    run("decompress", tmp_path / "from-js.mae", "-o", tmp_path / "from-js.png")
    with Image.open(tmp_path / "from-js.png") as shown:
        assert shown.size == pictures[-1].size


def test_work_is_cancelled_between_tiles_and_the_codec_goes_on(places, driven, tmp_path, crop):
    (tmp_path / "crop.rgb").write_bytes(crop.tobytes())
    given = {"place": places["mae"], "picture": "crop.rgb", "width": crop.width, "height": crop.height}
    found = driven("cancelling", given)
    tiles = -(-crop.width // 64) * -(-crop.height // 64)
    for stopped in (found["encoding"], found["decoding"]):
        assert stopped == {"name": "AbortError", "heard": [1 / tiles, 2 / tiles]}
    assert found["same"] is True
    assert found["size"] == list(crop.size)
    outside, no_number, few = found["errors"]
    assert outside == "RangeError: λ = 5 is outside the trained range: choose 64 ≤ λ ≤ 4096."
    assert "λ = NaN" in no_number
    assert "no RGB or RGBA picture" in few
