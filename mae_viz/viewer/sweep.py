"""A sweep over λ as a small film for slides: WebP, GIF, or MP4 where FFmpeg's wheel is installed.

Its pictures are those of the real files, side by side, each with its codec, λ, bytes and PSNR below; λ runs up and down
again, so that it can repeat for ever. A film is smaller than its frames and not lossless: what is measured stays in the
viewer.
"""

import io
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mae_viz.codecs.interface import LambdaAxis
from mae_viz.codecs.registry import codec
from mae_viz.ladders.frame import Frame
from mae_viz.ladders.ladder import Ladder, Ladders
from mae_viz.numbers import decibels, in_bpp, in_bytes
from mae_viz.rates import Rate

FRAME_MS = 180
"""How long each λ stands still; the ends five times as long."""

_LINE, _GAP = 26, 8  # pixels: a line of text, and between two pictures
_PAPER, _INK = "#ffffff", "#1c2127"


def kinds() -> tuple[str, ...]:
    """The formats that can be written here, as suffixes of files."""
    return (".webp", ".gif", ".mp4") if find_spec("imageio_ffmpeg") else (".webp", ".gif")


def sweep(
    ladders: Ladders,
    picture: Image.Image,
    names: Sequence[str],
    kind: str = ".webp",
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """A film of a picture by codecs with a λ, at every λ of their ladders, computed first where they are not there.

    Raises ValueError for a ``kind`` that is none of `kinds`, and for a codec that has no λ.
    """
    if kind not in kinds():
        raise ValueError(f"{kind or 'no suffix'} is no film that can be written here: choose {', '.join(kinds())}.")
    for name in names:
        if not isinstance(codec(name).axis, LambdaAxis):
            raise ValueError(f"{codec(name).title} has no λ to sweep over: choose models, such as mae.")
    opened = [ladders.open(picture, name) for name in names]
    ladders.wait(opened, progress)
    return film(ladders, opened, kind)


def film(ladders: Ladders, opened: Sequence[Ladder], kind: str) -> bytes:
    """A film of complete ladders of one picture, as a file's bytes."""
    frames = [_drawn(ladders, opened, rates) for rates in zip(*(made.source.grid for made in opened), strict=True)]
    return _written([*frames, *frames[-2:0:-1]], len(frames), kind)


def _drawn(ladders: Ladders, opened: Sequence[Ladder], rates: Sequence[Rate]) -> Image.Image:
    """The pictures of one λ side by side, and what each file is."""
    width, height = opened[0].picture.size
    out = Image.new("RGB", (len(opened) * (width + _GAP) - _GAP, height + 2 * _LINE), _PAPER)
    pen = ImageDraw.Draw(out)
    for k, (made, rate) in enumerate(zip(opened, rates, strict=True)):
        left, frame, found = k * (width + _GAP), made.frames[rate], made.source.codec
        with Image.open(io.BytesIO(ladders.must_read(made.id, frame.file))) as decoded:
            out.paste(decoded, (left, 0))
        pen.rectangle((left, height, left + width - 1, height + 3), fill=found.colour)
        pen.text((left + 2, height + 6), f"{found.title}, λ {rate.lmbda:.0f}", _INK, _font(15, width, bold=True))
        pen.text((left + 2, height + 4 + _LINE), _numbers(frame), _INK, _font(14, width))
    return out


def _numbers(frame: Frame) -> str:
    assert frame.bytes is not None
    assert frame.bpp is not None
    assert frame.psnr_db is not None  # models' frames have all three
    return f"{in_bytes(frame.bytes)}   {in_bpp(frame.bpp)}   {decibels(frame.psnr_db)}"


def _font(size: int, width: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    import matplotlib  # its wheel holds a font that has a λ

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    fitting = min(size, max(7, round(size * width / 300)))  # the text must not run into the next picture's
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, fitting)


def _written(frames: list[Image.Image], turn: int, kind: str) -> bytes:
    """``turn``: how many frames λ rises through; the first and that one stand longer."""
    times = [FRAME_MS * (5 if i in (0, turn - 1) else 1) for i in range(len(frames))]
    if kind == ".mp4":
        return _mp4([frame for frame, time in zip(frames, times, strict=True) for _ in range(time // FRAME_MS)])
    data = io.BytesIO()
    first, *others = frames
    how = {"quality": 85, "method": 4} if kind == ".webp" else {}
    first.save(data, kind[1:].upper(), save_all=True, append_images=others, duration=times, loop=0, **how)
    return data.getvalue()


def _mp4(frames: list[Image.Image]) -> bytes:
    import imageio_ffmpeg

    width, height = (side // 2 * 2 for side in frames[0].size)  # H.264 halves the colours' resolution
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.mp4"
        options = ["-crf", "16", "-preset", "medium", "-movflags", "+faststart"]
        writer = imageio_ffmpeg.write_frames(
            str(file),
            (width, height),
            fps=1000 / FRAME_MS,
            codec="libx264",
            quality=None,
            macro_block_size=2,
            output_params=options,
        )
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(np.asarray(frame)[:height, :width]))
        writer.close()
        return file.read_bytes()
