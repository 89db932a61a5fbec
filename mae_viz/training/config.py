"""What a training run is: one TOML file, read into a frozen dataclass whose fields and defaults are all listed here."""

import json
import math
import tomllib
import types
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from mae_viz import rates
from mae_viz.architectures import FACTS

FOLDER = Path(__file__).parent / "configs"
"""Of the configurations that ship."""

PARTS = ("g_a", "g_s", "h_a", "h_s", "prior", "scale")
"""Of a model, that `Config.parts` may name."""


@dataclass(frozen=True)
class Config:
    """All settings of a run. U is one quantisation step at λ = 4096 (`mae_viz.training.optimizer`)."""

    # the model
    architecture: Literal["MAE", "Independent", "BottleneckScaling", "MAEHyperprior", "IndependentHyperprior"] = "MAE"
    channels: int = 192
    outer_channels: int = 0  # between the two outermost layers while training, with hyperprior; 0 for all
    lmbdas: tuple[float, ...] = rates.LMBDAS
    knots: tuple[float, ...] = ()  # λ at which the prior has rows; without any, those of the start, or lmbdas
    start: Literal["classical", "random"] = "classical"  # where no checkpoint is given to start from
    start_step: float = 1.0  # quantisation step of the classical start, relative to the one right at high rates
    entropy_steps: int = 150  # steps in which the prior alone is fitted to that start, before step 0
    wake: bool = False  # channels that sleep at a trained λ: let them wake one after another above it, before step 0

    # the objective: paper, eq. (8)
    weights: Literal["uniform", "inverse-sqrt"] = "inverse-sqrt"  # of the λ in the sum: 1, or λ^-½
    # of latents: the paper's; straight through rounding; or rounded for the decoder and noisy for the rate
    quantisation: Literal["noise", "round", "mixed"] = "noise"
    between: float = 0.5  # share of the images whose λ lies beside a trained one, up to half way to the next

    # the data
    data: str = ""  # folder or zip; "bundled" for the few photographs that come with the package
    validation: tuple[str, ...] = ()  # pictures held out; without names, every 25th
    validation_crop: int = 192
    batch: int = 14  # crops a step, over all processes
    crop: int = 128
    scales: tuple[float, ...] = (1.0, 0.6)  # sizes in which each picture is kept: random downscaling

    # the steps
    parts: tuple[str, ...] = PARTS  # of the model that move
    steps: int = 10_000
    minutes: float = 0.0  # of training by the clock, instead of by steps; 0: by steps
    optimizer: Literal["normalised", "adam"] = "normalised"
    schedule: Literal["cosine", "halved"] = "cosine"  # "halved": the paper's, after 8/11 of the steps
    peak: float = 1.0  # what all rates below are multiplied with
    warmup: int = 100
    last_rate: float = 0.02  # of a cosine, relative to the first
    ema: float = 0.998

    # rates of "normalised"
    kernel_rate: float = 0.01  # of convolution kernels, in U at the layer's output
    momentum: float = 0.95
    gamma_rate: float = 4e-3  # of GDN's γ, column j divided by the RMS of channel j
    gamma_rate_bottleneck: float = 2e-3
    beta_rate: float = 3e-4
    bias_rate: float = 5e-4  # in U
    gain_rate: float = 1e-3  # of the modulation perceptrons
    entropy_rate: float = 2e-3
    scale_rate: float = 1e-2  # of log s(λ), bottleneck scaling

    # rates of "adam": the paper's
    adam_rate: float = 4e-4
    adam_entropy_rate: float = 2e-3

    # the machine
    seed: int = 0
    # "outer": bfloat16 but for the two layers at the bottleneck; "measured": the fastest, on a GPU "outer"
    precision: Literal["measured", "bfloat16", "outer", "float32"] = "measured"
    compile: bool = True
    median_every: int = 50  # steps between refreshes of the prior's medians
    log_every: int = 50
    validate_every: int = 1000
    save_minutes: float = 10.0

    def __post_init__(self) -> None:
        hints = get_type_hints(Config)
        for field in fields(self):
            _check_type(field.name, getattr(self, field.name), hints[field.name])
        if not self.lmbdas or any(b <= a for a, b in zip(self.lmbdas, self.lmbdas[1:], strict=False)):
            raise ValueError(f"lmbdas = {list(self.lmbdas)} must be one or more λ in rising order.")
        for lmbda in self.lmbdas:
            rates.check(lmbda)
        if self.knots:
            rates.check_knots(self.knots, self.lmbdas)
        if FACTS[self.architecture].single and len(self.lmbdas) > 1:
            raise ValueError(f"an independent model has one λ, not {list(self.lmbdas)}: give --lambda 512, say.")
        if self.start == "classical" and self.channels < 48:
            raise ValueError(
                f'channels = {self.channels}: the classical start needs 48 or more; else start = "random".'
            )
        hyperprior = FACTS[self.architecture].hyperprior
        if self.outer_channels and not (hyperprior and 12 <= self.outer_channels <= self.channels):
            raise ValueError(
                f"outer_channels = {self.outer_channels} must lie between 12 and {self.channels}, and is for models "
                "with hyperprior only."
            )
        stride = 64 if hyperprior else 16
        for name in ("crop", "validation_crop"):
            if getattr(self, name) < stride or getattr(self, name) % stride:
                raise ValueError(f"{name} = {getattr(self, name)} must be a multiple of {stride}.")
        if not all(0 < scale <= 1 for scale in self.scales) or not self.scales:
            raise ValueError(f"scales = {list(self.scales)} must lie in (0, 1], 1 for the picture as it is.")
        for name in ("batch", "steps", "median_every", "log_every", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)} must be 1 or more.")
        if wrong := set(self.parts) - set(PARTS):
            raise ValueError(f"parts = {list(self.parts)}: {min(wrong)} is none of {', '.join(PARTS)}.")
        for name in ("start_step", "peak"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} = {getattr(self, name)} must be above 0.")
        if not 0 <= self.minutes < math.inf:
            raise ValueError(f"minutes = {self.minutes} must be 0, for a schedule by steps, or more.")
        facts = FACTS[self.architecture]
        if self.wake and (not facts.modulated or facts.hyperprior):
            raise ValueError(
                f"wake = true is for the MAE without hyperprior: a {self.architecture} has no rows for λ between."
            )
        for name in ("between", "ema", "momentum", "last_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} = {getattr(self, name)} must lie between 0 and 1.")

    def changed(self, **settings: Any) -> "Config":
        """The same settings with a few others. Raises ValueError for an unknown name or a wrong value."""
        return replace(self, **{name: _fitting(name, value) for name, value in settings.items()})

    def as_dict(self) -> dict:
        """The settings as plain values: what a saved state keeps."""
        return asdict(self)


def load(name: str, from_checkpoint: bool = False, **settings: Any) -> Config:
    """The first stretch of a configuration (`stretches`)."""
    return stretches(name, from_checkpoint, **settings)[0]


def stretches(name: str, from_checkpoint: bool = False, **settings: Any) -> list[Config]:
    """What a configuration does one after another, by the name it ships under (`names()`), or from a TOML file.

    Settings in a table ``[from_checkpoint]`` hold where weights are given to start from: then rates are lower. Each
    table ``[[then]]`` is a further stretch: it goes on from the weights of the one before, with that one's settings but
    for those in the table. ``settings`` are changes of the first; ``then`` among them replaces those tables. Knots are
    moved to the λ that files can name, so that 90.5 means half an octave above 64. Raises ValueError for an unknown
    name, an unknown key or a wrong value.
    """
    path = FOLDER / f"{name}.toml" if name in names() else Path(name)
    if not path.is_file():
        raise ValueError(
            f"there is no configuration {name!r}: choose {', '.join(names())}, or the path of a TOML file."
        )
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}.") from None
    continuing, then = written.pop("from_checkpoint", {}), written.pop("then", [])
    then = settings.pop("then", then)
    if not isinstance(continuing, dict):
        raise ValueError(f"from_checkpoint in {path} must be a table: write [from_checkpoint] and settings below it.")
    if not isinstance(then, list) or not all(isinstance(table, dict) for table in then):
        raise ValueError(f"then in {path} must be a list of tables: write [[then]] and settings below it.")
    both = Config().changed(**written | continuing)  # made in any case, so that a mistake in either is told of
    found = [(both if from_checkpoint else Config().changed(**written)).changed(**settings)]
    for table in then:
        found.append(replace(found[-1], wake=False).changed(**table))
    return [stretch.changed(knots=[rates.Rate.near(knot).lmbda for knot in stretch.knots]) for stretch in found]


def names() -> list[str]:
    """The configurations that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def parse_settings(texts: list[str]) -> dict:
    """``["steps=2000", "lmbdas=[512]"]`` as settings. Values are TOML; a bare word is taken as a string."""
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text} sets nothing: write --set {text}=VALUE.")
        try:
            settings[name.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name.strip()] = value
    return settings


def parse_names(text: bytes) -> list[str]:
    """The names in a text file in any of Unicode's encodings, one a line. Raises ValueError where there are none."""
    try:
        lines = text.decode(json.detect_encoding(text)).splitlines()
    except UnicodeDecodeError:
        raise ValueError("the list of validation pictures is no text in Unicode: save it as UTF-8.") from None
    names = [name for line in lines if (name := line.strip())]
    if not names:
        raise ValueError("the list of validation pictures is empty: write one name a line, or leave it out.")
    return names


def _fitting(name: str, value: Any) -> Any:
    """A value as TOML gives it, in the type of its field where that loses nothing."""
    hint = get_type_hints(Config).get(name)
    if hint is None:
        known = ", ".join(field.name for field in fields(Config))
        raise ValueError(f"there is no setting {name!r}: the settings are {known}.")
    if hint is float and type(value) is int:
        return float(value)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        inner = get_args(hint)[0]
        return tuple(inner(v) if inner is float and type(v) is int else v for v in value)
    return value


_CALLED = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _check_type(name: str, value: object, hint: Any) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(f"{name} = {value!r} is none of {', '.join(map(repr, get_args(hint)))}.")
        return
    inner = get_args(hint)[0] if isinstance(hint, types.GenericAlias) else None
    fits = isinstance(value, tuple) and all(type(v) is inner for v in value) if inner else type(value) is hint
    if not fits:
        kind = f"a list, each {_CALLED[inner]}" if inner else _CALLED[hint]
        raise ValueError(f"{name} = {value!r} must be {kind}.")
