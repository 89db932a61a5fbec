"""Picture ↔ `.mae` bytes: transform, round, entropy-code, and back.

Large pictures go through the transforms in tiles with a halo as wide as their receptive field, so that
memory stays bounded and the tiles' seams do not show: every value is the one that the whole picture would give,
up to the rounding of floating-point sums. The encoder decides the symbols once; all that turns them into bytes and
back is integer arithmetic. The picture is computed in float32 by everyone who shows it.

Transforms run where the model's weights lie (`devices`), one tile there at a time; what goes in and comes out, latents
and pixels, lies in the CPU's memory, where the entropy coder works.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz.coding import checkpoints, devices
from mae_viz.coding.bitstream import HEADER_BYTES, Stream, StreamError, SymbolDecoder, SymbolEncoder, header, parse
from mae_viz.images import ImageSource, open_rgb
from mae_viz.rates import Rate

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from mae_viz.coding.checkpoints import Checkpoint

Progress = Callable[[float], None]
"""Called with the fraction done, 0…1."""

TILE = 1024
"""Side of a tile in pixels, without its halo."""

LATENT = 16
"""Pixels to a latent, both ways."""

ANALYSIS_HALO = 32
"""Pixels around a tile that its latents depend on, in whole latents: 4 + 8 + 16 for the three layers of g_a,
2 + 4 + 8 + 16 for the four with hyperprior."""

SYNTHESIS_HALO = 2
"""Latents around a tile that its pixels depend on: one at each resolution of g_s, which add up to less than two."""

_PART = 1 << 22  # symbols of y that are put in order at a time, so that memory stays bounded


@dataclass(frozen=True)
class Encoded:
    """A `.mae` file and the latents that it was made from."""

    stream: bytes
    y: np.ndarray
    """float32 (C, h, w), before quantisation."""


def compress(
    image: ImageSource,
    model: str = "mae",
    lmbda: float = 512.0,
    progress: Progress | None = None,
    device: str = devices.CPU,
) -> bytes:
    """A picture as the bytes of a `.mae` file.

    ``image``: what `mae_viz.images.open_rgb` reads. ``model``: a name from `mae_viz.available()`, or the path
    of a checkpoint's folder. ``lmbda``: 64…4096, moved to the nearest point of a grid of 1/64 octave; larger means
    better and longer. ``device``: "cpu" or "cuda"; whichever made a file, it decodes to the same symbols on both.
    Raises ImageError, CheckpointError, or ValueError for a λ that the model was not trained for, or a device that is
    not here.
    """
    checkpoint = checkpoints.open_checkpoint(model, device)
    return encode(open_rgb(image), checkpoint, checkpoint.near(lmbda), progress).stream


def encode(picture: Image.Image, checkpoint: "Checkpoint", rate: Rate, progress: Progress | None = None) -> Encoded:
    """An RGB picture as a `.mae` file, with the latents computed on the way."""
    (encoded,) = encode_together([picture], checkpoint, rate, progress)
    return encoded


def encode_together(
    pictures: Sequence[Image.Image], checkpoint: "Checkpoint", rate: Rate, progress: Progress | None = None
) -> list[Encoded]:
    """RGB pictures of one size as a `.mae` file each; they go through g_a at once."""
    import torch

    pixels = torch.cat([to_pixels(picture, checkpoint.model.stride) for picture in pictures])
    y = encode_latents(checkpoint, pixels, rate, progress)
    return [
        Encoded(write(checkpoint, quantise(checkpoint, own[None], rate), rate, picture.size), own.numpy())
        for picture, own in zip(pictures, y, strict=True)
    ]


def decompress(
    stream: bytes, model: str | None = None, progress: Progress | None = None, device: str = devices.CPU
) -> Image.Image:
    """The picture in a `.mae` file, RGB.

    The model is found by the fingerprint in the file; ``model`` names one where it lies elsewhere. ``device``: "cpu" or
    "cuda", between which a pixel may differ by a grey level. Raises StreamError for a damaged file or one made with a
    model that is not here, ValueError for a device that is not.
    """
    (picture,) = decompress_together([stream], model, progress, device)
    return picture


def decompress_together(
    streams: Sequence[bytes], model: str | None = None, progress: Progress | None = None, device: str = devices.CPU
) -> list[Image.Image]:
    """The pictures in `.mae` files of one size, one λ and one model; they go through g_s at once."""
    import torch

    files = [parse(stream) for stream in streams]
    first, checkpoint = files[0], find_checkpoint(files[0], model, device)
    y_hat = torch.cat([decode_y_hat(checkpoint, parsed) for parsed in files])
    pixels = _synthesised(checkpoint, y_hat, first.rate, _to_bytes, progress)
    return [_picture(own[None], first.height, first.width) for own in pixels]


def info(stream: bytes) -> dict:
    """What a `.mae` file says about itself; nothing is decoded. Raises StreamError for a damaged file."""
    parse(stream)
    return info_of_header(stream, len(stream))


def info_of_header(data: bytes, length: int) -> dict:
    """The same of a file of ``length`` bytes, from its first HEADER_BYTES. Damage that the header does not betray is
    found where the file is decompressed. Raises StreamError as `bitstream.header` does."""
    found = header(data, length)
    return {
        "model": checkpoints.named(found.fingerprint),
        "model_fingerprint": found.fingerprint.hex(),
        "lmbda": Rate(found.rate_index).lmbda,
        "width": found.width,
        "height": found.height,
        "bytes": length,
        "bpp": 8 * length / (found.width * found.height),
        "header_bytes": HEADER_BYTES,
        "payload_bytes": 4 * found.words,
        "escape_bytes": found.escape_bytes,
    }


def find_checkpoint(parsed: Stream, model: str | None = None, device: str = devices.CPU) -> "Checkpoint":
    """The checkpoint that a file was made with. Raises StreamError where it is not among the known ones."""
    name = model or checkpoints.named(parsed.fingerprint)
    if name and checkpoints.fingerprint_of(name) == parsed.fingerprint:
        return checkpoints.open_checkpoint(name, device)
    identity = parsed.fingerprint.hex()
    if found := checkpoints.former(identity):
        name, commit = found
        raise StreamError(
            f"the file was made with model {identity}, which is not here: {name} had these weights until commit "
            f"{commit} of mae_viz. Install that commit, or name the folder of its checkpoint as the model."
        )
    raise StreamError(
        f"the file was made with model {identity}, which is not here: install the version of mae_viz that wrote it, or "
        "name the folder of its checkpoint as the model."
    )


def to_pixels(picture: Image.Image, stride: int) -> "Tensor":
    """RGB picture as uint8 (1, 3, H, W), its last row and column repeated up to multiples of ``stride``."""
    import torch

    pixels = np.array(picture)
    height, width = pixels.shape[:2]
    if height % stride or width % stride:
        pixels = np.pad(pixels, ((0, -height % stride), (0, -width % stride), (0, 0)), mode="edge")
    return torch.from_numpy(pixels).permute(2, 0, 1)[None]


def to_tensor(picture: Image.Image, stride: int) -> "Tensor":
    """RGB picture as (1, 3, H, W) in [0, 1], its last row and column repeated up to multiples of ``stride``."""
    return to_pixels(picture, stride).contiguous().float() / 255


def to_image(x_hat: "Tensor", height: int, width: int) -> Image.Image:
    """Reconstruction (1, 3, H, W) as an 8-bit picture, clipped, rounded and cut to the original's size."""
    return _picture(_to_bytes(x_hat), height, width)


def _to_bytes(x_hat: "Tensor") -> "Tensor":
    return (x_hat.clamp(0, 1) * 255).round().byte()


def _picture(pixels: "Tensor", height: int, width: int) -> Image.Image:
    return Image.fromarray(pixels[0, :, :height, :width].permute(1, 2, 0).contiguous().numpy())


def encode_latents(checkpoint: "Checkpoint", x: "Tensor", rate: Rate, progress: Progress | None = None) -> "Tensor":
    """y = g_a(x, λ) in tiles: x (B, 3, H, W), uint8 or float in [0, 1] → float32 (B, C, H/16, W/16)."""
    import torch

    from mae_viz.coding.folding import transform

    g_a = transform(checkpoint.model, "g_a", rate)

    def analysis(tile: "Tensor") -> "Tensor":
        return g_a((tile.float() / 255 if tile.dtype == torch.uint8 else tile) - 0.5).float()

    with torch.inference_mode():
        y = _tiled(analysis, x, checkpoint.model.device, TILE, ANALYSIS_HALO, (1, LATENT), progress)
        return y.contiguous()


def quantise(checkpoint: "Checkpoint", y: "Tensor", rate: Rate) -> list[np.ndarray]:
    """Symbols of latents y (1, C, h, w), int32: those of y (C, h, w), with a hyperprior those of z before them."""
    import torch

    from mae_viz.coding.folding import transform

    model = checkpoint.model
    with torch.inference_mode():
        medians = model.prior.medians(rate.tensor(model.device)).cpu()
        if not checkpoint.hyper:
            return [_rounded(y - medians)]
        z = transform(model, "h_a", rate)(y.abs().to(model.device)).cpu()
        return [_rounded(z - medians), _rounded(y)]


def _rounded(values: "Tensor") -> np.ndarray:
    # what no table and no escape code holds would not be a number either
    return values.float().clamp(-(2.0**24), 2.0**24).round()[0].int().contiguous().numpy()


def write(checkpoint: "Checkpoint", groups: list[np.ndarray], rate: Rate, size: tuple[int, int]) -> bytes:
    """The `.mae` file of symbols as `quantise` gives them, for a picture of (width, height)."""
    encoder = SymbolEncoder()
    encoder.add(groups[0].reshape(len(groups[0]), -1), checkpoint.tables.at(rate.index))
    if checkpoint.hyper:
        flat, gaussians = groups[1].ravel(), checkpoint.hyper.models()
        for scale, places in _by_scale(checkpoint.hyper.indexes(groups[0], rate.index)):
            encoder.add(flat[None, places], [gaussians[scale]])
    stream = Stream(checkpoint.fingerprint, rate.index, *size, *encoder.sections(), symbols_crc=0)
    return replace(stream, symbols_crc=stream.checksum(groups)).pack()


def decode_latents(checkpoint: "Checkpoint", y_hat: "Tensor", rate: Rate, progress: Progress | None = None) -> "Tensor":
    """x_hat = g_s(y_hat, λ) in tiles: (1, C, h, w) → (1, 3, 16 h, 16 w), not clipped."""
    return _synthesised(checkpoint, y_hat, rate, lambda x_hat: x_hat, progress)


def decode_picture(
    checkpoint: "Checkpoint",
    y_hat: "Tensor",
    rate: Rate,
    height: int,
    width: int,
    progress: Progress | None = None,
) -> Image.Image:
    """The picture that quantised latents (1, C, h, w) stand for: `decode_latents` and `to_image`, tile by tile."""
    return _picture(_synthesised(checkpoint, y_hat, rate, _to_bytes, progress), height, width)


def _synthesised(
    checkpoint: "Checkpoint",
    y_hat: "Tensor",
    rate: Rate,
    finish: Callable[["Tensor"], "Tensor"],
    progress: Progress | None,
) -> "Tensor":
    import torch

    from mae_viz.coding.folding import transform

    g_s = transform(checkpoint.model, "g_s", rate)
    with torch.inference_mode():
        device, tile = checkpoint.model.device, TILE // LATENT
        return _tiled(lambda t: finish(g_s(t) + 0.5), y_hat, device, tile, SYNTHESIS_HALO, (LATENT, 1), progress)


def decode_y_hat(checkpoint: "Checkpoint", parsed: Stream) -> "Tensor":
    """Quantised latents (1, C, h, w) of a parsed file. Raises StreamError where they do not match its checksum."""
    import torch

    y_hat = torch.from_numpy(decode_symbols(checkpoint, parsed)[-1][None]).float()
    if not checkpoint.hyper:
        model = checkpoint.model
        y_hat += model.prior.medians(parsed.rate.tensor(model.device)).cpu()
    return y_hat


def decode_symbols(checkpoint: "Checkpoint", parsed: Stream) -> list[np.ndarray]:
    """Symbols of a parsed file, int32: those of y (C, h, w), with a hyperprior those of z before them.

    Raises StreamError where they do not match the file's checksum.
    """
    stride, channels = checkpoint.model.stride, checkpoint.model.channels
    h, w = -(-parsed.height // stride), -(-parsed.width // stride)
    try:
        models = checkpoint.tables.at(parsed.rate_index)
    except ValueError as error:
        raise StreamError(f"the file does not fit its model: {error}") from None
    decoder = SymbolDecoder(parsed.payload, parsed.escapes)
    decoder.check_room(models, h * w)
    groups = [decoder.take(models, h * w).reshape(channels, h, w)]
    if checkpoint.hyper:
        gaussians = checkpoint.hyper.models()

        def look(strip: np.ndarray) -> None:
            decoder.check_room(gaussians, np.bincount(strip.ravel(), minlength=len(gaussians)))

        indexes = checkpoint.hyper.indexes(groups[0], parsed.rate_index, look)
        y = np.empty(indexes.size, np.int32)
        for scale, places in _by_scale(indexes):
            y[places] = decoder.take([gaussians[scale]], len(places))[0]
        per_z = stride // LATENT
        groups.append(y.reshape(channels, h * per_z, w * per_z))
    decoder.finish()
    if parsed.checksum(groups) != parsed.symbols_crc:
        raise StreamError("the decoded symbols do not match their checksum: the file or the model is damaged.")
    return groups


def _by_scale(indexes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Each scale index with its places in the flattened array of all, in coding order, at most _PART at a time."""
    flat = indexes.ravel()
    parts = {start: flat[start : start + _PART] for start in range(0, len(flat), _PART)}
    scales = {start: set(np.flatnonzero(np.bincount(part)).tolist()) for start, part in parts.items()}
    for scale in sorted(set().union(*scales.values())):
        for start, part in parts.items():
            if scale in scales[start]:
                yield scale, np.flatnonzero(part == scale) + start


def _tiled(
    transform: Callable[["Tensor"], "Tensor"],
    x: "Tensor",
    device: "torch.device",
    tile: int,
    halo: int,
    scale: tuple[int, int],
    progress: Progress | None,
) -> "Tensor":
    """Apply ``transform``, on a device, to x (B, C, H, W) tile by tile; scale = (up, down) is its change of
    resolution.

    Each tile is cut out with a halo, which is cut off again; at the picture's border there is none, so that the
    layers pad there as they would for the whole.
    """
    import torch

    up, down = scale
    height, width = x.shape[2:]
    corners = [(top, left) for top in range(0, height, tile) for left in range(0, width, tile)]
    out = torch.empty(0)
    for done, (top, left) in enumerate(corners, 1):
        y0, x0 = max(top - halo, 0), max(left - halo, 0)
        y1, x1 = min(top + tile, height), min(left + tile, width)
        part = transform(x[:, :, y0 : min(y1 + halo, height), x0 : min(x1 + halo, width)].to(device)).cpu()
        if len(corners) == 1:
            out = part
        else:
            if done == 1:
                out = torch.empty(len(x), part.shape[1], height * up // down, width * up // down, dtype=part.dtype)
            rows, columns = (slice(a * up // down, b * up // down) for a, b in ((top, y1), (left, x1)))
            inner_rows, inner_columns = (
                slice((a - a0) * up // down, (b - a0) * up // down) for a, a0, b in ((top, y0, y1), (left, x0, x1))
            )
            out[:, :, rows, columns] = part[:, :, inner_rows, inner_columns]
        if progress:
            progress(done / len(corners))
    return out
