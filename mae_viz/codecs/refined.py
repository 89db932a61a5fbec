"""A model whose encoder thinks longer: a codec of its own, beside the plain one that has the same decoder.

Its name is the model's, "-refined-", the number of steps, and the objective where that is not the MSE:
"mae-refined-80", "mae-refined-80-ms-ssim".
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from mae_viz.codecs import palette
from mae_viz.codecs.interface import Inspected, Progress
from mae_viz.codecs.neural import ModelCodec
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from mae_viz.refining.effort import Spent
    from mae_viz.refining.refine import Moment

_NAME = re.compile(r"(?P<model>.+)-refined-(?P<steps>[1-9]\d{0,3})(?:-(?P<objective>[a-z][a-z-]*))?")
_SEED = 0

ONE_PASS = (
    "each picture's latents were refined by gradient before they were coded; the other networks coded theirs in one "
    "pass."
)
"""What is to be read beside every comparison of a refined model."""


class RefinedCodec(ModelCodec):
    """One model, its latents refined for each picture (`mae_viz.refining`)."""

    refinable = False
    guide: ModelCodec

    def __init__(self, model: str, steps: int, objective: str = "mse", importance: np.ndarray | None = None):
        """``model``: as `ModelCodec` takes it. ``importance``: see `mae_viz.refining.refine.refine`. Raises ValueError
        for an objective that there is not, CheckpointError for an unknown model."""
        from mae_viz.refining import objectives

        super().__init__(model)
        self.steps, self.objective, self.importance = steps, objectives.named(objective), importance
        self.guide = ModelCodec(model)
        said = f"refined {steps} step{'s' * (steps > 1)}"
        if objective != "mse":
            said += f" for {self.objective.title}"
        self.title, self.short = f"{self.guide.title}, {said}", f"{self.guide.short}, {said}"
        self.about = self.title
        self.name = f"{self.guide.name}-refined-{steps}{'' if objective == 'mse' else f'-{objective}'}"

    @property
    def drawing(self) -> palette.Drawing:
        return palette.drawing(self.name)

    @property
    def identity(self) -> str:
        return f"{self.card['sha256']} refined {self.steps} {self.objective.name} {_SEED}"

    @property
    def settings(self) -> dict:
        from mae_viz.refining.synthesis import fast_type

        arithmetic = str(fast_type()).removeprefix("torch.")
        how = {"refined_steps": self.steps, "objective": self.objective.name, "seed": _SEED, "inner_type": arithmetic}
        return super().settings | how

    @property
    def history(self) -> str:  # type: ignore[override]
        """What its weights began at, and that others' latents were coded as their encoder gave them."""
        return f"{super().history} {self.title}: {ONE_PASS}".strip()

    def moments(self, picture: Image.Image, rate: Rate) -> "Iterator[Moment]":
        """The way to the file of an RGB picture."""
        from mae_viz.refining.refine import refine

        return refine(picture, self.checkpoint, rate, self.steps, self.objective, self.importance, _SEED)

    def spend(self, picture: Image.Image, rate: Rate, tell: Callable[[float, str], None]) -> "Spent":
        """The file of an RGB picture and what it took; Ctrl-C ends the work with the best so far."""
        from mae_viz.refining.effort import spend

        return spend(self.moments(picture, rate), self.steps, tell)

    def encode(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> bytes:
        stream = b""
        for moment in self.moments(picture, rate):
            stream = moment.best.stream
            if progress:
                progress(moment.done)
        return stream

    def inspect(self, picture: Image.Image, rate: Rate, progress: Progress | None = None) -> Inspected:
        return self.inspect_file(self.encode(picture, rate, progress))

    def inspect_file(self, stream: bytes) -> Inspected:
        """A file of this model with the maps behind it, y as it was coded: never anything but integers."""
        from mae_viz import probe
        from mae_viz.coding import coder
        from mae_viz.coding.bitstream import parse

        cost, parsed = probe.cost(self.checkpoint, stream), parse(stream)
        y = coder.decode_y_hat(self.checkpoint, parsed)[0].numpy()
        gains = probe.all_gains(self.checkpoint.model, parsed.rate)
        return Inspected(stream, y, cost.y, cost.places, cost.bits, gains)


def refined(name: str) -> RefinedCodec | None:
    """The codec of a name; None for names that are not of this kind."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    facts: dict[str, Any] = found.groupdict(default="mse")
    return RefinedCodec(facts["model"], int(facts["steps"]), facts["objective"])
