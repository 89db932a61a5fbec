"""Images × rates × codecs → one JSON of measured rate and distortion for each codec and data set.

Each picture is coded to the bytes of a real file and decoded again from those bytes alone. The result file is written
after every step and continued where it was left, and what it was measured with is part of it: a file is never continued
with other weights, images, libraries or machines.

Every worker runs one thread, however many cores there are, so that a rerun on the same machine gives the same numbers
and seconds are seconds of one core. Where models compute on a GPU, pictures of one size go through the transforms
together, and seconds are each picture's share.

What a result file looks like is `mae_viz.measured.records`' to say.
"""

import fcntl
import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz import further, metrics
from mae_viz.codecs import registry
from mae_viz.codecs.interface import AnyRate, Codec, LambdaAxis
from mae_viz.coding import devices
from mae_viz.coding.devices import CPU
from mae_viz.images import ImageError, names_in, open_whole
from mae_viz.measured import records

if TYPE_CHECKING:
    from mae_viz.measured.cluster import Cluster

_SOFTWARE = ("torch", "compressai", "numpy", "pillow", "constriction", "pytorch-msssim")

SAVE_EVERY_S = 5.0
"""Seconds from one writing of the result file to the next, while results come in."""

Progress = Callable[[float], None]
"""Called with the fraction done, 0…1."""


def evaluate(
    name: str,
    images: Mapping[str, Path] | Sequence[Path],
    out: Path,
    dataset: str,
    points: list[float] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    restart: bool = False,
    metric: Sequence[str] = (),
    scheduler: str = "",
    device: str | None = None,
) -> dict:
    """Measure one codec on a list of pictures, write the JSON file and return what it holds.

    ``name``: a codec (`mae_viz.codecs.registry.codec`). ``images``: by name, or a list of files, whose names count up
    to the last dot. ``points``: λ (moved to the grid that files can name) or qualities, all that the codec was trained
    for or lists where None. Points that the file already holds are kept and not measured again, unless ``restart``.
    ``jobs``: processes (in a script, above 1 only under ``if __name__ == "__main__"``). ``scheduler``: the address of a
    Dask cluster whose workers measure instead (`mae_viz.measured.cluster`). ``metric``: further ones to measure
    (`mae_viz.further`). ``device``: where models compute, "cpu" or "cuda". Raises ValueError where the file was
    measured with something else, another run is writing it, or a cluster's workers have other software or weights than
    this machine.
    """
    codec = registry.codec(name, device)
    if codec.absent:
        raise ValueError(f"{codec.title} cannot be measured: {codec.absent}")
    key = codec.axis.kind
    paths = _named(images)
    wanted = sorted({codec.rate(float(point)) for point in points} if points else codec.axis.listed)
    with _alone(out), _cluster(scheduler, name, codec.device) as cluster:
        facts = _facts(codec, paths, dataset, metric, cluster.machine if cluster else machine(codec.device))
        rows = {} if restart else records.load(out, facts, key)
        todo = [(image, rate) for rate in wanted for image in paths if (image, rate.number) not in rows]
        done, saved = 0, time.monotonic()
        try:
            tasks = [Task(image, paths[image].resolve(), rate, tuple(metric)) for image, rate in todo]
            for row in _measured(name, tasks, codec.device, jobs, cluster):
                rows[row["image"], row[key]] = row
                done += 1
                if progress:
                    progress(done / len(todo))
                if time.monotonic() - saved > SAVE_EVERY_S:
                    records.save(out, facts, rows, key)
                    saved = time.monotonic()
        finally:
            document = records.save(out, facts, rows, key) if rows else {}
    return document


def pictures_in(folder: Path) -> dict[str, Path]:
    """The pictures in a folder and in those below it (`images.names_in`), by path without suffix: "a", "night/b".

    Raises ValueError where there are none, or two that differ in their suffix alone.
    """
    found: dict[str, Path] = {}
    for file in names_in(folder):
        name, path = str(PurePosixPath(file).with_suffix("")), folder / file
        if name in found:
            raise ValueError(f"{found[name]} and {path} differ in their suffix alone: rename one, or take it out.")
        found[name] = path
    if not found:
        raise ValueError(f"there are no pictures in {folder}: name a folder with PNG, JPEG, WebP, AVIF or TIFF files.")
    return found


def _named(images: Mapping[str, Path] | Sequence[Path]) -> dict[str, Path]:
    found = dict(images) if isinstance(images, Mapping) else {path.stem: path for path in images}
    if len(found) < len(images) or not found:
        raise ValueError("the pictures need names that differ before the dot, and there must be one at least.")
    return found


def lmbdas_per_octave(axis: LambdaAxis, steps: int) -> list[float]:
    """λ from the axis' lowest to its highest in ``steps`` equal steps an octave, both ends included."""
    low, octaves = axis.first.lmbda, axis.last.octave - axis.first.octave
    return [low * 2 ** (k / steps) for k in range(math.floor(octaves * steps + 1e-9) + 1)]


def file_for(out: Path, name: str, several: bool) -> Path:
    """Where a codec's results go: {name} in ``out`` is replaced; without it, several codecs get FILE-<name>.json."""
    if "{name}" in str(out):
        return Path(str(out).replace("{name}", name))
    return out.with_name(f"{out.stem}-{name}{out.suffix}") if several else out


@dataclass(frozen=True)
class Task:
    """One picture to code at one rate."""

    image: str
    path: Path
    rate: AnyRate
    metric: tuple[str, ...] = ()
    """Further metrics to measure."""


TOGETHER = 8
"""Pictures of one size that a GPU codes at once."""


def together(tasks: Sequence[Task], device: str) -> list[list[Task]]:
    """Tasks by what is to be measured at once: one on the CPU, where more would gain nothing, else some of one rate."""
    if device == CPU:
        return [[task] for task in tasks]
    of_rates = (list(group) for _, group in groupby(tasks, lambda task: task.rate))
    return [some[start : start + TOGETHER] for some in of_rates for start in range(0, len(some), TOGETHER)]


def measure(name: str, tasks: Sequence[Task], device: str = CPU) -> list[dict]:
    """Pictures by one codec at one rate: a row of measurements each.

    Raises ImageError for a file that is no picture.
    """
    codec = _warm(name, registry.codec(name, device).identity, device)
    pictures = [_opened(task.path) for task in tasks]
    by_size: dict[tuple[int, int], list[int]] = {}
    for place, picture in enumerate(pictures):
        by_size.setdefault(picture.size, []).append(place)
    rows = {}
    for places in by_size.values():
        alike = [pictures[place] for place in places]
        start = time.perf_counter()
        files = codec.encode_together(alike, tasks[0].rate)
        middle = time.perf_counter()
        decoded = codec.reconstruct_together(alike, files)
        end = time.perf_counter()
        seconds = {"encode_s": (middle - start) / len(places), "decode_s": (end - middle) / len(places)}
        for place, data, x_hat in zip(places, files, decoded, strict=True):
            rows[place] = _row(codec, tasks[place], pictures[place], data, x_hat, seconds)
    return [rows[place] for place in range(len(tasks))]


def _opened(path: Path) -> Image.Image:
    try:
        return open_whole(path)
    except ImageError as error:
        raise ImageError(f"{path.name}: {error}") from None


def _row(
    codec: Codec, task: Task, picture: Image.Image, data: bytes, decoded: Image.Image, seconds: dict[str, float]
) -> dict:
    a, b = np.asarray(picture), np.asarray(decoded)
    bits = codec.estimated_bits(data)
    return {
        "image": task.image,
        codec.axis.kind: task.rate.number,
        "bytes": len(data),
        "bpp": metrics.bpp(len(data), picture.height, picture.width),
        "estimated_bpp": bits and round(bits / (picture.height * picture.width), 6),
        "psnr_db": _rounded(metrics.psnr_db(a, b), 5),
        "ms_ssim_db": _rounded(metrics.ms_ssim_db(a, b), 5),
        **{name: _rounded(further.FURTHER[name].compute(a, b), 5) for name in task.metric},
        **{key: round(value, 4) for key, value in seconds.items()},
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isinf(value) else round(value, digits)


@lru_cache(maxsize=4)
def _warm(name: str, identity: str, device: str) -> Codec:
    """The codec, loaded and used once, so that no picture's seconds hold the loading.

    ``identity`` is its own: a codec of one's own may get another version under its name. Of a refined codec the plain
    one is used.
    """
    found = registry.codec(name, device)
    used = found.guide or found
    used.decode(used.encode(Image.new("RGB", (64, 64), "grey"), used.axis.first))
    return found


def _measured(name: str, tasks: list[Task], device: str, jobs: int, cluster: "Cluster | None") -> Iterator[dict]:
    """Rows as they come: from a cluster, from processes of our own, or from this one."""
    batches = together(tasks, device)
    if cluster:
        yield from cluster.measured(name, batches)
    elif jobs > 1 and len(batches) > 1:
        from mae_viz.measured.cluster import local

        with local(min(jobs, len(batches)), name, device) as own:
            yield from own.measured(name, batches)
    else:
        with _one_thread():
            for batch in batches:
                yield from measure(name, batch, device)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Holds a result file's lock, a file beside it that is gone afterwards. Raises ValueError where another run has it.

    The result file itself is replaced whenever it is written: a lock on it would hold nobody off.
    """
    out = out.resolve()
    lock = out.with_name(f".{out.name}.lock")
    out.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{out} is being measured by another run: wait, or name another file.") from None
            if not os.fstat(file.fileno()).st_nlink:
                continue  # whoever had the lock has just removed it
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
            return


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cluster(scheduler: str, name: str, device: str) -> "AbstractContextManager[Cluster | None]":
    if not scheduler:
        return nullcontext()
    from mae_viz.measured.cluster import connected

    return connected(scheduler, name, device)


def _facts(codec: Codec, images: dict[str, Path], dataset: str, metric: Sequence[str], machine: dict) -> dict:
    """What a file must agree in with the run that continues it, and how it introduces itself."""
    measured_by = further.installed(metric)
    hashes = [{"image": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for name, path in images.items()]
    return {
        "name": codec.title,
        "description": f"{codec.title} on {dataset} ({len(images)} images), real files, measured by mae_viz",
        "codec": codec.file_name,
        "kind": codec.kind,
        "dataset": dataset,
        "fingerprint": codec.fingerprint,
        "settings": codec.settings,
        "versions": software(),
        "machine": machine,
        "definitions": records.DEFINITIONS | {name: further.FURTHER[name].definition for name in measured_by},
        "images": hashes,
    } | ({"metrics": measured_by} if measured_by else {})


def software() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    ours = {"mae_viz": version("mae-viz"), "python": platform.python_version()}
    return ours | {package: version(package) for package in _SOFTWARE}


def machine(device: str = CPU) -> dict:
    """The processor, as far as the system says, that one thread is used, and the GPU where models compute on one."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    found = {"system": platform.system(), "architecture": platform.machine(), "processor": model, "threads": 1}
    return found if device == CPU else found | {"device": devices.described(device)}
