"""Finding Kodak: the folder named, or fetched from a real server, every file checked."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from mae_viz.measured import kodak

CONTENTS = {"kodim01.png": b"one", "kodim02.png": b"two"}
SHA256 = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENTS.items()}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "there"
    home.mkdir()
    for name, data in CONTENTS.items():
        (home / name).write_bytes(data)
    return home


@pytest.fixture
def url(folder, tmp_path, monkeypatch):
    monkeypatch.delenv("MAE_VIZ_KODAK", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))  # between two tries
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_fetched_once_and_kept(url, folder, tmp_path):
    images = kodak.images(url, SHA256)
    assert [path.name for path in images] == ["kodim01.png", "kodim02.png"]
    assert [path.read_bytes() for path in images] == [b"one", b"two"]
    assert all(path.is_relative_to(tmp_path / "cache") for path in images)
    for name in CONTENTS:
        (folder / name).unlink()
    assert kodak.images(url, SHA256) == images


def test_a_changed_file_on_the_server_is_refused(url, folder):
    (folder / "kodim02.png").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"kodim02\.png"):
        kodak.images(url, SHA256)


def test_without_a_network_the_sentence_says_what_to_do(url):
    with pytest.raises(ConnectionError, match=r"go online once, or put the 2 images into a folder.*MAE_VIZ_KODAK"):
        kodak.images("http://127.0.0.1:9/", SHA256)


def test_the_folder_named_is_used_and_checked(folder, monkeypatch):
    monkeypatch.setenv("MAE_VIZ_KODAK", str(folder))
    assert kodak.folder(sha256=SHA256) == folder
    (folder / "kodim01.png").write_bytes(b"not the original")
    with pytest.raises(ValueError, match=r"kodim01\.png is not the original"):
        kodak.folder(sha256=SHA256)
    (folder / "kodim01.png").unlink()
    with pytest.raises(ValueError, match=r"kodim01\.png is missing: all 2 are needed"):
        kodak.folder(sha256=SHA256)


@pytest.mark.parametrize("name", ["clic", "tecnick"])
def test_sets_without_checksums_say_where_to_get_them(run, name):
    said = run("fetch", name).out
    assert "https://" in said
    assert "mae-viz evaluate mae --images FOLDER --dataset" in said


def test_fetching_says_where_the_images_lie(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MAE_VIZ_KODAK", str(tmp_path))
    missing = run("fetch", "kodak", code=2).err
    assert "kodim01.png is missing: all 24 are needed" in missing
    assert "choose kodak, clic, tecnick" in run("fetch", "imagenet", code=2).err


def test_the_list_names_24_different_images():
    assert list(kodak.SHA256) == [f"kodim{i:02}.png" for i in range(1, 25)]
    assert len({bytes.fromhex(digest) for digest in kodak.SHA256.values()}) == 24
