"""What the app's server keeps of visitors who have left: memory before, at the most, and after it has come to rest.

So many sessions, real ones without the browser, each open the laboratory with a photograph of their own of 12
megapixels, fetch its picture, and stay; then all leave at once. Asserted: six minutes later the server has at most
LIMIT_MB more than before the first of them, and still answers. Linux alone says what a process has.

    python benchmarks/uploads.py [SESSIONS [MINUTES]]
"""

import asyncio
import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from classroom import Session, get, large, serve, server_pid

SESSIONS, MINUTES = 150, 6.0
AT_ONCE = 4
"""How many upload at a time: a class does not press the key in one instant."""

LIMIT_MB = 500


def resident_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found, f"process {pid} has ended"
    return int(found[1]) / 1024


async def original(session: Session) -> bytes:
    """The picture on show, fetched as the viewer does: listed, waited for, downloaded."""
    (codec,) = (codec for codec in session.manifest()["codecs"] if codec["id"] == "original")
    address = f"{session.url}/mae-viz/ladder/{codec['ladder']}"
    while not (frames := json.loads(await asyncio.to_thread(get, address, session.id))["frames"]):
        await asyncio.sleep(0.2)
    return await asyncio.to_thread(get, f"{address}/{frames[0]['file']}")


async def visit(url: str, number: int, turn: asyncio.Semaphore, leave: asyncio.Event, arrived: list[int]) -> None:
    async with Session(url) as session:
        async with turn:
            data = io.BytesIO()
            await asyncio.to_thread(lambda: large(number).save(data, "JPEG", quality=90))
            await session.open("")
            await session.upload(f"mine-{number}.jpg", data.getvalue())
            await session.open("")
            assert session.manifest()["title"] == f"mine-{number}.jpg"
            assert await original(session)
            arrived.append(len(data.getvalue()))
        await leave.wait()


async def measure(url: str, pid: int, sessions: int, minutes: float) -> dict[str, float]:
    """MB of the server: when a first visitor has left, at the most, and so many minutes after all have."""
    turn, leave, arrived = asyncio.Semaphore(AT_ONCE), asyncio.Event(), []
    async with Session(url) as first:
        await first.open("")
        await original(first)
    said = {"before": resident_mb(pid)}
    visits = asyncio.gather(*(visit(url, number, turn, leave, arrived) for number in range(sessions)))
    start, most = time.monotonic(), 0.0
    while len(arrived) < sessions and not visits.done():
        most = max(most, resident_mb(pid))
        await asyncio.sleep(0.5)
    print(f"{len(arrived)} uploads, {sum(arrived) / 1e6:.0f} MB, in {time.monotonic() - start:.0f} s", flush=True)
    leave.set()
    await visits
    said |= {"at the most": most, "as all leave": resident_mb(pid)}
    gone = time.monotonic()
    for part in (1, 2, 3):
        await asyncio.sleep(max(0.0, gone + 20 * minutes * part - time.monotonic()))
        said[f"{minutes * part / 3:g} minutes after"] = resident_mb(pid)
    async with Session(url) as last:
        assert "mae" in json.dumps([codec["id"] for codec in (await last.open(""), last.manifest())[1]["codecs"]])
    return said


def main() -> None:
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else MINUTES
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
        with serve(command, "/_stcore/health", MAE_VIZ_CACHE=folder) as url:
            said = asyncio.run(measure(url, server_pid(urlsplit(url).port), sessions, minutes))
    for when, mb in said.items():
        print(f"  {when:<18} {mb:7.0f} MB")
    kept = list(said.values())[-1] - said["before"]
    assert minutes < MINUTES or kept <= LIMIT_MB, f"the server keeps {kept:.0f} MB of those who have left"


if __name__ == "__main__":
    main()
