"""The one door to every codec: shipped models, checkpoint folders, groups, classical codecs, and one's own.

A codec of one's own joins with `register`. The app and the command line import the modules that `MAE_VIZ_CODECS` names
(``package.module,other``) and installed packages' entry points "mae_viz.codecs"; each of these registers its codecs.
"""

import os
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from PIL import Image

from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Codec, NoAxis, Progress, Quality
from mae_viz.codecs.neural import GroupCodec, ModelCodec
from mae_viz.codecs.own import OwnCodec
from mae_viz.codecs.refined import ONE_PASS, parts_of
from mae_viz.coding import checkpoints, devices

_ENTRY_POINTS = "mae_viz.codecs"
_registered: dict[str, Codec] = {}


class _Original(Codec[Quality]):
    """The picture itself, where codecs are looked at side by side."""

    name, title, short, kind, axis = "original", "Original", "Original", "original", NoAxis()
    about = identity = "the picture itself, 24 bits per pixel uncompressed"

    @property
    def settings(self) -> dict:
        return {}

    def encode(self, picture: Image.Image, rate: Quality, progress: Progress | None = None) -> bytes:
        raise ValueError("the original is no codec: choose one of " + ", ".join(names()) + ".")

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        raise ValueError("the original is no codec: choose one of " + ", ".join(names()) + ".")


ORIGINAL = _Original()
"""The picture itself, as if a codec had kept every pixel: what others are compared with."""


def register(codec: object) -> Codec:
    """Make a codec known to everything here until Python ends; one of the same name is replaced.

    ``codec``: a `Codec`, or any object with ``name``, ``encode`` and ``decode`` (see `mae_viz.codecs.own`). Returns it
    as a `Codec`. Raises ValueError for a name that a codec that ships has, or that is no name.
    """
    made = codec if isinstance(codec, Codec) else OwnCodec(codec)
    if made.name in (ORIGINAL.name, *CLASSICAL, *checkpoints.known(), *_groups(*_key())):
        raise ValueError(f"{made.name!r} is a codec that ships: choose another name.")
    if not made.name or not all(character.isalnum() or character in "-_" for character in made.name):
        raise ValueError(f"{made.name!r} is no name for a codec: use letters, digits, - and _.")
    _registered[made.name] = made
    return made


def unregister(name: str) -> None:
    """Forget a codec that was registered. Raises KeyError for any other."""
    del _registered[name]


def codec(name: str, device: str | None = None) -> Codec:
    """The codec of a name: of `names`, "original", a model of one λ, a checkpoint folder's path, a refined model.

    ``device``: where this project's models compute, as `devices.named` takes it; all others know the CPU alone. Raises
    CheckpointError where there is none, ValueError for a device that there is not. One whose weights are not here is
    there too, and says so (``absent``).
    """
    where = devices.named(device)
    if name == ORIGINAL.name:
        return ORIGINAL
    if found := CLASSICAL.get(name) or _own().get(name) or _groups(*_key(), where).get(name):
        return found
    if parts := parts_of(name):
        plain, steps, objective = parts
        return codec(plain, where).refined(steps, objective)
    try:
        return _model(name, checkpoints.card(name)["sha256"], where)
    except checkpoints.CheckpointError as error:
        others = [*_own(), *CLASSICAL]
        raise checkpoints.CheckpointError(f"{error} Codecs beside the models: {', '.join(others)}.") from None


def names() -> list[str]:
    """Everything to compare: models of many λ, groups of models for one λ each, classical codecs, one's own.

    Models whose weights are not here are left out (`absent`); of a group that lacks some, those that are here stand by
    themselves.
    """
    return [*_models(), *CLASSICAL, *_own()]


def absent() -> dict[str, str]:
    """What would be among `names` if its weights were here: its title, by name."""
    group_of = _group_of()
    lacking = dict.fromkeys(group_of.get(name, name) for name in checkpoints.missing())
    return {name: codec(name).title for name in lacking}


def histories(curves: Iterable[str]) -> str:
    """What is to be read beside these curves about the models behind them; names of no codec say nothing."""
    known, models = {*names(), *absent()}, list(dict.fromkeys(curves))
    said = [codec(name).history for name in models if name in known]
    if refined_curves := [name for name in models if "-refined-" in name]:
        said.append(f"{', '.join(refined_curves)}: {ONE_PASS}")
    return " ".join(filter(None, said))


def _models() -> list[str]:
    """Names under which the models that are here are compared: that of a group that is whole, else their own."""
    here, group_of = checkpoints.available(), _group_of()
    broken = {group for model, group in group_of.items() if model not in here}
    names = (name if (group := group_of.get(name, name)) in broken else group for name in here)
    return list(dict.fromkeys(names))


def _group_of() -> dict[str, str]:
    """The group of every model that is in one, by the model's name."""
    return {model.name: name for name, group in _groups(*_key()).items() for model in group.models.values()}


def _key() -> tuple[Path, tuple[str, ...]]:
    return checkpoints.folder(), tuple(checkpoints.known())


@lru_cache(maxsize=8)
def _groups(home: Path, shipped: tuple[str, ...], device: str = devices.CPU) -> dict[str, GroupCodec]:
    found: dict[str, list[ModelCodec]] = {}
    for name in shipped:
        model = ModelCodec(name, device)
        if model.facts.group:
            found.setdefault(model.facts.group, []).append(model)
    return {name: GroupCodec(name, models) for name, models in found.items()}


@lru_cache(maxsize=64)
def _model(name: str, sha256: str, device: str) -> ModelCodec:
    return ModelCodec(name, device)


def _own() -> dict[str, Codec]:
    _load_modules(os.environ.get("MAE_VIZ_CODECS", ""))
    return _registered


@lru_cache(maxsize=1)
def _load_modules(named: str) -> None:
    for entry in entry_points(group=_ENTRY_POINTS):
        _load(entry.load, f"the entry point {entry.name} = {entry.value} in {_ENTRY_POINTS} cannot be loaded", "")
    for module in filter(None, (part.strip() for part in named.split(","))):
        hint = " Is it installed, or its folder in PYTHONPATH?"
        _load(partial(import_module, module), f"MAE_VIZ_CODECS names {module}, which cannot be imported", hint)


def _load(load: Callable[[], object], what: str, hint: str) -> None:
    try:
        load()
    except Exception as error:  # a module of somebody else's raises all sorts of things
        hint = hint if isinstance(error, ModuleNotFoundError) else ""
        raise ValueError(f"{what} ({type(error).__name__}: {error}).{hint}") from error
