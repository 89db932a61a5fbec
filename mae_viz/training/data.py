"""Photographs as training sees them: decoded once into a memory-mapped file of bytes, then cut at random.

Everything random about a step follows from the run's seed and the number of the step alone: which pictures, where they
are cut, their λ and the seeds of their quantisation noise. So an interrupted run goes on exactly, and what a step is
does not depend on how many processes share it.
"""

import hashlib
import json
import os
import shutil
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image

from mae_viz import images
from mae_viz.formats import SUFFIXES
from mae_viz.images import ImageError, open_whole
from mae_viz.storage import cache_folder
from mae_viz.training.config import Config

BUNDLED = Path(__file__).parent / "photographs"
"""Folder of the photographs that ship for small training runs."""

_FORMAT = 1  # of the cache


@dataclass(frozen=True)
class Picture:
    """One photograph of the cache: the sizes it is kept in, largest first, each with its place in the file."""

    name: str
    copies: tuple[tuple[int, int, int], ...]  # (offset in bytes, height, width)


class Pictures:
    """Photographs in a cache on disk, uint8 RGB. ``skipped``: (file, reason) of those that could not be read."""

    def __init__(self, folder: Path):
        facts = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
        self.skipped = [tuple(entry) for entry in facts["skipped"]]
        self.pictures, offset = [], 0
        for name, sizes in facts["pictures"]:
            copies = []
            for height, width in sizes:
                copies.append((offset, height, width))
                offset += height * width * 3
            self.pictures.append(Picture(name, tuple(copies)))
        self._bytes = np.memmap(folder / "pixels.u8", np.uint8, "r")

    def pixels(self) -> torch.Tensor:
        """All bytes of the cache, where they lie in the file; in memory."""
        return torch.from_numpy(np.array(self._bytes))

    @property
    def size(self) -> int:
        """How many bytes these are."""
        return len(self._bytes)

    def cut(self, copy: tuple[int, int, int], top: int, left: int, side: int) -> np.ndarray:
        """A square of one copy, (side, side, 3), still on disk."""
        offset, height, width = copy
        whole = self._bytes[offset : offset + height * width * 3].reshape(height, width, 3)
        return whole[top : top + side, left : left + side]

    def split(self, validation: tuple[str, ...]) -> tuple[list[Picture], list[Picture]]:
        """Pictures to train on and pictures held out: those named (with or without folder and suffix), else every 25th.

        Raises ValueError where a name is not there or nothing is left to train on.
        """
        if validation:
            names = {_stem(name): name for name in validation}
            stems = [{_stem(p.name), PurePosixPath(_stem(p.name)).name} for p in self.pictures]
            held = [p for p, known in zip(self.pictures, stems, strict=True) if known & names.keys()]
            if missing := [name for stem, name in names.items() if not any(stem in known for known in stems)]:
                raise ValueError(
                    f"validation pictures that are not in the data: {', '.join(missing[:5])}. Name others "
                    "with --validation."
                )
        else:
            held = self.pictures[::25]
        training = [p for p in self.pictures if p not in held]
        if not training or not held:
            raise ValueError(
                f"{len(training)} pictures to train on and {len(held)} held out: add pictures to the data."
            )
        return training, held

    def validation_crops(self, held: list[Picture], side: int) -> torch.Tensor:
        """Fixed crops (n, 3, side, side) uint8: one of each picture held out, of every second one a smaller copy too.

        They depend on the pictures' names and sizes alone. Raises ValueError where all pictures are smaller.
        """
        crops = []
        for i, picture in enumerate(held):
            rng = np.random.default_rng([side, zlib.crc32(_stem(picture.name).encode())])
            for copy in picture.copies if i % 2 else picture.copies[:1]:
                if min(copy[1:]) >= side:
                    top, left = (int(rng.integers(n - side + 1)) for n in copy[1:])
                    crops.append(self.cut(copy, top, left, side))
        if not crops:
            raise ValueError(f"all pictures held out are smaller than {side} pixels: set validation_crop lower.")
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()


def open_pictures(
    source: Path, scales: tuple[float, ...], say: Callable[[str], None], cache: Path | None = None
) -> Pictures:
    """The photographs of a folder (searched recursively) or a zip, decoded where the cache has them not.

    The cache is keyed by the listing: names, sizes and times (in a zip: checksums). Files that cannot be read are
    reported through ``say`` and skipped. Raises ValueError where there is nothing to read.
    """
    names, key, read = _listing(source)
    if not names:
        raise ValueError(f"there are no pictures in {source}: name a folder or zip with PNG, JPEG, WebP or AVIF files.")
    digest = hashlib.sha256(json.dumps([_FORMAT, scales, key]).encode()).hexdigest()[:16]
    target = (cache or cache_folder()) / "training" / digest
    if not (target / "pictures.json").is_file():
        say(f"decoding {len(names)} pictures, once, into {target}")
        target.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=target.parent, prefix=".half-"))
        try:
            _decode(half, names, read, scales)
            shutil.rmtree(target, ignore_errors=True)
            half.replace(target)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    pictures = Pictures(target)
    for name, reason in pictures.skipped:
        say(f"skipped {name}: {reason}")
    if not pictures.pictures:
        raise ValueError(f"none of the {len(names)} pictures in {source} can be read.")
    return pictures


def _listing(source: Path) -> tuple[list[str], list, Callable[[str], bytes]]:
    """Names of all picture files, what identifies their contents, and how to read one."""
    if source.is_dir():
        names = images.names_in(source)
        facts = [(name, (source / name).stat()) for name in names]
        return names, [(name, s.st_size, s.st_mtime_ns) for name, s in facts], lambda name: images.read(source / name)
    if not source.is_file():
        raise ValueError(f"there is no folder or zip {source}.")
    try:
        archive = zipfile.ZipFile(source)
    except zipfile.BadZipFile:
        raise ValueError(f"{source} is neither a folder nor a zip that can be read.") from None
    with archive:
        names = images.pictures_among(archive.namelist())
        entries = [(entry.filename, entry.file_size, entry.CRC) for entry in map(archive.getinfo, names)]

    def read(name: str) -> bytes:
        with zipfile.ZipFile(source) as opened:
            entry = opened.getinfo(name)
            if entry.file_size > images.MAX_BYTES:
                raise ImageError(images.TOO_LONG)
            if entry.flag_bits & 1:
                raise ImageError("it is encrypted: unpack the zip and name the folder.")
            try:
                return opened.read(entry)
            except Exception as error:  # damaged bytes raise all sorts of things
                raise ImageError(f"it cannot be unpacked here ({error}): unpack the zip and name the folder.") from None

    return names, entries, read


def _stem(name: str) -> str:
    """A picture's name without its suffix, if it has one: packing changes suffixes."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))  # macOS takes letters and their accents apart
    return str(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path)


def _decode(folder: Path, names: list[str], read: Callable[[str], bytes], scales: tuple[float, ...]) -> None:
    """Write the pixels of all pictures and the list of them into ``folder``."""

    def decode(name: str) -> list[np.ndarray] | str:
        try:
            picture = open_whole(read(name))
        except (ImageError, OSError) as error:
            return str(error)
        sizes = [(max(1, round(picture.width * s)), max(1, round(picture.height * s))) for s in sorted(scales)[::-1]]
        return [
            np.asarray(picture if s == picture.size else picture.resize(s, Image.Resampling.LANCZOS)) for s in sizes
        ]

    pictures, skipped = [], []
    with (folder / "pixels.u8").open("wb") as file, ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(names), 64):  # so that memory stays bounded
            some = names[start : start + 64]
            for name, arrays in zip(some, pool.map(decode, some), strict=True):
                if isinstance(arrays, str):
                    skipped.append((name, arrays))
                    continue
                pictures.append((name, [array.shape[:2] for array in arrays]))
                for array in arrays:
                    file.write(array.tobytes())
        if not pictures:
            file.write(b"\0")  # an empty file cannot be mapped
    (folder / "pictures.json").write_text(json.dumps({"pictures": pictures, "skipped": skipped}), encoding="utf-8")


@dataclass(frozen=True)
class Batch:
    """Crops x (b, 3, S, S) uint8, their λ (b,) float32, whether that λ is a trained one (b,), and noise seeds (b,)."""

    x: torch.Tensor
    lmbda: torch.Tensor
    trained: torch.Tensor
    seeds: tuple[int, ...]


Square = tuple[int, int, int, int, int, bool]
"""A crop: offset, height and width of the copy that it is cut from, its top and left, and whether it is mirrored."""


class Batches:
    """The batches of a run by step: all of them, or the ``share`` (rank, processes) of one of several processes.

    Pictures are drawn uniformly, each in one of its sizes, cut and mirrored at random. ``count`` crops of ``side``
    pixels, the configuration's where not given. Raises ValueError where no
    picture is as large as a crop or the processes cannot share a batch evenly.
    """

    def __init__(
        self,
        pictures: Pictures,
        training: list[Picture],
        config: Config,
        share: tuple[int, int] = (0, 1),
        count: int | None = None,
        side: int | None = None,
    ):
        self.pictures, self.config = pictures, config
        self.count, self.side = count or config.batch, side or config.crop
        rank, processes = share
        if self.count % processes:
            raise ValueError(f"{processes} processes cannot share a batch of {self.count}: set batch to a multiple.")
        each = self.count // processes
        self.mine = slice(rank * each, (rank + 1) * each)
        large = ([copy for copy in p.copies if min(copy[1:]) >= self.side] for p in training)
        self.copies = [copies for copies in large if copies]
        if not self.copies:
            raise ValueError(f"all pictures are smaller than a crop of {self.side} pixels: set crop lower.")

    def __call__(self, step: int) -> Batch:
        """The batch of one step. Negative steps are there for what happens before the first."""
        config, count, side = self.config, self.count, self.side
        rng = np.random.default_rng([config.seed, step < 0, abs(step)])
        lmbda, trained = draw_lmbdas(rng, count, config.lmbdas, config.between)
        which = rng.integers(len(self.copies), size=count)
        places, seeds = rng.random((count, 4)), rng.integers(1 << 62, size=count)
        squares = []
        for picture, (size, down, right, mirror) in zip(which[self.mine], places[self.mine], strict=True):
            copies = self.copies[picture]
            copy = copies[int(size * len(copies))]
            squares.append(
                (*copy, int(down * (copy[1] - side + 1)), int(right * (copy[2] - side + 1)), bool(mirror < 0.5))
            )
        return Batch(
            self.cut(squares),
            torch.from_numpy(lmbda[self.mine].astype(np.float32)),
            torch.from_numpy(trained[self.mine]),
            tuple(int(seed) for seed in seeds[self.mine]),
        )

    def cut(self, squares: list[Square]) -> torch.Tensor:
        """The crops (b, 3, side, side), read from disk."""
        x = np.empty((len(squares), self.side, self.side, 3), np.uint8)
        for row, (offset, height, width, top, left, mirrored) in zip(x, squares, strict=True):
            crop = self.pictures.cut((offset, height, width), top, left, self.side)
            row[:] = crop[:, ::-1] if mirrored else crop
        return torch.from_numpy(x).permute(0, 3, 1, 2)

    def ahead(self, first: int, last: int) -> Iterator[Batch]:
        """The batches first … last − 1, each cut while the one before it is in use."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self, first)
            for step in range(first, last):
                batch, coming = coming.result(), pool.submit(self, step + 1)
                yield batch


class DeviceBatches(Batches):
    """The same batches, cut on the device from bytes in its memory: all pictures in all their sizes."""

    def __init__(
        self,
        pictures: Pictures,
        training: list[Picture],
        config: Config,
        share: tuple[int, int] = (0, 1),
        device: str | torch.device = "cpu",
    ):
        super().__init__(pictures, training, config, share)
        self.pixels = pictures.pixels().to(device)
        across = torch.arange(self.side, device=device)
        self._across, self._colours = across, torch.arange(3, device=device)

    def cut(self, squares: list[Square]) -> torch.Tensor:
        """The crops (b, 3, side, side) on the device."""
        offset, _, width, top, left, mirrored = (
            torch.tensor(squares).to(self.pixels.device, non_blocking=True)[:, :, None].unbind(1)
        )
        rows = (top + self._across) * width
        columns = left + torch.where(mirrored > 0, self.side - 1 - self._across, self._across)
        places = offset[:, :, None] + 3 * (rows[:, :, None] + columns[:, None, :])
        return self.pixels[places[..., None] + self._colours].permute(0, 3, 1, 2)


def draw_lmbdas(
    rng: np.random.Generator, count: int, lmbdas: tuple[float, ...], between: float
) -> tuple[np.ndarray, np.ndarray]:
    """λ for each image of a batch: the trained ones in turn, a share of them moved, at most half way to the next one.

    Returns λ (count,), clamped to the trained range, and which of them are trained ones (count,).
    """
    slot = (rng.integers(len(lmbdas)) + np.arange(count)) % len(lmbdas)
    lmbda = np.asarray(lmbdas)[slot]
    moved = rng.permutation(count) < round(count * between)
    octaves = np.pad(np.diff(np.log2(lmbdas)), 1, constant_values=1.0)  # to the one below, and at slot + 1 above
    way = rng.uniform(-0.5, 0.5, count)
    lmbda = np.where(moved, lmbda * 2.0 ** (way * octaves[slot + (way > 0)]), lmbda)
    lmbda = np.clip(lmbda, lmbdas[0], lmbdas[-1])
    return lmbda, ~moved | (len(lmbdas) == 1)
