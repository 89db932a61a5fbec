"""Where files go: whole or not there at all, and the folder for what can be computed again."""

import os
import threading
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: an interrupted run leaves nothing under the final name."""
    half = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        half.write_bytes(data)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def cache_folder() -> Path:
    """MAE_VIZ_CACHE, else where this system keeps caches."""
    if chosen := os.environ.get("MAE_VIZ_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("mae_viz"))
