"""The documentation's site: it builds without a warning, its links lead somewhere, it needs no network, and has every
public name."""

import inspect
import re
import subprocess
import sys
import zlib
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

import mae_viz

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
BUILD = ["-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", "-c", "docs"]
PUBLIC = sorted(
    name
    for page in (DOCS / "reference").glob("*.md")
    for name in re.findall(r"automodule:: (\S+)", page.read_text(encoding="utf-8"))
)
"""Modules that the reference has."""

MOVING = "drag.webp"
KB, MB = 1000, 1_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` builds it: every warning is an error."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, *BUILD, "-d", str(out / ".doctrees"), ".", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return out


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that links may name."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attributes}
        self.places |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "modulepreload"):
            self.loaded.append(given["href"])
        elif "src" in given:
            self.loaded.append(given["src"])


@cache
def page(path: Path) -> Page:
    return Page(path)


def pages(site: Path) -> list[Path]:
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)


@pytest.mark.slow
def test_every_link_and_picture_leads_somewhere(site):
    broken, checked = [], 0
    for path in pages(site):
        for target in page(path).links + page(path).loaded:
            where, fragment = urldefrag(target)
            if urlsplit(target).scheme in ("http", "https", "data", "mailto"):
                continue
            name = unquote(urlsplit(urljoin(f"/{path.relative_to(site)}", where)).path)
            found = site / name.lstrip("/") if where else path
            checked += 1
            lost = not found.is_file() or (
                fragment and found.suffix == ".html" and unquote(fragment) not in page(found).places
            )
            if lost:
                broken.append(f"{path.relative_to(site)}: {target}")
    assert broken == []
    assert checked > 2000


@pytest.mark.slow
def test_nothing_is_loaded_from_elsewhere(site):
    """Fonts, scripts and pictures all lie in the site."""
    remote = {
        f"{path.relative_to(site)}: {target}"
        for path in pages(site)
        for target in page(path).loaded
        if urlsplit(target).netloc
    }
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        remote |= {
            f"{sheet.name}: {found}" for found in re.findall(r"(?:url\(|@import )[\"']?((?:https?:)?//[^\"')]+)", text)
        }
    assert remote == set()
    said = [str(path) for path in pages(site) if str(ROOT) in path.read_text(encoding="utf-8")]
    assert said == [], "pages say in which folder they were made"


@pytest.mark.slow
def test_every_public_name_is_in_the_reference(site):
    """Sphinx's list of all that it documents holds every name of `mae_viz`, and of every module of the reference."""
    inventory = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    there = {line.split(" ", 1)[0] for line in zlib.decompress(inventory).decode("utf-8").splitlines()}
    wanted = {f"mae_viz.{name}" for name in mae_viz.__all__}
    for module in map(import_module, PUBLIC):
        wanted |= {module.__name__, *(f"{module.__name__}.{name}" for name, _ in defined(module))}
    assert wanted - there == set()
    assert len(wanted) > 400


def defined(module: ModuleType) -> list[tuple[str, object]]:
    """Public functions and classes of a module, and the public methods of these, by their names in it."""
    found: list[tuple[str, object]] = []
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            found.append((name, value))
        if inspect.isclass(value):
            found += [
                (f"{name}.{key}", member)
                for key, member in vars(value).items()
                if not key.startswith("_") and (inspect.isroutine(member) or isinstance(member, property))
            ]
    return found


def said(owner: type, key: str) -> bool:
    """Whether a method or property has a docstring, here or where it is first declared, in mae_viz."""
    return any(
        vars(base)[key].__doc__ for base in owner.__mro__ if key in vars(base) and base.__module__.startswith("mae_viz")
    )


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_a_docstring(name):
    module = import_module(name)
    silent = [] if module.__doc__ else [name]
    for key, value in defined(module):
        owner, _, member = key.rpartition(".")
        if not (said(getattr(module, owner), member) if owner else value.__doc__):
            silent.append(key)
    source = Path(module.__file__ or "").read_text(encoding="utf-8")
    silent += [key for key in constants(source) if key not in dict(defined(module))]
    assert silent == []


def constants(source: str) -> list[str]:
    """Public names that a module assigns to without a docstring below."""
    import ast

    body, silent = ast.parse(source).body, []
    for statement, following in zip(body, [*body[1:], None], strict=True):
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        for target in [] if documented else targets:
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Name) and not one.id.startswith("_") and len(one.id) > 1:
                    silent.append(one.id)
    return silent


def test_the_reference_has_what_the_package_and_the_notebooks_use():
    homes = {f"mae_viz.{home}" for home in mae_viz._HOME.values()}
    for lesson in (ROOT / "notebooks").glob("[0-9]*.py"):
        for home, names in re.findall(
            r"^from (mae_viz\S*) import (.*)", lesson.read_text(encoding="utf-8"), re.MULTILINE
        ):
            for name in (word.split()[0] for word in names.split(",")):
                below = f"{home}.{name}"
                homes.add(below if is_module(below) else home)
    assert homes - set(PUBLIC) == set()


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_make_docs_is_what_is_tested():
    asked = subprocess.run(["make", "--dry-run", "docs"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"{' '.join(BUILD)} -d build/doctrees . build/site" in asked


def test_pictures_are_small_and_used():
    pictures = set(DOCS.rglob("*.webp"))
    assert {path.name for path in pictures if path.stat().st_size > 300 * KB} <= {MOVING}
    assert (DOCS / MOVING).stat().st_size < 1.5 * MB
    assert sum(path.stat().st_size for path in pictures if path.name != MOVING) < 2 * MB
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *DOCS.rglob("*.md"))]
    assert [path.name for path in pictures if not any(path.name in text for text in texts)] == []
