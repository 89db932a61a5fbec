"""Rate control: the answer is the best point of the grid, whatever was known before, and few files are coded for it."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

import mae_viz
from mae_viz import metrics, rates
from mae_viz.codecs import search
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.codecs.registry import codec
from mae_viz.codecs.search import Known, UnreachableError, compress_to
from mae_viz.coding import coder
from mae_viz.rates import Rate

steps = st.lists(st.floats(0, 1), min_size=1, max_size=400)


@settings(max_examples=300, deadline=None)
@given(steps, st.floats(0, 1), st.booleans(), st.data())
@example([0.0] * 50, 0.0, True, None)
def test_the_neighbours_around_a_level_are_found_in_any_increasing_curve(rises, where, strict, data):
    curve = np.cumsum(rises)
    level = float(where * curve[-1])
    start = data.draw(st.sets(st.integers(0, len(curve) - 1), max_size=4)) if data else set()
    values = {i: float(curve[i]) for i in start}
    asked = []

    def value(i):
        asked.append(i)
        return float(curve[i])

    below, above = search._bracket(value, values, len(curve), level, strict)
    under = int(np.searchsorted(curve, level, "left" if strict else "right"))
    assert (below, above) == (under - 1, under)
    assert len(asked) == len(set(asked))
    assert not start & set(asked)


@given(st.floats(0.2, 3), st.floats(0, 1), st.floats(0, 1e-4))
def test_a_smooth_curve_needs_few_files(slope, where, bend):
    k = np.arange(385.0)
    curve = slope / 100 * k - bend * slope / 100 * k**2
    level = float(curve[0] + where * (curve[-1] - curve[0]))
    asked = []
    search._bracket(lambda i: asked.append(i) or float(curve[i]), {}, 385, level, False)
    assert len(asked) <= 8


@pytest.fixture(scope="module")
def by_rate(crop) -> Callable[[int], tuple[int, float]]:
    """Bytes and PSNR of the MAE at a rate index."""

    @cache
    def coded(index: int) -> tuple[int, float]:
        stream = coder.compress(crop, "mae", Rate(index).lmbda)
        return len(stream), metrics.psnr_db(np.asarray(coder.decompress(stream)), np.asarray(crop))

    return coded


@pytest.mark.parametrize("index", [16, 128, 240, 368])
def test_the_largest_file_within_a_budget(crop, by_rate, index):
    budget = by_rate(index)[0]
    found = compress_to(crop, bytes=budget)
    assert found.bytes == len(found.stream) <= budget
    assert found.left == pytest.approx(1 - found.bytes / budget)
    assert found.left <= 0.01
    above = coder.compress(crop, "mae", Rate(found.rate.index + 1).lmbda)
    assert len(above) > budget
    assert found.stream == coder.compress(crop, "mae", found.lmbda)
    assert found.psnr_db == metrics.psnr_db(np.asarray(mae_viz.decompress(found.stream)), np.asarray(crop))
    assert found.coded <= 12


def test_bits_per_pixel_are_the_same_budget(crop, by_rate):
    budget = by_rate(160)[0]
    found = compress_to(crop, bpp=8 * budget / (crop.width * crop.height))
    assert found.rate == compress_to(crop, bytes=budget).rate
    assert found.bpp == pytest.approx(8 * found.bytes / (crop.width * crop.height))


@pytest.mark.parametrize("index", [80, 304])
def test_the_smallest_file_that_reaches_a_psnr(crop, by_rate, index):
    target = by_rate(index)[1] - 0.02
    found = compress_to(crop, psnr_db=target)
    assert 0 <= found.left == pytest.approx(found.psnr_db - target)
    below = coder.decompress(coder.compress(crop, "mae", Rate(found.rate.index - 1).lmbda))
    assert metrics.psnr_db(np.asarray(below), np.asarray(crop)) < target


@pytest.mark.parametrize(("name", "side"), [("webp", 8), ("webp", 16), ("jpeg", 12)])
def test_the_smallest_file_of_a_small_picture_though_its_curve_wavers(photograph, name, side):
    picture, made = photograph.crop((150, 100, 150 + side, 100 + side)), CLASSICAL[name]
    every = []
    for quality in made.axis.every:
        data = made.encode(picture, quality)
        every.append((len(data), metrics.psnr_db(np.asarray(made.decode(data)), np.asarray(picture))))
    assert [psnr_db for _, psnr_db in every] != sorted(psnr_db for _, psnr_db in every)
    for target in np.linspace(every[0][1] + 0.01, max(psnr_db for _, psnr_db in every) - 0.01, 12):
        smallest = min(size for size, psnr_db in every if psnr_db >= target)
        assert compress_to(picture, name, psnr_db=float(target)).bytes == smallest


def test_what_is_known_changes_the_work_and_not_the_answer(crop, by_rate):
    budget = round((by_rate(192)[0] + by_rate(208)[0]) / 2)
    known = [Known(Rate(index), *by_rate(index)) for index in (16, 128, 192, 208, 368)]
    cold, warm = compress_to(crop, bytes=budget), compress_to(crop, bytes=budget, known=known)
    assert (warm.rate, warm.stream) == (cold.rate, cold.stream)
    assert warm.coded < cold.coded


@pytest.mark.parametrize("name", ["jpeg", "jpeg2000", "webp", "avif", "hevc-intra-444"])
def test_classical_codecs_over_their_scale(name, crop):
    made = CLASSICAL[name]
    low, high = (len(made.encode(crop, quality)) for quality in (made.axis.first, made.axis.last))
    budget = round((low * high) ** 0.5)
    found = compress_to(crop, name, bytes=budget)
    assert found.lmbda is None
    assert found.stream == made.encode(crop, found.rate)
    assert budget * 0.6 < found.bytes <= budget
    if made.axis.whole:
        assert len(made.encode(crop, Quality(found.rate.value + 1))) > budget
    reached = compress_to(crop, name, psnr_db=found.psnr_db)
    assert reached.psnr_db >= found.psnr_db
    assert reached.bytes <= found.bytes


@pytest.mark.slow
def test_large_pictures_begin_with_a_mosaic(photograph):
    picture = photograph.resize((1300, 900), Image.Resampling.LANCZOS)
    assert search.mosaic(picture).size == (512, 512)
    found = compress_to(picture, bpp=0.4)
    assert 0 <= found.left < 0.01
    assert found.coded <= 4


@pytest.mark.parametrize("size", [(1, 1), (3, 2000)])
def test_a_mosaic_of_any_picture(size):
    assert search.mosaic(Image.new("RGB", size)).size == (512, 512)


@pytest.mark.parametrize("target", [{"bytes": 100}, {"bytes": 10**9}, {"bpp": 0.001}, {"psnr_db": 5}, {"psnr_db": 80}])
def test_out_of_reach_is_said_with_the_range_that_is_not(crop, by_rate, target):
    with pytest.raises(UnreachableError, match="out of reach: MAE can give this picture") as error:
        compress_to(crop, **target)
    low, high = error.value.low, error.value.high
    (unit,) = target
    ends = [by_rate(0), by_rate(rates.LAST_INDEX)]
    per = {"bytes": 1, "bpp": 8 / (crop.width * crop.height), "psnr_db": 1}[unit]
    assert (low, high) == pytest.approx([end[unit == "psnr_db"] * per for end in ends])
    assert error.value.unit == unit
    inside = compress_to(crop, **{unit: high if unit == "bytes" else (low + high) / 2})
    assert low <= getattr(inside, unit) <= high


def test_a_model_of_one_rate_reaches_that_one(crop):
    stream = coder.compress(crop, "independent-4096", 4096)
    assert compress_to(crop, "independent-4096", bytes=len(stream)).stream == stream
    with pytest.raises(UnreachableError):
        compress_to(crop, "independent-4096", bytes=len(stream) // 2)


def test_of_independent_models_the_largest_file_within_the_budget(crop):
    streams = {
        rate.lmbda: coder.compress(crop, model.name, rate.lmbda) for rate, model in codec("independent").models.items()
    }
    for lmbda, stream in streams.items():
        found = compress_to(crop, "independent", bytes=len(stream))
        assert (found.lmbda, found.stream) == (lmbda, stream)
    low, high = min(map(len, streams.values())), max(map(len, streams.values()))
    assert compress_to(crop, "independent", bytes=high - 1).bytes < high - 1
    with pytest.raises(UnreachableError):
        compress_to(crop, "independent", bytes=low // 2)


def test_flat_pictures_have_no_slope_to_follow():
    flat = Image.new("RGB", (64, 64), (90, 90, 90))
    sizes = {len(coder.compress(flat, "mae", Rate(i).lmbda)) for i in (0, 384)}
    found = compress_to(flat, bytes=max(sizes))
    assert found.bytes <= max(sizes)


@pytest.mark.parametrize(
    "target", [{}, {"bytes": 1000, "bpp": 1}, {"bytes": 0}, {"bpp": -1}, {"psnr_db": float("nan")}]
)
def test_a_target_is_one_positive_number(crop, target):
    with pytest.raises(ValueError, match=r"exactly one target|positive number"):
        compress_to(crop, **target)
