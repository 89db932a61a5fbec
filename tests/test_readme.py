"""Every code block of the README runs, word for word; where it would take long, on less."""

import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

import mae_viz
from mae_viz.codecs import registry
from mae_viz.images import gallery
from mae_viz.training.data import BUNDLED

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", README, re.DOTALL)

SHELL = """
set -eu
mae-viz() {
    case "$1 $2" in
        evaluate*) set -- "$@" --images small --dataset small --lambdas 64 --qualities 2 --jobs 1;;
        train*)
            set -- "$@" --set channels=12 --set start=random --set steps=2 --set batch=2 --set crop=64 \\
                --set validation_crop=64 --set entropy_steps=1 --set compile=false --set precision=float32;;
    esac
    "$PYTHON" -m mae_viz "$@"
}
make() { command make --dry-run --directory "$ROOT" "$@"; }
"""
"""Before a block: the commands as they are, but for small pictures and short runs; of make what it would do."""

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


@pytest.fixture(scope="module")
def shell(folder):
    """Runs a block of shell commands there; returns what it prints."""

    def run(block: str) -> str:
        environment = os.environ | {
            "HOME": str(folder),
            "MAE_VIZ_CACHE": str(folder / "cache"),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "ROOT": str(ROOT),
        }
        # a block that sets PYTHONPATH means the folder it stands in, beside an installed mae_viz
        block = block.replace("PYTHONPATH=$PWD", 'PYTHONPATH="$PWD:$PYTHONPATH"')
        done = subprocess.run(
            ["bash", "-c", SHELL + block], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


SCRIPTS = [block for language, block in BLOCKS if language == "sh"]
"""In the README's order: what one leaves behind the next may use."""


@pytest.mark.slow
def test_every_shell_block(shell, folder):
    exported = ""
    for block in SCRIPTS:
        shell(exported + block)
        exported += "".join(line + "\n" for line in block.splitlines() if line.startswith("export "))
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
