"""What the tests share: real photographs, and Kodak where it is at hand (MAE_VIZ_KODAK)."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mae_viz.images import gallery, open_rgb

PHOTOGRAPHS = [photograph.path for photograph in gallery().values()]
KODAK = sorted(Path(os.environ["MAE_VIZ_KODAK"]).glob("*.png")) if "MAE_VIZ_KODAK" in os.environ else []


@pytest.fixture(scope="session")
def photograph() -> Image.Image:
    return open_rgb(gallery()["coffee"].path)


@pytest.fixture(scope="session")
def crop(photograph) -> Image.Image:
    """A small picture whose sides the strides do not divide."""
    return photograph.crop((150, 100, 277, 199))


@pytest.fixture
def noise():
    """Random pictures: (height, width) → uint8 (H, W, 3)."""
    generator = np.random.default_rng(0)
    return lambda height, width: generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
