"""Every code block of the README and of the documentation's pages runs, word for word; where it would take long, on
less."""

import os
import re
import shlex
import subprocess
import sys
import warnings
from multiprocessing import get_context
from pathlib import Path

import pytest
import typer.main
from PIL import Image

import mae_viz
from mae_viz import cli
from mae_viz.codecs import registry
from mae_viz.images import gallery, open_rgb
from mae_viz.measured import collected
from mae_viz.training.data import BUNDLED

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = {
    path.relative_to(ROOT).as_posix(): re.findall(
        r"^```(sh|python)\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for path in DOCUMENTS
}
"""Language and text of the code blocks of each document."""

LESS = {
    "app": [("--help",)],  # knows its options, and ends
    "sweep": [("--codecs", "mae")],
    "evaluate": [
        ("--images", "small"), ("--dataset", "small"), ("--lambdas", "64"), ("--qualities", "8"), ("--jobs", "1"),
    ],
    "train": [
        ("--set", setting)
        for setting in (
            *("channels=12", "start=random", "steps=2", "batch=2", "crop=64", "validation_crop=64", "entropy_steps=1"),
            *("compile=false", "precision=float32", "then=[]"),
        )
    ],
}  # fmt: skip
"""What follows a command so that it takes small pictures or few steps, where it does not say so itself."""

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
    """Where somebody reads the documentation: a photograph, more of them at home, a module with a codec."""
    home = tmp_path_factory.mktemp("home")
    Image.open(gallery()["coffee"].path).crop((150, 100, 390, 276)).save(home / "photo.png")
    (home / "small").mkdir()
    Image.open(home / "photo.png").crop((0, 0, 96, 64)).save(home / "small" / "small.png")
    (home / "photographs").mkdir()
    for path in sorted(BUNDLED.glob("*.avif"))[:3]:
        open_rgb(path).crop((0, 0, 176, 168)).save(home / "photographs" / f"{path.stem}.png")
    (home / "my_codecs.py").write_text(MY_CODECS)
    return home


def lines(block: str) -> list[list[str]]:
    """The commands of a shell block, each as its words; comments are left out."""
    return [words for line in block.splitlines() if (words := shlex.split(line, comments=True))]


def less(words: list[str]) -> list[str]:
    """A command with what makes it short."""
    return [*words, *(word for option in LESS.get(words[1], []) if option[0] not in words or option[0] == "--set"
                      for word in option)]  # fmt: skip


NEEDED = ("bjontegaard", "lightning.fabric", "mae_viz.layers", "mae_viz.figures.output", "mae_viz.training.loop")
"""What commands load that takes long: loaded once."""


def child(words: list[str], environment: dict[str, str], folder: Path) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = [path for path in environment["PYTHONPATH"].split(os.pathsep) if path not in sys.path]
    sys.argv = words
    cli.main()


def own_process(words: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run `mae-viz` as a shell would, but in a fork of a process that has loaded what commands need, and has no threads
    that a fork would lack."""
    context = get_context("forkserver")
    context.set_forkserver_preload([*NEEDED, __name__])
    process = context.Process(target=child, args=(words, environment, folder))
    process.start()
    process.join(600)
    assert process.exitcode == 0, words


@pytest.mark.slow
def test_every_shell_block(folder):
    """In each document's order, the README first: what one leaves behind the next may use. Of make what it would do.
    What has been run is not run again."""
    ran = set()
    for blocks in BLOCKS.values():
        environment = {
            "HOME": str(folder),
            "MAE_VIZ_CACHE": str(folder / "cache"),
            "PYTHONPATH": str(ROOT),
            "PWD": str(folder),
        }
        for program, *rest in [words for language, block in blocks if language == "sh" for words in lines(block)]:
            rest = [word.replace("~", environment["HOME"]).replace("$PWD", environment["PWD"]) for word in rest]
            if program == "export":
                environment |= dict(word.split("=", 1) for word in rest)
            elif program == "make":
                subprocess.run(["make", "--dry-run", *rest], cwd=ROOT, check=True, capture_output=True, timeout=300)
            else:
                words = less([Path(program).name, *rest])
                assert words[0] == "mae-viz"
                if (once := (*words, *sorted(environment.items()))) not in ran:
                    own_process(words, environment, folder)
                ran.add(once)
    for made in ("photo.mae", "decoded.png", "figures/fig4.pdf", "runs/mae/mae/card.json", "results/kodak/mine.json"):
        assert (folder / made).stat().st_size > 100, made


def test_every_python_block(folder, monkeypatch):
    """In each document's order, the README first."""
    with warnings.catch_warnings():  # of what CompressAI imports, as in layers.py
        warnings.simplefilter("ignore")
        from compressai.models import FactorizedPrior

    monkeypatch.chdir(folder)
    models = {"small_model": FactorizedPrior(8, 8), "large_model": FactorizedPrior(8, 8)}
    before = set(registry.names())
    for blocks in BLOCKS.values():
        names = {"mae_viz": mae_viz, **models}
        for language, block in blocks:
            if language == "python":
                exec(block, names)
    added = set(registry.names()) - before
    for name in added:
        registry.unregister(name)
    assert added == {"blocks", "mine"}
    assert (folder / "decoded.png").stat().st_size > 10_000


def test_every_result_file_that_is_shown_can_be_read(tmp_path):
    """Blocks of JSON are results as others write them."""
    blocks = [
        block for text in map(Path.read_text, DOCUMENTS) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    ]
    assert blocks
    for block in blocks:
        (tmp_path / "shown.json").write_text(block)
        assert len(collected.read(tmp_path / "shown.json")) > 0


def test_every_command_in_a_sentence_exists():
    """Its name and its options, as ``mae-viz train mae --data DIR`` in running text; `mae-viz app` hands on others."""
    commands = typer.main.get_command(cli.app).commands
    wrong = []
    for path in DOCUMENTS:
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        for said in re.findall(r"`mae-viz ([^`]*)`", text):
            name, *words = said.split()
            if name in ("COMMAND", "--help"):
                continue
            known = (
                {option for parameter in commands[name].params for option in parameter.opts} if name in commands else ()
            )
            unknown = [word for word in words if word.startswith("--") and word not in known]
            if name not in commands or (unknown and name != "app"):
                wrong.append(f"{path.name}: mae-viz {said}")
    assert wrong == []
