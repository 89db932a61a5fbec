"""Entropy tables in integers: the same frequencies on every machine, at every λ of the stream's grid.

A checkpoint stores, for each channel, the cumulative logits of each of the prior's knots at the edges of the symbols
as 16.16 fixed point, and one table of the logistic function. Everything after that is integer arithmetic:
no libm, no floating point, no dependence on threads or hardware.

At rate index k, between knots with grid indices a ≤ k < b:

1. logit(edge) = ((b − k) · logit_a(edge) + (k − a) · logit_b(edge)) // (b − a)
2. F(edge) = σ(logit) on a 16-bit scale, by linear interpolation in the stored table
3. frequency(symbol) = F(upper edge) − F(lower edge); leading and trailing zeros are cut off, inner zeros
   become 1; what is missing to 65536 goes to one escape symbol behind the last (at least 1, taken from
   the most frequent symbol where need be; where that would cost it more than half, from all in proportion
   to what they have above 1, and what the division leaves goes to the most frequent).

Symbol q of channel c is the latent minus the median of c at that λ, rounded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from mae_viz import rates

if TYPE_CHECKING:
    from mae_viz.layers import RatePrior

FRACTION_BITS = 16  # of the logits
TOTAL = 1 << 16  # of the frequencies of one channel
_LIMIT = 16  # logits are clipped to ±16: σ is then within 2^-23 of 0 and 1
_SIGMOID_STEPS = 64  # table entries per unit of logit
_SIGMOID_BITS = 30
_MAX_SYMBOLS = 4096  # per channel; what lies outside is coded with the escape symbol
EDGES = np.arange(-_MAX_SYMBOLS // 2, _MAX_SYMBOLS // 2 + 1) - 0.5
"""Lower edges of all symbols that a table may hold, and the upper edge of the last."""


@dataclass(frozen=True)
class Frequencies:
    """Integer model of one channel at one λ: symbols first … first + len(counts) − 1, then the escape."""

    first: int
    counts: np.ndarray  # int64, the last one is the escape; sums to TOTAL

    @cached_property
    def least_bits(self) -> float:
        """What its most frequent symbol costs."""
        return 16 - math.log2(int(self.counts.max()))

    @cached_property
    def categorical(self) -> Any:
        """The same for constriction's coders."""
        from constriction import stream

        # sixteen-bit counts are exact in float64, and so is everything that constriction does with them
        return stream.model.Categorical(self.counts / TOTAL, perfect=False)


class EntropyTables:
    """The integer tables of one checkpoint.

    Arrays: ``logits`` int32 (knots, all edges of all channels), ``first`` int32 (channels,): lowest
    symbol, ``symbols`` int32 (channels,): how many, ``sigmoid`` int32, ``rows`` int32 (knots,): their
    grid indices.
    """

    names = ("logits", "first", "symbols", "sigmoid", "rows")

    def __init__(self, arrays: Mapping[str, ArrayLike]):
        self.logits, self.first, self.symbols, self.sigmoid, self.rows = (
            np.asarray(arrays[name], dtype=np.int64) for name in self.names
        )
        self._starts = np.concatenate([[0], np.cumsum(self.symbols + 1)])
        if len(self.rows) != len(self.logits) or self._starts[-1] != self.logits.shape[1]:
            raise ValueError("the entropy tables of this checkpoint contradict each other: download it again.")
        self.at = lru_cache(maxsize=32)(self._at)

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays as a checkpoint stores them."""
        return {name: getattr(self, name).astype(np.int32) for name in self.names}

    def _at(self, index: int) -> list[Frequencies]:
        """Frequencies of every channel at a rate index. Raises ValueError for an index outside the rows."""
        if not self.rows[0] <= index <= self.rows[-1]:
            raise ValueError(f"rate index {index} is outside this model's {self.rows[0]}…{self.rows[-1]}.")
        below = int(np.searchsorted(self.rows, index, side="right")) - 1
        a, logits = int(self.rows[below]), self.logits[below]
        if index > a:
            b = int(self.rows[below + 1])
            logits = ((b - index) * logits + (index - a) * self.logits[below + 1]) // (b - a)
        cumulative = self._sigmoid16(logits)
        return [
            _frequencies(int(first), np.diff(cumulative[start : start + n + 1]))
            for first, start, n in zip(self.first, self._starts, self.symbols, strict=False)
        ]

    def _sigmoid16(self, logits: np.ndarray) -> np.ndarray:
        """σ of fixed-point logits, on a scale of 65536."""
        x = np.clip(logits, -_LIMIT << FRACTION_BITS, _LIMIT << FRACTION_BITS) + (_LIMIT << FRACTION_BITS)
        per_entry = (1 << FRACTION_BITS) // _SIGMOID_STEPS
        entry, rest = x // per_entry, x % per_entry
        after = self.sigmoid[np.minimum(entry + 1, len(self.sigmoid) - 1)]
        value = self.sigmoid[entry] + (after - self.sigmoid[entry]) * rest // per_entry
        shift = _SIGMOID_BITS - 16
        return (value + (1 << (shift - 1))) >> shift


def _frequencies(first: int, counts: np.ndarray) -> Frequencies:
    used = np.flatnonzero(counts)
    if not len(used):  # all the mass lies outside the edges: code every symbol with the escape
        return Frequencies(first, np.array([1, TOTAL - 1]))
    counts = np.maximum(counts[used[0] : used[-1] + 1], 1)
    counts = np.append(counts, max(1, TOTAL - int(counts.sum())))
    excess, top = int(counts.sum()) - TOTAL, np.argmax(counts[:-1])
    if 2 * excess > counts[top]:  # a table so wide that its ones are more than the most frequent symbol can pay
        counts = 1 + (counts - 1) * (TOTAL - len(counts)) // int((counts - 1).sum())
        excess = int(counts.sum()) - TOTAL
    counts[top] -= excess
    return Frequencies(first + int(used[0]), counts)


def build(prior: "RatePrior") -> EntropyTables:
    """Integer tables of a trained prior: done once, when a checkpoint is written."""
    import torch

    knots = [rates.Rate.near(rates.LMBDA_MIN * 2.0 ** float(t)) for t in prior.octaves]
    edges = torch.from_numpy(EDGES).float()[None, None, None, :].expand(1, prior.channels, 1, -1)
    with torch.inference_mode():
        logits = torch.cat([prior.logits(edges, knot.tensor())[:, :, 0] for knot in knots]).double().numpy()
    return from_logits(logits, [knot.index for knot in knots])


def from_logits(logits: np.ndarray, rows: list[int]) -> EntropyTables:
    """Tables from cumulative logits (rate indices ``rows``, channels, edges), edges as in `EDGES`."""
    # symbols whose frequency is not 0 at one knot at least, that is edges with 2^-17 < σ < 1 − 2^-17
    inside = (np.abs(logits) < 17 * np.log(2)).any(axis=0)
    kept, first, symbols = [], [], []
    for c in range(logits.shape[1]):
        used = np.flatnonzero(inside[c])
        low, high = (max(used[0] - 1, 0), min(used[-1] + 1, len(EDGES) - 1)) if len(used) else _middle(logits[:, c])
        first.append(round(EDGES[low] + 0.5))
        symbols.append(high - low)
        kept.append(logits[:, c, low : high + 1])
    x = np.arange(2 * _LIMIT * _SIGMOID_STEPS + 1) / _SIGMOID_STEPS - _LIMIT
    fixed = np.round(np.clip(np.concatenate(kept, axis=1), -_LIMIT, _LIMIT) * (1 << FRACTION_BITS))
    return EntropyTables(
        {
            "logits": fixed,
            "first": first,
            "symbols": symbols,
            "sigmoid": np.round((1 << _SIGMOID_BITS) / (1 + np.exp(-x))),
            "rows": rows,
        }
    )


def _middle(logits: np.ndarray) -> tuple[int, int]:
    """Edges of the one symbol that holds all the mass of a channel that is switched off."""
    centre = logits.shape[1] // 2
    return centre, centre + 1
