"""What the project's own files promise."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, metadata
from itertools import chain
from pathlib import Path

import pytest
import yaml
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from packaging.requirements import Requirement

from mae_viz.images import gallery

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
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


@pytest.mark.parametrize("file", ["Makefile", ".github/workflows/test.yml"])
def test_all_extras_are_installed_where_all_tests_run(file):
    assert set(extras((ROOT / file).read_text(encoding="utf-8"))) == set(PROJECT["optional-dependencies"])


SCHEMAS = {
    "citation-file-format": "CITATION.cff",
    "github-workflows": ".github/workflows/*.yml",
    "github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_for_others_are_as_their_schema_says(schema):
    files = sorted(map(str, ROOT.glob(SCHEMAS[schema])))
    assert files
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", *files])
    assert done.exit_code == 0, done.output


def test_what_is_cited_is_the_version_that_the_changelog_has_last():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert cited == re.search(r"^## (\d\S*)", changes, re.MULTILINE)[1]


def extras(text: str) -> list[str]:
    """What is installed beside the package."""
    return re.search(r"(?:-e|--editable) \"?\.\[(.*)\]", text).group(1).split(",")


def test_containers_name_what_there_is():
    """The Dockerfile and Binder's files are built by no test: what they name is checked instead."""
    docker, binder = (ROOT / "Dockerfile").read_text(encoding="utf-8"), ROOT / ".binder"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    torch = re.compile(r"torch==[\d.]+ torchvision==[\d.]+")
    assert torch.search(docker)[0] == torch.search(makefile)[0]
    after = (binder / "postBuild").read_text(encoding="utf-8")
    assert set(extras(docker)) | set(extras(after)) <= set(PROJECT["optional-dependencies"])
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()
    runtime = (binder / "runtime.txt").read_text(encoding="utf-8")
    for python in (re.search(r"^FROM python:3\.(\d+)-", docker, re.MULTILINE), re.match(r"python-3\.(\d+)\n", runtime)):
        assert int(low) <= int(python[1]) < int(high)
    words = json.loads(re.search(r"^CMD (.*)$", docker, re.MULTILINE)[1])
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in (words, [str(binder / "app")]):
        done = subprocess.run([*command, "--help"], cwd=ROOT, env=path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    copied = {path.relative_to(ROOT).as_posix() for path in map(ROOT.joinpath, ("app.py", "notebooks", "checkpoints"))}
    left_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert copied & set(left_out) == set()


@pytest.mark.slow
def test_a_command_prints_no_warning_of_a_library(tmp_path):
    command = [sys.executable, "-m", "mae_viz", "compress", gallery()["coffee"].path, "-o", tmp_path / "photo.mae"]
    done = subprocess.run(command, check=True, timeout=120, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""


def test_the_tree_of_files_names_real_files():
    tree = next(block for block in re.findall(r"```text\n(.*?)```", ARCHITECTURE, re.DOTALL) if "mae_viz/\n" in block)
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


def test_what_the_readme_leads_to_exists():
    """Its pictures and its links; those between the documentation's pages are checked on the site."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)", README) if "://" not in target]
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).is_file()] == []
