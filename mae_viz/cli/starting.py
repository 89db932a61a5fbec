"""What comes along with mae_viz, and what is still to come: app, notebooks, weights."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from mae_viz.cli.shared import Device, progress_bar, write
from mae_viz.storage import shipped

commands = typer.Typer()


@commands.command(name="app", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def open_app(context: typer.Context, device: Device = "") -> None:
    """Open the interactive app in a browser; further options go to Streamlit (--server.port 8600)."""
    from mae_viz.codecs import registry
    from mae_viz.coding import devices

    os.environ["MAE_VIZ_DEVICE"] = devices.named(device or None)
    import_module("streamlit")
    registry.names()  # a module of one's own that cannot be imported is told of here, not on every page
    script = str(shipped("app.py"))  # beside it lies .streamlit/config.toml, which Streamlit finds there
    # -P: nothing in the folder at hand takes the place of a library
    os.execv(sys.executable, [sys.executable, "-P", "-m", "streamlit", "run", script, *context.args])


@commands.command()
def notebooks(
    out: Annotated[Path, typer.Argument(help="the folder to put them into")],
    force: Annotated[bool, typer.Option(help="write over notebooks that are there")] = False,
) -> None:
    """Copy the lessons that came along, executed, into a folder of your own: open them there with JupyterLab."""
    found = sorted(path for path in shipped("notebooks").iterdir() if path.suffix in (".ipynb", ".json"))
    if (there := [path.name for path in found if (out / path.name).exists()]) and not force:
        raise ValueError(
            f"{out} has {there[0]} already, perhaps with work of yours in it: name another folder, or --force."
        )
    for path in found:
        write(out / path.name, path.read_bytes())
        typer.echo(out / path.name)
    if not find_spec("jupyterlab"):
        typer.echo("They need JupyterLab and more: pip install 'mae-viz[app,notebooks]'")


@commands.command()
def weights(
    source: Annotated[
        str | None,
        typer.Argument(help="a folder with weights, such as checkpoints of a clone, or an address (https://…)"),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="take the address that this release or MAE_VIZ_WEIGHTS names")
    ] = False,
) -> None:
    """Say which models' weights are here; given a folder or an address, bring those that are missing.

    They are compared with checksums and kept in the cache folder.
    """
    from mae_viz.coding import checkpoints
    from mae_viz.coding import weights as files

    if fetch:
        source = source or files.address()
        if not source:
            raise ValueError(
                "no address of this release's weights is known: give a folder or an address, mae-viz weights DIR|URL, "
                "or name one in MAE_VIZ_WEIGHTS."
            )
    if source is not None:
        wanted = checkpoints.to_fetch()
        with progress_bar("weights") as progress:
            found = files.fetch(source, wanted, progress)
        for each in found:
            typer.echo(f"{each.name}: {each.bytes / 1e6:.1f} MB, checksum compared, in {each.target}")
        typer.echo(
            f"{len(found)} of {len(wanted)} missing models came from {source}." if wanted else "Nothing is missing."
        )
        return
    for name in checkpoints.known():
        path = checkpoints.weights_file(name)
        typer.echo(f"{name:28} {path if path.is_file() else 'missing'}")
    if lacking := checkpoints.to_fetch():
        size = sum(each.bytes for each in lacking) / 1e6
        known = files.address()
        typer.echo(f"{len(lacking)} missing, {size:.0f} MB. Get them: mae-viz weights {known or 'DIR|URL'}")
        if not known:
            typer.echo("A clone of the repository has all of them: name its folder, or an address where they lie.")
