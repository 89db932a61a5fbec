"""What symbols cost, from the integer tables that the file is written with: at integers exactly, in between linearly.

A draw between two integers so costs what the two cost on average, and nothing is paid for numbers that no file holds.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mae_viz.coding.entropy_tables import Frequencies

_BEYOND = 64  # symbols on either side of the tables whose escape codes are counted; further out they cost the same


class Price:
    """Bits of each symbol in each of a few tables."""

    def __init__(self, tables: Sequence[Frequencies], device: torch.device | str = "cpu"):
        self.first = min(table.first for table in tables) - _BEYOND
        last = max(table.first + len(table.counts) for table in tables) + _BEYOND
        rows = np.empty((len(tables), last - self.first + 1), np.float32)
        for row, table in zip(rows, tables, strict=True):
            bits = 16 - np.log2(table.counts)
            entries = np.arange(len(row)) + self.first - table.first
            inside = (entries >= 0) & (entries < len(bits) - 1)
            row[inside] = bits[entries[inside]]
            row[~inside] = bits[-1] + 8 * _escape_bytes(entries[~inside], len(bits) - 1)
        self.last = rows.shape[1] - 2
        self.flat, self.width = torch.from_numpy(rows).flatten().to(device), rows.shape[1]

    def __call__(self, values: Tensor, table: Tensor) -> Tensor:
        """Bits of values (…), each by the table whose number stands in ``table``, shaped alike or so that it can be."""
        low = values.detach().floor()
        entry = (low - self.first).clamp(0, self.last).long() + table * self.width
        below, above = self.flat[entry], self.flat[entry + 1]
        return below + (values - low) * (above - below)


def _escape_bytes(entries: np.ndarray, escape: int) -> np.ndarray:
    """Bytes of the escape codes of entries outside a table of ``escape`` symbols: seven bits a byte."""
    codes = np.where(entries < 0, -2 * entries - 1, 2 * (entries - escape + 1))
    return np.maximum(np.ceil(np.log2(codes + 1) / 7), 1)
