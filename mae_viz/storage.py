"""Where files go: whole or not there at all, and the folder for what can be computed again."""

import os
import threading
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: an interrupted run leaves nothing under the final name.

    A link stays one: what it points to is written. A file that is replaced hands on its mode. What is no file (a FIFO,
    a device) is written into.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path = path.resolve()
    half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        half.write_bytes(data)
        if path.exists():
            half.chmod(path.stat().st_mode & 0o7777)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def cache_folder() -> Path:
    """MAE_VIZ_CACHE, else where this system keeps caches."""
    if chosen := os.environ.get("MAE_VIZ_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("mae_viz"))
