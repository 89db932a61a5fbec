"""The app with a whole class in it: thirty sessions at once, each with a photograph and λ of its own.

Every student is a real session: a websocket that speaks Streamlit's protocol, and the viewer's requests for its frames.
Students move λ in the laboratory (the answer is the pictures of both models at that λ), open File, and look at the
R-D curves; meanwhile five of them upload pictures of 12 megapixels and have them coded. Asserted: every answer is the
one for this student's photograph and λ, byte counts checked against files coded beforehand, and every upload is
answered. Printed: times to the answer, and the largest memory of the server.

Usage: python benchmarks/classroom.py [STUDENTS [UPLOADS]]
"""

import asyncio
import io
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
from PIL import Image
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import serve

import mae_viz
from mae_viz import rates
from mae_viz.codecs.interface import FRAME_STEP
from mae_viz.images import gallery, open_rgb
from mae_viz.numbers import in_bytes
from mae_viz.rates import Rate
from mae_viz.viewer.streamlit_host import SESSION

MODELS = ("mae", "bottleneck-scaling")
INDICES = tuple(range(0, rates.LAST_INDEX + 1, 3 * FRAME_STEP))
ROUNDS = 2
THINK_S = (1.0, 6.0)
UPLOAD = (4000, 3000)
LIMITS = {"median": 3.0, "p95": 10.0, "gib": 4.0}


class Session:
    """One browser tab, without the browser."""

    def __init__(self, url: str):
        self.url = url

    async def __aenter__(self):
        address = f"ws://{urlsplit(self.url).netloc}/_stcore/stream"
        self.socket = await connect(address, subprotocols=["streamlit"], max_size=None, open_timeout=60)
        self.id, self.widgets = "", {}
        return self

    async def __aexit__(self, *_):
        await self.socket.close()

    async def _ask(self, **message):
        from streamlit.proto.BackMsg_pb2 import BackMsg

        await self.socket.send(BackMsg(**message).SerializeToString())

    async def _answer(self):
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = ForwardMsg()
        message.ParseFromString(await asyncio.wait_for(self.socket.recv(), 600))
        return message

    async def open(self, page: str, **state) -> str:
        """Go to a page with a state in its address, as a link does; returns all text that the page then shows."""
        from streamlit.proto.ClientState_pb2 import ClientState

        client = ClientState(query_string=urlencode(state), page_name=page)
        for key, files in self.widgets.items():
            uploaded = client.widget_states.widgets.add(id=key).file_uploader_state_value
            for file in files:
                uploaded.uploaded_file_info.add(**file)
        await self._ask(rerun_script=client)
        self.elements = []
        while True:
            message = await self._answer()
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.id = message.new_session.initialize.session_id or self.id
                self.elements = []
            elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
                self.elements.append(message.delta.new_element)
            elif kind == "script_finished":
                from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

                if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return self.text()
                assert message.script_finished != ForwardMsg.FINISHED_WITH_COMPILE_ERROR

    def text(self) -> str:
        assert not [element for element in self.elements if element.WhichOneof("type") == "exception"], self.url
        bodies = (getattr(element, element.WhichOneof("type")) for element in self.elements)
        return "\n".join(getattr(body, "body", "") for body in bodies)

    def manifest(self) -> dict:
        """What the page told its viewer."""
        found = [e.bidi_component for e in self.elements if e.WhichOneof("type") == "bidi_component"]
        told = [json.loads(each.mixed.json if each.HasField("mixed") else each.json) for each in found]
        return next(data["manifest"] for data in told if "manifest" in data)

    async def upload(self, name: str, data: bytes) -> None:
        """Give a file to the page's first uploader; the next `open` sends it along."""
        uploader = next(e.file_uploader.id for e in self.elements if e.WhichOneof("type") == "file_uploader")
        await self._ask(
            file_urls_request={"request_id": "1", "file_names": [name], "session_id": self.id},
        )
        while (message := await self._answer()).WhichOneof("type") != "file_urls_response":
            pass
        urls = message.file_urls_response.file_urls[0]
        await asyncio.to_thread(put, self.url + urls.upload_url, name, data)
        file = {"name": name, "size": len(data), "file_id": urls.file_id, "file_urls": urls}
        self.widgets = {uploader: [file]}


def get(url: str, session: str = "") -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers={SESSION: session}), timeout=600) as answer:
        return answer.read()


def put(url: str, name: str, data: bytes) -> None:
    """A file, as the browser sends it: a form, with the token of the cookie."""
    with urllib.request.urlopen(f"{urlsplit(url).scheme}://{urlsplit(url).netloc}/_stcore/health") as answer:
        found = re.search(r"_streamlit_xsrf=([^;]+)", answer.headers.get("Set-Cookie", ""))
    token = found[1] if found else ""
    edge = "classroom"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    request = urllib.request.Request(
        url,
        head.encode() + data + f"\r\n--{edge}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={edge}", "X-Xsrftoken": token,
         "Cookie": f"_streamlit_xsrf={token}"},
        method="PUT",
    )  # fmt: skip
    urllib.request.urlopen(request, timeout=600).close()


async def frames(session: Session, index: int) -> list[dict]:
    """The frames of both models at a rate, fetched as the viewer does: listed, waited for, downloaded."""
    found = []
    for codec in session.manifest()["codecs"]:
        if codec["id"] not in MODELS:
            continue
        address = f"{session.url}/mae-viz/ladder/{codec['ladder']}"
        while True:
            listing = json.loads(await asyncio.to_thread(get, f"{address}?at={index}", session.id))
            assert "error" not in listing, listing["error"]
            there = [frame for frame in listing["frames"] if frame["at"] == index]
            if there:
                break
            await asyncio.sleep(0.25)
        await asyncio.to_thread(get, f"{address}/{there[0]['file']}")
        found.append(there[0])
    return found


async def study(url: str, number: int, rounds: int, expected: dict, times: dict) -> None:
    """A student's lesson, on a photograph and at λ that the neighbours do not have at that moment."""
    chance = random.Random(number)
    names = list(gallery())
    async with Session(url) as session:
        for step in range(rounds):
            name = names[(number + step) % len(names)]
            index = INDICES[(number + 3 * step) % len(INDICES)]
            lmbda = f"{Rate(index).lmbda:.4f}"
            sizes = [expected[name, model, index] for model in MODELS]
            with timed(times, "Laboratory"):
                await session.open("", image=name, **{"lambda": lmbda})
                shown = await frames(session, index)
            assert session.manifest()["rate"]["index"] == index
            assert session.manifest()["title"] == gallery()[name].title
            assert [frame["bytes"] for frame in shown] == sizes
            await asyncio.sleep(chance.uniform(*THINK_S))
            with timed(times, "File"):
                text = await session.open("file", image=name, **{"lambda": lmbda})
            said = f"**{gallery()[name].title}, MAE, λ = {Rate(index).lmbda:.4g}**: {in_bytes(sizes[0])}"
            assert said in text, f"student {number} wanted “{said}”"
            await asyncio.sleep(chance.uniform(*THINK_S))
        with timed(times, "R-D curves"):
            assert "Twice the λ" in await session.open("curves", image=name)


async def submit(url: str, number: int, times: dict) -> None:
    """A student who uploads a large picture of their own and has it coded."""
    picture = large(number)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=90)
    async with Session(url) as session:
        await session.open("file", **{"lambda": "64"})
        await session.upload(f"mine-{number}.jpg", data.getvalue())
        with timed(times, f"12-megapixel upload ({len(data.getvalue()) / 1e6:.0f} MB)"):
            text = await session.open("file", **{"lambda": "64"})
        assert f"**mine-{number}.jpg, MAE, λ = 64**" in text, text[:500]


def large(number: int) -> Image.Image:
    """A photograph, enlarged and shifted so that no two are the same picture."""
    return Image.fromarray(np.roll(enlarged(), 97 * number, axis=1))


@lru_cache
def enlarged() -> np.ndarray:
    return np.asarray(open_rgb(gallery()["china"].path).resize(UPLOAD, Image.Resampling.BICUBIC))


class timed:  # noqa: N801 (reads as the statement that it is)
    """Seconds that a block takes, kept under a name."""

    def __init__(self, times: dict, name: str):
        self.kept = times[name]

    def __enter__(self):
        self.start = time.perf_counter()

    def __exit__(self, kind, *_):
        if kind is None:
            self.kept.append(time.perf_counter() - self.start)


class Memory(threading.Thread):
    """The largest resident memory of a process, looked at ten times a second (Linux)."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.status, self.largest, self.over = Path(f"/proc/{pid}/status"), 0.0, False

    def run(self):
        while not self.over:
            if found := re.search(r"VmRSS:\s+(\d+) kB", self.status.read_text()):
                self.largest = max(self.largest, int(found[1]) / 2**20)
            time.sleep(0.1)


def server_pid(port: int) -> int:
    """The process that serves on a port."""
    found = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 1) for line in found.splitlines() if f"--server.port {port} " in f"{line} "]
    return int(lines[-1][0])


async def lesson(url: str, students: int, uploads: int, rounds: int, expected: dict) -> dict:
    times: dict[str, list[float]] = defaultdict(list)
    people = [study(url, number, rounds, expected, times) for number in range(students)]
    people += [submit(url, number, times) for number in range(uploads)]
    await asyncio.gather(*people)
    return times


def answers(students: int, rounds: int) -> dict:
    """Sizes of the files that the students will ask for, by (photograph, model, rate index)."""
    names = list(gallery())
    wanted = {
        (names[(n + step) % len(names)], INDICES[(n + 3 * step) % len(INDICES)])
        for n in range(students)
        for step in range(rounds)
    }
    return {
        (name, model, index): len(mae_viz.compress(gallery()[name].path, model, Rate(index).lmbda))
        for name, index in sorted(wanted)
        for model in MODELS
    }


def main() -> None:
    students, uploads = (int(sys.argv[i]) if len(sys.argv) > i else n for i, n in ((1, 30), (2, 5)))
    print("coding the photographs to know the answers, and preparing the ladders …")
    expected = answers(students, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        cache = {"MAE_VIZ_CACHE": os.environ.get("MAE_VIZ_CACHE", folder)}
        prepare = [sys.executable, "-m", "mae_viz", "prepare", "--codecs", ",".join(MODELS)]
        subprocess.run(prepare, check=True, stdout=subprocess.DEVNULL, env=os.environ | cache)
        command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
        with serve(command, "/_stcore/health", **cache) as url:
            memory = Memory(server_pid(urlsplit(url).port))
            memory.start()
            start = time.perf_counter()
            times = asyncio.run(lesson(url, students, uploads, ROUNDS, expected))
            took = time.perf_counter() - start
            memory.over = True
    answered = report(times, took, students, uploads)
    print(f"  server's largest resident memory: {memory.largest:.2f} GiB")
    assert np.median(answered) <= LIMITS["median"], "the median answer takes too long"
    assert np.percentile(answered, 95) <= LIMITS["p95"], "one answer in twenty takes too long"
    assert memory.largest <= LIMITS["gib"], "the server needs too much memory"


def report(times: dict, took: float, students: int, uploads: int) -> np.ndarray:
    """Prints the times; returns those of all pages, uploads apart."""
    answered = np.array([second for name, kept in times.items() if "upload" not in name for second in kept])
    print(f"{students} students, {uploads} large uploads, {took:.0f} s: every answer was the asker's own")
    for name, kept in [("all pages", answered), *times.items()]:
        print(
            f"  {name:<32} {len(kept):>4} answers, median {np.median(kept):5.2f} s, "
            f"p95 {np.percentile(kept, 95):5.2f} s, longest {np.max(kept):5.2f} s"
        )
    return answered


if __name__ == "__main__":
    main()
