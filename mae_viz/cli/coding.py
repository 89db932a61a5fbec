"""Pictures and .mae files: compress, decompress, info."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_viz.cli.shared import STANDARD, Device, Report, progress_bar, read, sentence, write

if TYPE_CHECKING:
    from mae_viz.codecs.refined import RefinedCodec

commands = typer.Typer()


@commands.command()
def compress(
    images: Annotated[list[Path], typer.Argument(help="pictures, or folders of them; - is standard input")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .mae file; a folder for several; - is stdout")],
    model: Annotated[
        str, typer.Option(help="a model that ships (mae, bottleneck-scaling, …) or a checkpoint's folder")
    ] = "mae",
    lmbda: Annotated[float | None, typer.Option("--lambda", help="64 (small file) … 4096 (good picture)")] = None,
    size: Annotated[
        int | None, typer.Option("--bytes", help="instead of λ: the largest file of at most so many")
    ] = None,
    bpp: Annotated[float | None, typer.Option(help="the same budget in bits per pixel")] = None,
    psnr: Annotated[float | None, typer.Option(help="instead of λ: the smallest file of at least so many dB")] = None,
    effort: Annotated[
        int,
        typer.Option(
            min=0,
            max=4,
            help="refine the latents for 20, 40, 80 or 160 steps (1 to 4): smaller files for the same decoder",
        ),
    ] = 0,
    objective: Annotated[str, typer.Option(help="what --effort works for: mse, ms-ssim, mixture")] = "mse",
    importance: Annotated[
        Path | None, typer.Option(help="a picture of the same size for --effort: where it is white, errors count more")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Compress pictures to .mae files, at λ = 512 unless --lambda or a target says otherwise.

    With --effort Ctrl-C ends the refinement of a file, or the search for its λ, and the best so far is written.
    """
    from mae_viz.codecs import registry, search
    from mae_viz.coding import coder
    from mae_viz.formats import SUFFIXES
    from mae_viz.images import open_rgb

    targets = [value for value in (size, bpp, psnr) if value is not None]
    if len(targets) + (lmbda is not None) > 1:
        raise ValueError("--lambda, --bytes, --bpp and --psnr exclude one another: give one of them.")
    wanted = 512.0 if lmbda is None else lmbda
    refined = _refined(model, effort, objective, importance, device)

    def coded(image: Path, progress: Report) -> tuple[bytes, str]:
        source, quality, pains = read(image) if image == STANDARD else image, "", ""
        if targets:
            codec = refined or registry.codec(model, device)
            found = search.compress_to(source, codec, bytes=size, bpp=bpp, psnr_db=psnr, progress=progress)
            stream, quality = found.stream, f", {found.psnr_db:.2f} dB"
            if not found.whole:
                pains = "; stopped: the best file so far within the target" + (
                    ", coded in one pass" if found.codec is not refined else ""
                )
        elif refined:
            spent = refined.spend(open_rgb(source), refined.rate(wanted), progress)
            stream, quality, pains = spent.best.stream, f", {spent.best.psnr_db:.2f} dB", f"; {spent}"
        else:
            stream = coder.compress(source, model, wanted, progress, device)
        facts = coder.info(stream)
        return stream, f"{facts['bytes']} bytes, {facts['bpp']:.4f} bpp{quality}, λ = {facts['lmbda']:.1f}{pains}"

    pairs = _pairs(images, output, SUFFIXES, ".mae")
    if wrong := [target for _, target in pairs if target.suffix.lower() in SUFFIXES]:
        raise ValueError(f"{wrong[0]} would be a .mae file that is called a picture: let its name end with .mae.")
    _each("compressing", pairs, coded)


def _refined(model: str, effort: int, objective: str, importance: Path | None, device: str) -> "RefinedCodec | None":
    """What an effort above 0 codes with. Raises ValueError for settings that only count with one."""
    if not effort:
        if objective != "mse" or importance:
            raise ValueError("--objective and --importance say what an effort is for: add --effort 3.")
        return None
    import numpy as np

    from mae_viz.codecs import registry
    from mae_viz.images import open_rgb
    from mae_viz.refining.effort import STEPS

    weights = np.asarray(open_rgb(importance).convert("L"), np.float32) / 255 if importance else None
    return registry.codec(model, device).refined(STEPS[effort], objective, weights)


@commands.command()
def decompress(
    files: Annotated[list[Path], typer.Argument(help=".mae files, or folders of them; - is standard input")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="the picture: .png, .webp, .tiff without loss, .jpg, .avif with some; a folder for several (PNG); "
            "- is stdout",
        ),
    ],
    model: Annotated[
        str | None, typer.Option(help="a checkpoint's folder, for files made with one of your own")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Decompress .mae files to pictures. Between two devices a pixel may differ by a grey level."""
    from mae_viz.coding import coder

    pairs = _pairs(files, output, frozenset([".mae"]), ".png")
    forms = {file: _written(target) for file, target in pairs}

    def decoded(file: Path, progress: Report) -> tuple[bytes, str]:
        picture, (form, options), data = (
            coder.decompress(read(file), model, progress, device),
            forms[file],
            io.BytesIO(),
        )
        picture.save(data, form, **options)
        return data.getvalue(), f"{picture.width} × {picture.height}"

    _each("decompressing", pairs, decoded)


def _written(output: Path) -> tuple[str, dict]:
    """The format that a name stands for, and how pictures are saved in it."""
    formats: dict[str, tuple[str, dict]] = {
        ".png": ("PNG", {}),
        ".webp": ("WEBP", {"lossless": True}),
        **dict.fromkeys((".tif", ".tiff"), ("TIFF", {"compression": "tiff_adobe_deflate"})),
        **dict.fromkeys((".jpg", ".jpeg"), ("JPEG", {"quality": 95, "subsampling": "4:4:4"})),
        ".avif": ("AVIF", {"quality": 95, "subsampling": "4:4:4"}),
    }
    if output == STANDARD or (output.exists() and not output.is_file()):  # a FIFO, a device
        return formats.get(output.suffix.lower(), formats[".png"])
    if output.suffix.lower() not in formats:
        raise ValueError(f"{output} names no format: let it end with {', '.join(formats)}.")
    return formats[output.suffix.lower()]


@commands.command()
def info(file: Annotated[Path, typer.Argument(help="a .mae file; - is standard input")]) -> None:
    """Print what the header of a .mae file says, as JSON. Whether the rest is intact, decompress finds out."""
    from mae_viz.coding import bitstream, coder

    if file.is_file():
        with file.open("rb") as opened:
            facts = coder.info_of_header(opened.read(bitstream.HEADER_BYTES), file.stat().st_size)
    else:  # what has no length is read to its end
        facts = coder.info(read(file))
    typer.echo(json.dumps(facts, indent=2))


def _pairs(sources: list[Path], output: Path, suffixes: frozenset[str], suffix: str) -> list[tuple[Path, Path]]:
    """Files to read, each with the one to write: one with ``output``, several and those in folders with files in it.

    Raises ValueError before anything is written where two would be written to one file, or one over its source.
    """
    from mae_viz.images import names_in

    if len(sources) == 1 and not sources[0].is_dir() and not output.is_dir():
        pairs = [(sources[0], output)]
    else:
        found = []
        for source in sources:
            if source.is_dir():
                found += [(source / name, name) for name in names_in(source, suffixes)]
            else:
                found.append((source, source.name))
        pairs = [(file, (output / name).with_suffix(suffix)) for file, name in found]
    if not pairs:
        kind = "pictures" if suffix == ".mae" else ".mae files"
        raise ValueError(f"there are no {kind} in {', '.join(map(str, sources))}: name another folder, or files.")
    read: dict[Path, Path] = {}
    for file, target in pairs:
        if file.is_file() and target.is_file() and target.samefile(file):
            raise ValueError(f"{target} is what is to be read: name another file to write.")
        if read.setdefault(target, file) != file:
            raise ValueError(f"{read[target]} and {file} would both become {target}: rename one.")
    return pairs


def _each(task: str, pairs: list[tuple[Path, Path]], made: Callable[[Path, Report], tuple[bytes, str]]) -> None:
    """Write what is made of each file. Of several, one that fails is told of and the others go on; the exit code is 2
    then."""
    failed = 0
    with progress_bar(task) as progress:
        for done, (file, target) in enumerate(pairs):
            try:
                data, said = made(file, lambda part, text="", at=done: progress((at + part) / len(pairs), text))
                _write(target, data, said)
            except (ValueError, OSError) as error:
                if len(pairs) == 1:
                    raise
                failed += 1
                typer.echo(f"{file}: {sentence(error)}", err=True)
    if len(pairs) > 1:
        typer.echo(f"{len(pairs) - failed} of {len(pairs)} files written.")
    if failed:
        raise typer.Exit(2)


def _write(path: Path, data: bytes, said: str) -> None:
    """A file, or standard output; what is said about it goes to standard error then."""
    if path == STANDARD:
        sys.stdout.buffer.write(data)
    else:
        write(path, data)
    typer.echo(f"{path}: {said}", err=path == STANDARD)
