"""The integer tables that streams are coded with."""

import numpy as np
import pytest
import torch

from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.coding.entropy_tables import TOTAL, _frequencies
from mae_viz.rates import Rate


@pytest.mark.parametrize("name", ["mae", "bottleneck-scaling"])
@pytest.mark.parametrize("index", [0, 1, 31, 64, 200, 383, 384])
def test_frequencies_are_complete_and_close_to_the_prior(name, index):
    checkpoint = open_checkpoint(name)
    rate, reach = torch.tensor([Rate(index).lmbda]), 600
    symbols = torch.arange(-reach, reach + 1).float().expand(1, checkpoint.model.channels, 1, -1)
    with torch.inference_mode():
        likelihoods = checkpoint.model.prior.likelihood(symbols, rate)[0, :, 0].double().numpy()
    at = max(1, int(np.searchsorted(checkpoint.tables.rows, index)))
    for c, model in enumerate(checkpoint.tables.at(index)):
        assert model.counts.sum() == TOTAL
        assert model.counts.min() >= 1
        p = likelihoods[c, model.first + reach : model.first + reach + len(model.counts) - 1]
        # what coding with these integers costs beyond the prior itself, in bits per symbol; more where a channel sleeps
        # at one of the two knots, because logits are stored within ±16 only
        below, above = checkpoint.tables.rows[[at - 1, at]]
        sleeps = any(len(checkpoint.tables.at(int(row))[c].counts) <= 2 for row in (below, above))
        assert np.sum(p * np.log2(p * TOTAL / model.counts[:-1])) < (0.03 if sleeps else 0.01)


def test_tables_need_integers_only():
    """Rebuilt from the stored arrays in Python integers, without numpy's arithmetic: the same frequencies."""
    tables = open_checkpoint("mae").tables
    index, row = 100, 6
    a, b = map(int, tables.rows[[row, row + 1]])
    assert a < index < b
    start = 0
    for c, model in enumerate(tables.at(index)[:12]):
        edges = int(tables.symbols[c]) + 1
        cumulative = []
        for edge in range(start, start + edges):
            low, high = int(tables.logits[row, edge]), int(tables.logits[row + 1, edge])
            x = max(0, min(32 << 16, ((b - index) * low + (index - a) * high) // (b - a) + (16 << 16)))
            entry, rest = divmod(x, 1024)
            here = int(tables.sigmoid[entry])
            after = int(tables.sigmoid[min(entry + 1, 2048)])
            cumulative.append((here + (after - here) * rest // 1024 + (1 << 13)) >> 14)
        start += edges
        counts = np.diff(cumulative)
        first = int(np.flatnonzero(counts)[0])
        assert model.first == int(tables.first[c]) + first
        kept = np.maximum(counts[first : np.flatnonzero(counts)[-1] + 1], 1)
        changed = np.flatnonzero(model.counts[:-1] != kept)
        assert len(changed) <= 1  # the most frequent symbol alone pays for what others need to be codable


def test_rates_that_a_model_does_not_have_are_refused():
    with pytest.raises(ValueError, match="outside this model's 384…384"):
        open_checkpoint("independent-4096").tables.at(100)


@pytest.mark.parametrize("std", [0.05, 3.0, 200.0, 700.0])
def test_tables_of_any_width_are_complete(std):
    """Also where symbols that need a count of 1 are more than the most frequent one could give."""
    x = np.linspace(-1500, 1500, 3001) / std
    cumulative = np.round(TOTAL / (1 + np.exp(-np.clip(2 * x, -50, 50)))).astype(np.int64)
    model = _frequencies(-1500, np.diff(cumulative))
    assert model.counts.sum() == TOTAL
    assert model.counts.min() >= 1
    p = model.counts / TOTAL
    want = np.append(np.diff(cumulative)[model.first + 1500 :][: len(p) - 1], 0) / TOTAL
    spent = want > 0
    assert np.sum(want[spent] * np.log2(want[spent] / p[spent])) < 0.05
