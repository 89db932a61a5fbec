"""Results on data sets: evaluate, bd-rate, fetch, report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mae_viz.cli.shared import Device, numbers, progress_bar, read, write

if TYPE_CHECKING:
    import pandas as pd

commands = typer.Typer()

Csv = Annotated[Path | None, typer.Option("--csv", help="write the numbers into this file too")]


@commands.command()
def evaluate(
    names: Annotated[list[str], typer.Argument(help="models, checkpoint folders, jpeg, mozjpeg, webp, avif, …")],
    out: Annotated[Path, typer.Option(help="FILE.json; for several codecs {name} in it, else FILE-<name>.json each")],
    images: Annotated[Path | None, typer.Option(help="a folder of pictures, searched recursively; else Kodak")] = None,
    dataset: Annotated[str | None, typer.Option(help="what to call the pictures: else the folder's name")] = None,
    lambdas: Annotated[str | None, typer.Option(help="λ of the models, such as 64,512: else the trained ones")] = None,
    per_octave: Annotated[
        int | None, typer.Option(min=1, help="further λ in equal steps: 4 for quarter octaves")
    ] = None,
    qualities: Annotated[str | None, typer.Option(help="of the classical codecs, such as 10,50: else all")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="processes, of one thread each")] = os.cpu_count() or 1,
    scheduler: Annotated[
        str, typer.Option(help="a Dask cluster whose workers measure instead, such as tcp://10.0.0.1:8786")
    ] = "",
    restart: Annotated[bool, typer.Option(help="measure anew what FILE already holds")] = False,
    metric: Annotated[
        list[str] | None, typer.Option(help="also: ssimulacra2, vmaf (pip install mae_viz[metrics]); repeat for more")
    ] = None,
    effort: Annotated[int, typer.Option(min=0, max=4, help="of models: as for compress")] = 0,
    objective: Annotated[str, typer.Option(help="what the effort is for: mse, ms-ssim, mixture")] = "mse",
    device: Device = "cpu",
    csv: Csv = None,
) -> None:
    """Measure rate and distortion of models and classical codecs; an interrupted run goes on where it was.

    --csv has a row for each image and rate, and those of the means (image "mean"). On a GPU pictures of one size go
    through the transforms together; the entropy coder and the metrics stay on the CPU, so --jobs counts there too.
    """
    from mae_viz.codecs import registry
    from mae_viz.codecs.interface import LambdaAxis
    from mae_viz.measured import collected, kodak, records
    from mae_viz.measured import evaluate as evaluation
    from mae_viz.refining.effort import STEPS

    dataset = dataset or (images.resolve().name.lower() if images else "kodak")
    pictures = evaluation.pictures_in(images) if images else {path.stem: path for path in kodak.images()}
    tables = []
    for name in names:
        codec = registry.codec(name, device)
        if effort:
            codec = codec.refined(STEPS[effort], objective)
        axis = codec.axis
        points = numbers(lambdas if isinstance(axis, LambdaAxis) else qualities)
        if per_octave and isinstance(axis, LambdaAxis):
            points = [*(points or []), *evaluation.lmbdas_per_octave(axis, per_octave)]
        file = evaluation.file_for(out, codec.file_name, len(names) > 1)
        with progress_bar(f"measuring {codec.file_name}") as progress:
            document = evaluation.evaluate(
                codec.name, pictures, file, dataset, points, jobs, progress, restart, metric or (), scheduler, device
            )
        typer.echo(f"{file}:\n{records.means_text(document)}")
        tables.append(collected.read(file))
    if csv:
        import pandas as pd

        _save_table(pd.concat(tables, ignore_index=True), csv)


@commands.command()
def bd_rate(
    anchor: Annotated[str, typer.Argument(help="the curve to compare with: jpeg, mae, published-bpg-444, …")],
    dataset: Annotated[str, typer.Option(help="kodak, or whatever was measured")] = "kodak",
    metric: Annotated[
        str, typer.Option(help="psnr, ms-ssim (dB of the images' mean), ms-ssim-mean-of-db, ssimulacra2, vmaf")
    ] = "psnr",
    csv: Csv = None,
) -> None:
    """Compare every measured and published curve with one of them, as a table with 95 % intervals."""
    from mae_viz.measured import collected

    frame = collected.results()
    typer.echo(collected.bd_text(anchor, dataset, metric, frame))
    if csv:
        _save_table(collected.bd_table(anchor, dataset, metric, frame), csv)


@commands.command()
def fetch(
    dataset: Annotated[str, typer.Argument(help="kodak; clic or tecnick: where to get them")],
) -> None:
    """Fetch a data set to measure on, once, with checksums; or say where to get it and how to name it."""
    from mae_viz.measured import datasets

    typer.echo(datasets.fetch(dataset))


@commands.command()
def report(
    name: Annotated[str | None, typer.Argument(help="of one table: else all")] = None,
    bring_up_to_date: Annotated[
        bool, typer.Option("--write", help="bring checkpoints/README.md and the checksums beside it up to date")
    ] = False,
) -> None:
    """Print the tables of checkpoints/README.md, computed from the result files."""
    from mae_viz.coding import checkpoints, weights
    from mae_viz.measured import collected
    from mae_viz.measured import report as tables

    results = collected.results()
    if bring_up_to_date:
        if not (checkpoints.folder().parent / "pyproject.toml").is_file():
            raise ValueError(f"--write is for a clone of the repository, and {checkpoints.folder()} is in none.")
        file = checkpoints.folder() / "README.md"
        write(file, tables.write(read(file).decode("utf-8"), results).encode("utf-8"))
        weights.write_manifest(checkpoints.folder())
        return
    if name and name not in tables.TABLES:
        raise ValueError(f"there is no table {name!r}: choose one of {', '.join(tables.TABLES)}.")
    typer.echo("\n\n".join(tables.TABLES[key](results) for key in ([name] if name else tables.TABLES)))


def _save_table(table: "pd.DataFrame", file: Path) -> None:
    """A table as CSV, without columns that have no value."""
    write(file, table.dropna(axis="columns", how="all").to_csv(index=False, lineterminator="\n").encode())
    typer.echo(f"{file}: {len(table)} rows")
