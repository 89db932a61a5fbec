"""Weights that did not come along: what says so, and how they are brought from folders and addresses."""

import hashlib
import json
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

import mae_viz
from mae_viz.codecs import registry
from mae_viz.coding import checkpoints, weights
from mae_viz.measured import collected, evaluate

TWO = {"first": b"the first weights", "second": b"and the second" * 1000}


@pytest.fixture
def missing(tmp_path) -> list[weights.Missing]:
    return [
        weights.Missing(name, len(data), hashlib.sha256(data).hexdigest(), tmp_path / "kept" / name)
        for name, data in TWO.items()
    ]


@pytest.fixture
def source(tmp_path) -> Path:
    """One file by a release's name, one as in a folder of checkpoints."""
    folder = tmp_path / "source"
    (folder / "second").mkdir(parents=True)
    (folder / "first.safetensors").write_bytes(TWO["first"])
    (folder / "second" / weights.FILE).write_bytes(TWO["second"])
    return folder


@pytest.fixture
def address(source):
    """The same on a server; what is called "broken" there it cannot give."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            if "broken" in self.path:
                self.send_error(500)
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(source.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/source"
        server.shutdown()


@pytest.mark.parametrize("remote", [False, True])
def test_they_come_from_a_folder_and_from_an_address(missing, source, address, remote):
    heard = []
    found = weights.fetch(address if remote else str(source), missing, lambda done, name: heard.append((done, name)))
    assert found == missing
    assert [each.target.read_bytes() for each in missing] == list(TWO.values())
    assert sorted(heard) == heard
    assert {name for _, name in heard} == set(TWO)
    if remote:
        assert heard[-1] == (1.0, "second")
    assert sorted(path.name for path in missing[0].target.parent.iterdir()) == list(TWO)


@pytest.mark.parametrize("remote", [False, True])
def test_other_bytes_are_refused_and_what_came_before_is_kept(missing, source, address, remote):
    (source / "second" / weights.FILE).write_bytes(b"others")
    with pytest.raises(weights.WeightsError, match=r"second/model.safetensors holds .*Nothing of it was kept"):
        weights.fetch(address if remote else str(source), missing, lambda *_: None)
    assert [path.name for path in missing[0].target.parent.iterdir()] == ["first"]


def test_what_cannot_be_had_is_said_in_a_sentence(missing, address, tmp_path):
    port = address.split(":")[2].split("/")[0]
    wrong = {
        str(tmp_path / "nowhere"): "is no folder, nor an address that begins with https://",
        str(tmp_path): "has none of the missing weights: they are called first.safetensors",
        address.replace("source", "elsewhere"): "has none of the missing weights",
        f"{address}/broken": r"cannot be fetched \(it answers 500\)",
        f"https://127.0.0.1:{port}": r"cannot be fetched \(SSLError\)",
        "http://127.0.0.1:1": r"cannot be fetched \(ConnectionError\): look at the address",
    }
    for source, sentence in wrong.items():
        with pytest.raises(weights.WeightsError, match=sentence):
            weights.fetch(source, missing, lambda *_: None)


def test_a_cache_that_takes_nothing_is_named(missing, source, tmp_path):
    (tmp_path / "kept").write_text("a file where the folder should be")
    with pytest.raises(weights.WeightsError, match=r"first cannot be written .*name another folder in MAE_VIZ_CACHE"):
        weights.fetch(str(source), missing, lambda *_: None)


@pytest.fixture
def without(tmp_path, monkeypatch) -> Path:
    """Checkpoints as a wheel has them: of seven independent models one has its weights, of those with hyperprior
    none."""
    home, shipped = tmp_path / "checkpoints", checkpoints.folder()
    for name in checkpoints.known():
        whole = not name.startswith("independent") or name == "independent-128"
        left_out = None if whole else shutil.ignore_patterns(weights.FILE)
        shutil.copytree(shipped / name, home / name, copy_function=lambda a, b: Path(b).symlink_to(a), ignore=left_out)
    shutil.copy(shipped / weights.MANIFEST, home)
    monkeypatch.setenv("MAE_VIZ_CHECKPOINTS", str(home))
    monkeypatch.setenv("MAE_VIZ_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAE_VIZ_WEIGHTS", raising=False)
    return shipped


@pytest.mark.usefixtures("without")
def test_lists_have_what_is_here_and_say_what_is_not(tmp_path, monkeypatch):
    assert mae_viz.available() == ["mae", "mae-hyperprior", "bottleneck-scaling", "independent-128"]
    assert registry.names()[:4] == mae_viz.available()
    assert list(registry.absent()) == ["independent", "independent-hyperprior"]
    results = collected.results()
    measured = results[(results["dataset"] == "kodak") & (results["curve"] == "independent")]
    assert measured["lmbda"].nunique() == 7
    assert "Independent models: all 7 began at mae" in registry.histories(["independent"])
    sentence = r"the weights of independent-64, .* are not in this installation: `mae-viz weights` says how"
    with pytest.raises(ValueError, match=rf"Independent models cannot be measured: {sentence}"):
        evaluate.evaluate("independent", [Path("x.png")], tmp_path / "x.json", "none")
    with pytest.raises(ValueError, match="is a codec that ships"):
        registry.register(
            SimpleNamespace(name="independent", qualities=(1, 2), encode=lambda *_: b"", decode=lambda *_: None)
        )
    monkeypatch.setenv("MAE_VIZ_WEIGHTS", "https://example.org/weights")
    with pytest.raises(checkpoints.CheckpointError, match="get them with `mae-viz weights https://example"):
        mae_viz.load("independent-4096")


def test_the_command_brings_them_and_lists_know(run, without, tmp_path):
    assert run("weights").out.count(" missing\n") == 10
    assert "no address of this release's weights is known" in run("weights", "--fetch", code=2).err
    assert run("weights", without).out.endswith(f"10 of 10 missing models came from {without}.\n")
    assert registry.absent() == {}
    assert "independent" in registry.names()
    assert {path.parent for path in map(checkpoints.weights_file, ("independent-64", "independent-4096"))} == {
        tmp_path / "cache" / "weights"
    }
    assert mae_viz.load("independent-4096").lmbdas == (4096.0,)
    assert run("weights", without).out == "Nothing is missing.\n"


def test_the_checksums_are_those_of_the_weights():
    manifest = json.loads((checkpoints.folder() / weights.MANIFEST).read_text(encoding="utf-8"))
    assert set(manifest) == set(checkpoints.known())
    for name, said in manifest.items():
        data = (checkpoints.folder() / name / weights.FILE).read_bytes()
        assert said == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}, name
