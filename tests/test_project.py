"""What the project's own files promise."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, metadata
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

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


REQUIRED = {
    requirement.name: requirement.specifier
    for line in (*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values()))
    if (requirement := Requirement(line))
}


def test_versions_with_known_holes_are_not_taken():
    holes = {"torch": ["2.4", "2.9.1"], "pillow": ["12.0", "12.2.0"], "lightning": ["2.6.2", "2.6.3"]}
    assert [(name, bad) for name, versions in holes.items() for bad in versions if bad in REQUIRED[name]] == []


def test_what_is_installed_is_what_is_required():
    installed = {re.sub("[-_.]+", "-", found.name).lower(): found.version for found in distributions()}
    wrong = {
        name: installed[name] for name in REQUIRED.keys() & installed.keys() if installed[name] not in REQUIRED[name]
    }
    assert wrong == {}


def test_no_python_is_promised_that_compressai_has_no_wheel_for():
    """Its wheels and its classifiers go to the same version."""
    theirs = re.findall(r"Python :: 3\.(\d+)", " ".join(metadata("compressai").get_all("Classifier")))
    _, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    assert int(high) - 1 <= max(map(int, theirs))


def test_make_installs_the_same_extras():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.search(r'--editable "\.\[(.*)\]"', makefile).group(1).split(",")) == set(
        PROJECT["optional-dependencies"]
    )


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
def test_a_command_prints_no_warning_of_a_library(tmp_path):
    command = [sys.executable, "-m", "mae_viz", "compress", gallery()["coffee"].path, "-o", tmp_path / "photo.mae"]
    done = subprocess.run(command, check=True, timeout=120, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""


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
