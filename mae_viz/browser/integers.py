"""The hyperprior's decoder in exact integers as a graph: the second step of `mae_viz.coding.hyper`.

Its numbers are whole ones in float64, and all sums stay below 2^52: they are exact, and so the same in any order and on
any processor. A convolution is a product of matrices for each of its taps, kernels × what the tap reads of every place;
a transposed one of stride 2 is four of them, one for each phase of its outputs.
"""

from collections.abc import Mapping

from onnx import ModelProto, TensorProto

from mae_viz.browser.building import Building, Port
from mae_viz.coding.hyper import BITS, GAIN_BITS, LIMIT
from mae_viz.models import Convolution, HyperpriorModel


def graph(model: HyperpriorModel, shifts: list[int], about: Mapping[str, object]) -> ModelProto:
    """v (batch, C, h, w), gains_0 … gains_2 (C,) → ln_sigma (batch, C, 4 h, 4 w), float64 as `hyper` counts them.

    ``shifts``: fractional bits of each layer's kernels.
    """
    building, channels = Building(), model.channels
    h = "v"
    for number, (layer, shift) in enumerate(zip(model.h_s, shifts, strict=True)):
        gains = building.reshaped(building.input(f"gains_{number}", channels), 1, -1, 1, 1)
        h = _clipped(building, _shifted(building, building("Mul", h, gains), GAIN_BITS), 0 if number else -LIMIT)
        h = _clipped(building, _shifted(building, _convolution(building, h, layer.conv, shift), shift), -LIMIT)
    source: Port = ("v", ["batch", channels, "height/64", "width/64"])
    target: Port = ("ln_sigma", ["batch", channels, "height/16", "width/16"])
    return building.finished("h_s", source, h, target, about, TensorProto.DOUBLE)


def _convolution(building: Building, h: str, conv: Convolution, shift: int) -> str:
    assert conv.bias is not None
    k, out = conv.kernel_size[0], conv.out_channels
    # (taps, out, in)
    kernels = _rounded(building, building.double(conv.weight.half()), shift)
    kernels = building("Transpose", kernels, perm=[2, 3, 1, 0] if conv.transposed else [2, 3, 0, 1])
    kernels = building.reshaped(kernels, k * k, out, conv.in_channels)
    bias = building.reshaped(_rounded(building, building.double(conv.bias), shift + BITS), 1, -1, 1, 1)
    height, width = building.sides(h, 2, 3), building.sides(h, 3)
    padded = building("Pad", h, building.whole(0, 0, 1, 1, 0, 0, 1, 1))
    read = {(row, column): _read(building, padded, row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)}

    def phase(taps: list[tuple[int, int, tuple[int, int]]]) -> str:
        """The sum over taps, each with the row and column of the kernel and of what it reads."""
        total = ""
        for row, column, place in taps:
            kernel = building("Gather", kernels, building.whole(row * k + column))
            product = building("MatMul", kernel, read[place])
            total = building("Add", total, product) if total else product
        return building.reshaped(total, 0, 0, height, width)

    if conv.transposed:  # output 2 q + r takes tap r + 2 − 2 d of input q + d
        axis = [[(r + 2 - 2 * d, d) for d in (-1, 0, 1) if r + 2 - 2 * d < k] for r in (0, 1)]
        phases = [phase([(i, j, (di, dj)) for i, di in rows for j, dj in columns]) for rows in axis for columns in axis]
        sums = building("DepthToSpace", building("Concat", *phases, axis=1), blocksize=2, mode="DCR")
    else:
        sums = phase([(i, j, (i - k // 2, j - k // 2)) for i in range(k) for j in range(k)])
    return building("Add", sums, bias)


def _read(building: Building, padded: str, row: int, column: int) -> str:
    """(batch, C, places): the inputs so far from each place, of h with a border of one."""
    ends = [2**31 - 1 if offset == 1 else offset - 1 for offset in (row, column)]
    starts, axes = building.whole(row + 1, column + 1), building.whole(2, 3)
    return building.reshaped(building("Slice", padded, starts, building.whole(*ends), axes), 0, 0, -1)


def _rounded(building: Building, values: str, bits: int) -> str:
    """Values times 2^bits, as whole numbers."""
    return building("Round", building("Mul", values, building.double(2.0**bits)))


def _shifted(building: Building, h: str, bits: int) -> str:
    """(h + half) >> bits."""
    if not bits:
        return h
    return building(
        "Floor", building("Mul", building("Add", h, building.double(2.0 ** (bits - 1))), building.double(2.0**-bits))
    )


def _clipped(building: Building, h: str, least: int) -> str:
    return building("Min", building("Max", h, building.double(least)), building.double(LIMIT))
