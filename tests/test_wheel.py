"""The wheel and the sdist hold everything: installed outside the checkout, the command line, the app and the lessons
work from an empty folder, nothing is written but there and in the cache, and nothing stays when it is uninstalled.

The environment of the wheel sees what is installed here, link by link, all but mae_viz itself.
"""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest
from chromium import plain, serve, settled, visit
from PIL import Image
from playwright.sync_api import expect

import mae_viz
from mae_viz.coding import checkpoints, weights
from mae_viz.images import gallery
from mae_viz.rates import LMBDAS, LMBDAS_HYPERPRIOR, Rate

ROOT = Path(__file__).parent.parent
SHIPPED = {"mae", "bottleneck-scaling", "mae-hyperprior", "independent-128"}
PHOTOGRAPH = "chelsea"
LMBDA = 512.0
MISSING = re.compile(r"the weights of [\w, -]+ are not in this installation: `mae-viz weights` says how to get them")

MANY = """
import contextlib, io, json, sys
from mae_viz import cli
said = []
for command in json.loads(sys.argv[1]):
    sys.argv, out, code = ["mae-viz", *command], io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            cli.main()
        except SystemExit as left:
            code = left.code or 0
    said.append([code, out.getvalue()])
print(json.dumps(said))
"""
"""Commands one after another in one process, which loads torch once."""

LESSON = """
import sys
from pathlib import Path
import nbformat
sys.path.insert(0, sys.argv[1])
import execute
after = "import mae_viz; print(mae_viz.__file__)"
nbformat.write(execute.execute(Path(sys.argv[2]), after), sys.argv[2])
"""


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def size(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as opened:
        return opened.size


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The folder with the sdist, and the wheel that was built from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    hatch = [sys.executable, "-m", "hatchling", "build", "-d", str(out), "-t"]
    subprocess.run([*hatch, "sdist"], cwd=ROOT, check=True, capture_output=True, timeout=300)
    (sdist,) = out.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        opened.extractall(out, filter="data")
    unpacked = out / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*hatch, "wheel"], cwd=unpacked, check=True, capture_output=True, timeout=300)
    return out


class Installation:
    """The wheel in an environment of its own, an empty folder to work in, and a home where nobody has been."""

    def __init__(self, root: Path, wheel: Path):
        self.venv, self.empty, self.home = root / "venv", root / "empty", root / "home"
        self.cache = self.home / ".cache"
        others = root / "others" / "site-packages"  # Streamlit looks for this name in its own path
        for folder in (self.empty, self.home, others):
            folder.mkdir(parents=True)
        for place in (Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")):
            for entry in place.iterdir():
                if "mae_viz" not in entry.name and entry.suffix != ".pth" and not (others / entry.name).exists():
                    (others / entry.name).symlink_to(entry)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(self.venv)], check=True, timeout=300)
        self.python, self.command = self.venv / "bin" / "python", self.venv / "bin" / "mae-viz"
        (self.packages,) = self.venv.glob("lib/python*/site-packages")
        (self.packages / "others.pth").write_text(f"{others}\n")
        self.bare = files_below(self.venv)
        self.pip("install", "--no-deps", "--no-index", str(wheel))
        self.full = files_below(self.venv)
        jupyter = root / "jupyter"  # what Jupyter keeps is its own affair
        self.environment = {
            "HOME": str(self.home),
            "PYTHONPATH": "",
            "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
            "IPYTHONDIR": str(jupyter / "ipython"),
            **{name: "" for name in os.environ if name.startswith(("MAE_VIZ_", "XDG_"))},
        }

    def pip(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *arguments, "--quiet"]
        subprocess.run(command, check=True, timeout=300)

    def run(self, *command: str | Path, **environment: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.empty,
            env=os.environ | self.environment | environment,
            text=True,
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def many(self, *commands: str, **environment: str) -> list[tuple[int, str]]:
        """Exit code and output of each."""
        words = json.dumps([command.split() for command in commands])
        return json.loads(self.run(self.python, "-P", "-c", MANY, words, **environment).splitlines()[-1])


@pytest.fixture(scope="module")
def installed(tmp_path_factory, built) -> Installation:
    (wheel,) = built.glob("*.whl")
    return Installation(tmp_path_factory.mktemp("installation"), wheel)


@pytest.mark.slow
def test_they_hold_everything(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.stat().st_size < 60e6
    there = set(ZipFile(wheel).namelist())
    package = {f"mae_viz/{name}" for name in files_below(ROOT / "mae_viz") if "__pycache__" not in name}
    beside = {f"checkpoints/{name}" for name in files_below(ROOT / "checkpoints")}
    beside -= {f"checkpoints/{name}/{weights.FILE}" for name in set(checkpoints.known()) - SHIPPED}
    beside |= {
        f"notebooks/{path.name}" for path in (ROOT / "notebooks").iterdir() if path.suffix in (".ipynb", ".json")
    }
    beside |= {"app.py", ".streamlit/config.toml", "docs/fig1.svg"}
    inside = {name for name in there if not name.startswith(f"mae_viz-{mae_viz.__version__}.dist-info/")}
    assert inside == package | {f"mae_viz/share/{name}" for name in beside}
    assert {
        f"mae_viz-{mae_viz.__version__}.dist-info/{name}" for name in ("licenses/LICENSE", "entry_points.txt")
    } < there
    assert "mae_viz/gallery/credits.json" in there


@pytest.mark.slow
def test_the_command_line_from_an_empty_folder(installed):
    stated, home = installed.run(
        installed.python, "-P", "-c", "import mae_viz; print(mae_viz.__version__, mae_viz.__file__)"
    ).split()
    assert Path(home).is_relative_to(installed.venv)
    assert installed.run(installed.command, "--version") == f"mae-viz {stated}\n"
    (installed.empty / "photo.png").write_bytes(gallery()[PHOTOGRAPH].path.read_bytes())
    done = installed.many(
        f"compress photo.png -o photo.mae --lambda {LMBDA}",
        "decompress photo.mae -o decoded.png",
        "info photo.mae",
        "figure fig3,table1 --format csv",
        "notebooks lessons",
    )
    assert [code for code, _ in done] == [0] * 5
    assert (installed.empty / "photo.mae").read_bytes() == mae_viz.compress(gallery()[PHOTOGRAPH].path, "mae", LMBDA)
    assert size(installed.empty / "decoded.png") == size(installed.empty / "photo.png")
    assert json.loads(done[2][1])["model"] == "mae"
    with (installed.empty / "figures" / "fig3.csv").open(newline="") as figure:
        drawn = {(row["curve"], row["lmbda"]) for row in csv.DictReader(figure)}
    groups = {"independent": LMBDAS, "independent-hyperprior": LMBDAS_HYPERPRIOR}
    assert {(curve, str(float(lmbda))) for curve, lmbdas in groups.items() for lmbda in lmbdas} < drawn
    assert len(list((installed.empty / "lessons").glob("*.ipynb"))) == 7


@pytest.mark.slow
def test_what_needs_other_weights_says_so_and_works_once_they_are_there(installed, tmp_path):
    """From a folder and from an address; a file that is another is refused, and nothing of it kept."""
    file = mae_viz.compress(gallery()[PHOTOGRAPH].path, "independent-64", 64)
    (installed.empty / "other.mae").write_bytes(file)
    (installed.empty / "photo.png").write_bytes(gallery()[PHOTOGRAPH].path.read_bytes())
    needs = (
        "decompress other.mae -o other.png",
        "compress photo.png -o x.mae --model independent-64 --lambda 64",
        "compress photo.png -o x.mae --model independent --bytes 9000",
        "evaluate independent --images . --out x.json",
        "figure fig4 --model independent-hyperprior-64",
        "export coffee -o x.html --codecs independent",
    )
    wrong, release = tmp_path / "wrong", tmp_path / "release"
    for folder in (wrong, release):
        folder.mkdir()
    (wrong / "independent-64.safetensors").write_bytes(b"not these")
    (release / "independent-64.safetensors").symlink_to(ROOT / "checkpoints" / "independent-64" / weights.FILE)
    (release / "independent-256").symlink_to(ROOT / "checkpoints" / "independent-256")
    handler = partial(SimpleHTTPRequestHandler, directory=str(release))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        *refused, listed, none, other, fetched, again = installed.many(
            *needs, "weights", "weights --fetch", f"weights {wrong}", f"weights {url}", needs[0]
        )
        server.shutdown()
    for command, (code, said) in zip(needs, refused, strict=True):
        assert code == 2, command
        assert MISSING.search(said), (command, said)
        assert "Traceback" not in said
    assert len(re.findall("missing$", listed[1], re.MULTILINE)) == len(checkpoints.known()) - len(SHIPPED)
    assert (none[0], other[0]) == (2, 2)
    assert "no address of this release's weights is known" in none[1]
    assert "holds other weights than this version" in other[1]
    assert fetched[0] == 0, fetched[1]
    assert "2 of 10 missing models came from" in fetched[1]
    assert again[0] == 0, again[1]
    assert size(installed.empty / "other.png") == size(installed.empty / "photo.png")
    (copied,) = installed.many(f"weights {ROOT}")
    assert "8 of 8 missing models came from" in copied[1]
    kept = installed.cache / "mae_viz" / "weights"
    assert len(list(kept.iterdir())) == 10
    for path in kept.iterdir():  # what follows is to find the wheel's own alone
        path.unlink()


@pytest.mark.slow
def test_the_app_from_an_empty_folder(installed, browser, monkeypatch):
    monkeypatch.chdir(installed.empty)
    (installed.empty / "torch.py").write_text("raise SystemExit('the folder at hand is no place for libraries')")
    command = [str(installed.command), "app", "--server.port", "{port}", "--server.headless", "true"]
    with serve(command, "/_stcore/health", **installed.environment) as url:
        (installed.empty / "torch.py").unlink()
        start = f"{url}/?image={PHOTOGRAPH}&lambda={LMBDA:g}"
        with visit(browser, start, viewport={"width": 1440, "height": 1000}) as page:
            page.locator(f".mae-viewer[data-index='{Rate.near(LMBDA).index}'][data-busy=false]").wait_for()
            shown = page.locator(".pane").nth(0).locator("dl div:has(dt:text-is('bytes')) dd")
            expected = len(mae_viz.compress(gallery()[PHOTOGRAPH].path, "mae", LMBDA))
            expect(shown).to_have_text(re.compile(rf"^{expected // 1000}\D?{expected % 1000:03}"))
            page.locator("input.rate").focus()
            page.keyboard.press("ArrowRight")
            page.locator(f".mae-viewer:not([data-index='{Rate.near(LMBDA).index}'])[data-busy=false]").wait_for()
            expect(
                page.get_by_text("Independent models + hyperprior, whose weights did not come along")
            ).to_be_visible()
            page.goto(f"{url}/?panes=independent")
            expect(page.get_by_text(MISSING)).to_be_visible()
            for name, said in (("curves", "Independent models"), ("how", "Independent models: all 7 began at mae")):
                page.goto(f"{url}/{name}?image={PHOTOGRAPH}&step=2")
                expect(page.get_by_text(said).first).to_be_attached()
                settled(page)
                assert page.locator("[data-testid=stException]").count() == 0
                assert plain(page.title())


@pytest.mark.slow
def test_a_lesson_from_there(installed):
    lesson = installed.empty / "lessons" / "03_fig4_modulated_feature_maps.ipynb"
    if not lesson.is_file():
        installed.many("notebooks lessons")
    installed.run(installed.python, "-P", "-c", LESSON, str(ROOT / "notebooks"), str(lesson))
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    assert str(installed.packages) in "".join(cells[-1]["outputs"][0]["text"])
    assert any("image/jpeg" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


@pytest.mark.slow
def test_it_writes_nowhere_else_and_leaves_nothing(installed):
    """The last one here: it uninstalls."""
    assert files_below(installed.venv) == installed.full
    assert {name.partition("/")[0] for name in files_below(installed.home)} <= {".cache"}
    installed.pip("uninstall", "--yes", "mae-viz")
    assert files_below(installed.venv) == installed.bare
    assert [path for path in installed.packages.iterdir() if "mae_viz" in path.name] == []
