"""Which room of mae_viz may import which: a room is a module at the top of the package, or a folder of it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mae_viz"
STREAM = Path(__file__).parent / "golden" / "factorized-1.v1.mae"

LIGHT = {
    "architectures",
    "rates",
    "formats",
    "images",
    "metrics",
    "numbers",
    "further",
    "storage",
}  # no torch when they are imported
MAY_IMPORT = {
    "architectures": set(),
    "rates": set(),
    "colour": set(),
    "formats": {"colour"},
    "apart": set(),
    "images": {"apart", "colour", "formats"},
    "metrics": set(),
    "numbers": set(),
    "further": set(),
    "storage": set(),
    "computing": set(),
    "layers": {"rates"},
    "models": {"architectures", "rates", "layers"},
    "coding": LIGHT | {"layers", "models"},
    "probe": {"rates", "layers", "models", "coding"},
    "refining": LIGHT | {"coding", "models"},
    "codecs": LIGHT | {"coding", "probe", "refining"},
    "measured": LIGHT | {"coding", "probe", "codecs"},
    "ladders": LIGHT | {"computing", "codecs"},
    "viewer": LIGHT | {"probe", "codecs", "ladders"},
    "figures": LIGHT | {"models", "coding", "probe", "codecs", "measured"},
    "training": LIGHT | {"layers", "models", "coding"},
    "browser": LIGHT | {"layers", "models", "coding", "probe", "codecs", "ladders", "viewer"},
    "app": LIGHT | {"computing", "coding", "probe", "codecs", "measured", "ladders", "viewer", "figures"},
    "cli": LIGHT
    | {"coding", "refining", "codecs", "measured", "ladders", "viewer", "figures", "training", "browser", "app"},
    "__main__": {"cli"},
    "__init__": set(),  # it loads the names that it offers when they are asked for
}
"""Also inside functions and under TYPE_CHECKING. docs/architecture.md's tree says what each room is for."""

ONLY_IN = {
    "constriction": ("coding/",),
    "distributed": ("measured/cluster.py",),
    "lightning": ("training/",),
    "onnx": ("browser/",),
    "streamlit": ("app/", "viewer/streamlit_host.py"),
}
"""Packages that one place alone may know."""

HEAVY = {"torch", "pandas", "matplotlib", "plotly", "streamlit"}


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def imports(path: Path) -> list[str]:
    """Dotted names of everything that a file imports, wherever in it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: write from mae_viz.… instead of from ."
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


def test_the_table_names_every_room_and_has_no_circle():
    assert set(MAY_IMPORT) == {room(path) for path in FILES}
    TopologicalSorter(MAY_IMPORT).prepare()  # raises CycleError


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_a_room_imports_what_it_may(name):
    wrong = []
    for path in FILES:
        for imported in imports(path):
            package, _, rest = imported.partition(".")
            if room(path) != name or package != "mae_viz":
                continue
            other = rest.partition(".")[0]  # of the package itself where it is one of the names that __init__ offers
            if other != name and other not in MAY_IMPORT[name]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {imported}")
    assert wrong == []


def test_compressai_is_loaded_by_those_who_bring_its_models_alone():
    """It takes longer than coding a picture."""
    assert not [path for path in FILES for name in imports(path) if name.split(".")[0] == "compressai"]


def private_names(paths: Iterable[Path]) -> dict[str, set[str]]:
    """Names with one leading underscore that files reach for in what is not their own, and where: attributes of
    anything but self, and texts, which getattr and state dicts take."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reached = []
            if isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "self"):
                reached = [node.attr]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
                reached = node.value.split(".")
            elif isinstance(node, ast.ImportFrom):
                reached = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            for name in reached:
                if re.fullmatch(r"_[a-zA-Z]\w*", name):
                    found.setdefault(name, set()).add(str(path))
    return found


def test_nothing_private_of_compressais_is_used(tmp_path):
    """Its models plug in, and tests compare with it, by its public names alone."""
    theirs = set()  # what it defines: functions, classes, modules, attributes of self, buffers
    for path in Path(find_spec("compressai").origin).parent.rglob("*.py"):
        theirs.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                theirs.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                theirs.add(node.attr)
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "register_buffer":
                theirs.update(word.value for word in node.args if isinstance(word, ast.Constant))
    assert {"_quantized_cdf", "_likelihood", "_logits_cumulative"} < theirs
    root = PACKAGE.parent
    ours = [p for place in ("mae_viz", "notebooks", "benchmarks", "tests") for p in (root / place).rglob("*.py")]
    used = private_names([path for path in ours if path != Path(__file__)])
    assert {name: where for name, where in used.items() if name in theirs} == {}
    (tmp_path / "one.py").write_text("p = model.entropy_bottleneck._likelihood(y)\nq = getattr(m, '_quantized_cdf')")
    assert set(private_names([tmp_path / "one.py"])) == {"_likelihood", "_quantized_cdf"}


@pytest.mark.parametrize("package", ONLY_IN)
def test_one_place_alone_knows_a_package(package):
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in FILES
        for name in imports(path)
        if package == name.split(".")[0]
    }
    assert users
    assert {user for user in users if not user.startswith(ONLY_IN[package])} == set()


@pytest.mark.parametrize(
    "program",
    [
        "import mae_viz",
        "import mae_viz.rates",
        "import mae_viz.measured.collected",
        "import mae_viz.figures.fig3",
        "import mae_viz.cli; sys.argv[1:] = ['--help']; mae_viz.cli.main()",
        f"import mae_viz.cli; sys.argv[1:] = ['info', {str(STREAM)!r}]; mae_viz.cli.main()",
    ],
)
def test_starting_loads_nothing_heavy(program):
    """This is what lets --help answer at once, and figures be drawn where there is no torch."""
    listed = (
        f"import atexit, sys; atexit.register(lambda: print({HEAVY} & set(sys.modules), file=sys.stderr)); {program}"
    )
    done = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, timeout=300)
    assert done.stderr == "set()\n"
