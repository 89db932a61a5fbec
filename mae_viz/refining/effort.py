"""How long an encoder may think, and one that thinks until it is done or told to stop."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mae_viz.refining.refine import Candidate, Moment

STEPS = (0, 20, 40, 80, 160)
"""Steps of each effort; a step takes about two decodings."""


@dataclass(frozen=True)
class Spent:
    """What came of a refinement."""

    plain: Candidate
    best: Candidate
    seconds: float
    done: float
    """Of its steps, 0…1: under 1 where it was stopped."""

    def __str__(self) -> str:
        change = len(self.best.stream) - len(self.plain.stream)
        gain = self.best.psnr_db - self.plain.psnr_db
        state = "refined" if self.done == 1 else f"stopped after {100 * self.done:.0f} % of its steps and kept the best"
        return (
            f"{state} in {self.seconds:.0f} s: {change:+,} bytes and {gain:+.2f} dB against coding in one pass"
        ).replace("-", "−")


def spend(moments: Iterator[Moment], steps: int, tell: Callable[[float, str], None]) -> Spent:
    """Follow a refinement to its end; Ctrl-C ends it where it is, once there is a file.

    ``tell`` hears how much is done, and in words what a step takes and what the best file is by now.
    """
    started = time.perf_counter()
    first = last = next(moments)
    begun = time.perf_counter()
    try:
        for last in moments:
            each = (time.perf_counter() - begun) / (last.done * steps)
            left = each * (1 - last.done) * steps
            best = f"{len(last.best.stream):,} bytes, {last.best.psnr_db:.2f} dB"
            tell(last.done, f"{each:.2f} s a step, {left:.0f} s left: {best}")
    except KeyboardInterrupt:
        pass
    return Spent(first.best, last.best, time.perf_counter() - started, last.done)
