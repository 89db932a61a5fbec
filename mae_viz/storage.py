"""Where files lie: those that come along, and those that are written, whole or not at all."""

import os
import threading
from importlib.resources import files
from pathlib import Path


def shipped(name: str) -> Path:
    """A file or folder that comes along and is no part of the package: "app.py", "checkpoints", "notebooks", …

    In a checkout it lies at the top of the repository, beside the package; a wheel has it in ``mae_viz/share``
    (hatch_build.py puts it there). Nothing is ever written there.
    """
    package = Path(str(files("mae_viz")))
    installed = package / "share"
    return (installed if installed.is_dir() else package.parent) / name


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
    except OSError as error:  # told of by the name that was asked for
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        half.unlink(missing_ok=True)


def cache_folder() -> Path:
    """For what can be computed or fetched again: MAE_VIZ_CACHE, else where this system keeps caches."""
    if chosen := os.environ.get("MAE_VIZ_CACHE"):
        return Path(chosen)
    import pooch

    return Path(pooch.os_cache("mae_viz"))
