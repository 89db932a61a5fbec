"""Weights that ship: ``checkpoints/<name>/model.safetensors`` beside a ``card.json`` that rebuilds the model.

The card says the architecture, λ, the knots of its prior, the number of parameters, how the weights were trained, and
a fingerprint of every tensor. Nothing is ever unpickled. `MAE_VIZ_CHECKPOINTS` names another folder to look in.

A checkout has the weights of every card. A wheel has some, and those that were fetched later lie in the cache
(`mae_viz.coding.weights`).
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mae_viz import architectures
from mae_viz.coding import devices, weights
from mae_viz.rates import Rate
from mae_viz.storage import shipped

if TYPE_CHECKING:
    from mae_viz.coding.entropy_tables import EntropyTables
    from mae_viz.coding.hyper import IntegerHyperSynthesis
    from mae_viz.models import RateModel

_CARD = "card.json"
_NEEDED = {"architecture": str, "channels": int, "lmbdas": list, "sha256": str}
_INTEGERS = ("tables.", "hyper.")

FINGERPRINT_BYTES = 8
"""How much of the SHA-256 over all tensors identifies a model in a stream."""


class CheckpointError(ValueError):
    """A checkpoint that is missing, incomplete or damaged."""


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint: the model in evaluation mode, its integer entropy tables, its card.

    ``hyper`` is a hyperprior's decoder in integers, None for models without one.
    """

    name: str
    model: "RateModel"
    tables: "EntropyTables"
    card: dict
    hyper: "IntegerHyperSynthesis | None" = None

    @property
    def fingerprint(self) -> bytes:
        """What a stream names this model by."""
        return bytes.fromhex(self.card["sha256"])[:FINGERPRINT_BYTES]

    def near(self, lmbda: float) -> Rate:
        """The rate nearest to λ. Raises ValueError for a λ that the model was not trained for."""
        rate, low, high = Rate.near(lmbda), self.card["lmbdas"][0], self.card["lmbdas"][-1]
        if not low <= rate.lmbda <= high:
            span = f"λ = {low:g} alone" if low == high else f"{low:g} ≤ λ ≤ {high:g}"
            raise ValueError(f"λ = {lmbda:g} is outside what {self.name} was trained for: {span}.")
        return rate


def folder() -> Path:
    """Where checkpoints lie: `MAE_VIZ_CHECKPOINTS`, else those that came along."""
    return Path(os.environ.get("MAE_VIZ_CHECKPOINTS") or shipped("checkpoints"))


def available() -> list[str]:
    """Names of the models whose weights are here, by architecture and λ: the MAE first."""
    return [name for name, here in _listed().items() if here]


def missing() -> list[str]:
    """Names of the models that ship and whose weights are not here, in the same order."""
    return [name for name, here in _listed().items() if not here]


def known() -> list[str]:
    """Names of the models that ship, be their weights here or not, in the same order."""
    return list(_listed())


def _listed() -> dict[str, bool]:
    """By name whether each model's weights are here, in the order of lists."""
    return _read_cards(folder(), *(_changes(home) for home in (folder(), weights.home())))


def _changes(home: Path) -> tuple[tuple[str, int], ...]:
    """What lies in a folder, and when it was changed."""
    with os.scandir(home) if home.is_dir() else nullcontext(()) as entries:
        return tuple((entry.name, entry.stat().st_mtime_ns) for entry in entries)


@lru_cache(maxsize=4)
def _read_cards(home: Path, *changes: tuple[tuple[str, int], ...]) -> dict[str, bool]:
    """The same, as long as nothing has changed in the folders: a page asks dozens of times, and reading all cards each
    time has it wait for the threads that compute at every file."""
    order = list(architectures.FACTS)
    found: list[tuple[int, list, str, bool]] = []
    for path in home.glob(f"*/{_CARD}"):
        name, here = path.parent.name, (path.parent / weights.FILE).is_file()
        try:
            facts = card(name)
            here = here or weights.place(name, facts["sha256"]).is_file()
            found.append((order.index(facts["architecture"]), facts["lmbdas"], name, here))
        except CheckpointError:  # for whoever asks for it to hear
            found.append((len(order), [], name, here))
    return {name: here for *_, name, here in sorted(found)}


def find(name: str) -> Path:
    """The folder of a checkpoint: of one that ships by its name, of any other by its path, absolute or relative.

    Raises CheckpointError where there is none.
    """
    for home in (folder() / name if Path(name).name == name else None, Path(name)):
        if home and (home / _CARD).is_file():
            return home.resolve()
    raise CheckpointError(
        f"no model named {name!r}, nor a checkpoint's folder: choose one of {', '.join(available()) or '(none)'}."
    )


def weights_file(name: str) -> Path:
    """Where the weights of a checkpoint are, or should be: beside its card, of one that ships else in the cache.

    Raises CheckpointError as `card` does.
    """
    home = find(name)
    beside = home / weights.FILE
    if beside.is_file() or home.parent != folder().resolve():
        return beside
    return weights.place(home.name, card(name)["sha256"])


def absent(names: Iterable[str]) -> str:
    """A sentence on those of these models whose weights are not here, and what to do; empty where all are."""
    lacking = [name for name in names if not weights_file(name).is_file()]
    if not lacking:
        return ""
    return f"the weights of {', '.join(lacking)} are not in this installation: {weights.how_to_get()}."


def to_fetch() -> list[weights.Missing]:
    """What `mae_viz.coding.weights.fetch` needs to know of the missing weights. Raises CheckpointError as `card`."""
    files = weights.manifest(folder())
    return [
        weights.Missing(name, files[name]["bytes"], files[name]["sha256"], weights_file(name))
        for name in missing()
        if name in files
    ]


def card(name: str) -> dict:
    """The card of one model, without loading its weights: a shipped name, or the path of a checkpoint's folder.

    Raises CheckpointError for an unknown name, a damaged card, or an architecture that this version does not know.
    """
    path = find(name) / _CARD
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is damaged ({error}): restore it from the repository.") from None
    if not isinstance(facts, dict) or not all(isinstance(facts.get(key), kind) for key, kind in _NEEDED.items()):
        raise CheckpointError(f"{path} is no card of a model: it needs {', '.join(_NEEDED)}.")
    if facts["architecture"] not in architectures.FACTS:
        raise CheckpointError(f"{path} names an unknown architecture, {facts['architecture']}: update mae_viz.")
    return facts


def facts(name: str) -> architectures.Architecture:
    """What the architecture of one model is called and has. Raises CheckpointError as `card` does."""
    return architectures.FACTS[card(name)["architecture"]]


def fingerprint_of(name: str) -> bytes:
    """What streams made with this model name it by: the first bytes of the SHA-256 over its tensors."""
    return bytes.fromhex(card(name)["sha256"])[:FINGERPRINT_BYTES]


def named(fingerprint: bytes) -> str | None:
    """The model that ships and that streams name so, be its weights here or not; None for none. Damaged cards are
    passed over."""
    for name in known():
        with suppress(CheckpointError):
            if fingerprint_of(name) == fingerprint:
                return name
    return None


def former(identity: str) -> tuple[str, str] | None:
    """Name of the model that once shipped with these weights, and the last commit that holds them; None if none did.

    ``identity``: the fingerprint in hex, as a stream carries it.
    """
    path = folder() / "former.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return (known[identity][0], known[identity][1]) if identity in known else None


def load(name: str = "mae", device: str = devices.CPU) -> "RateModel":
    """The model named, rebuilt from its card alone, in float32 and evaluation mode, shared by all callers.

    ``name``: one of `available()`, or the path of a checkpoint's folder. ``device``: where it computes, as
    `devices.named` takes it. Raises CheckpointError where it is unknown, incomplete or damaged, or its weights did not
    come along, ValueError for a device that there is not.
    """
    return open_checkpoint(name, device).model


def open_checkpoint(name: str, device: str = devices.CPU) -> Checkpoint:
    """Model, entropy tables and card of one name, the model on a device; read once for all threads."""
    return _opened(find(name), card(name)["sha256"], devices.named(device))


@lru_cache(maxsize=16)
def _opened(home: Path, sha256: str, device: str) -> Checkpoint:
    import numpy as np
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from mae_viz.coding.entropy_tables import EntropyTables
    from mae_viz.coding.hyper import IntegerHyperSynthesis
    from mae_viz.models import ARCHITECTURES, HyperpriorModel

    about = card(str(home))
    path = weights_file(str(home))
    if path.parent != home and not path.is_file():
        raise CheckpointError(absent([home.name]))
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}): restore it from the repository.") from None
    if fingerprint(tensors) != sha256:
        raise CheckpointError(f"{path} is not the file that its card describes: restore both.")
    arrays, integers = (
        {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)} for prefix in _INTEGERS
    )
    floats = {key: v.astype(np.float32) for key, v in tensors.items() if not key.startswith(_INTEGERS)}
    with torch.inference_mode(False):  # whoever opens it first: others may want gradients
        model = ARCHITECTURES[about["architecture"]](about["channels"], about["lmbdas"], about.get("knots"))
        _fill(model, floats, path)
    model = model.eval().requires_grad_(False)
    hyper = IntegerHyperSynthesis(model, integers) if isinstance(model, HyperpriorModel) else None
    devices.compute_exactly(device)
    return Checkpoint(home.name, model.to(device), EntropyTables(arrays), about, hyper)


def _fill(model: "RateModel", floats: dict, path: Path) -> None:
    """Copy every parameter, and nothing else: constants (buffers) are rebuilt by the layers themselves."""
    import torch

    parameters = dict(model.named_parameters())
    if parameters.keys() != floats.keys():
        wrong = sorted(parameters.keys() ^ floats.keys())
        raise CheckpointError(f"{path} does not fit its architecture: {', '.join(wrong[:4])} …")
    with torch.no_grad():
        for key, parameter in parameters.items():
            if parameter.shape != floats[key].shape:
                raise CheckpointError(f"{path}: {key} should be {tuple(parameter.shape)}.")
            parameter.copy_(torch.from_numpy(floats[key]))


def save(model: "RateModel", name: str, training: str, into: Path | None = None, **more: str | int) -> Path:
    """Write a model as a checkpoint: kernels and γ in float16, the small rest in float32, entropy tables as
    integers, and the card.

    ``training`` says in a sentence or two where the weights come from. ``more``, for the card: ``began_at``, the model
    whose weights it started from, ``steps``, how many followed, and ``quantisation``, what stood for rounding in them.
    Returns the checkpoint's folder.
    """
    import torch
    from safetensors.numpy import save_file

    from mae_viz.coding import entropy_tables, hyper
    from mae_viz.models import HyperpriorModel, count_parameters

    model.prior.update_medians()
    with torch.no_grad():  # tables must belong to the weights as stored
        stored = {
            key: (p.half() if key.endswith(("conv.weight", "gamma")) else p.float()).cpu().numpy()
            for key, p in model.named_parameters()
        }
    stored |= {f"tables.{key}": v for key, v in entropy_tables.build(model.prior).arrays().items()}
    if isinstance(model, HyperpriorModel):
        stored |= {f"hyper.{key}": v for key, v in hyper.build(model).arrays().items()}
    target = (into or folder()) / name
    target.mkdir(parents=True, exist_ok=True)
    save_file(stored, target / weights.FILE)
    facts = {
        "architecture": type(model).__name__,
        "channels": model.channels,
        "lmbdas": list(model.lmbdas),
        "knots": list(model.knots),
        "parameters": count_parameters(model),
        **more,
        "training": training,
        "sha256": fingerprint(stored),
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (target / _CARD).write_text(text + "\n", encoding="utf-8")
    return target


def fingerprint(tensors: dict) -> str:
    """SHA-256 (hex) over names, types, shapes and little-endian values of all tensors, by name."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        array = tensors[key]
        digest.update(f"{key} {array.dtype.str.lstrip('<|')} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()
