"""What a run says about itself: a live table and bar on a terminal, lines elsewhere, TensorBoard, one JSON line per
validation."""

import json
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from torch.utils.tensorboard import SummaryWriter


class Means:
    """Running sums since the last report: R, D and the loss of all images, bpp and MSE by trained λ."""

    def __init__(self, lmbdas: tuple[float, ...]):
        self.lmbdas = lmbdas
        self.reset()

    def reset(self) -> None:
        self.sums = torch.zeros(len(self.lmbdas) + 1, 4, dtype=torch.float64)  # bpp, MSE, loss, images; all last

    def add(
        self, bpp: torch.Tensor, mse: torch.Tensor, loss: float, lmbda: torch.Tensor, trained: torch.Tensor
    ) -> None:
        """One batch: tensors (B,) on any device."""
        ones = torch.ones(len(lmbda), dtype=torch.float64)
        rows = torch.stack([bpp.to(ones), mse.to(ones), loss * ones, ones], 1)
        self.sums[-1] += rows.sum(0)
        places = [self.lmbdas.index(rate) for rate in lmbda[trained].tolist()]
        self.sums.index_add_(0, torch.tensor(places, dtype=torch.int64), rows[trained])

    def take(self, sums: torch.Tensor) -> dict:
        """The means behind ``sums`` (these, or summed over processes), and a new beginning."""
        self.reset()
        count = sums[:, 3].clamp(min=1)
        bpp, mse = (sums[:, 0] / count).tolist(), (sums[:, 1] / count).tolist()
        seen = (sums[:, 3] > 0).tolist()
        psnr = [-10 * math.log10(max(v, 1e-12)) for v in mse]
        return {
            "rate": bpp[-1],
            "distortion": mse[-1],
            "loss": float(sums[-1, 2] / count[-1]),
            "bpp": [v if s else math.nan for v, s in zip(bpp[:-1], seen, strict=False)],
            "psnr": [v if s else math.nan for v, s in zip(psnr[:-1], seen, strict=False)],
        }


class Report:
    """The voice of one process; all but the first are silent.

    On a machine that lacks rich or TensorBoard it does without the one or the other, and says so.
    """

    _live: "Live | None" = None
    _board: "SummaryWriter | None" = None
    _console: "Console | None" = None

    def __init__(self, out: Path, lmbdas: tuple[float, ...], first: int, last: int, batch: int, speaks: bool = True):
        self.lmbdas, self.batch, self.out = lmbdas, batch, out
        self._speaks = speaks
        self._last = (time.monotonic(), first)
        self.score: float | None = None
        if not speaks:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self.say(f"no curves in {out / 'tensorboard'}: pip install tensorboard for these")
        else:
            self._board = SummaryWriter(str(out / "tensorboard"), purge_step=first)
        try:
            self._begin_bar(first, last)
        except ImportError:
            self.say("no bar and table: pip install rich for these")

    def _begin_bar(self, first: int, last: int) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._console = Console(stderr=True)
        if self._console.is_terminal:
            self._bar = Progress(
                *(TextColumn("step"), MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("left")),
                *(TimeRemainingColumn(), TextColumn("{task.fields[speed]}")),
                console=self._console,
            )
            total = last if last < sys.maxsize else None  # by the clock nobody knows how many
            self._row = self._bar.add_task("", total=total, completed=first, speed="")
            self._live = Live(self._bar, console=self._console, refresh_per_second=2)
            self._live.start()

    def say(self, text: str) -> None:
        """One line."""
        if self._console:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)
        elif self._speaks:
            print(text, file=sys.stderr, flush=True)

    def step(self, step: int) -> None:
        """A step is done."""
        if self._live:
            self._bar.update(self._row, completed=step)

    def train(self, step: int, means: dict, facts: dict) -> None:
        """Means since the last report, and single numbers (``facts``) such as the learning rate."""
        if not self._speaks:
            return
        now, (before, since) = time.monotonic(), self._last
        self._last = now, step
        speed = self.batch * (step - since) / max(now - before, 1e-9)
        numbers = {"R": means["rate"], "D": means["distortion"], "loss": means["loss"], "images_per_s": speed, **facts}
        for name, value in numbers.items():
            self._draw(f"train/{name}", value, step)
        self._by_lmbda("train", step, means)
        head = f"loss {means['loss']:.4f}  R {means['rate']:.3f} bpp  D {means['distortion']:.6f}"
        if self._live:
            self._bar.update(self._row, speed=f"{speed:.1f} images/s")
            from rich.console import Group

            self._live.update(Group(self._table(head, means), self._bar))
        else:
            self.say(f"step {step}: {head}  {speed:.1f} images/s\n  {self._row_of(means)}")

    def validation(self, step: int, result: dict, pictures: torch.Tensor | None = None) -> None:
        """The fixed crops, and reconstructions (n, 3, H, W) in [0, 1] to look at."""
        self.score = result["score"]
        if not self._speaks:
            return
        self._draw("validation/score", result["score"], step)
        self._draw("validation/uniform", result["uniform"], step)
        self._by_lmbda("validation", step, result)
        if self._board and pictures is not None:
            self._board.add_images("validation/reconstructions", pictures, step)
        with (self.out / "validation.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **result}) + "\n")
        self.say(f"step {step}, validation: score {result['score']:.4f}\n  {self._row_of(result)}")
        self._last = time.monotonic(), step  # validation is no training time

    def close(self) -> None:
        if self._live:
            self._live.stop()
        if self._board:
            self._board.close()

    def _draw(self, name: str, value: float, step: int) -> None:
        if self._board:
            self._board.add_scalar(name, value, step)

    def _by_lmbda(self, where: str, step: int, means: dict) -> None:
        for k, lmbda in enumerate(self.lmbdas):
            for name in ("bpp", "psnr"):
                if not math.isnan(means[name][k]):
                    self._draw(f"{where}_{name}/{lmbda:g}", means[name][k], step)

    def _row_of(self, means: dict) -> str:
        points = zip(self.lmbdas, means["bpp"], means["psnr"], strict=True)
        return "  ".join(f"λ {lmbda:g}: {bpp:.3f} bpp {psnr:.2f} dB" for lmbda, bpp, psnr in points)

    def _table(self, head: str, means: dict) -> "Table":
        from rich.table import Table

        table = Table(title=head + (f"  validation {self.score:.4f}" if self.score else ""))
        table.add_column("λ", justify="right")
        for lmbda in self.lmbdas:
            table.add_column(f"{lmbda:g}", justify="right")
        table.add_row("bpp", *(f"{v:.3f}" for v in means["bpp"]))
        table.add_row("dB", *(f"{v:.2f}" for v in means["psnr"]))
        return table
