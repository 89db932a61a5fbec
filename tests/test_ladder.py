"""Ladders: frames that are what the codec makes, computed once, kept on disk."""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import weakref

import numpy as np
import pytest
from PIL import Image

import mae_viz
from mae_viz import computing, metrics, probe, rates
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import AnyRate, Quality
from mae_viz.codecs.registry import ORIGINAL, codec
from mae_viz.coding import checkpoints, coder
from mae_viz.images import open_rgb
from mae_viz.ladders import frame as frame_module
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import sources
from mae_viz.rates import Rate


@pytest.fixture(scope="module")
def picture(photograph) -> Image.Image:
    return photograph.crop((200, 120, 392, 285))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ladders(folder) -> ladder.Ladders:
    return ladder.Ladders(folder)


@pytest.fixture(scope="module")
def opened(ladders, picture) -> dict[str, ladder.Ladder]:
    """Complete ladders of one picture."""
    made = {name: ladders.open(picture, name) for name in (ORIGINAL.name, "mae", "bottleneck-scaling", "jpeg")}
    ladders.wait(made.values())
    return made


def pixels(made: ladder.Ladder, rate: AnyRate) -> np.ndarray:
    return np.asarray(Image.open(made.folder / made.frames[rate].file))


def plane(made: ladder.Ladder, rate: AnyRate, kind: str) -> np.ndarray:
    return np.fromfile(made.folder / getattr(made.frames[rate], kind), "<f4")


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling"])
@pytest.mark.parametrize("rate", [Rate(0), Rate(144), Rate(384)], ids=str)
def test_a_model_frame_is_the_round_trip_through_a_file(opened, picture, name, rate):
    made = opened[name]
    stream = mae_viz.compress(picture, name, rate.lmbda)
    decoded = np.asarray(mae_viz.decompress(stream))
    assert np.array_equal(pixels(made, rate), decoded)
    frame = made.frames[rate]
    assert frame.lmbda == rate.lmbda
    assert frame.bytes == len(stream)
    assert frame.bpp == pytest.approx(coder.info(stream)["bpp"], abs=1e-5)
    assert frame.psnr_db == metrics.psnr_db(decoded, np.asarray(picture))
    assert frame.ms_ssim_db == metrics.ms_ssim_db(decoded, np.asarray(picture))
    y, bits = probe.latents(checkpoints.open_checkpoint(name), picture, rate)
    assert np.array_equal(plane(made, rate, "y").reshape(y.shape), y)
    assert np.allclose(plane(made, rate, "bits").reshape(bits.shape[1:]), bits.sum(0), rtol=1e-5, atol=1e-3)
    assert frame.rank[0] == int(np.argmax(bits.sum((1, 2))))
    gains = probe.all_gains(checkpoints.open_checkpoint(name).model, rate)
    assert made.maps == frame_module.Maps(y.shape[1:], 192, 16, tuple(gains))
    by_channel = plane(made, rate, "by_channel").reshape(1 + len(gains), -1)
    assert np.allclose(by_channel[0], bits.sum((1, 2)), rtol=1e-4, atol=1e-3)
    assert np.array_equal(by_channel[1:], np.float32(list(gains.values())))
    assert gains.keys() == ({"m1", "m2", "m3", "d1", "d2", "d3"} if name == "mae" else {"s"})


def test_a_model_has_a_frame_at_every_quarter_octave(opened):
    lmbdas = sorted(frame.lmbda for frame in opened["mae"].frames.values())
    assert len(lmbdas) == 25
    assert (lmbdas[0], lmbdas[-1]) == (64, 4096)
    assert np.allclose(np.diff(np.log2(lmbdas)), 0.25)
    assert set(rates.LMBDAS) <= set(lmbdas)


def test_of_independent_models_each_makes_the_frame_of_its_rate(ladders, picture):
    models = codec("independent").models
    made = ladders.open(picture, "independent")
    ladders.wait([made])
    assert made.source.grid == tuple(models)
    for rate, model in models.items():
        stream = mae_viz.compress(picture, model.name, rate.lmbda)
        assert made.frames[rate].bytes == len(stream)
        assert np.array_equal(pixels(made, rate), np.asarray(mae_viz.decompress(stream)))


def test_models_of_one_rate_are_one_source():
    assert "independent" in sources()
    group = codec("independent")
    assert not {model.name for model in group.models.values()} & set(sources())
    assert {group.axis.at(at) for at in range(rates.LAST_INDEX + 1)} == set(group.models)
    assert all(group.axis.at(rate.at) == rate for rate in group.models)
    assert group.axis.at(rates.LAST_INDEX + 1) is None


@pytest.mark.parametrize("quality", [5, 37, 95])
def test_a_classical_frame_is_the_round_trip_through_a_file(opened, picture, quality):
    jpeg = CLASSICAL["jpeg"]
    stream = jpeg.encode(picture, Quality(quality))
    assert np.array_equal(pixels(opened["jpeg"], Quality(quality)), np.asarray(jpeg.decode(stream)))
    assert opened["jpeg"].frames[Quality(quality)].bytes == len(stream)


@pytest.mark.slow
def test_ladders_of_one_picture_made_at_once_do_not_disturb_each_other(tmp_path, picture):
    ladders = ladder.Ladders(tmp_path)
    made = {name: ladders.open(picture, name) for name in (ORIGINAL.name, "jpeg", "jpeg2000", "webp")}
    ladders.wait(made.values())
    for name in ("jpeg", "jpeg2000", "webp"):
        sizes = {rate: frame.bytes for rate, frame in made[name].frames.items()}
        assert sizes == {rate: len(CLASSICAL[name].encode(picture, rate)) for rate in sizes}
    assert np.array_equal(pixels(made[ORIGINAL.name], Quality(0)), np.asarray(picture))


def test_the_original_is_lossless(opened, picture):
    assert np.array_equal(pixels(opened[ORIGINAL.name], Quality(0)), np.asarray(picture))


def test_a_rate_between_the_frames_is_made_on_demand(ladders, opened, picture):
    made = opened["mae"]
    assert not ladders.listing(made.id, [145])["complete"]
    ladders.wait([made])
    stream = mae_viz.compress(picture, "mae", Rate(145).lmbda)
    assert made.frames[Rate(145)].bytes == len(stream)
    assert np.array_equal(pixels(made, Rate(145)), np.asarray(mae_viz.decompress(stream)))
    extra = [frame["at"] for frame in ladders.listing(made.id)["frames"] if frame.get("extra")]
    assert extra == [145]
    for outside in (-1, 385, 10**9, float("nan")):
        assert ladders.listing(made.id, [outside])["complete"]


@pytest.mark.parametrize(("name", "at", "made_at"), [("jpeg", 41.3, 41), ("jpeg2000", 0.17, 0.17)])
def test_a_quality_between_the_frames_is_made_on_demand(tmp_path, picture, name, at, made_at):
    expected = len(CLASSICAL[name].encode(picture, Quality(made_at)))
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture, name)
    ladders.listing(made.id, [at])
    ladders.wait([made])
    assert made.frames[Quality(made_at)].bytes == expected


def test_of_a_whole_large_picture_only_what_is_asked_for_is_made(tmp_path, picture):
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture, "mae", whole=True)
    assert ladders.listing(made.id)["total"] == 0
    assert made.frames == {}
    ladders.frame(made, Rate(145))
    assert ladders.model_calls == 1
    stream = mae_viz.compress(picture, "mae", Rate(145).lmbda)
    assert made.frames[Rate(145)].bytes == len(stream)
    assert np.array_equal(pixels(made, Rate(145)), np.asarray(mae_viz.decompress(stream)))
    assert made.frames[Rate(145)].y is None


def test_of_a_whole_picture_a_rate_that_nobody_waits_for_is_given_up(tmp_path, picture):
    ladders = ladder.Ladders(tmp_path, patience_s=0)
    made = ladders.offer(picture, "mae", whole=True)
    for at in range(0, 60, 10):
        ladders.listing(made.id, [at])
    ladders.frame(made, Rate(300))
    assert set(made.frames) == {Rate(300)}


@pytest.fixture
def held():
    """Holds all workers but the one for large pictures up, until it is set."""
    gate, begun = threading.Event(), threading.Semaphore(0)
    for _ in range(computing.WORKERS):
        computing.shared().submit(lambda: (begun.release(), gate.wait()))
    for _ in range(computing.WORKERS):
        begun.acquire()
    yield gate
    gate.set()


def test_who_asks_for_hundreds_of_rates_keeps_nobody_waiting(tmp_path, picture, held):
    """Of one viewer's four hundred requests on ten ladders those that count are as many as panes can show."""
    ladders = ladder.Ladders(tmp_path)
    asked_of = [ladders.offer(picture.crop((0, k, 96, k + 64)), "jpeg2000", whole=True) for k in range(10)]
    for k in range(400):
        ladders.listing(asked_of[k % 10].id, [0.1 + k / 200], "hostile")
    made = ladders.offer(picture, "jpeg", whole=True)
    ladders.listing(made.id, [50], "student")
    job = made.jobs[Quality(50)]
    held.set()
    job.result(60)
    done = sum(len(other.frames) for other in asked_of)
    assert done <= ladder.RATES_AT_ONCE + computing.WORKERS
    ladders.wait(asked_of)
    assert sum(len(other.frames) for other in asked_of) == ladder.RATES_AT_ONCE


def test_of_what_a_viewer_asks_for_the_latest_counts_and_what_others_want_stays(tmp_path, picture, held):
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture.crop((0, 0, 96, 64)), "jpeg2000", whole=True)
    for viewer, at in (("a", [0.5, 0.6]), ("b", [0.6]), ("a", [0.7]), ("a", [0.8])):
        ladders.listing(made.id, at, viewer)
    held.set()
    ladders.wait([made])
    assert set(made.frames) == {Quality(0.6), Quality(0.8)}


def test_of_thousands_of_rates_a_ladder_lists_the_latest(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(ladder, "BETWEEN", 3)
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture.crop((0, 0, 32, 32)), "jpeg2000", whole=True)
    for at in (0.5, 0.6, 0.7, 0.8, 0.9):
        ladders.frame(made, Quality(at))
    assert [frame["at"] for frame in made.listing()["frames"]] == [0.7, 0.8, 0.9]
    assert len(ladder.Ladders(tmp_path).offer(made.picture, "jpeg2000", whole=True).frames) == 3


def test_pictures_that_nobody_asks_about_leave_memory(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(ladder, "PICTURES_BYTES", 5 * 4 * 64 * 64)
    ladders, pictures = ladder.Ladders(tmp_path), []
    first = ladders.offer(picture.crop((0, 0, 64, 64)), "jpeg").id
    for k in range(20):
        cut = picture.crop((k, 0, k + 64, 64))
        for name in ("mae", "jpeg"):
            ladders.offer(cut, name)
        pictures.append(weakref.ref(cut))
        assert ladders.listing(first)
    del cut
    assert sum(there() is not None for there in pictures) == 4
    ladders.close()
    assert ladders.listing(first) is None


@pytest.mark.slow
def test_people_who_left_slow_nobody_down(tmp_path, picture):
    """A grid that nobody asks about any more is dropped, and made where somebody comes back."""
    ladders = ladder.Ladders(tmp_path, patience_s=0)
    left = ladders.offer(picture, "mae")
    assert not ladders.listing(left.id)["complete"]
    assert len(left.jobs) == 25
    ladders.wait([ladders.open(picture, "jpeg")])
    assert ladders.model_calls == 0
    assert not ladders.listing(left.id)["complete"]
    ladders.wait([left])
    assert len(left.frames) == 25


def test_who_turns_to_another_picture_leaves_nothing_behind(tmp_path, picture):
    """Not even where the page still asks about the former one, as it may until it is redrawn."""
    ladders = ladder.Ladders(tmp_path)
    left, now = ladders.offer(picture, "mae"), ladders.offer(picture.rotate(180), "jpeg")
    for viewer in ("stays", "goes"):
        ladders.listing(left.id, viewer=viewer)
    ladders.show("goes", [now.id])
    assert not any(job.lost() for job in left.jobs.values())
    ladders.show("stays", [])
    assert all(job.done() or job.lost() for job in left.jobs.values())
    ladders.wait([ladders.open(now.picture, "jpeg")])
    made = len(left.frames)
    assert not ladders.listing(left.id, viewer="goes")["complete"]
    assert len(left.frames) == made < 25
    ladders.show("goes", [left.id])
    while not ladders.listing(left.id, viewer="goes")["complete"]:
        time.sleep(0.01)


def test_a_grid_goes_on_where_its_listing_is_asked_for(tmp_path, picture):
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture, "jpeg")
    while not ladders.listing(made.id)["complete"]:
        time.sleep(0.01)
    assert set(made.frames) == set(made.source.grid)


def test_what_is_waited_for_is_what_was_asked_for(ladders, opened):
    """A rate is moved to the nearest that there is once, and that is what comes."""
    for name, rate, found in [
        ("mae", Rate(221), 221),
        ("jpeg", Quality(41.3), 41),
        ("independent", Rate(221), 192),
        ("original", Quality(7), 0),
    ]:
        assert ladders.frame(ladders.offer(opened["mae"].picture, name), rate).at == found
    for name, rate in [("jpeg", Quality(96)), ("jpeg2000", Quality(0.09)), ("jpeg", Quality(float("nan")))]:
        with pytest.raises(ValueError, match="is outside"):
            ladders.frame(ladders.offer(opened["mae"].picture, name), rate)


def test_the_second_request_and_a_restart_call_no_model(opened, ladders, folder, picture):
    calls = ladders.model_calls
    assert calls >= 50
    ladders.wait([ladders.open(picture, "mae", Rate(384))])
    assert ladders.model_calls == calls
    restarted = ladder.Ladders(folder)
    again = {name: restarted.open(picture, name) for name in opened}
    restarted.wait(again.values())
    assert restarted.model_calls == 0
    assert {name: made.frames for name, made in again.items()} == {name: m.frames for name, m in opened.items()}


def test_a_lost_file_is_computed_again(tmp_path, picture):
    first = ladder.Ladders(tmp_path)
    made = first.open(picture, "jpeg")
    first.wait([made])
    lost = made.folder / made.frames[Quality(50)].file
    content = lost.read_bytes()
    lost.unlink()
    second = ladder.Ladders(tmp_path)
    second.wait([second.open(picture, "jpeg")])
    assert lost.read_bytes() == content


def test_the_rate_at_hand_comes_first_then_coarse_to_fine(tmp_path, picture, held):
    grid = codec("mae").axis.ladder
    order = ladder.coarse_to_fine(grid, Rate(190))
    assert sorted(order) == list(grid)
    assert order[:3] == [Rate(192), Rate(0), Rate(384)]
    assert set(order[3:5]) == {Rate(96), Rate(288)}
    ladders = ladder.Ladders(tmp_path)
    jpeg = ladders.open(picture, "jpeg", start=Quality(80))
    queued = sorted(jpeg.jobs, key=lambda rate: jpeg.jobs[rate].urgency)
    held.set()
    assert queued[0] == Quality(80)
    assert queued == ladder.coarse_to_fine(jpeg.source.grid, Quality(80))


def test_what_the_stage_shows_of_two_codecs_comes_before_what_stands_beside_it(tmp_path, picture, held):
    """Frames come in the order that the workers take them: both codecs' at hand, then the first one's others."""
    ladders = ladder.Ladders(tmp_path)
    first, second = (ladders.offer(picture, name) for name in ("jpeg", "webp"))
    ladders.listing(first.id, [50, 20, 80], "student")
    ladders.listing(second.id, [50], "student")
    owner = computing.shared()
    asked = [first.jobs[Quality(50)], second.jobs[Quality(50)], first.jobs[Quality(20)], first.jobs[Quality(80)]]
    assert [owner.before(job) for job in asked] == [computing.WORKERS + k for k in range(4)]
    held.set()
    for job in asked:
        job.result(60)


def test_offering_computes_nothing(tmp_path, picture):
    ladders = ladder.Ladders(tmp_path)
    made = ladders.offer(picture, "mae")
    assert made.frames == {}
    assert not made.jobs


def test_ladders_differ_by_pixels_and_by_codec(picture):
    turned = picture.transpose(Image.Transpose.ROTATE_180)
    keys = [
        frame_module.Source.of(n).ladder_id(frame_module.fingerprint(p))
        for p in (picture, turned)
        for n in ("mae", "jpeg", "original")
    ]
    assert all(a != b for a, b in itertools.combinations(keys, 2))


def test_above_its_limit_the_cache_forgets_what_was_longest_unused(tmp_path, picture):
    def original_of(ladders: ladder.Ladders, k: int) -> ladder.Ladder:
        made = ladders.open(picture.crop((k, 0, k + 100, 100)), ORIGINAL.name)
        ladders.wait([made])
        return made

    first = ladder.Ladders(tmp_path)
    old = [original_of(first, k) for k in range(3)]
    for age, made in zip((100, 300, 200), old, strict=True):
        os.utime(made.folder, (1e9 - age, 1e9 - age))
    size = sum(path.stat().st_size for path in old[0].folder.iterdir())
    second = ladder.Ladders(tmp_path, limit=int(3.5 * size))
    new = original_of(second, 3)
    assert [made.folder.exists() for made in [*old, new]] == [True, False, True, True]


def test_what_one_server_has_made_another_finds(tmp_path, picture):
    first, second = ladder.Ladders(tmp_path), ladder.Ladders(tmp_path)
    opened_before = second.offer(picture, "independent")
    made = first.open(picture, "independent")
    first.wait([made])
    second.wait([opened_before])
    assert (first.model_calls, second.model_calls) == (len(made.source.grid), 0)
    assert opened_before.frames == made.frames


ANOTHER_SERVER = """
import json, sys
from pathlib import Path
from PIL import Image
from mae_viz.ladders import ladder

picture, limit = Image.open(sys.argv[2]), int(sys.argv[3])
ladders = ladder.Ladders(Path(sys.argv[1]), limit)
print("ready", flush=True)
for line in sys.stdin:
    left, name = json.loads(line)
    made = ladders.open(picture.crop((left, 0, left + 96, 64)), name)
    ladders.wait([made])
    print(json.dumps([frame.file for frame in made.frames.values()]), flush=True)
"""


@pytest.fixture
def another_server(tmp_path, picture):
    """Starts another process on the cache, with a limit of its bytes; returns what opens a ladder there."""
    picture.save(tmp_path / "picture.png")
    with contextlib.ExitStack() as ends:

        def start(limit: int):
            command = [sys.executable, "-c", ANOTHER_SERVER, tmp_path, tmp_path / "picture.png", str(limit)]
            process = ends.enter_context(subprocess.Popen(command, stdin=-1, stdout=-1, text=True))
            ends.callback(process.stdin.close)
            assert process.stdout.readline() == "ready\n"

            def ask(left: int, name: str) -> None:
                print(json.dumps([left, name]), file=process.stdin, flush=True)

            return ask, lambda: json.loads(process.stdout.readline())

        yield start


@pytest.mark.slow
def test_two_processes_make_the_same_ladder_at_once(tmp_path, picture, another_server):
    ask, answer = another_server(ladder.CACHE_BYTES)
    ladders = ladder.Ladders(tmp_path)
    ask(0, "independent")
    made = ladders.open(picture.crop((0, 0, 96, 64)), "independent")
    ladders.wait([made])
    assert sorted(answer()) == sorted(frame.file for frame in made.frames.values())
    assert not [path for path in made.folder.iterdir() if path.suffix == ".part"]
    again = ladder.Ladders(tmp_path)
    assert again.offer(made.picture, "independent").frames == made.frames


@pytest.mark.slow
def test_one_process_serves_while_another_deletes(tmp_path, picture, another_server):
    ask, answer = another_server(1)  # room for nothing but what it has open itself
    ladders = ladder.Ladders(tmp_path)
    made = ladders.open(picture.crop((0, 0, 96, 64)), "jpeg")
    for left in range(1, 30):
        ask(left, "original")
    ladders.wait([made])
    for _ in range(1, 30):
        answer()
    ladders.wait([made])
    assert set(made.frames) == set(made.source.grid)
    assert all(ladders.path(made.id, frame.file) for frame in made.frames.values())


@pytest.mark.parametrize("file", ["../144.0.json", "144.0.json", "a/b.webp", "..", "", "x.webp", "%2e%2e.webp"])
def test_only_frames_are_handed_out(ladders, opened, file):
    assert ladders.path(opened["mae"].id, file) is None
    assert ladders.path("..", opened["mae"].frames[Rate(0)].file) is None
    assert ladders.path(opened["mae"].id, opened["mae"].frames[Rate(0)].file) is not None


def test_what_a_codec_cannot_do_is_said(tmp_path):
    ladders = ladder.Ladders(tmp_path)
    wide = ladders.open(open_rgb(np.zeros((1, 16500, 3), np.uint8)), "webp")
    with pytest.raises(ValueError, match=r"^WebP: "):
        ladders.wait([wide])
    assert ladders.listing(wide.id)["error"].startswith("WebP: ")
    fine = ladders.open(open_rgb(np.zeros((8, 8, 3), np.uint8)), "jpeg")
    ladders.wait([fine])  # the workers live on


def test_unknown_names_are_refused(ladders, picture):
    with pytest.raises(mae_viz.CheckpointError, match="no model named 'jpg'"):
        ladders.open(picture, "jpg")
    assert ladders.listing("nothing") is None


def test_of_a_large_picture_the_middle_is_shown(picture):
    assert frame_module.middle(picture) is picture
    large = Image.fromarray(np.arange(1200 * 1600, dtype=np.uint32).astype("<u4").view(np.uint8).reshape(1200, 1600, 4))
    part = frame_module.middle(large.convert("RGB"))
    assert 0.99 * frame_module.SCRUBBED_PIXELS < part.width * part.height <= frame_module.SCRUBBED_PIXELS
    assert part.width / part.height == pytest.approx(4 / 3, rel=0.01)
    top, left = (1200 - part.height) // 2, (1600 - part.width) // 2
    assert part.getpixel((0, 0)) == large.convert("RGB").getpixel((left, top))
