"""A small training set in one zip, to carry to another machine: AVIF 4:4:4, as good as the limit allows."""

import io
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mae_viz.images import ImageError, open_whole
from mae_viz.training.data import _listing

QUALITIES = (95, 92, 90, 87, 84, 80, 75, 70, 65, 60, 55, 50)
"""Tried from the best. Below 50 a picture teaches the traces of AVIF rather than itself."""

_CREDITS = (".csv", ".json", ".md", ".txt")
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "": 1.0}


def parse_size(text: str) -> int:
    """Bytes of "45MB", "500 kB" or "1000000". Raises ValueError for anything else."""
    number = text.upper().rstrip("KMGB ")
    unit = text.upper().removeprefix(number).strip().removesuffix("YTES")
    try:
        return int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        raise ValueError(f"{text!r} is no size: write 45MB, say.") from None


def pack(
    source: Path, output: Path, limit: int, say: Callable[[str], None], progress: Callable[[float], None] | None = None
) -> int:
    """Write the pictures of a folder (or zip) as one zip of at most ``limit`` bytes, with the credits beside them.

    The quality is the highest of `QUALITIES` that fits, found on every 16th picture first. Files that cannot be read
    are reported through ``say`` and left out. Returns the quality. Raises ValueError where the lowest is too large.
    """
    names, _, read = _listing(source)
    if not names:
        raise ValueError(f"there are no pictures in {source}.")
    credits = sorted(p for p in source.iterdir() if p.suffix in _CREDITS) if source.is_dir() else []
    room = limit - sum(len(path.read_bytes()) + 256 for path in credits) - 256 * len(names)
    some = names[::16]
    for quality in QUALITIES:
        sample = sum(len(data) for data in _encoded(some, read, quality) if isinstance(data, bytes))
        if sample * len(names) / len(some) > room * 1.1:  # the sample may be off by a few per cent
            continue
        if _write(output, names, read, quality, credits, limit, say, progress):
            return quality
    raise ValueError(
        f"{len(names)} pictures do not fit into {limit / 1e6:.1f} MB at AVIF quality {QUALITIES[-1]}: "
        "raise --limit, or pack fewer or smaller pictures."
    )


def _write(
    output: Path,
    names: list[str],
    read: Callable[[str], bytes],
    quality: int,
    credits: list[Path],
    limit: int,
    say: Callable[[str], None],
    progress: Callable[[float], None] | None,
) -> bool:
    """Write the zip at one quality, whole; False, and nothing written, where it is larger than the limit."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name}.", delete=False) as file:
        half = Path(file.name)
    try:
        broken, taken = [], set()
        with zipfile.ZipFile(half, "w") as archive:
            for path in credits:
                archive.writestr(path.name, path.read_bytes(), zipfile.ZIP_DEFLATED)
            for done, (name, data) in enumerate(zip(names, _encoded(names, read, quality), strict=True), 1):
                if isinstance(data, str):
                    broken.append(f"left out {name}: {data}")
                    continue
                inside = str(Path(name).with_suffix(".avif"))
                inside = f"{name}.avif" if inside in taken else inside  # photo.png beside photo.jpg
                taken.add(inside)
                archive.writestr(inside, data)
                if half.stat().st_size > limit:
                    return False
                if progress:
                    progress(done / len(names))
        if half.stat().st_size > limit:
            return False
        half.chmod(0o644)
        half.replace(output)
    finally:
        half.unlink(missing_ok=True)
    for line in broken:
        say(line)
    return True


def _encoded(names: list[str], read: Callable[[str], bytes], quality: int) -> Iterator[bytes | str]:
    """Each picture as AVIF 4:4:4, or the reason why not, in order."""

    def encode(name: str) -> bytes | str:
        try:
            picture = open_whole(read(name))
        except (ImageError, OSError) as error:
            return str(error)
        data = io.BytesIO()
        picture.save(data, "AVIF", quality=quality, subsampling="4:4:4", speed=6, max_threads=1)
        return data.getvalue()

    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(names), 4 * workers):
            yield from pool.map(encode, names[start : start + 4 * workers])
