"""What the tests share: real photographs, the app in a browser, and Kodak where it is at hand (MAE_VIZ_KODAK)."""

import os
import re
import sys
from contextlib import closing
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is there: each process has a core of its own

import numpy as np
import pytest
from chromium import fresh_profile, launched, serve
from PIL import Image

from mae_viz.images import gallery, open_rgb

SLOW = {"browser", "server", "tiny_run", "executed", "two_runs"}
"""Fixtures whose users are slow: a browser, an app, a training run, notebooks, all figures. `make test-fast` leaves
them out; what is slow for another reason says `pytest.mark.slow`."""

PHOTOGRAPHS = [photograph.path for photograph in gallery().values()]
KODAK = sorted(Path(os.environ["MAE_VIZ_KODAK"]).glob("*.png")) if "MAE_VIZ_KODAK" in os.environ else []


def scope(nodeid: str) -> str:
    """Tests that share what is dear: a file's, or those of one lesson, and all those that train."""
    stem = Path(nodeid.partition("::")[0]).stem
    lesson = re.search(r"\[(\d\d)_|test_(\d\d)_", nodeid) if stem == "test_notebooks" else None
    name = f"{stem} {lesson[1] or lesson[2]}" if lesson else stem
    return "tiny" if name in ("test_notebooks 05", "test_training_tiny") else name


@pytest.hookimpl(tryfirst=True)  # marks are to be there before pytest selects by them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin, so that at the end short ones even out what the processes have to do."""
    for item in items:
        if SLOW & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
    slow = {scope(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (scope(item.nodeid) != "tiny", scope(item.nodeid) not in slow))


@pytest.hookimpl(optionalhook=True)  # where xdist is
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Where processes share the tests, those of a scope go to one of them."""
    from xdist.scheduler import LoadScopeScheduling

    class ByScope(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope(nodeid)

    return ByScope(config, log)


@pytest.fixture(autouse=True)
def own_main():
    """Streamlit's AppTest leaves its script as `__main__`, which processes that a later test starts would import."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(scope="session")
def photograph() -> Image.Image:
    return open_rgb(gallery()["coffee"].path)


@pytest.fixture(scope="session")
def crop(photograph) -> Image.Image:
    """A small picture whose sides the strides do not divide."""
    return photograph.crop((150, 100, 277, 199))


@pytest.fixture
def noise():
    """Random pictures: (height, width) → uint8 (H, W, 3)."""
    generator = np.random.default_rng(0)
    return lambda height, width: generator.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def run(monkeypatch, capsys):
    """Arguments of `mae-viz` → what it printed (``out`` and ``err``), having left with ``code``.

    In this process: one of its own would spend seconds on loading torch.
    """
    from mae_viz import cli

    def run(*arguments, code: int = 0):
        monkeypatch.setattr(sys, "argv", ["mae-viz", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        printed = capsys.readouterr()
        assert (left.value.code or 0) == code, printed.err
        return printed

    return run


@pytest.fixture(scope="session")
def app_cache(tmp_path_factory) -> Path:
    """The cache of the apps under test, empty at first. Where processes share the tests they share it too: a
    photograph's frames are computed once."""
    home = tmp_path_factory.getbasetemp()
    return (home.parent if "PYTEST_XDIST_WORKER" in os.environ else home) / "app-cache"


@pytest.fixture(scope="session")
def server(app_cache):
    """Address of the real app; one for all tests."""
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    with serve(command, "/_stcore/health", MAE_VIZ_CACHE=str(app_cache)) as url:
        yield url


@pytest.fixture(scope="session")
def browser():
    """A real browser; one for all tests."""
    with launched() as instance:
        yield instance


@pytest.fixture(scope="session")
def profile(browser):
    """A profile for all visits to apps: their scripts, which are large, are loaded and compiled once."""
    with closing(fresh_profile(browser)) as kept:
        yield kept


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """The folder of a finished run of the configuration `tiny`, its checkpoint in tiny/, and that of its start in
    before/; trained once for all tests.

    A sixth of its steps: enough to see it learn. In float32, whatever else the machine does meanwhile.
    """
    from mae_viz.training import config, data, loop, machine, state
    from mae_viz.training.run import Run

    folder = tmp_path_factory.mktemp("tiny-run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAE_VIZ_CACHE", str(tmp_path_factory.mktemp("tiny-cache")))
        tiny = config.load("tiny").changed(steps=150, validate_every=50, precision="float32")
        run = Run(tiny, data.open_pictures(data.BUNDLED, tiny.scales, print), machine.fabric(), print)
        run.begin()
        run.export("before", folder)
        state.save(folder / "state.pt", run.state())  # as if stopped before its first step
        loop.train(tiny, folder, "tiny")
    return folder
