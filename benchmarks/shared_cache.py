"""Two servers on one small cache: how often a listed frame is not there when a page fetches it.

Each of two processes has the ladders and the route of frames that a server has, without its sockets, and pages that
turn in no order from one small picture to another: its frames are listed until all are there, then each is fetched.
The cache has room for nine of ten ladders, so that both processes delete some all the time, their own and each
other's; those that were on show in the last second stay, where a server waits for ten. Asserted: what was not there
(404) is there as soon as it is listed again, and of ten thousand frames fewer than one was not. Printed: frames listed,
and 404s.

    python benchmarks/shared_cache.py [FRAMES]
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Match

from mae_viz.ladders import ladder
from mae_viz.viewer import streamlit_host

FRAMES = 20_000
PICTURES = 40
"""Of each server."""

CODEC, SIDE = "jpeg", 16
ROOM = 0.9
PATIENCE_S = 1.0
ROUTES = streamlit_host.routes()


def picture(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))


def fetched(key: str, file: str) -> bytes | None:
    """What the server's route answers, None for 404."""
    scope = {"type": "http", "method": "GET", "path": streamlit_host.path(f"ladder/{key}/{file}"), "headers": []}
    for route in ROUTES:
        found, inside = route.matches(scope)
        if found is Match.FULL:
            answer = route.endpoint(Request({**scope, **inside}))
            if answer.status_code == 404:
                return None
            if isinstance(answer, FileResponse):  # it is opened once the answer sets out
                try:
                    return Path(answer.path).read_bytes()
                except FileNotFoundError:
                    return None
            return bytes(answer.body)
    raise LookupError(file)


def listing(server: ladder.Ladders, key: str) -> list[dict]:
    """All frames of a ladder, once they are there."""
    while not (told := server.listing(key, viewer=key))["complete"]:
        time.sleep(0.002)
    assert "error" not in told, told
    return told["frames"]


def turn_about(number: int, frames: int, limit: int) -> dict[str, int]:
    """What one server's pages have asked for: frames listed, those that were not there, those that then were."""
    server = ladder.Ladders(limit=limit, patience_s=PATIENCE_S)
    ladder.shared = lambda: server
    keys = [server.offer(picture(PICTURES * number + k), CODEC).id for k in range(PICTURES)]
    chance, said = random.Random(number), {"listed": 0, "missed": 0, "there again": 0}
    while said["listed"] < frames:
        key = chance.choice(keys)
        there = listing(server, key)
        said["listed"] += len(there)
        for frame in there:
            data = fetched(key, frame["file"])
            if data is None:
                said["missed"] += 1
                assert frame in listing(server, key)
                data = fetched(key, frame["file"])
                said["there again"] += data is not None
            assert data is None or data[:4] == b"RIFF"
    return said


class Deleted(threading.Thread):
    """How many ladders have left a cache, looked at fifty times a second."""

    def __init__(self, folder: Path):
        super().__init__(daemon=True)
        self.folder, self.count = folder, 0

    def run(self):
        before: set[str] = set()
        while True:
            now = {path.name for path in self.folder.glob("[!.]*")}
            self.count += len(before - now)
            before = now
            time.sleep(0.02)


def taken(folder: Path) -> int:
    """Bytes of one ladder."""
    alone = ladder.Ladders(folder)
    made = alone.open(picture(0), CODEC)
    alone.wait([made])
    return sum(path.stat().st_size for path in made.folder.iterdir())


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as folder:
        limit = int(ROOM * 2 * PICTURES * taken(Path(alone)))
        deleted = Deleted(Path(folder) / "ladders")
        deleted.start()
        start = time.perf_counter()
        program = f"import json, shared_cache; print(json.dumps(shared_cache.turn_about(%d, {frames // 2}, {limit})))"
        servers = [
            subprocess.Popen(
                [sys.executable, "-c", program % number],
                env=os.environ | {"MAE_VIZ_CACHE": folder},
                cwd=Path(__file__).parent,
                stdout=subprocess.PIPE,
            )
            for number in range(2)
        ]
        told = [json.loads(server.communicate()[0]) for server in servers]
        took = time.perf_counter() - start
    said = {name: sum(each[name] for each in told) for name in told[0]}
    print(f"{said['listed']:,} frames listed by two servers in {took:.0f} s; {deleted.count:,} ladders were deleted")
    print(f"  404: {said['missed']}, of which {said['there again']} were there when they were listed again")
    assert deleted.count > said["listed"] / 2000, "the cache had room for all"
    assert said["there again"] == said["missed"], "what is listed is not there"
    assert said["missed"] < said["listed"] / 10_000 + 1, "too much that is listed is not there"


if __name__ == "__main__":
    main()
