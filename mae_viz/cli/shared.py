"""What several commands take, read and show."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from mae_viz.storage import write_whole

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


def write(path: Path, data: bytes) -> None:
    """A file, whole or not at all, in a folder that is made where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)


_REFUSED = {
    FileExistsError: "is a file, where a folder is needed: name another",
    NotADirectoryError: "is a file, where a folder is needed: name another",
    IsADirectoryError: "is a folder, where a file is needed: name another",
    PermissionError: "may not be read or written by you: name another, or ask its owner",
}


def sentence(error: Exception) -> str:
    """What went wrong, on one line; of what the system refuses, which file and why."""
    if not isinstance(error, OSError) or not error.strerror:
        said = str(error)
    elif error.filename:
        said = f"{error.filename} {_REFUSED.get(type(error)) or f'cannot be used: {error.strerror}'}."
    else:
        said = f"{error.strerror}."
    return " ".join(said.split())


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
