"""Files that others look at, and what they are made of: export, export-onnx, site, sweep, prepare, lessons, figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_viz.cli.shared import numbers, progress_bar, words, write
from mae_viz.rates import Rate

if TYPE_CHECKING:
    from PIL import Image

commands = typer.Typer()


@commands.command()
def export(
    image: Annotated[str, typer.Argument(help="a picture, or the name of a bundled photograph (china, flower, …)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .html file to write")],
    codecs: Annotated[
        str, typer.Option(help="models and codecs to compare, such as mae,jpeg,avif")
    ] = "mae,bottleneck-scaling",
    lmbda: Annotated[float, typer.Option("--lambda", help="64 (small file) … 4096 (good picture)")] = 512.0,
    title: Annotated[str | None, typer.Option(help="the page's heading: else the picture's name")] = None,
) -> None:
    """Write one HTML file in which a picture can be explored at every rate, offline and without Python."""
    from mae_viz.ladders import ladder
    from mae_viz.viewer import html

    picture, name = _scrubbed(image)
    with progress_bar("coding the picture at every rate") as progress:
        page = html.lesson(ladder.Ladders(), picture, title or name, Rate.near(lmbda), words(codecs), progress)
    write(output, page.encode())
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@commands.command()
def export_onnx(
    names: Annotated[list[str], typer.Argument(help="models that ship, or checkpoints' folders")],
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("exported"),
) -> None:
    """Write a model's transforms as ONNX with λ as an input, and its entropy tables beside them."""
    from mae_viz.browser import export
    from mae_viz.coding import checkpoints

    for name in names:
        for _, file, data in export.files(checkpoints.open_checkpoint(name)):
            write(out / file, data)
            typer.echo(f"{out / file}: {len(data) / 1e6:.1f} MB")


@commands.command()
def site(
    out: Annotated[Path, typer.Option(help="folder to write into")],
    runtime: Annotated[
        Path | None,
        typer.Option(help="the folder dist of the npm package onnxruntime-web, where it is not beside this"),
    ] = None,
) -> None:
    """Write the live codec as a folder of static files, for any web space: models that run in the visitor's browser."""
    from mae_viz.browser import site as made

    with progress_bar("writing the site") as report:
        size = made.write(out, runtime=runtime, progress=report)
    typer.echo(f"{out}: {size / 1e6:.1f} MB. Look at it: python -m http.server -d {out}")


@commands.command()
def sweep(
    image: Annotated[str, typer.Argument(help="a picture, or the name of a bundled photograph (china, flower, …)")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .webp, .gif or .mp4 file to write")],
    codecs: Annotated[str, typer.Option(help="models to show side by side")] = "mae,bottleneck-scaling",
) -> None:
    """Write a film for slides: a picture by one or more models while λ runs up and down."""
    from mae_viz.ladders import ladder
    from mae_viz.viewer import sweep as films

    picture, _ = _scrubbed(image)
    with progress_bar("coding the picture at every rate") as progress:
        film = films.sweep(ladder.Ladders(), picture, words(codecs), output.suffix.lower(), progress)
    write(output, film)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@commands.command()
def prepare(
    codecs: Annotated[str, typer.Option(help="models and codecs, separated by commas")] = "mae,bottleneck-scaling,jpeg",
) -> None:
    """Compute the ladders of the bundled photographs, so that the app shows them at once."""
    from mae_viz.codecs.registry import ORIGINAL
    from mae_viz.images import gallery, open_rgb
    from mae_viz.ladders import ladder

    ladders = ladder.Ladders()
    names = [ORIGINAL.name, *words(codecs)]
    with progress_bar("coding the bundled photographs at every rate") as progress:
        opened = [ladders.open(open_rgb(photo.path), name) for photo in gallery().values() for name in names]
        ladders.wait(opened, progress)
    typer.echo(f"{len(opened)} ladders in {ladders.folder}")


@commands.command()
def lessons(
    out: Annotated[
        Path | None, typer.Option(help="folder: else lessons, where the app finds them when it is started here")
    ] = None,
) -> None:
    """Write one offline HTML file for each bundled photograph, as `mae-viz export` does for one picture."""
    from mae_viz.app import lessons as files

    with progress_bar("coding the bundled photographs at every rate") as progress:
        written = files.write(out or files.folder(), progress)
    for path in written:
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@commands.command()
def figure(
    which: Annotated[str, typer.Argument(help="fig1, fig2, fig3, fig4, table1, several with commas, or all")] = "all",
    out: Annotated[Path, typer.Option(help="folder to write into")] = Path("figures"),
    form: Annotated[str, typer.Option("--format", help="csv and tex: table1, numbers of fig3")] = "pdf,svg,png,csv,tex",
    image: Annotated[str, typer.Option(help="fig4: a bundled photograph's name, or a file")] = "chelsea",
    channels: Annotated[str | None, typer.Option(help="fig4: such as 0,7; else those with the most bits")] = None,
    lambdas: Annotated[str | None, typer.Option(help="fig4: the two λ of the ratio, such as 4096,64")] = None,
    crop: Annotated[str | None, typer.Option(help="fig4: LEFT,TOP,WIDTH,HEIGHT in pixels")] = None,
    model: Annotated[str, typer.Option(help="fig4: a MAE that ships, or a checkpoint's folder")] = "mae",
    dataset: Annotated[str, typer.Option(help="fig3: kodak, gallery, or whatever was measured")] = "kodak",
) -> None:
    """Regenerate the paper's figures and Table I from committed results and weights, with a caption beside each."""
    from mae_viz.figures import output

    two, box = numbers(lambdas), numbers(crop)
    if (two and len(two) != 2) or (box and len(box) != 4):
        raise ValueError("write two λ, such as --lambdas 4096,64, and a crop as --crop LEFT,TOP,WIDTH,HEIGHT.")
    chosen = [int(channel) for channel in numbers(channels) or []]
    pair = (two[0], two[1]) if two else None
    rectangle = (int(box[0]), int(box[1]), int(box[2]), int(box[3])) if box else None
    for path in output.write(words(which), out, words(form), image, chosen, pair, rectangle, model, dataset):
        typer.echo(path)


def _scrubbed(image: str) -> "tuple[Image.Image, str]":
    """A bundled photograph or a picture's file, its middle where it is too large for a ladder, and its name."""
    from mae_viz.images import bundled_or_file
    from mae_viz.ladders.frame import middle

    whole, name = bundled_or_file(image)
    picture = middle(whole)
    if picture is not whole:
        typer.echo(f"the picture is large: shown is its middle, {picture.width} × {picture.height} pixels.")
    return picture, name
