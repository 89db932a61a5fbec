"""How weights come about: train, pack."""

from pathlib import Path
from typing import Annotated

import typer

from mae_viz.cli.shared import progress_bar, read

commands = typer.Typer()


@commands.command()
def train(
    config: Annotated[str, typer.Argument(help="mae, independent, bottleneck-scaling, tiny, …, or a TOML file")],
    data: Annotated[Path | None, typer.Option(help="a folder (searched recursively) or a zip of photographs")] = None,
    out: Annotated[Path | None, typer.Option(help="the run's folder: else runs/<name>")] = None,
    source: Annotated[str, typer.Option("--from", help="a model that ships, or a checkpoint's folder")] = "",
    validation: Annotated[Path | None, typer.Option(help="a text file: names of pictures to hold out, by line")] = None,
    lmbda: Annotated[float | None, typer.Option("--lambda", help="of an independent model")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="another setting, such as steps=2000")] = None,
    anneal: Annotated[int, typer.Option(min=0, help="a branch of so many steps to rate 0; the run stays")] = 0,
    devices: Annotated[str, typer.Option(help="how many GPUs or CPU processes")] = "auto",
    nodes: Annotated[int, typer.Option(min=1, help="how many machines, under a cluster's launcher")] = 1,
) -> None:
    """Train a model; the same command goes on where a run was interrupted. Ctrl-C saves."""
    from mae_viz.training import config as configs
    from mae_viz.training import loop

    chosen = configs.parse_settings(settings or [])
    if data:
        chosen["data"] = str(data)
    if validation:
        chosen["validation"] = configs.parse_names(read(validation))
    if lmbda:
        chosen["lmbdas"] = [lmbda]
    first, *then = configs.stretches(config, bool(source), **chosen)
    name = Path(config).stem + (f"-{first.lmbdas[0]:g}" if len(first.lmbdas) == 1 else "")
    loop.train(first, out or Path("runs") / name, name, source, anneal, devices, nodes, then=then)


@commands.command()
def pack(
    folder: Annotated[Path, typer.Argument(help="photographs, searched recursively")],
    output: Annotated[Path, typer.Option("-o", "--output", help="the .zip file to write")],
    limit: Annotated[str, typer.Option(help="how large it may become")] = "45MB",
) -> None:
    """Make a small training set to carry to another machine: one zip of AVIF files, as good as the limit allows."""
    from mae_viz.training import pack as packing

    def say(text: str) -> None:
        typer.echo(text, err=True)

    with progress_bar("packing") as progress:
        quality = packing.pack(folder, output, packing.parse_size(limit), say, progress)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, AVIF 4:4:4 of quality {quality}")
