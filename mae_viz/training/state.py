"""What survives an interruption: everything that the next step depends on, in one file that is whole or not there.

No state of random numbers is among it, because there is none: all that is random about a step follows from the seed and
the number of the step (`mae_viz.training.data`).
"""

import io
import signal
import threading
import types
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from mae_viz.storage import write_whole

_FORMAT = 1


def save(path: Path, state: dict) -> None:
    """Write a state; an interrupted write leaves the one before."""
    data = io.BytesIO()
    torch.save({"format": _FORMAT, **state}, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data.getvalue())


def load(path: Path) -> dict:
    """Read a state: tensors and plain values, nothing that could run. Raises ValueError for a damaged file."""
    try:
        with zipfile.ZipFile(path) as archive:  # a zip has checksums, which torch writes and does not read
            damaged = archive.testzip()
        state = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # all sorts of things, over damaged bytes
        damaged = str(error)
    if damaged:
        raise ValueError(f"{path} is damaged ({damaged}): restore it, or delete it to begin the run again.")
    if not isinstance(state, dict) or state.get("format") != _FORMAT:
        raise ValueError(f"{path} is no state of this version of mae_viz: give another --out.")
    return state


@contextmanager
def asked_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set instead of ending the process; a second Ctrl-C ends it.

    Outside the main thread, where Python takes no signals, nothing sets it.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def ask(number: int, frame: types.FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
