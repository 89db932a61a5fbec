"""Weights that did not come along: a wheel has those of a few models, and the cards and results of all.

The rest comes from a folder or an address, which somebody gives once (`mae-viz weights DIR|URL`), into the cache. What
every file must be stands in ``weights.json`` beside the cards: its bytes and its SHA-256, by the model's name.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit

from mae_viz.storage import cache_folder, write_whole

ADDRESS = ""
"""Where the weights of this release can be fetched, https://…, once there is such a place: `MAE_VIZ_WEIGHTS` names
another."""

FILE = "model.safetensors"
"""The weights in a checkpoint's folder. At an address they may also be called by the model's name, as the files of a
release are: ``mae-hyperprior.safetensors``."""

MANIFEST = "weights.json"

_SILENCE_S = 30
_NOT_THERE = (403, 404, 410)  # some servers forbid what they do not have


class WeightsError(ValueError):
    """Weights that cannot be had, in a sentence."""


@dataclass(frozen=True)
class Missing:
    """Weights that are not here."""

    name: str
    bytes: int
    sha256: str
    """Of the file."""
    target: Path
    """Where it is to lie."""


def home() -> Path:
    """Where weights are kept that did not come along."""
    return cache_folder() / "weights"


def place(name: str, identity: str) -> Path:
    """Where those of one model are kept; ``identity``: the ``sha256`` on its card."""
    return home() / f"{name}-{identity[:16]}.safetensors"


def address() -> str:
    """Where missing weights may be fetched; empty where nobody has said so."""
    return os.environ.get("MAE_VIZ_WEIGHTS") or ADDRESS


def how_to_get() -> str:
    """What to type for weights that are missing."""
    known = address()
    return f"get them with `mae-viz weights {known}`" if known else "`mae-viz weights` says how to get them"


def manifest(folder: Path) -> dict[str, dict]:
    """``weights.json`` of a folder of checkpoints; empty where there is none."""
    path = folder / MANIFEST
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_manifest(folder: Path) -> None:
    """Write ``weights.json`` from the weights that lie in a folder of checkpoints."""
    found = {}
    for path in sorted(folder.glob(f"*/{FILE}")):
        data = path.read_bytes()
        found[path.parent.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    write_whole(folder / MANIFEST, (json.dumps(found, indent=1) + "\n").encode())


def fetch(source: str, missing: Iterable[Missing], progress: Callable[[float, str], None]) -> list[Missing]:
    """Bring weights from a folder or an address (http, https), each compared with its checksum. Returns those it had.

    A folder may be one of checkpoints, the checkout that such a folder lies in, or hold the files of a release.
    ``progress`` hears the fraction done and the name at hand. Raises WeightsError for a source that is none, one
    without any of them, a file that is another, and where nothing answers.
    """
    wanted = list(missing)
    remote = urlsplit(source).scheme in ("http", "https")
    if not remote and not Path(source).is_dir():
        raise WeightsError(f"{source} is no folder, nor an address that begins with https://: name one with weights.")
    total, done, found = sum(each.bytes for each in wanted), 0, []
    for each in wanted:

        def report(size: int, before: int = done, each: Missing = each) -> None:
            progress((before + min(size, each.bytes)) / total, each.name)  # pooch counts whole chunks

        report(0)
        if _download(source, each, report) if remote else _copy(Path(source), each):
            found.append(each)
        done += each.bytes
    if wanted and not found:
        raise WeightsError(
            f"{source} has none of the missing weights: they are called {wanted[0].name}.safetensors, or "
            f"{wanted[0].name}/{FILE}, and so on."
        )
    return found


def _copy(source: Path, each: Missing) -> bool:
    """From a folder, where it has them."""
    for path in (
        source / each.name / FILE,
        source / "checkpoints" / each.name / FILE,
        source / f"{each.name}.safetensors",
    ):
        if path.is_file():
            try:
                data = path.read_bytes()
            except OSError as error:
                raise WeightsError(f"{path} cannot be read: {error.strerror}.") from None
            if hashlib.sha256(data).hexdigest() != each.sha256:
                raise WeightsError(f"{path} holds other weights than this version of mae_viz knows: {_other()}")
            _keep(each, data)
            return True
    return False


def _download(source: str, each: Missing, report: Callable[[int], None]) -> bool:
    """From an address, where it has them: by the name of a release's file first, then as in a folder of checkpoints."""
    import pooch

    download = pooch.HTTPDownloader(progressbar=_Bar(report), chunk_size=1 << 16, timeout=_SILENCE_S)
    for name in (f"{each.name}.safetensors", f"{each.name}/{FILE}"):
        url, data = f"{source.rstrip('/')}/{name}", io.BytesIO()
        try:
            download(url, data, None)
        except OSError as error:  # all of requests' are
            response = getattr(error, "response", None)
            if response is not None and response.status_code in _NOT_THERE:
                continue
            why = f"it answers {response.status_code}" if response is not None else type(error).__name__
            raise WeightsError(
                f"{url} cannot be fetched ({why}): look at the address and the network, then type the same again. What "
                "has arrived whole is kept."
            ) from None
        if hashlib.sha256(data.getvalue()).hexdigest() != each.sha256:
            raise WeightsError(f"{url} holds something else than the weights of this version of mae_viz: {_other()}")
        _keep(each, data.getvalue())
        return True
    return False


class _Bar:
    """What pooch asks of a progress bar."""

    total = 0

    def __init__(self, report: Callable[[int], None]):
        self._report, self._size = report, 0

    def update(self, size: int) -> None:
        self._size += size
        self._report(self._size)

    def reset(self) -> None:
        """pooch begins anew when it is done, to end full."""
        self._size = 0

    def close(self) -> None:
        """Nothing is held open."""


def _keep(each: Missing, data: bytes) -> None:
    try:
        each.target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(each.target, data)
    except OSError as error:
        raise WeightsError(f"{each.target} cannot be written ({error.strerror}): {_elsewhere()}") from None


def _other() -> str:
    return f"take those of mae_viz {version('mae-viz')}. Nothing of it was kept."


def _elsewhere() -> str:
    return "make room, or name another folder in MAE_VIZ_CACHE."
