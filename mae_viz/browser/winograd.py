"""5×5 convolutions of stride 2 and their transposes with three multiplications for five, as nodes of a graph.

After Lavin and Gray, Fast Algorithms for Convolutional Neural Networks (2016): four neighbours of a convolution with
three taps, F(4, 3), are sums of six products in place of twelve. Here that is done along columns of the picture: the
five taps are those of a pair of rows and of the two pairs after it, the last row's being 0. So rows go in pairs, and of
six pairs that lie below one another come four rows of outputs; a transposed convolution takes six rows to four pairs.
Sums of whole rows cost next to nothing beside the products, which are what a processor is busy with.
"""

from collections.abc import Sequence

import numpy as np
from torch import nn

from mae_viz.browser.building import Building
from mae_viz.models import Convolution

_AT_ONCE = 4  # rows of outputs, or pairs of them
_WORTH = 16  # channels
_FAR = 2**31 - 1  # an end beyond every row

_SOURCES = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
"""The inputs that each product takes, six in a row."""

_KERNELS = np.array(
    [[1 / 4, 0, 0], [-1 / 6] * 3, [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
)
"""The taps that it takes."""

_TARGETS = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
"""Which products make each output."""

_EVERYWHERE = 1
"""The product that every output has once: it brings the bias."""


def fits(conv: Convolution) -> bool:
    """Whether a convolution is one of these, with products enough to be worth the sums."""
    shape = (conv.kernel_size, conv.stride, conv.padding)
    return shape == ((5, 5), (2, 2), (2, 2)) and min(conv.in_channels, conv.out_channels) >= _WORTH


def convolution(building: Building, h: str, conv: Convolution) -> str:
    """What it makes of h (B, C, rows, columns): of even sides, or for a transposed one of any."""
    return (_transposed if isinstance(conv, nn.ConvTranspose2d) else _strided)(building, h, conv)


def _strided(building: Building, h: str, conv: Convolution) -> str:
    width = building.sides(h, 3)
    high = building("Div", building.sides(h, 2, 3), building.whole(2))
    padded = building("Pad", h, building.whole(0, 0, 2, 0, 0, 0, 2 * _AT_ONCE, 0))
    sources = _sources(building, building.reshaped(padded, 0, 0, -1, 2, width))
    stored, products = building.constant(conv.weight.half()), []
    for number, (source, factors) in enumerate(zip(sources, _KERNELS, strict=True)):
        # (out, in, 2, 5): row r of a pair has taps r, r + 2 and r + 4
        kernel = building("MatMul", building.constant(np.stack([_placed(factors, r) for r in (0, 1)])), stored)
        bias = [building.constant(conv.bias)] if conv.bias is not None and number == _EVERYWHERE else []
        source = building.reshaped(source, 0, 0, -1, width)
        products.append(building("Conv", source, kernel, *bias, strides=[2, 2], pads=[0, 2, 0, 2]))
    rows = [building("Unsqueeze", row, building.whole(3)) for row in _targets(building, products)]
    stacked = building("Concat", *rows, axis=3)
    whole = building.reshaped(stacked, 0, 0, -1, building.sides(products[0], 3))
    return building("Slice", whole, building.whole(0), high, building.whole(2))


def _transposed(building: Building, h: str, conv: Convolution) -> str:
    width = building.sides(h, 3)
    high = building("Mul", building.sides(h, 2, 3), building.whole(2))
    sources = _sources(building, building("Pad", h, building.whole(0, 0, 1, 0, 0, 0, _AT_ONCE, 0)))
    bias = None if conv.bias is None else building.constant(conv.bias.repeat(2))
    # (out, in, 5, 5), turned: output 2 q + r takes taps −r, 2 − r and 4 − r of inputs q − 1, q and q + 1
    stored, found = building.constant(conv.weight.half().transpose(0, 1).flip(2, 3).contiguous()), []
    for columns in ((0, 2, 4), (1, 3)):  # of even outputs and of odd ones, which take nothing of the input before
        some, products = building("Gather", stored, building.whole(*columns), axis=3), []
        for number, (source, factors) in enumerate(zip(sources, _KERNELS, strict=True)):
            rows = [building.constant(_placed(factors, -r)[None]) for r in (0, 1)]
            kernel = building("Concat", *(building("MatMul", row, some) for row in rows), axis=0)
            biased = [bias] if bias and number == _EVERYWHERE else []
            products.append(building("Conv", source, kernel, *biased, pads=[0, len(columns) - 2, 0, 1]))
        found += _targets(building, products)
    # (B, 2 columns · 4 rows · 2 rows · C, tiles, columns) → (B, C, 8 · tiles, 2 · columns)
    stacked = building("Concat", *found, axis=1)
    apart = building.reshaped(stacked, 0, 2, _AT_ONCE, 2, conv.out_channels, -1, width)
    ordered = building("Transpose", apart, perm=[0, 4, 5, 2, 3, 6, 1])
    whole = building.reshaped(ordered, 0, conv.out_channels, -1, building("Mul", width, building.whole(2)))
    return building("Slice", whole, building.whole(0), high, building.whole(2))


def _placed(factors: np.ndarray, start: int) -> np.ndarray:
    """Factors of three taps, two apart, at their places among the five; what lies beyond is none."""
    wide = np.zeros(7)
    wide[start + 1 : start + 6 : 2] = factors
    return wide[1:6]


def _sources(building: Building, h: str) -> list[str]:
    """What the six products of each four outputs take of rows, or pairs of rows, along axis 2."""
    step, axis = building.whole(_AT_ONCE), building.whole(2)
    last = len(_SOURCES) - 1
    rows = [
        building("Slice", h, building.whole(j), building.whole(j - last if j < last else _FAR), axis, step)
        for j in range(last + 1)
    ]
    return [_sum(building, factors, rows) for factors in _SOURCES]


def _targets(building: Building, products: Sequence[str]) -> list[str]:
    return [_sum(building, factors, products) for factors in _TARGETS]


def _sum(building: Building, factors: np.ndarray, terms: Sequence[str]) -> str:
    """Terms, each times its factor, added up."""
    total = ""
    for factor, term in zip(factors, terms, strict=True):
        if not factor:
            continue
        size = abs(factor) if total else factor
        scaled = term if size == 1 else building("Mul", term, building.constant(float(size)))
        total = building("Add" if factor > 0 else "Sub", total, scaled) if total else scaled
    return total
