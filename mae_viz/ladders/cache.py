"""Frames kept on disk, and in memory where the disk takes none.

    <cache>/ladders/<ladder id>/<rate>.json   a frame's numbers, and the names of its files
    <cache>/ladders/<ladder id>/<hash>.webp   a decoded picture; .png one that is longer than WebP can be
    <cache>/ladders/<ladder id>/<hash>.bin    the coded file, where its codec shows maps
    <cache>/ladders/<ladder id>/<hash>.f32    float32, little-endian: y (channels, h, w), or bits per place (h, w)
    <cache>/ladders/<ladder id>/told.json     what a refinement says of itself beside its frame
    <cache>/ladders/<ladder id>/.shown        when a viewer last asked for something of it

A ladder's id is a hash of the picture's pixels and of everything in the codec that the frames depend on; a file's
name is the hash of its contents. So nothing here ever changes under its name, and browsers may keep it for good.
The cache lies in MAE_VIZ_CACHE, else where this system keeps caches, and is its owner's alone: frames of uploaded
pictures are in it. Above its limit the ladders longest unused go, each at once and whole. Any number of servers may
share it: what one has made the others find, and what one has deleted the others make again when they miss it. What
lies in it damaged is not there, and is written anew.
"""

import json
import logging
import os
import shutil
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from mae_viz.codecs.interface import AnyRate
from mae_viz.ladders.frame import Frame, Maps
from mae_viz.storage import write_whole

MEMORY_BYTES = 256 << 20
"""Of frames that the disk has not taken: five ladders of a model with 0.8 megapixels."""

_SHOWN = ".shown"
_LEFT_OVER_S = 3600  # nobody writes at a file for so long: who began it has died
_TRIES = 10


class Cache:
    """Frames of all ladders.

    ``folder`` holds ``limit`` bytes at most, and whatever viewers have asked about in the last ``shown_s`` seconds.
    """

    def __init__(self, folder: Path, limit: int, shown_s: float):
        self.folder, self.limit, self.shown_s = folder, limit, shown_s
        self._unmeasured = limit  # bytes written since all was last measured
        self._memory: OrderedDict[tuple[str, str], bytes] = OrderedDict()  # (ladder, file)
        self._said = False
        self._lock = threading.Lock()  # of what is in memory

    def load(self, key: str) -> list[tuple[Maps | None, Frame]]:
        """All frames of a ladder, with the shape of its maps."""
        there = self.names(key)
        found = [frame for name in there if name.endswith(".json") and (frame := self._read(key, name, there))]
        if found:
            with suppress(OSError):
                os.utime(self.folder / key)  # in use
        return sorted(found, key=lambda entry: entry[1].at)

    def find(self, key: str, rate: AnyRate) -> tuple[Maps | None, Frame] | None:
        """One of them, None where it is not there."""
        return self._read(key, _entry(rate), self.names(key))

    def names(self, key: str) -> set[str]:
        """The files of a ladder. A crash of the machine leaves some with nothing in them: those are not there."""
        with self._lock:
            kept = {file for ladder, file in self._memory if ladder == key}
        with suppress(OSError), os.scandir(self.folder / key) as found:
            return kept | {entry.name for entry in found if entry.stat().st_size}
        return kept

    def path(self, key: str, file: str) -> Path | None:
        """Where a file is, None where the disk does not have it."""
        path = self.folder / key / file
        with suppress(OSError):
            return path if path.stat().st_size else None
        return None

    def read(self, key: str, file: str) -> bytes | None:
        """What is in a file, None where it is not there."""
        with suppress(OSError):
            if data := (self.folder / key / file).read_bytes():
                return data
        with self._lock:
            return self._memory.get((key, file))

    def show(self, key: str) -> bool:
        """A viewer asks about a ladder: nobody deletes it for a while. False where something of it may have gone."""
        try:
            (self.folder / key / _SHOWN).touch()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # a disk that takes nothing may have it nevertheless
            pass
        return not self._memory

    def keep(self, key: str, rate: AnyRate, maps: Maps | None, frame: Frame, files: dict[str, bytes]) -> None:
        """Write a frame; where that cannot be, have it in memory, as many as MEMORY_BYTES hold."""
        entry = json.dumps({"maps": maps and asdict(maps), "frame": frame.to_json()}).encode()
        self.put(key, {**files, _entry(rate): entry})  # the last: it vouches for the others

    def put(self, key: str, files: dict[str, bytes]) -> None:
        """Write files of a ladder, in this order, or have them in memory as `keep` says."""
        try:
            self._make_room(sum(map(len, files.values())), key)
            self._write(self.folder / key, files)
        except OSError as error:
            with self._lock:
                first, self._said = not self._said, True
                self._memory |= {(key, name): data for name, data in files.items()}
                while sum(map(len, self._memory.values())) > MEMORY_BYTES:
                    self._memory.popitem(last=False)
            if first:
                logging.getLogger(__name__).warning(
                    "Frames cannot be kept in %s (%s): they stay in memory and are lost when this ends. Set "
                    "MAE_VIZ_CACHE to a folder that can be written and has room.",
                    self.folder,
                    error.strerror or error,
                )

    def _write(self, folder: Path, files: dict[str, bytes]) -> None:
        for tries_left in reversed(range(_TRIES)):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                for name, data in files.items():
                    write_whole(folder / name, data)
                return
            except FileNotFoundError:  # another server has deleted the ladder this very moment
                if not tries_left:
                    raise

    def _read(self, key: str, name: str, there: set[str]) -> tuple[Maps | None, Frame] | None:
        try:
            found = json.loads(self.read(key, name) or b"")
            frame, maps = Frame.from_json(found["frame"]), found["maps"]
            whole = name == _entry(frame) and frame.file and there.issuperset(frame.files)
            shape = maps and Maps(tuple(maps["places"]), maps["channels"], maps["stride"], tuple(maps["layers"]))
        except Exception:  # anything may lie there in place of what was written
            return None
        return (shape, frame) if whole else None

    def _make_room(self, size: int, key: str) -> None:
        """Delete the ladders longest unused until the rest fits, where much has been written, and what dead servers
        have left half done; ``key``, which comes, stays, and so do those on show."""
        with self._lock:
            self._unmeasured += size
            if self._unmeasured < self.limit / 50:
                return
            self._unmeasured = 0
        self.folder.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):  # it may be somebody else's
            self.folder.chmod(0o700)
        now, total, found = time.time(), size, []
        for folder in self.folder.iterdir():
            if folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)
                continue
            with suppress(OSError):  # another server may be at it
                used, shown, taken = folder.stat().st_mtime, 0.0, 0
                for file in folder.iterdir():
                    status = file.stat()
                    taken += status.st_size
                    if file.name == _SHOWN:
                        shown = status.st_mtime
                    elif file.name.startswith(".") and now - status.st_mtime > _LEFT_OVER_S:
                        file.unlink()
                total += taken
                if folder.name != key and now - shown > self.shown_s:
                    found.append((max(used, shown), taken, folder))
        for _, taken, folder in sorted(found):
            if total <= self.limit:
                return
            gone = folder.with_name(f".{folder.name}.{os.getpid()}")  # it vanishes at once: no half ladder is left
            with suppress(OSError):
                folder.rename(gone)
                total -= taken
            shutil.rmtree(gone, ignore_errors=True)


def _entry(of: AnyRate | Frame) -> str:
    """The name of the file with a frame's numbers."""
    return f"{float(of.at)}.json"
