"""Writes the golden files: two tiny models with random weights, and pictures coded with them.

    python tests/golden/make.py

Run once for each version of the format and never again for the same: later code must decode these very bytes.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.models import MAE, MAEHyperprior

HERE = Path(__file__).parent


def picture(width: int, height: int) -> Image.Image:
    """A gradient, a disc and some noise."""
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(7).normal(0, 12, (height, width, 3))
    disc = ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2) * 90
    pixels = np.stack([2 * x, 3 * y, 200 - x - y], axis=-1) + disc[..., None] + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def lively(model):
    """Random weights so large that symbols of all sizes occur, with gains that differ by channel and λ."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("conv.weight"):
                parameter.mul_(3)
            elif name.endswith("fc2.weight"):
                parameter.normal_(std=0.1)
        model.g_a[-1].conv.weight.mul_(8)
    return model


def main() -> None:
    torch.manual_seed(191205526)
    expected = {}
    for name, model in (("factorized", MAE(6)), ("hyperprior", MAEHyperprior(6))):
        folder = checkpoints.save(lively(model), name, "random weights, for the golden files", into=HERE)
        checkpoint = checkpoints.open_checkpoint(str(folder))
        for number, (size, lmbda) in enumerate((((67, 45), 64.0), ((16, 16), 300.0), ((130, 90), 4096.0)), 1):
            stream = coder.compress(picture(*size), str(folder), lmbda)
            (HERE / f"{name}-{number}.mae").write_bytes(stream)
            symbols = coder.decode_symbols(checkpoint, bitstream.parse(stream))
            pixels = np.asarray(coder.decompress(stream, str(folder)))
            expected[f"{name}-{number}"] = {
                "lmbda": bitstream.parse(stream).lmbda,
                "size": size,
                "symbols": [int(zlib.crc32(s.astype("<i4").tobytes())) for s in symbols],
                "means": pixels.reshape(-1, 3).mean(0).round(3).tolist(),
                "corners": [pixels[y, x].tolist() for y in (0, -1) for x in (0, -1)],
            }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
