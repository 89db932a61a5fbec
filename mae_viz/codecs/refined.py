"""A model whose encoder thinks longer: a codec of its own, beside the plain one that has the same decoder.

Its name is the model's, "-refined-", the number of steps, and the objective where that is not the MSE:
"mae-refined-80", "mae-refined-80-ms-ssim".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz.codecs.interface import Codec, Inspected, Progress, R

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


class RefinedCodec(Codec[R]):
    """A codec's files with the latents refined for each picture (`mae_viz.refining`); all else is the codec's own."""

    guide: Codec[R]

    def __init__(self, plain: Codec[R], steps: int, objective: str = "mse", importance: np.ndarray | None = None):
        """``plain``: a codec that is ``refinable``. ``importance``: see `mae_viz.refining.refine.refine`. Raises
        ValueError for an objective that there is not."""
        from mae_viz.refining import objectives

        self.guide = plain
        self.steps, self.objective, self.importance = steps, objectives.named(objective), importance
        said = f"refined {steps} step{'s' * (steps > 1)}"
        if objective != "mse":
            said += f" for {self.objective.title}"
        self.title, self.short = f"{plain.title}, {said}", f"{plain.short}, {said}"
        self.about = self.title
        ending = f"-refined-{steps}{'' if objective == 'mse' else f'-{objective}'}"
        self.name, self._file_name = plain.name + ending, plain.file_name + ending
        self.kind, self.axis, self.looks, self.stride = plain.kind, plain.axis, plain.looks, plain.stride
        self.device = plain.device

    @property
    def file_name(self) -> str:
        return self._file_name

    @property
    def absent(self) -> str:  # type: ignore[override]
        return self.guide.absent

    @property
    def identity(self) -> str:
        from mae_viz.refining.refine import METHOD

        how = f"{self.steps} {self.objective.name} {_SEED} {self._arithmetic} {METHOD}"
        return f"{self.guide.identity} refined {how}"

    @property
    def _arithmetic(self) -> str:
        """The type of the inner layers' numbers while latents are refined: other numbers, other files."""
        from mae_viz.refining.synthesis import fast_type

        return str(fast_type(self.device)).removeprefix("torch.")

    @property
    def fingerprint(self) -> str | None:
        return self.guide.fingerprint

    @property
    def settings(self) -> dict:
        how = {"refined_steps": self.steps, "objective": self.objective.name, "seed": _SEED}
        return self.guide.settings | how | {"inner_type": self._arithmetic}

    @property
    def history(self) -> str:  # type: ignore[override]
        """What its weights began at, and that others' latents were coded as their encoder gave them."""
        return f"{self.guide.history} {self.title}: {ONE_PASS}".strip()

    def moments(self, picture: Image.Image, rate: R) -> "Iterator[Moment]":
        """The way to the file of an RGB picture."""
        from mae_viz.refining.refine import refine_latents

        latents, lmbda = self.guide.latents(picture, rate), self.guide.lmbda(rate)
        return refine_latents(picture, latents, lmbda, self.steps, self.objective, self.importance, _SEED)

    def spend(self, picture: Image.Image, rate: R, tell: Callable[[float, str], None]) -> "Spent":
        """The file of an RGB picture and what it took; Ctrl-C ends the work with the best so far."""
        from mae_viz.refining.effort import spend

        return spend(self.moments(picture, rate), self.steps, tell)

    def encode(self, picture: Image.Image, rate: R, progress: Progress | None = None) -> bytes:
        last = None
        for last in self.moments(picture, rate):
            if progress:
                progress(last.done)
        assert last
        return last.best.stream

    def decode(self, data: bytes, progress: Progress | None = None) -> Image.Image:
        return self.guide.decode(data, progress)

    def reconstruct_together(self, pictures: Sequence[Image.Image], files: Sequence[bytes]) -> list[Image.Image]:
        return self.guide.reconstruct_together(pictures, files)

    def estimated_bits(self, data: bytes) -> float | None:
        return self.guide.estimated_bits(data)

    def inspect(self, picture: Image.Image, rate: R, progress: Progress | None = None) -> Inspected:
        return self.inspect_file(self.encode(picture, rate, progress))

    def inspect_file(self, data: bytes) -> Inspected:
        return self.guide.inspect_file(data)


def parts_of(name: str) -> tuple[str, int, str] | None:
    """The plain codec, the steps and the objective in the name of a refined one; None for names that are none."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    return found["model"], int(found["steps"]), found["objective"] or "mse"
