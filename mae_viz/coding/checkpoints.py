"""Weights that ship: ``checkpoints/<name>/model.safetensors`` beside a ``card.json`` that rebuilds the model.

The card says the architecture, λ, the number of parameters, how the weights were trained, and a fingerprint
of every tensor. Nothing is ever unpickled. `MAE_VIZ_CHECKPOINTS` names another folder to look in.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mae_viz.coding.entropy_tables import EntropyTables
    from mae_viz.coding.hyper import IntegerHyperSynthesis
    from mae_viz.models import RateModel

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


def folder() -> Path:
    """Where checkpoints lie: `MAE_VIZ_CHECKPOINTS`, else inside the installed package, else beside it."""
    if chosen := os.environ.get("MAE_VIZ_CHECKPOINTS"):
        return Path(chosen)
    package = Path(__file__).parents[1]
    return installed if (installed := package / "checkpoints").is_dir() else package.parent / "checkpoints"


def available() -> list[str]:
    """Names of the models that ship: the MAE first, and independent models by their λ."""

    def place(name: str) -> tuple:
        kind, _, rate = name.rpartition("-")
        return not name.startswith("mae"), *((kind, int(rate)) if rate.isdecimal() else (name, 0))

    return sorted((path.parent.name for path in folder().glob("*/card.json")), key=place)


def independents(group: str) -> dict[float, str]:
    """Models that serve one λ each, by λ: of the group "independent" those named independent-64 … independent-4096."""
    found = {}
    for name in available():
        stem, _, rate = name.rpartition("-")
        if stem == group and rate.isdecimal():
            found[card(name)["lmbdas"][0]] = name
    return found


def card(name: str) -> dict:
    """The card of one model, without loading its weights: a shipped name, or the path of a checkpoint's folder.

    Raises CheckpointError for an unknown name.
    """
    path = folder() / name / "card.json"
    if not path.is_file():
        raise CheckpointError(f"no model named {name!r}: choose one of {', '.join(available()) or '(none)'}.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{path} is damaged ({error}): restore it from the repository.") from None


def fingerprint_of(name: str) -> bytes:
    """What streams made with this model name it by: the first bytes of the SHA-256 over its tensors."""
    return bytes.fromhex(card(name)["sha256"])[:FINGERPRINT_BYTES]


def load(name: str = "mae") -> "RateModel":
    """The model named, rebuilt from its card alone, in float32 and evaluation mode, shared by all callers.

    ``name``: one of `available()`, or the path of a checkpoint's folder. Raises CheckpointError where it is
    unknown, incomplete or damaged.
    """
    return open_checkpoint(name).model


def open_checkpoint(name: str) -> Checkpoint:
    """Model, entropy tables and card of one name; read once for all threads."""
    return _opened(name, folder())


@lru_cache(maxsize=16)
def _opened(name: str, home: Path) -> Checkpoint:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from mae_viz.coding.entropy_tables import EntropyTables
    from mae_viz.coding.hyper import IntegerHyperSynthesis
    from mae_viz.models import ARCHITECTURES, HyperpriorModel

    facts = card(name)
    path = home / name / "model.safetensors"
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}): restore it from the repository.") from None
    if fingerprint(tensors) != facts["sha256"]:
        raise CheckpointError(f"{path} is not the file that its card describes: restore both.")
    arrays, integers = (
        {key.removeprefix(prefix): v for key, v in tensors.items() if key.startswith(prefix)} for prefix in _INTEGERS
    )
    weights = {key: v.astype(np.float32) for key, v in tensors.items() if not key.startswith(_INTEGERS)}
    model = ARCHITECTURES[facts["architecture"]](facts["channels"], tuple(facts["lmbdas"]))
    _fill(model, weights, path)
    model = model.eval().requires_grad_(False)
    hyper = IntegerHyperSynthesis(model, integers) if isinstance(model, HyperpriorModel) else None
    return Checkpoint(name, model, EntropyTables(arrays), facts, hyper)


def _fill(model: "RateModel", weights: dict, path: Path) -> None:
    """Copy every parameter, and nothing else: constants (buffers) are rebuilt by the layers themselves."""
    import torch

    parameters = dict(model.named_parameters())
    if parameters.keys() != weights.keys():
        wrong = sorted(parameters.keys() ^ weights.keys())
        raise CheckpointError(f"{path} does not fit its architecture: {', '.join(wrong[:4])} …")
    with torch.no_grad():
        for key, parameter in parameters.items():
            if parameter.shape != weights[key].shape:
                raise CheckpointError(f"{path}: {key} should be {tuple(parameter.shape)}.")
            parameter.copy_(torch.from_numpy(weights[key]))


def save(model: "RateModel", name: str, training: str, into: Path | None = None) -> Path:
    """Write a model as a checkpoint: kernels and γ in float16, the small rest in float32, entropy tables as
    integers, and the card.

    ``training`` says in a sentence or two where the weights come from. Returns the checkpoint's folder.
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
    save_file(stored, target / "model.safetensors")
    facts = {
        "architecture": type(model).__name__,
        "channels": model.channels,
        "lmbdas": list(model.lmbdas),
        "parameters": count_parameters(model),
        "training": training,
        "sha256": fingerprint(stored),
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (target / "card.json").write_text(text + "\n", encoding="utf-8")
    return target


def fingerprint(tensors: dict) -> str:
    """SHA-256 (hex) over names, types, shapes and little-endian values of all tensors, by name."""
    digest = hashlib.sha256()
    for key in sorted(tensors):
        array = tensors[key]
        digest.update(f"{key} {array.dtype.str.lstrip('<|')} {array.shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()
