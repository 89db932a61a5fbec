"""The cache of frames: it says what is there, keeps to its limit, and does without a disk."""

import io
import os
import resource
import stat
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from mae_viz.codecs.interface import Quality
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.ladders import cache, ladder
from mae_viz.ladders.ladder import Ladder, Ladders
from mae_viz.viewer import streamlit_host


@pytest.fixture
def pictures(noise) -> list[Image.Image]:
    return [Image.fromarray(noise(48, 64)) for _ in range(6)]


def original_of(ladders: Ladders, picture: Image.Image) -> Ladder:
    made = ladders.open(picture, ORIGINAL.name)
    ladders.wait([made])
    return made


def size(folder) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_its_limit_holds(tmp_path, noise):
    ladders = Ladders(tmp_path, limit=50_000)
    for _ in range(12):
        original_of(ladders, Image.fromarray(noise(48, 64)))
    assert 25_000 < size(tmp_path) <= 51_000


def test_what_is_on_screen_stays_whatever_another_server_writes(tmp_path, pictures):
    serving, other = Ladders(tmp_path), Ladders(tmp_path, limit=1)
    left, shown = original_of(serving, pictures[0]), original_of(serving, pictures[1])
    serving.listing(shown.id)
    for picture in pictures[2:]:
        original_of(other, picture)
    assert (left.folder.exists(), shown.folder.exists()) == (False, True)


def test_two_servers_hand_out_all_that_they_list(tmp_path, pictures):
    """Each shows pictures of its own, with room for two and a half of four, and files vanish as well."""
    first = Ladders(tmp_path)
    first.wait([first.open(pictures[0].crop((0, 0, 16, 16)), "jpeg")])
    servers = [Ladders(tmp_path, int(2.5 * size(tmp_path)), patience_s=0.2) for _ in range(2)]
    small = [picture.crop((0, 0, 16, 16)) for picture in pictures[:4]]
    shown = [(servers[k % 2], servers[k % 2].offer(picture, "jpeg")) for k, picture in enumerate(small)]
    listed = missed = 0

    def listing(server: Ladders, made: Ladder) -> list[dict]:
        while not (answer := server.listing(made.id))["complete"]:
            time.sleep(0.005)
        return answer["frames"]

    for server, made in 2 * shown:
        frames = listing(server, made)
        (made.folder / frames[0]["file"]).unlink(missing_ok=True)
        listed += len(frames)
        for frame in frames:
            while server.read(made.id, frame["file"]) is None:
                missed += 1
                assert missed < 100
                assert frame in listing(server, made)
    assert listed == 8 * len(made.source.grid)
    assert missed >= 8


@pytest.mark.parametrize(
    "damage",
    [
        *(b"", b"\xff\x00\xfe", b"null", b"[]", b'{"maps": null, "fra', b"[" * 100_000),
        *(b'{"maps": null, "frame": 5}', b'{"maps": null, "frame": {"at": "x", "file": "0"}}'),
        *(b'{"maps": 5, "frame": {"at": 0, "file": "0"}}', b'{"maps": null, "frame": {"at": 0, "file": null}}'),
    ],
)
def test_a_damaged_entry_is_written_anew(tmp_path, pictures, damage):
    made = original_of(Ladders(tmp_path), pictures[0])
    (made.folder / "0.0.json").write_bytes(damage)
    again = original_of(Ladders(tmp_path), pictures[0])
    assert again.frames == made.frames
    assert (made.folder / "0.0.json").read_bytes() != damage


def test_an_empty_file_is_not_there(tmp_path, pictures):
    ladders = Ladders(tmp_path)
    made = original_of(ladders, pictures[0])
    file = made.folder / made.frames[Quality(0)].file
    content = file.read_bytes()
    file.write_bytes(b"")
    assert (ladders.path(made.id, file.name), ladders.read(made.id, file.name)) == (None, None)
    assert ladders.listing(made.id)["frames"] == []
    ladders.wait([made])
    assert file.read_bytes() == content


def test_what_dead_servers_left_half_done_is_swept(tmp_path, pictures):
    made = original_of(Ladders(tmp_path), pictures[0])
    (half := made.folder.with_name(f".{made.id}.99")).mkdir()
    (half / "a.webp").write_bytes(b"x")
    old, new = made.folder / ".a.webp.99-1.part", made.folder / ".b.webp.99-1.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1e9, 1e9))
    original_of(Ladders(tmp_path), pictures[1])
    assert [path.exists() for path in (half, old, new, made.folder)] == [False, False, True, True]


@pytest.mark.skipif(os.name != "posix", reason="files have no modes")
def test_it_is_its_owners_alone(tmp_path, pictures):
    made = original_of(Ladders(tmp_path), pictures[0])
    assert stat.S_IMODE(made.folder.parent.stat().st_mode) == 0o700


@pytest.fixture(params=["a file is in its place", "the disk is full"])
def useless(request, tmp_path):
    """A folder that takes no frames."""
    if request.param == "a file is in its place":
        (tmp_path / "cache").write_bytes(b"")
        yield tmp_path / "cache"
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """The ladders that the server shares, on a cache of their own."""
    ladder.shared.cache_clear()
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path))
    yield ladder.shared
    ladder.shared.cache_clear()


def served(address: str, query: str = "", **headers: str) -> Response:
    """What the server's routes answer."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": streamlit_host.path(f"ladder/{address}"), "headers": raw}
    for route in streamlit_host.routes():
        found, inside = route.matches(scope)
        if found is Match.FULL:
            return route.endpoint(Request({**scope, **inside, "query_string": query.encode()}))
    raise LookupError(address)


def test_without_a_disk_frames_are_served_from_memory(useless, pictures, fresh, monkeypatch, caplog):
    monkeypatch.setenv("MAE_VIZ_CACHE", str(useless))
    ladders = fresh()
    for picture in pictures:
        made = ladders.open(picture, "original")
        ladders.wait([made])
        (frame,) = ladders.listing(made.id)["frames"]
        answer = served(f"{made.id}/{frame['file']}")
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.body))), np.asarray(picture))
    (said,) = [record.getMessage() for record in caplog.records if "Frames" in record.getMessage()]
    assert "Set MAE_VIZ_CACHE to a folder" in said


@pytest.mark.parametrize(("width", "form"), [(16383, "WEBP"), (16384, "PNG")])
def test_a_frame_is_called_and_served_as_what_it_is(width, form, noise, fresh):
    """WebP ends at 16,383 pixels."""
    picture = Image.fromarray(noise(1, width))
    file = original_of(fresh(), picture).frames[Quality(0)].file
    answer = served(f"{fresh().open(picture, 'original').id}/{file}")
    assert (Path(file).suffix, answer.media_type) == (f".{form.lower()}", f"image/{form.lower()}")
    with Image.open(answer.path) as shown:
        assert shown.format == form
        assert np.array_equal(np.asarray(shown), np.asarray(picture))


def test_memory_is_bounded_and_what_it_forgot_is_made_again(useless, pictures, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY_BYTES", 30_000)
    ladders = Ladders(useless)
    made = [original_of(ladders, picture) for picture in pictures]
    assert sum(map(len, ladders._cache._memory.values())) <= 30_000
    file = made[0].frames[Quality(0)].file
    assert ladders.read(made[0].id, file) is None
    assert ladders.listing(made[0].id)["complete"] is False
    ladders.wait(made[:1])
    assert ladders.read(made[0].id, file)


@pytest.mark.parametrize("file", ["f" * 300 + ".webp", "\0.webp", "0.0.json", "é" * 24 + ".webp"])
def test_a_name_of_no_frame_is_not_found(fresh, file):
    assert served(f"{'0' * 24}/{file}").status_code == 404
    assert served(f"{'f' * 300}/{'0' * 24}.webp").status_code == 404


def test_no_other_site_starts_work(fresh, pictures):
    made = fresh().offer(pictures[0], "mae")
    for headers in ({}, {streamlit_host.SESSION: "guessed"}):
        assert served(made.id, "at=7", **headers).status_code == 403
    assert not made.jobs
