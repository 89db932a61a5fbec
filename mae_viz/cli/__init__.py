"""`mae-viz`: everything from the command line.

Heavy imports stay inside the commands, so that --help answers at once. Errors are one line on stderr and exit
code 2.
"""

import io
import re
import sys
from importlib import metadata
from typing import Annotated

import typer

from mae_viz.cli import coding, measuring, showing, starting, training
from mae_viz.cli.shared import sentence

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for part in (coding, measuring, showing, training, starting):
    app.add_typer(part.commands)  # without a name: its commands become those of mae-viz, in this order


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mae-viz {metadata.version('mae-viz')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="say it, and end")
    ] = False,
) -> None:
    """Variable-rate image compression with a modulated autoencoder: compress, inspect, teach."""


def main() -> None:
    """Entry point: turns expected errors into one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # λ on a console that has none is no reason to fail
    try:
        app()
    except (ValueError, OSError) as error:
        _fail(sentence(error))
    except ModuleNotFoundError as error:
        extra = _extra_with(error.name or "")
        if not extra:
            raise
        _fail(f"this needs {error.name}, which is not installed: type `pip install 'mae-viz[{extra}]'`.")
    except KeyboardInterrupt:
        sys.exit(130)


def _extra_with(module: str) -> str:
    """The extra of mae-viz that brings a package; empty for one that no extra brings."""
    name = module.partition(".")[0].replace("_", "-")
    for line in metadata.requires("mae-viz") or []:
        if found := re.match(rf"{re.escape(name)}\b(?!-).*extra == ['\"](\w+)['\"]", line):
            return found[1]
    return ""


def _fail(said: str) -> None:
    print(f"mae-viz: {said}", file=sys.stderr)
    sys.exit(2)
