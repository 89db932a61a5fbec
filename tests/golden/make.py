"""Writes the golden files of the format's present version: pictures coded with two tiny models of random weights.

    python tests/golden/make.py

Run once for each version of the format and never again for the same: later code must decode these very bytes. All
versions hold the same symbols, those of expected.json, which version 1 was written with.
"""

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
    for name, architecture in (("factorized", MAE), ("hyperprior", MAEHyperprior)):
        folder = HERE / name
        if not folder.exists():
            checkpoints.save(lively(architecture(6)), name, "random weights, for the golden files", into=HERE)
        for number, (size, lmbda) in enumerate((((67, 45), 64.0), ((16, 16), 300.0), ((130, 90), 4096.0)), 1):
            stream = coder.compress(picture(*size), str(folder), lmbda)
            (HERE / f"{name}-{number}.v{bitstream.VERSION}.mae").write_bytes(stream)


if __name__ == "__main__":
    main()
