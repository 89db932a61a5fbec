"""Every code block of the README runs, word for word; where it would take long, on less."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import Image

import mae_viz
from mae_viz import cli
from mae_viz.codecs import registry
from mae_viz.images import gallery
from mae_viz.training.data import BUNDLED

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)

LESS = {
    "app": ["--help"],  # knows its options, and ends
    "evaluate": ["--images", "small", "--dataset", "small", "--lambdas", "64", "--qualities", "2", "--jobs", "1"],
    "train": [
        *("--set", "channels=12", "--set", "start=random", "--set", "steps=2", "--set", "batch=2", "--set", "crop=64"),
        *("--set", "validation_crop=64", "--set", "entropy_steps=1", "--set", "compile=false"),
        *("--set", "precision=float32", "--set", "then=[]"),
    ],
}
"""What follows a command so that it takes small pictures or few steps."""

MY_CODECS = """
import io
import mae_viz
from PIL import Image

class Colours:
    name, qualities = "mine", (2, 4, 8, 16)

    def encode(self, picture, quality):
        data = io.BytesIO()
        picture.quantize(quality).save(data, "PNG")
        return data.getvalue()

    def decode(self, data):
        return Image.open(io.BytesIO(data))

mae_viz.register(Colours())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where somebody reads the README: a photograph, more of them at home, a module with a codec."""
    home = tmp_path_factory.mktemp("home")
    shutil.copy(gallery()["coffee"].path, home / "photo.png")
    (home / "small").mkdir()
    Image.open(home / "photo.png").crop((0, 0, 96, 64)).save(home / "small" / "small.png")
    (home / "photographs").mkdir()
    for path in sorted(BUNDLED.glob("*.avif"))[:3]:
        shutil.copy(path, home / "photographs")
    (home / "my_codecs.py").write_text(MY_CODECS)
    return home


def lines(block: str) -> list[list[str]]:
    """The commands of a shell block, each as its words; comments are left out."""
    return [words for line in block.splitlines() if (words := shlex.split(line, comments=True))]


def own_process(words: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run `mae-viz` as a shell would, but in a fork of this process, which has loaded what commands need."""

    def child() -> None:
        os.environ.update(environment)
        os.chdir(folder)
        sys.path[:0] = [path for path in environment["PYTHONPATH"].split(os.pathsep) if path not in sys.path]
        sys.argv = words
        cli.main()

    process = get_context("fork").Process(target=child)
    process.start()
    process.join(600)
    assert process.exitcode == 0, words


@pytest.mark.slow
def test_every_shell_block(folder):
    """In the README's order: what one leaves behind the next may use. Of make what it would do."""
    for needed in ("lightning.fabric", "mae_viz.layers", "mae_viz.figures.output", "mae_viz.training.loop"):
        import_module(needed)
    environment = {
        "HOME": str(folder),
        "MAE_VIZ_CACHE": str(folder / "cache"),
        "PYTHONPATH": str(ROOT),
        "PWD": str(folder),
    }
    for language, block in BLOCKS:
        for program, *rest in lines(block) if language == "sh" else []:
            rest = [word.replace("~", environment["HOME"]).replace("$PWD", environment["PWD"]) for word in rest]
            if program == "export":
                environment |= dict(word.split("=", 1) for word in rest)
            elif program == "make":
                subprocess.run(["make", "--dry-run", *rest], cwd=ROOT, check=True, capture_output=True, timeout=60)
            else:
                assert program == "mae-viz"
                own_process([program, *rest, *LESS.get(rest[0], [])], environment, folder)
    for made in ("photo.mae", "decoded.png", "figures/fig4.pdf", "runs/mae/mae/card.json", "results/kodak/mine.json"):
        assert (folder / made).stat().st_size > 100, made


def test_every_python_block(folder, monkeypatch):
    with warnings.catch_warnings():  # of what CompressAI imports, as in layers.py
        warnings.simplefilter("ignore")
        from compressai.models import FactorizedPrior

    monkeypatch.chdir(folder)
    models = {"small_model": FactorizedPrior(8, 8), "large_model": FactorizedPrior(8, 8)}
    before = set(registry.names())
    for language, block in BLOCKS:
        if language == "python":
            exec(block, {"mae_viz": mae_viz, **models})
    added = set(registry.names()) - before
    for name in added:
        registry.unregister(name)
    assert added == {"blocks", "mine"}
    assert (folder / "decoded.png").stat().st_size > 10_000
