"""What the notebooks show: rows of pictures as one JPEG, so that a notebook reads on paper and stays small."""

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from IPython.display import Image as Shown
    from matplotlib.figure import Figure

WIDTH = 1040
"""Of a row of pictures, in pixels."""

QUALITY = 90
"""Of the JPEG that a row becomes."""

ENCODING = f"shown as JPEG, quality {QUALITY}, 4:4:4; the viewer shows the decoder's own pixels"
"""What a line under the pictures says of it."""


_GAP, _LINE = 8, 19


def pictures(shown: Sequence[tuple[str, object]], columns: int | None = None, width: int = WIDTH) -> "Shown":
    """Pictures with a title above each, side by side, and a line that says how they are encoded.

    ``shown``: (title of one line or more, picture or uint8 array (H, W, 3)), all of one size. Smaller pictures are
    enlarged by whole numbers without smoothing, larger ones scaled down.
    """
    from IPython.display import Image as Shown
    from matplotlib import font_manager

    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14)
    tiles = [p if isinstance(p, Image.Image) else Image.fromarray(np.asarray(p)) for _, p in shown]
    columns = columns or len(tiles)
    cell = (width - _GAP * (columns - 1)) // columns
    tiles = [_fitted(tile, cell) for tile in tiles]
    lines = max(title.count("\n") for title, _ in shown) + 1
    tall = max(tile.height for tile in tiles) + _LINE * lines + _GAP
    rows = math.ceil(len(tiles) / columns)
    sheet = Image.new("RGB", (width, tall * rows + _LINE), "white")
    pen = ImageDraw.Draw(sheet)
    for i, (tile, (title, _)) in enumerate(zip(tiles, shown, strict=True)):
        left, top = (i % columns) * (cell + _GAP), (i // columns) * tall
        pen.multiline_text((left, top), title, fill="black", font=font, spacing=3)
        sheet.paste(tile, (left, top + _LINE * lines))
    pen.text((0, tall * rows), ENCODING, fill="#606060", font=font.font_variant(size=12))
    data = io.BytesIO()
    sheet.save(data, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return Shown(data=data.getvalue(), format="jpeg")


def _fitted(tile: Image.Image, cell: int) -> Image.Image:
    times = cell // tile.width
    if times >= 1:
        return tile.resize((tile.width * times, tile.height * times), Image.Resampling.NEAREST)
    return tile.resize((cell, round(tile.height * cell / tile.width)), Image.Resampling.LANCZOS)


def jpeg(figure: "Figure", dpi: int = 150) -> "Shown":
    """A matplotlib figure that holds photographs as a JPEG: a tenth of what it would take as PNG."""
    from IPython.display import Image as Shown

    data = io.BytesIO()
    figure.savefig(data, format="jpeg", dpi=dpi, pil_kwargs={"quality": QUALITY, "subsampling": 0, "optimize": True})
    return Shown(data=data.getvalue(), format="jpeg")
