"""What the project's own files promise."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from mae_viz.images import gallery

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_environment_yml_installs_what_pyproject_says():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert environment["name"] == PROJECT["name"].replace("-", "_")
    python = next(d for d in environment["dependencies"] if isinstance(d, str) and d.startswith("python="))
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(low) <= int(python.removeprefix("python=3.")) < int(high)
    (line,) = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    extras = re.fullmatch(r"--editable \.\[(.*)\]", line).group(1).split(",")
    assert set(extras) == set(PROJECT["optional-dependencies"])
    assert set(environment["dependencies"][:-1]) == {python, "pip"}  # everything else comes through pip


def test_make_installs_the_same_extras():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.search(r'--editable "\.\[(.*)\]"', makefile).group(1).split(",")) == set(
        PROJECT["optional-dependencies"]
    )


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def folder(tmp_path):
    shutil.copy(gallery()["coffee"].path, tmp_path / "photo.png")
    return tmp_path


@pytest.mark.slow
def test_the_command_line_example_of_the_readme_runs(folder):
    example = next(block for block in code_blocks("sh") if "mae-viz compress" in block)
    lines = example.strip().splitlines()
    assert len(lines) == 3
    for line in lines:
        program, *arguments = line.split()
        assert program == "mae-viz"
        command = [sys.executable, "-m", "mae_viz", *arguments]
        done = subprocess.run(command, cwd=folder, check=True, timeout=120, stderr=subprocess.PIPE, text=True)
        assert done.stderr == ""  # not even a warning from a library
    assert (folder / "decoded.png").stat().st_size > 10_000


def test_the_tree_of_the_readme_names_real_files():
    tree = next(block for block in code_blocks("text") if "mae_viz/" in block)
    named, parents = [], {}
    for line in tree.strip().splitlines():
        indent = len(line) - len(line.lstrip())
        name = line.split()[0]
        parents[indent] = name
        above = "".join(parents[i] for i in sorted(parents) if i < indent)
        named.append(above + name)
        parents = {i: n for i, n in parents.items() if i <= indent}
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []
    python_files = {path.name for path in (ROOT / "mae_viz").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert python_files <= {Path(name).name for name in named}


def test_pictures_of_the_readme_exist():
    for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / target).is_file()
