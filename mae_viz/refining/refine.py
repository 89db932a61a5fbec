"""One picture's latents, refined by gradient through g_s: smaller files, or better ones, for the same decoder.

g_a maps every picture in one pass and leaves bits on the table for each of them. Here the latents of the picture at
hand are moved until R + λ·D is low, with R from the tables that the file is written with and D any `Objective`; they
become integers on the way (`sampling`). The file is written as always, and read by every decoder that reads the plain
one.

With a hyperprior z stays as it is. Made again from rounded latents it lacks what h_a reads from small values, and the
file is 17 % longer; refined along with y it gains less than y alone (−4.5 % against −4.8 % of R + λ·MSE).

Pictures of more than a tile are refined tile by tile, each with the pixels around it that its latents reach and the
others' latents held still: memory stays bounded, and no seam shows because nothing that a latent changes is left out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mae_viz import metrics
from mae_viz.coding import coder
from mae_viz.coding.checkpoints import Checkpoint
from mae_viz.rates import Rate
from mae_viz.refining import objectives, sampling
from mae_viz.refining.latents import Latents, ModelLatents, Part
from mae_viz.refining.objectives import OBJECTIVES, Objective

METHOD = 2
"""Part of what refined files are kept under: raise it where the same settings lead to other files."""

LOOK = 10
"""Steps between two looks at the rounded latents."""

TILE = 64
"""Longest side of a tile in latents: 1024 pixels of this project's models."""

_RATE = 0.05  # of Adam; from half of the steps on it falls to a twentieth


@dataclass(frozen=True)
class Candidate:
    """A file, and what it is worth."""

    stream: bytes
    bpp: float
    psnr_db: float
    distortion: float
    """D of the objective, of its 8-bit pixels."""
    cost: float
    """R + λ·D: what refinement lowers."""


class Moment:
    """Where a refinement stands. Its files are written, decoded and judged when they are asked for, once."""

    def __init__(self, done: float, now: Callable[[], Candidate], best: Callable[[], Candidate]):
        self.done, self._now, self._best = done, now, best
        """``done``: of all steps, 0…1."""

    @cached_property
    def now(self) -> Candidate:
        """The latents as they are, rounded."""
        return self._now()

    @cached_property
    def best(self) -> Candidate:
        """The best file so far; at first the plain one."""
        return self._best()


def refine(
    picture: Image.Image,
    checkpoint: Checkpoint,
    rate: Rate,
    steps: int = 80,
    objective: Objective = OBJECTIVES["mse"],
    importance: np.ndarray | None = None,
    seed: int = 0,
) -> Iterator[Moment]:
    """Refine the file of an RGB picture at λ: moments from the plain file on, each with the best file so far.

    Whoever has seen enough stops asking. ``importance`` (H, W) in [0, 1]: where errors count more. With the same seed,
    machine and number of threads the files are the same. Raises ValueError for a picture too small for the objective,
    and for importance that is none (`objectives.weights`) or that the objective does not know.
    """
    latents = ModelLatents(picture, checkpoint, rate)
    return refine_latents(picture, latents, rate.lmbda, steps, objective, importance, seed)


def refine_latents(
    picture: Image.Image,
    latents: Latents,
    lmbda: float,
    steps: int = 80,
    objective: Objective = OBJECTIVES["mse"],
    importance: np.ndarray | None = None,
    seed: int = 0,
) -> Iterator[Moment]:
    """`refine` for latents of any model, at the λ that it was trained for."""
    weights = _weights(picture, objective, importance)
    return _Refinement(picture, latents, lmbda, objective, weights, seed).run(steps)


def _weights(picture: Image.Image, objective: Objective, importance: np.ndarray | None) -> Tensor | None:
    """What pixels weigh. Raises ValueError for what an objective cannot do."""
    if min(picture.size) < objective.least_side:
        raise ValueError(
            f"{objective.title} needs pictures of at least {objective.least_side} pixels a side, this one has "
            f"{picture.width} × {picture.height}: choose the objective mse."
        )
    if importance is None:
        return None
    if not objective.weighable:
        raise ValueError(f"{objective.title} knows no importance: choose the objective mse or mixture.")
    return objectives.weights(importance, picture.height, picture.width)


class _Refinement:
    """The latents of one picture on their way."""

    def __init__(
        self,
        picture: Image.Image,
        latents: Latents,
        lmbda: float,
        objective: Objective,
        weights: Tensor | None,
        seed: int,
    ):
        self.picture, self.latents, self.lmbda, self.objective = picture, latents, lmbda, objective
        self.device = latents.v.device
        self.x = coder.to_tensor(picture, 1).to(self.device)
        self.weights = None if weights is None else weights.to(self.device)
        self.noise = torch.Generator().manual_seed(seed)

    def run(self, steps: int) -> Iterator[Moment]:
        symbols = self.latents.symbols
        plain = cache(partial(self.candidate, symbols))
        yield Moment(0.0, plain, plain)

        def better(best: np.ndarray) -> Candidate:
            return min(plain(), self.candidate(best), key=lambda candidate: candidate.cost)

        tiles = _tiles(self.latents)
        for number, tile in enumerate(tiles):
            window = _Window(self, symbols, tile)
            lowest = window.cost(window.rounded())
            for step in window.steps(steps):
                if step % LOOK and step < steps:
                    continue
                found = window.rounded()
                cost, now = window.cost(found), symbols.copy()
                now[(slice(None), *tile)] = found[0].int().cpu().numpy()
                if cost < lowest:
                    lowest, symbols = cost, now
                if len(tiles) > 1 and step < steps:  # a file of all the picture would take longer than the steps
                    continue
                done = (number + step / steps) / len(tiles)
                yield Moment(done, partial(self.candidate, now), partial(better, symbols))

    def candidate(self, symbols: np.ndarray) -> Candidate:
        """The file of these symbols (C, h, w), written, decoded and judged."""
        stream, decoded = self.latents.code(symbols)
        bpp = metrics.bpp(len(stream), self.picture.height, self.picture.width)
        with torch.inference_mode():
            x_hat = coder.to_tensor(decoded, 1).to(self.device)
            distortion = self.objective.distortion(x_hat, self.x, self.weights).item()
        psnr_db = metrics.psnr_db(np.asarray(decoded), np.asarray(self.picture))
        return Candidate(stream, bpp, psnr_db, distortion, bpp + self.lmbda * distortion)


class _Window:
    """A tile of latents, the latents that its pixels depend on, and the pixels that it reaches."""

    def __init__(self, whole: _Refinement, symbols: np.ndarray, tile: Part):
        self.whole, self.tile = whole, tile
        latents = whole.latents
        height, width = symbols.shape[1:]
        reach, up = latents.reach or 0, latents.stride
        rows, columns = tile
        (y0, y1), (x0, x1) = ((max(s.start - 2 * reach, 0), s.stop + 2 * reach) for s in tile)
        self.part = (slice(y0, min(y1, height)), slice(x0, min(x1, width)))
        self.around = torch.from_numpy(symbols[(slice(None), *self.part)].astype(np.float32))[None].to(whole.device)
        self.inner = (rows.start - y0, rows.stop - y0, columns.start - x0, columns.stop - x0)
        self.v = latents.v[(slice(None), slice(None), *tile)].clone().requires_grad_()
        # pixels: those of the tile and of what it reaches around it, within the picture
        p0, q0 = (max(s.start - reach, 0) for s in tile)
        p1, q1 = min(rows.stop + reach, height), min(columns.stop + reach, width)
        self.seen = (slice((p0 - y0) * up, (p1 - y0) * up), slice((q0 - x0) * up, (q1 - x0) * up))
        part = (Ellipsis, slice(p0 * up, p1 * up), slice(q0 * up, q1 * up))
        self.x = whole.x[part]
        self.weights = None if whole.weights is None else whole.weights[part]
        self.pixels = self.x.shape[2] * self.x.shape[3]

    def rounded(self) -> Tensor:
        return self.v.detach().round()

    def x_hat(self, v: Tensor, decode: Callable[[Tensor, Part], Tensor]) -> Tensor:
        """The window's pixels where the tile's latents are these."""
        top, bottom, left, right = self.inner
        pad = (left, self.around.shape[3] - right, top, self.around.shape[2] - bottom)
        pixels = decode(v if not any(pad) else _placed(v, self.around, self.inner), self.part)
        return pixels[..., self.seen[0], self.seen[1]][..., : self.x.shape[2], : self.x.shape[3]]

    def loss(self, v: Tensor, x_hat: Tensor) -> Tensor:
        distortion = self.whole.objective.distortion(x_hat, self.x, self.weights)
        return self.whole.latents.bits(v, self.tile) / self.pixels + self.whole.lmbda * distortion

    @torch.no_grad()
    def cost(self, v: Tensor) -> float:
        """R + λ·D of integers, with 8-bit pixels."""
        x_hat = (self.x_hat(v, self.whole.latents.decoded).clamp(0, 1) * 255).round() / 255
        return self.loss(v, x_hat).item()

    def steps(self, count: int) -> Iterator[int]:
        """Take the steps, one at a time: numbers from 1."""
        adam = torch.optim.Adam([self.v], lr=_RATE)
        for step in range(count):
            for group in adam.param_groups:
                group["lr"] = _RATE * min(1.0, 2 * (1 - step / count) + 0.05)
            drawn = sampling.draw(self.v, sampling.temperature(step, count), self.whole.noise)
            loss = self.loss(drawn, self.x_hat(drawn, self.whole.latents.x_hat))
            adam.zero_grad()
            loss.backward()
            adam.step()
            yield step + 1


def _tiles(latents: Latents) -> list[Part]:
    height, width = latents.symbols.shape[1:]
    if latents.reach is None:
        return [(slice(0, height), slice(0, width))]
    return [(rows, columns) for rows in _parts(height) for columns in _parts(width)]


def _parts(side: int) -> list[slice]:
    """A side in equal parts of at most a tile."""
    ends = np.linspace(0, side, -(-side // TILE) + 1).round().astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(ends)]


def _placed(v: Tensor, around: Tensor, inner: tuple[int, int, int, int]) -> Tensor:
    """``around`` with v in its place."""
    top, bottom, left, right = inner
    middle = torch.cat([around[:, :, top:bottom, :left], v, around[:, :, top:bottom, right:]], 3)
    return torch.cat([around[:, :, :top], middle, around[:, :, bottom:]], 2)
