"""Behind other people's servers, and against other people's pages: prefixes, proxies, frames, foreign names."""

import asyncio
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from chromium import TIMEOUT_MS, canvas_pixels, free_port, serve, until, visit
from playwright.sync_api import Locator, Page, expect
from streamlit import config
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import mae_viz
from mae_viz.app.server import door
from mae_viz.numbers import grouped, in_bytes

ROOT = Path(__file__).parent.parent
PREFIX = "/user/anna/proxy/8501"
SIZE = {"width": 1440, "height": 1000}


@contextmanager
def proxy(target: str, certificate: Path, port: int) -> Iterator[None]:
    """A server that ends TLS and hands on what lies below `PREFIX`, without that, as jupyter-server-proxy does; any
    other address is a page with the app in a frame."""
    there = urlsplit(target)
    framed = f"https://hub.localhost:{port}{PREFIX}/file"
    page = f"<!doctype html><title>Course</title><iframe width=1400 height=900 src='{framed}'></iframe>"

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except OSError:
            pass  # either side may leave
        finally:
            sink.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            return
        method, path, rest = head.split(" ", 2)
        if not path.startswith(PREFIX + "/"):
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{page}".encode())
            writer.close()
            return
        if "\nupgrade:" not in head.lower():  # one request for each connection: the next one has to be taken apart too
            rest = re.sub(r"(?im)^connection:.*\r\n", "", rest).replace("\r\n", "\r\nConnection: close\r\n", 1)
        source, sink = await asyncio.open_connection(there.hostname, there.port)
        sink.write(f"{method} {there.path}{path.removeprefix(PREFIX)} {rest}".encode("latin-1"))
        await asyncio.gather(pipe(reader, sink), pipe(source, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    begun, end = threading.Event(), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=context)
        begun.set()
        await asyncio.to_thread(end.wait)
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))  # Playwright has the loop of this one
    thread.start()
    try:
        assert begun.wait(TIMEOUT_MS / 1000)
        yield
    finally:
        end.set()
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hub.localhost"]
    subprocess.run([*command, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture(scope="module")
def nowhere() -> Iterator[socket.socket]:
    """The way into the internet, which leads nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="module")
def places(certificate, nowhere, tmp_path_factory) -> Iterator[tuple[str, str, str]]:
    """One server below /lab, as itself and behind the proxy, and the page of another site that has it in a frame."""
    home = tmp_path_factory.mktemp("places")
    (home / "coffee.html").write_text("a lesson")
    (home / "one_lesson.py").write_text(
        f"import pathlib\nfrom mae_viz.app import lessons\nlessons.folder = lambda: pathlib.Path({str(home)!r})\n"
    )
    port = free_port()
    command = ["sh", "-c", 'ulimit -Sn 256; exec "$@"', "sh", sys.executable, "-m", "mae_viz", "app"]
    command += ["--server.port", "{port}", "--server.headless", "true", "--server.baseUrlPath", "lab"]
    command += ["--server.allowedHosts", "127.0.0.1", "--server.allowedHosts", "hub.localhost"]
    command += ["--client.allowedOrigins", f"https://course.localhost:{port}"]
    environment = {"MAE_VIZ_CACHE": str(home / "cache"), "MAE_VIZ_CODECS": "one_lesson", "PYTHONPATH": f"{ROOT}:{home}"}
    environment |= dict.fromkeys(("http_proxy", "https_proxy"), f"http://127.0.0.1:{nowhere.getsockname()[1]}")
    with serve(command, "/lab/_stcore/health", **environment) as url, proxy(f"{url}/lab", certificate, port):
        yield f"{url}/lab", f"https://hub.localhost:{port}{PREFIX}", f"https://course.localhost:{port}/"


def test_below_a_prefix_former_addresses_lead_to_the_viewer(browser, places):
    with visit(browser, f"{places[0]}/explore?image=coffee&panes=original", viewport=SIZE) as page:
        expect(page).to_have_url(f"{places[0]}/?mode=side&image=coffee&panes=original")
        page.locator(".mae-viewer[data-busy=false]").wait_for()
        until(page, lambda: canvas_pixels(page.locator(".pane canvas").first).std() > 10, "a picture")


def test_behind_a_proxy_and_in_a_frame_of_another_site(browser, places, tmp_path, crop):
    """Uploads, links, frames, downloads and lessons."""
    crop.save(tmp_path / "mine.png")
    stream = mae_viz.compress(crop)
    with visit(browser, places[2], (places[1],), viewport=SIZE) as page:
        view = page.frame_locator("iframe")
        view.get_by_role("button", name="Your own").click()
        view.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(tmp_path / "mine.png")
        expect(view.get_by_text(in_bytes(len(stream))).first).to_be_visible()
        assert downloaded(page, view.get_by_role("button", name="Save this file")) == stream
        view.get_by_role("link", name="See this λ in the laboratory").click()
        view.locator(".mae-viewer[data-busy=false]").wait_for()
        expect(view.locator(".pane").first).to_contain_text(grouped(len(stream)))
        until(page, lambda: canvas_pixels(view.locator("canvas").first).std() > 10, "a picture")
        assert downloaded(page, view.get_by_role("link", name="Coffee")) == b"a lesson"


def downloaded(page: Page, link: Locator) -> bytes:
    with page.expect_download() as download:
        link.click()
    return Path(download.value.path()).read_bytes()


def test_pages_of_other_sites_are_turned_away_and_hold_nobody_up(places, nowhere):
    """Streamlit itself would ask the internet for this machine's address, and answer nobody meanwhile."""
    url = places[0]
    stream, own = f"ws{url.removeprefix('http')}/_stcore/stream", url.removesuffix("/lab")
    for _ in range(5):
        with pytest.raises(InvalidStatus, match="403"), connect(stream, origin="https://evil.example", open_timeout=60):
            pass
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        with pytest.raises(HTTPError, match="403"):
            urlopen(Request(f"{url}/_stcore/health", headers=headers))
    with pytest.raises(BlockingIOError):
        nowhere.accept()
    with connect(stream, origin=own, open_timeout=60):
        pass
    with urlopen(f"{url}/mae-viz/lessons/coffee.html") as lesson:
        assert lesson.headers["X-Content-Type-Options"] == "nosniff"
        assert lesson.headers["Content-Security-Policy"] == f"frame-ancestors 'self' {places[2].rstrip('/')}"


def test_more_visitors_than_files_that_the_system_begins_with(places):
    server = urlsplit(places[0])
    with ExitStack() as visitors:
        for _ in range(300):
            visitors.enter_context(socket.create_connection((server.hostname, server.port)))
        assert urlopen(f"{places[0]}/_stcore/health", timeout=60).read() == b"ok"


@pytest.mark.parametrize(
    ("host", "origin", "settings", "welcome"),
    [
        ("localhost:8501", "http://localhost:8501", {}, True),
        ("192.168.0.7:8501", None, {}, True),
        ("[::1]:8501", "http://[::1]:8501", {}, True),
        ("lab.example.org", "https://lab.example.org", {}, False),
        ("localhost.example.org", None, {}, False),
        ("", None, {}, False),
        ("[", None, {}, False),
        ("localhost:8501", "http://localhost:3000", {}, False),
        ("localhost:8501", "null", {}, False),
        ("Lab.example.org", "https://lab.example.org", {"server.allowedHosts": ["*.example.org"]}, False),
        ("lab.example.org:443", None, {"server.allowedHosts": ["*.Example.org"]}, True),
        ("example.org", None, {"server.allowedHosts": ["*.example.org"]}, False),
        ("localhost", None, {"server.allowedHosts": ["lab.example.org"]}, False),
        ("127.0.0.1:1", "https://lab.example.org", {"server.corsAllowedOrigins": ["https://lab.example.org"]}, True),
        ("127.0.0.1:1", "http://lab.example.org", {"server.corsAllowedOrigins": ["https://lab.example.org"]}, False),
    ],
)
def test_who_is_welcome(host, origin, settings, welcome):
    before = {name: config.get_option(name) for name in settings}
    try:
        for name, value in settings.items():
            config.set_option(name, value)
        assert (door.refusal(host, origin) is None) == welcome
    finally:
        for name, value in before.items():
            config.set_option(name, value)
