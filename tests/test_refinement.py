"""A refinement as a ladder: its files are real at every moment, it keeps nobody waiting, and a mask moves its bits."""

import json
import threading
import zlib
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

import mae_viz
from mae_viz import computing, metrics, probe
from mae_viz.codecs import registry
from mae_viz.codecs.registry import codec
from mae_viz.coding import checkpoints
from mae_viz.computing import Computing
from mae_viz.ladders import frame as frame_module
from mae_viz.ladders import ladder, refinement
from mae_viz.rates import Rate

SCHEMA = json.loads((Path(frame_module.__file__).parent / "frame.schema.json").read_text(encoding="utf-8"))
RATE = Rate.near(256)


@pytest.fixture(scope="module")
def picture(photograph) -> Image.Image:
    return photograph.crop((200, 120, 328, 232))


@pytest.fixture
def ladders(tmp_path):
    return ladder.Ladders(tmp_path)


def started(ladders, picture, name="mae", mask=b"", viewer="", steps=20, rate=RATE) -> refinement.Refinement:
    key = refinement.start(ladders, ladders.offer(picture, name).id, rate.at, mask, viewer, steps)
    made = ladders.find(key)
    assert isinstance(made, refinement.Refinement)
    return made


def finished(ladders, made, viewer="") -> dict:
    """The listing once it is complete; asking for it starts the work and keeps it going."""
    while not (listing := ladders.listing(made.id, viewer=viewer))["complete"]:
        wait(made.jobs.values(), timeout=0.5)
    jsonschema.validate(json.loads(json.dumps(listing, allow_nan=False)), SCHEMA)
    return listing


def check(made, frame: dict, picture, model: str) -> None:
    """A frame of a refinement says of its file what is true of it."""
    stream = (made.folder / frame["stream"]).read_bytes()
    decoded = np.asarray(mae_viz.decompress(stream))
    assert np.array_equal(decoded, np.asarray(Image.open(made.folder / frame["file"])))
    assert frame["bytes"] == len(stream)
    assert frame["psnr_db"] == metrics.psnr_db(decoded, np.asarray(picture))
    cost = probe.cost(checkpoints.open_checkpoint(model), stream)
    assert np.allclose(np.fromfile(made.folder / frame["bits"], "<f4"), cost.places.ravel(), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(("name", "model"), [("mae", "mae"), ("independent-hyperprior", "independent-hyperprior-256")])
def test_at_its_end_it_shows_the_file_that_the_codec_writes(ladders, picture, name, model):
    made = started(ladders, picture, name)
    listing = finished(ladders, made)
    (final, *_), told = listing["frames"], listing["refinement"]
    check(made, final, picture, model)
    assert (final["at"], final["lmbda"]) == (RATE.index, RATE.lmbda)
    assert (listing["complete"], told["step"], told["steps"]) == (True, 20, 20)
    assert told["codec"]["title"] == f"{codec(model).title}, refined 20 steps"
    streams = [moment.best.stream for moment in registry.codec(model).refined(20).moments(picture, RATE)]
    assert [point["bytes"] for point in told["trail"]] == [len(stream) for stream in streams]
    assert streams[0] == mae_viz.compress(picture, model, RATE.lmbda)
    assert final["bytes"] == len(streams[-1])
    ladders.close()  # another day: nothing is computed again, and the way to it is known
    again = started(ladders, picture, name)
    assert again is not made
    assert ladders.listing(again.id) == listing | {"frames": [final]}


def test_what_is_stopped_keeps_its_best_file_and_begins_anew(ladders, picture):
    made, moved = started(ladders, picture, steps=4000), threading.Event()
    publish = ladders._cache.put

    def put(key, files):
        publish(key, files)
        if made.moments:
            moved.set()

    ladders._cache.put = put
    ladders.listing(made.id, viewer="")
    (job,) = made.jobs.values()
    while not moved.wait(0.5):
        ladders.listing(made.id, viewer="")
    ladders.let_go(made.id, "")
    with pytest.raises(computing.DroppedError):
        job.result(300)
    best = made.moments[0].to_json()
    check(made, best, picture, "mae")
    stopped = made.listing()
    assert stopped["frames"][0] == best
    assert not stopped["complete"]
    assert stopped["refinement"]["trail"]
    assert not list(made.folder.glob("*.json"))  # nobody takes it for a whole one


def test_a_mask_moves_bits_into_what_is_painted_at_the_size_of_the_plain_file(ladders, picture):
    mask = np.zeros((picture.height, picture.width), np.uint8)
    mask[30:80, 40:90] = 255
    made = started(ladders, picture, mask=zlib.compress(mask.tobytes()), steps=40)
    listing = finished(ladders, made)
    (final, *_), told = listing["frames"], listing["refinement"]
    check(made, final, picture, "mae")
    plain = mae_viz.compress(picture, "mae", RATE.lmbda)
    assert final["bytes"] == pytest.approx(len(plain), rel=0.02)
    assert final["at"] == RATE.index
    assert (told["steps"], told["trail"][0]["bytes"]) == (60, len(plain))
    stream = (made.folder / final["stream"]).read_bytes()
    for name, where in (("painted", mask > 127), ("rest", mask <= 127)):
        for when, data in (("before_db", plain), ("after_db", stream)):
            pair = (np.asarray(image)[where][None] for image in (mae_viz.decompress(data), picture))
            assert told[name][when] == pytest.approx(metrics.psnr_db(*pair))
    gained = {name: told[name]["after_db"] - told[name]["before_db"] for name in ("painted", "rest")}
    assert gained["painted"] > max(0, gained["rest"]) + 0.4


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (b"no zlib", "not packed"),
        (zlib.compress(bytes(10)), "128 × 112 pixels"),
        (zlib.compress(bytes(128 * 112 * 4)), "128 × 112 pixels"),
        (zlib.compress(bytes(128 * 112)), "all of the picture is painted, or nothing"),
        (zlib.compress(b"\xff" * 128 * 112), "all of the picture is painted, or nothing"),
    ],
)
def test_what_is_no_mask_is_said(ladders, picture, mask, said):
    with pytest.raises(refinement.MaskError, match=said):
        started(ladders, picture, mask=mask)


def test_what_has_no_latents_is_not_refined(ladders, picture):
    with pytest.raises(ValueError, match=r"JPEG .* has no latents"):
        refinement.start(ladders, ladders.offer(picture, "jpeg").id, 40, b"", "")
    assert refinement.start(ladders, "0" * 24, 40, b"", "") is None


def test_one_at_a_time_on_a_server_and_one_for_each_viewer(ladders, picture):
    first, second = (started(ladders, picture, viewer=who, rate=Rate(at)) for who, at in (("a", 60), ("b", 61)))
    gate = threading.Event()
    busy = computing.shared().submit(gate.wait, patient=True)
    try:
        told = [ladders.listing(made.id, viewer=who)["refinement"] for made, who in ((first, "a"), (second, "b"))]
        assert [each["waits"] for each in told] == [True, True]
        assert [each["before"] for each in told] == [1, 2]
        third = started(ladders, picture, viewer="a", rate=Rate(62))
        assert all(job.lost() for job in first.jobs.values())  # a has turned to another
        ladders.listing(third.id, viewer="a")
        ladders.listing(first.id, viewer="a")
        assert not [job for job in first.jobs.values() if not job.lost()]
        ladders.show("b", [ladders.offer(picture, "mae").id])
        assert not any(job.lost() for job in second.jobs.values())
        ladders.show("b", [])  # another picture
        ladders.show("a", [])
        assert all(job.lost() for made in (second, third) for job in made.jobs.values())
    finally:
        gate.set()
    assert busy.result(60)


def test_patient_work_gives_way_to_what_somebody_looks_for_and_to_nothing_else():
    with closing(Computing(workers=1)) as owner:
        done, gate, begun, met = [], threading.Event(), threading.Event(), threading.Event()

        def on_screen():
            begun.set()
            assert gate.wait(60)
            done.append("on screen")

        def patient():
            assert met.wait(60)
            computing.give_way()
            done.append("patient")

        job = owner.submit(patient, patient=True)
        shown = owner.submit(on_screen)
        assert begun.wait(60)
        met.set()
        assert not owner.quiet(job)
        gate.set()
        job.result(60)
        shown.result(60)
        assert done == ["on screen", "patient"]
        gate.clear()
        owner.submit(gate.wait, 60, urgency=computing.SOON)  # ahead of need: the system's priorities see to that
        assert owner.submit(computing.give_way, patient=True).result(60) is None
        gate.set()
