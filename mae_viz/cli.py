"""`mae-viz`: everything from the command line.

Heavy imports stay inside the commands, so that --help answers at once. Errors are one line on stderr and exit
code 2.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Variable-rate image compression with a modulated autoencoder: compress, inspect, teach.",
)

Model = Annotated[str, typer.Option(help="a model that ships (mae, bottleneck-scaling, …) or a checkpoint's folder")]
Lmbda = Annotated[float, typer.Option("--lambda", help="64 (small file) … 4096 (good picture)")]


@app.command()
def compress(
    image: Annotated[Path, typer.Argument(help="any picture that Pillow reads")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .mae file to write")],
    model: Model = "mae",
    lmbda: Lmbda = 512.0,
) -> None:
    """Compress a picture to a .mae file."""
    from mae_viz import codec

    with _progress("compressing") as progress:
        stream = codec.compress(image, model, lmbda, progress)
    _write(output, stream)
    facts = codec.info(stream)
    typer.echo(f"{output}: {facts['bytes']} bytes, {facts['bpp']:.4f} bpp, λ = {facts['lmbda']:.1f}")


@app.command()
def decompress(
    file: Annotated[Path, typer.Argument(help="a .mae file")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the picture to write, lossless: .png, .webp, .tiff")],
    model: Annotated[
        str | None, typer.Option(help="a checkpoint's folder, for a file made with one of your own")
    ] = None,
) -> None:
    """Decompress a .mae file to a picture."""
    import io

    from mae_viz import codec

    formats = {".png": {"format": "PNG"}, ".webp": {"format": "WEBP", "lossless": True}, ".tiff": {"format": "TIFF"}}
    if (form := formats.get(output.suffix.lower())) is None:
        raise ValueError(f"{output} would not be lossless: name it .png, .webp or .tiff.")
    with _progress("decompressing") as progress:
        picture = codec.decompress(_read(file), model, progress)
    data = io.BytesIO()
    picture.save(data, **form)
    _write(output, data.getvalue())
    typer.echo(f"{output}: {picture.width} × {picture.height}")


@app.command()
def info(file: Annotated[Path, typer.Argument(help="a .mae file")]) -> None:
    """Print what a .mae file says about itself, as JSON."""
    from mae_viz import codec

    typer.echo(json.dumps(codec.info(_read(file)), indent=2))


@app.command(name="app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def open_app(context: typer.Context) -> None:
    """Open the interactive app in a browser; further options go to Streamlit (--server.port 8600)."""
    home = Path(__file__).resolve().parent.parent
    script = home / "app.py"
    if not script.is_file():
        raise ValueError("app.py is not beside the package: run this in a clone of the repository (make app).")
    sys.exit(subprocess.call([sys.executable, "-m", "streamlit", "run", str(script), *context.args], cwd=home))


@contextmanager
def _progress(task: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on stderr that appears where there is more than one step, and only on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    row = bar.add_task(task, total=1.0)

    def report(done: float) -> None:
        if done < 1 and not bar.live.is_started and bar.console.is_terminal:
            bar.start()
        bar.update(row, completed=done)

    try:
        yield report
    finally:
        bar.stop()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: an interrupted run leaves nothing under the final name."""
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        half.write_bytes(data)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def main() -> None:
    """Entry point: turns expected errors into one line on stderr and exit code 2."""
    try:
        app()
    except (ValueError, OSError) as error:
        print(f"mae-viz: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
