"""The file format: exact symbols back, every damage found, and a second decoder written from the description."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mae_viz
from mae_viz.coding import bitstream
from mae_viz.coding.bitstream import HEADER_BYTES, Stream, StreamError, SymbolDecoder, SymbolEncoder, anatomy, parse
from mae_viz.coding.entropy_tables import TOTAL, Frequencies
from mae_viz.rates import Rate


def frequencies(first: int, weights: list[int]) -> Frequencies:
    """A model whose last weight is the escape's."""
    counts = np.maximum(np.array(weights) * (TOTAL - len(weights)) // sum(weights), 1)
    counts[np.argmax(counts)] += TOTAL - counts.sum()
    return Frequencies(first, counts)


def written(symbols: np.ndarray, chosen: list[Frequencies]) -> tuple[bytes, bytes]:
    """Payload and escape section."""
    encoder = SymbolEncoder()
    encoder.add(symbols, chosen)
    return encoder.sections()


def read(payload: bytes, escapes: bytes, chosen: list[Frequencies], places: int) -> np.ndarray:
    decoder = SymbolDecoder(payload, escapes)
    decoder.check_room(chosen, places)
    symbols = decoder.take(chosen, places)
    decoder.finish()
    return symbols


models = st.builds(frequencies, st.integers(-50, 50), st.lists(st.integers(1, 1000), min_size=2, max_size=40))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_symbols_come_back_also_those_outside_the_tables(data):
    chosen = data.draw(st.lists(models, min_size=1, max_size=4))
    places = data.draw(st.integers(1, 30))
    row = st.lists(st.integers(-(10**6), 10**6) | st.integers(-60, 60), min_size=places, max_size=places)
    symbols = np.array([data.draw(row) for _ in chosen], np.int32)
    payload, escapes = written(symbols, chosen)
    assert np.array_equal(read(payload, escapes, chosen, places), symbols)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_description_is_enough_to_write_a_decoder_from(data):
    chosen = data.draw(st.lists(models, min_size=1, max_size=4))
    places = data.draw(st.integers(1, 60))
    row = st.lists(st.integers(-60, 60), min_size=places, max_size=places)
    symbols = np.array([data.draw(row) for _ in chosen], np.int32)
    payload, escapes = written(symbols, chosen)
    assert decode_as_described(payload, escapes, chosen, places) == symbols.tolist()


def decode_as_described(payload: bytes, escapes: bytes, chosen: list[Frequencies], places: int) -> list[list[int]]:
    """The decoder of `mae_viz.coding.bitstream`'s docstring in plain integers."""
    modulus = 1 << 64
    words = [int.from_bytes(payload[i : i + 4], "little") for i in range(0, len(payload), 4)] + [0, 0]
    low, span, point, position = 0, modulus - 1, words[0] << 32 | words[1], 2
    escape_bytes = iter(escapes)
    rows = []
    for model in chosen:
        s = len(model.counts)
        sixteen = [0, *np.cumsum(model.counts).tolist()]
        bounds = [f * ((1 << 24) - s) // (1 << 16) + i for i, f in enumerate(sixteen[:-1])] + [1 << 24]
        row = []
        for _ in range(places):
            scale = span >> 24
            quantile = (point - low) % modulus // scale
            entry = max(i for i in range(s) if bounds[i] <= quantile)
            low = (low + bounds[entry] * scale) % modulus
            span = (bounds[entry + 1] - bounds[entry]) * scale
            if span < 1 << 32:
                low, span = (low << 32) % modulus, span << 32
                point = (point << 32) % modulus | (words[position] if position < len(words) else 0)
                position += 1
            if entry == s - 1:
                code, shift = 0, 0
                while True:
                    byte = next(escape_bytes)
                    code |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                row.append(model.first - (code + 1) // 2 if code % 2 else model.first + s - 2 + code // 2)
            else:
                row.append(model.first + entry)
        rows.append(row)
    return rows


INTACT = Stream(b"12345678", 200, 40, 30, b"\1\2\3\4" * 5, b"\7\10", 99)


def test_the_header_is_as_described():
    data = INTACT.pack()
    assert HEADER_BYTES == 35
    assert data[:5] == b"\x8bMAE\x02"
    assert data[5:13] == b"12345678"
    assert [int.from_bytes(data[i:j], "little") for i, j in ((13, 15), (15, 17), (17, 19))] == [200, 40, 30]
    assert [int.from_bytes(data[i : i + 4], "little") for i in (19, 23, 27)] == [5, 2, 99]
    assert parse(data) == INTACT


@settings(max_examples=300)
@given(st.integers(0, 8 * len(INTACT.pack()) - 1))
def test_every_flipped_bit_is_found(bit):
    data = bytearray(INTACT.pack())
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(StreamError):
        parse(bytes(data))


@given(st.integers(0, len(INTACT.pack()) - 1))
def test_every_truncation_is_found(length):
    with pytest.raises(StreamError, match="cut off"):
        parse(INTACT.pack()[:length])


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data):
    with pytest.raises(StreamError):
        parse(data)


def test_bytes_behind_the_end_are_found():
    with pytest.raises(StreamError, match="followed by other bytes"):
        parse(INTACT.pack() + b"\0")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate_index": 385}, "does not exist"),
        ({"width": 0}, "does not exist"),
        ({"width": 65535, "height": 65535}, "more than this program decodes"),
    ],
)
def test_impossible_headers_with_a_right_checksum_are_refused(change, sentence):
    fields = {name: getattr(INTACT, name) for name in INTACT.__dataclass_fields__}
    with pytest.raises(StreamError, match=sentence):
        parse(Stream(**fields | change).pack())


def test_wrong_magic_and_version_are_named():
    data = INTACT.pack()
    with pytest.raises(StreamError, match=r"no \.mae file"):
        parse(b"\x89PNG" + data[4:])
    with pytest.raises(StreamError, match="version 3, this program reads 1 and 2"):
        parse(data[:4] + b"\3" + data[5:])


@settings(max_examples=100, deadline=None)
@given(payload=st.binary(max_size=40).map(lambda b: b[: len(b) // 4 * 4]), escapes=st.binary(max_size=6))
def test_contents_that_no_encoder_writes_end_in_symbols_or_a_sentence(payload, escapes):
    chosen = [frequencies(-1, [3, 5, 3, 1]), frequencies(0, [1, 1])]
    try:
        symbols = read(payload, escapes, chosen, 8)
    except StreamError:
        return
    assert symbols.shape == (2, 8)


def test_a_symbol_far_beyond_reason_is_refused_by_the_encoder():
    with pytest.raises(ValueError, match="too far outside"):
        written(np.array([[2**30]], np.int32), [frequencies(0, [1, 1])])


def test_the_anatomy_names_every_byte(crop):
    data = mae_viz.compress(crop, lmbda=700)
    parts = anatomy(data)
    assert [part.offset for part in parts] == [0, *np.cumsum([part.size for part in parts])[:-1]]
    assert sum(part.size for part in parts) == len(data)
    specified = re.findall(r"^ +(\d+) +(\d+)  \w", bitstream.__doc__, re.MULTILINE)
    assert [(str(part.offset), str(part.size)) for part in parts[: len(specified)]] == specified
    assert len(specified) == 10
    values = {part.name: part.value for part in parts}
    assert (values["width"], values["height"]) == tuple(map(str, crop.size))
    assert values["rate index"] == f"{Rate.near(700).index}: λ = {Rate.near(700).lmbda:.1f}"
