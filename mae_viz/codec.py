"""Picture ↔ `.mae` bytes: transform, round, entropy-code, and back.

Large pictures go through the transforms in tiles with a halo as wide as their receptive field, so that
memory stays bounded and the tiles' seams do not show: every value is the one that the whole picture would give,
up to the rounding of floating-point sums.
"""

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz import checkpoints, rates
from mae_viz.bitstream import Stream, StreamError, decode_symbols, encode_symbols, parse
from mae_viz.images import open_rgb

if TYPE_CHECKING:
    from torch import Tensor

    from mae_viz.checkpoints import Checkpoint

Progress = Callable[[float], None]
"""Called with the fraction done, 0…1."""

TILE = 1024
"""Side of a tile in pixels, without its halo."""

ANALYSIS_HALO = 32
"""Pixels around a tile that its latents depend on: 4 + 8 + 16 for the three layers of g_a, in whole latents."""

SYNTHESIS_HALO = 4
"""Latents around a tile that its pixels depend on: 1 + ½ + ¼ for the three layers of g_s, with room to spare."""


def compress(image, model: str = "mae", lmbda: float = 512.0, progress: Progress | None = None) -> bytes:
    """A picture as the bytes of a `.mae` file.

    ``image``: anything that `mae_viz.images.open_rgb` reads. ``model``: a name from `mae_viz.available()`.
    ``lmbda``: 64…4096, moved to the nearest point of a grid of 1/64 octave; larger means better and longer.
    Raises ImageError, CheckpointError, or ValueError for a λ that the model was not trained for.
    """
    import torch

    picture = open_rgb(image)
    checkpoint = checkpoints.open_checkpoint(model)
    index = rates.grid_index(lmbda)
    rate = checkpoint.model.rates(rates.at_index(index), torch.empty(1))
    with torch.inference_mode():
        y = encode_latents(checkpoint, to_tensor(picture, checkpoint.model.stride), rate, progress)
        symbols = torch.round(y - checkpoint.model.prior.medians(rate))[0].int().numpy()
    symbols = symbols.reshape(len(symbols), -1)
    payload, escapes = encode_symbols(symbols, checkpoint.tables.at(index))
    crc = zlib.crc32(symbols.astype("<i4").tobytes())
    return Stream(checkpoint.fingerprint, index, *picture.size, payload, escapes, crc).pack()


def decompress(stream: bytes, model: str | None = None, progress: Progress | None = None) -> Image.Image:
    """The picture in a `.mae` file, RGB.

    The model is found by the fingerprint in the file; ``model`` names one where it lies elsewhere.
    Raises StreamError for a damaged file or one made with a model that is not here.
    """
    parsed = parse(stream)
    checkpoint = find_checkpoint(parsed, model)
    x_hat = decode_latents(checkpoint, decode_y_hat(checkpoint, parsed), parsed.lmbda, progress)
    return to_image(x_hat, parsed.height, parsed.width)


def info(stream: bytes) -> dict:
    """What a `.mae` file says about itself. Raises StreamError for a damaged file."""
    parsed = parse(stream)
    try:
        name = find_checkpoint(parsed).name
    except StreamError:
        name = None
    payload = len(parsed.payload) + len(parsed.escapes)
    return {
        "model": name,
        "model_fingerprint": parsed.fingerprint.hex(),
        "lmbda": parsed.lmbda,
        "width": parsed.width,
        "height": parsed.height,
        "bytes": len(stream),
        "bpp": 8 * len(stream) / (parsed.width * parsed.height),
        "header_bytes": len(stream) - payload,
        "payload_bytes": len(parsed.payload),
        "escape_bytes": len(parsed.escapes),
    }


def find_checkpoint(parsed: Stream, model: str | None = None) -> "Checkpoint":
    """The checkpoint that a file was made with. Raises StreamError where it is not among the known ones."""
    for name in [model] if model else checkpoints.available():
        if checkpoints.fingerprint_of(name) == parsed.fingerprint:
            return checkpoints.open_checkpoint(name)
    raise StreamError(
        f"the file was made with a model that is not here (fingerprint {parsed.fingerprint.hex()}): "
        "install the version of mae_viz, or the checkpoint, that wrote it."
    )


def to_tensor(picture: Image.Image, stride: int) -> "Tensor":
    """RGB picture as (1, 3, H, W) in [0, 1], its last row and column repeated up to multiples of ``stride``."""
    import torch
    from torch.nn import functional as F

    x = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
    return F.pad(x, (0, -x.shape[3] % stride, 0, -x.shape[2] % stride), mode="replicate")


def to_image(x_hat: "Tensor", height: int, width: int) -> Image.Image:
    """Reconstruction (1, 3, H, W) as an 8-bit picture, clipped, rounded and cut to the original's size."""
    pixels = (x_hat[0, :, :height, :width].clamp(0, 1) * 255).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def encode_latents(checkpoint: "Checkpoint", x: "Tensor", rate: "Tensor", progress: Progress | None = None):
    """y = g_a(x, λ) in tiles: x (1, 3, H, W) → (1, C, H/16, W/16)."""
    model = checkpoint.model
    return _tiled(lambda t: model.analysis(t, rate).float(), x, TILE, ANALYSIS_HALO, (1, model.stride), progress)


def decode_latents(checkpoint: "Checkpoint", y_hat: "Tensor", lmbda: float, progress: Progress | None = None):
    """x_hat = g_s(y_hat, λ) in tiles: (1, C, h, w) → (1, 3, 16 h, 16 w), not clipped."""
    import torch

    model, rate = checkpoint.model, torch.tensor([lmbda])
    tile = TILE // model.stride
    with torch.inference_mode():
        return _tiled(lambda t: model.synthesis(t, rate), y_hat, tile, SYNTHESIS_HALO, (model.stride, 1), progress)


def decode_y_hat(checkpoint: "Checkpoint", parsed: Stream) -> "Tensor":
    """Quantised latents (1, C, h, w) of a parsed file. Raises StreamError where they do not match its checksum."""
    import torch

    stride = checkpoint.model.stride
    h, w = -(-parsed.height // stride), -(-parsed.width // stride)
    try:
        models = checkpoint.tables.at(parsed.rate_index)
    except ValueError as error:
        raise StreamError(f"the file does not fit its model: {error}") from None
    symbols = decode_symbols(parsed.payload, parsed.escapes, models, h * w)
    if zlib.crc32(symbols.astype("<i4").tobytes()) != parsed.symbols_crc:
        raise StreamError("the decoded symbols do not match their checksum: the file or the model is damaged.")
    medians = checkpoint.model.prior.medians(torch.tensor([parsed.lmbda]))
    return torch.from_numpy(symbols.reshape(1, -1, h, w)).float() + medians


def _tiled(transform, x: "Tensor", tile: int, halo: int, scale: tuple[int, int], progress: Progress | None):
    """Apply ``transform`` to x (1, C, H, W) tile by tile; scale = (up, down) is its change of resolution.

    Each tile is cut out with a halo, which is cut off again; at the picture's border there is none, so that the
    layers pad there as they would for the whole.
    """
    import torch

    up, down = scale
    height, width = x.shape[2:]
    corners = [(top, left) for top in range(0, height, tile) for left in range(0, width, tile)]
    out = None
    for done, (top, left) in enumerate(corners, 1):
        y0, x0 = max(top - halo, 0), max(left - halo, 0)
        y1, x1 = min(top + tile, height), min(left + tile, width)
        part = transform(x[:, :, y0 : min(y1 + halo, height), x0 : min(x1 + halo, width)])
        if len(corners) == 1:
            out = part
        else:
            if out is None:
                out = torch.empty(1, part.shape[1], height * up // down, width * up // down)
            rows, columns = (slice(a * up // down, b * up // down) for a, b in ((top, y1), (left, x1)))
            inner_rows, inner_columns = (
                slice((a - a0) * up // down, (b - a0) * up // down) for a, a0, b in ((top, y0, y1), (left, x0, x1))
            )
            out[:, :, rows, columns] = part[:, :, inner_rows, inner_columns]
        if progress:
            progress(done / len(corners))
    return out
