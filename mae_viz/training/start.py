"""What a run begins with: the weights of a checkpoint, made to fit its configuration, or new ones."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from mae_viz.coding import checkpoints
from mae_viz.models import ARCHITECTURES, MAE, BottleneckScaling, MAEHyperprior, RateModel
from mae_viz.training import data, fold, initialisation, outer, scales, waking
from mae_viz.training.config import Config

_FOLD_CROPS, _WAKE_CROPS, _SCALE_CROPS, _KLT_CROPS = 56, 400, 1344, 6000


class Start(NamedTuple):
    """A model to train, on the CPU, and how it came about."""

    model: RateModel
    config: Config
    """With the knots that its prior has: what going on and exporting are to know."""
    origin: str
    """For the card."""
    began_at: str = ""
    """The name of the checkpoint."""


def start(
    config: Config,
    pictures: data.Pictures,
    training: list[data.Picture],
    source: str,
    goes_on: bool,
    say: Callable[[str], None],
) -> Start:
    """Weights for the first step.

    ``source``: a checkpoint, else they are new. ``goes_on``: it is that of the stretch before, whose card says how it
    came about. Raises ValueError where the configuration asks for what such weights cannot become.
    """
    if source:
        begun = _from_checkpoint(config, pictures, training, source, goes_on, say)
        learned = checkpoints.facts(source).hyperprior
    else:
        begun, learned = _new(config, pictures, training), False
    if config.outer_channels:
        if learned and not outer.silent(begun.model, config.outer_channels):
            raise ValueError(
                f"outer_channels = {config.outer_channels} would drop what {source} has learned: leave it out."
            )
        outer.resize(begun.model, config.outer_channels)
    return begun


def empty(config: Config) -> RateModel:
    """A model of the shape that a run trains, whatever its weights."""
    model = ARCHITECTURES[config.architecture](config.channels, config.lmbdas, config.knots or None)
    if config.outer_channels:
        outer.resize(model, config.outer_channels)
    return model


def _from_checkpoint(
    config: Config,
    pictures: data.Pictures,
    training: list[data.Picture],
    source: str,
    goes_on: bool,
    say: Callable[[str], None],
) -> Start:
    def crops(count: int) -> torch.Tensor:
        return data.Batches(pictures, training, config, count=count)(-1).x.float() / 255

    name, made_from = Path(source).name, checkpoints.facts(source)
    origin = [] if goes_on else [f"started from {name}"]
    model = fold.from_checkpoint(source, config, crops=lambda: crops(_FOLD_CROPS))
    config = config.changed(knots=model.knots)
    if isinstance(model, BottleneckScaling) and made_from.single:
        for sentence in scales.search(model, crops(_SCALE_CROPS)):
            say(sentence)
    if isinstance(model, MAEHyperprior) and not made_from.hyperprior:
        _fit_entropy(model, config, pictures, training)
    if config.wake and isinstance(model, MAE):
        for sentence in waking.wake(model, crops(_WAKE_CROPS)):
            say(sentence)
        origin.append("channels that slept at a trained λ made to wake one after another above it")
    return Start(model, config, ", ".join(origin), name)


def _new(config: Config, pictures: data.Pictures, training: list[data.Picture]) -> Start:
    if config.wake:
        raise ValueError("wake = true is for weights that are trained already: give --from.")
    model = ARCHITECTURES[config.architecture](config.channels, config.lmbdas, config.knots or None)
    if isinstance(model, BottleneckScaling):
        raise ValueError("bottleneck scaling starts from an independent model: give --from independent-4096.")
    if config.start == "classical":
        small = data.Batches(pictures, training, config, count=_KLT_CROPS, side=initialisation.KLT_SIDE)
        initialisation.classical(model, small(-1).x.float() / 255, config.start_step)
        origin = "started from a classical codec"
    else:
        initialisation.random(model)
        origin = "started from random weights"
    _fit_entropy(model, config, pictures, training)
    return Start(model, config, origin)


def _fit_entropy(model: RateModel, config: Config, pictures: data.Pictures, training: list[data.Picture]) -> None:
    batches = data.Batches(pictures, training, config)
    initialisation.fit_entropy(model, batches, config.entropy_steps, config.entropy_rate)
