"""What several commands take, read and show."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

Device = Annotated[
    str,
    typer.Option(
        help="where models compute: cpu, or a GPU as cuda, cuda:1; every file decodes to the same symbols on all"
    ),
]

Report = Callable[..., None]
"""Hears the fraction done, 0…1, and perhaps a text."""

STANDARD = Path("-")
"""Standard input, or output."""


def read(path: Path) -> bytes:
    """What is in a file, or comes in. Raises ValueError where it cannot be read."""
    if path == STANDARD:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None


def words(text: str) -> list[str]:
    """What commas separate, without the space around it."""
    return [word for part in text.split(",") if (word := part.strip())]


def numbers(text: str | None) -> list[float] | None:
    """The numbers in "64,512", None for None."""
    try:
        return None if text is None else [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r} is no list of numbers: write 64,512,4096.") from None


@contextmanager
def progress_bar(task: str) -> Iterator[Report]:
    """A progress bar on stderr that appears where there is more than one step, and only on a terminal.

    It is told how much is done, and perhaps a text to stand beside it.
    """
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    row = bar.add_task(task, total=1.0)

    def report(done: float, text: str = "") -> None:
        if done < 1 and not bar.live.is_started and bar.console.is_terminal:
            bar.start()
        bar.update(row, completed=done, description=f"{task}: {text}" if text else task)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
