"""What tests in a real browser share: Chromium, servers on free ports, and pages that must stay without errors."""

import base64
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    TimeoutError,
    expect,
    sync_playwright,
)

TIMEOUT_MS = 240_000
"""For everything that a test waits for: a machine may have other things to do."""

LOOK_MS = 100
"""Between two looks at a page that is to come to rest; Playwright itself looks at every frame, and has it drawn."""

expect.set_options(timeout=TIMEOUT_MS)

PORTS = range(10_000, 32_000)
"""Among which servers are given theirs: below those that systems give to connections, of which there are many here."""

LISTEN = """
    const Plain = WebSocket;
    globalThis.WebSocket = class extends Plain {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", () => { globalThis.heard = performance.now(); });
        }
        send(data) {
            globalThis.asked = performance.now();
            super.send(data);
        }
    };"""
"""Runs in a page before its own scripts: `settled` is to know that Streamlit's server has been asked for something even
before that says that it has begun."""


def executable() -> str:
    """The browser of the system, or the one that CHROMIUM names: Playwright's own need not be downloaded."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    assert found, "install Chromium (Debian: apt-get install chromium) or name one in CHROMIUM to run these tests."
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    options = ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb", "--ignore-certificate-errors"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=options)
        yield browser
        browser.close()


def is_error(message: ConsoleMessage) -> bool:
    """Whether the page has complained. Streamlit, opened at another page than its first, asks for its server below
    that address before it asks at the root: what it does not find there is no error."""
    return message.type == "error" and "/_stcore/" not in message.location["url"]


def fresh_profile(browser: Browser, **options) -> BrowserContext:
    """A profile where nobody has been. Its pages ask for little motion: what moves while a page is busy would be drawn
    by the core that the page waits for."""
    profile = browser.new_context(**{"reduced_motion": "reduce"} | options)
    profile.add_init_script(LISTEN)
    return profile


@contextmanager
def visit(browser: Browser | BrowserContext, url: str, allowed: tuple[str, ...] = (), **options) -> Iterator[Page]:
    """A page in a fresh profile, or in one that keeps what it has loaded; errors on its console and requests to other
    addresses fail the test. ``options``: of the profile; of one that is there already its viewport alone."""
    if isinstance(browser, BrowserContext):
        assert options.keys() <= {"viewport"}
        page = done = browser.new_page()
        page.set_viewport_size(options.get("viewport", {"width": 1280, "height": 720}))
    else:
        done = fresh_profile(browser, **options)
        page = done.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if is_error(message) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    starts = ("{0.scheme}://{0.netloc}".format(urlsplit(url)), "data:", "blob:", *allowed)
    page.on("request", lambda request: None if request.url.startswith(starts) else wrong.append(request.url))
    page.set_default_timeout(TIMEOUT_MS)
    try:
        page.goto(url)
        yield page
    except BaseException as failure:
        failure.add_note(f"The page is at {page.url} and has complained of: {wrong}")
        raise
    finally:
        done.close()
    assert wrong == [], wrong  # pytest shows what is in it in test files alone


def free_port() -> int:
    """A port that nobody listens at, by chance, so that whoever else looks for one meanwhile gets another."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


@contextmanager
def serve(command: list[str], health: str, **environment: str) -> Iterator[str]:
    """Run a server on a free port ({port} in the command) until it answers at ``health``; yields its address."""
    process, url = started(command, health, environment)
    try:
        yield url
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT_MS / 1000)
        finally:
            process.kill()


def started(command: list[str], health: str, environment: dict[str, str], tries: int = 3) -> tuple[Popen, str]:
    """A server that answers, and its address; tried at another port where it ended at once, as it does where somebody
    else has taken that."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = Popen(
        [part.format(port=port) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    end = time.monotonic() + TIMEOUT_MS / 1000
    try:
        while process.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(url + health, timeout=10).close()
                return process, url
            assert time.monotonic() < end, f"the server does not answer: {' '.join(command)}"
            time.sleep(LOOK_MS / 1000)
    except BaseException:
        process.kill()
        raise
    assert tries > 1, f"the server ended: {' '.join(command)}"
    return started(command, health, environment, tries - 1)


@contextmanager
def jupyterlab(browser: Browser, notebook: Path, settings: Path) -> Iterator[Page]:
    """A notebook opened in JupyterLab, nothing of it run yet; errors of the page fail the test.

    ``settings``: an empty folder for what JupyterLab keeps and for mae_viz's cache.
    """
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port", "{port}"]
    command += ["--ServerApp.token=", f"--ServerApp.root_dir={notebook.parent}", "--LabApp.news_url="]
    places = {"MAE_VIZ_CACHE": str(settings / "cache")}
    places |= {f"JUPYTER_{name}_DIR": str(settings / name) for name in ("CONFIG", "RUNTIME")}
    with serve(command, "/api", **places) as url:
        tab = browser.new_page(viewport={"width": 1440, "height": 1100})
        wrong: list[str] = []
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.set_default_timeout(TIMEOUT_MS)
        try:
            tab.goto(f"{url}/lab/tree/{notebook.name}?reset")
            tab.locator(".jp-CodeCell .cm-content").first.click()
            tab.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
            yield tab
        except BaseException as failure:
            said = {
                name: tab.locator(f".jp-{name}").all_inner_texts()
                for name in ("InputPrompt", "OutputArea-output", "Dialog", "Toast", "Notebook-ExecutionIndicator")
            }
            failure.add_note(f"JupyterLab shows {said} and has complained of: {wrong}")
            raise
        finally:
            tab.close()
        assert wrong == []


def run_cell(tab: Page) -> None:
    """Run the first cell of a notebook to its end."""
    cell = tab.locator(".jp-CodeCell").first
    set_off(tab, lambda: cell.locator(".cm-content").press("Control+Enter"))
    expect(cell.locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]"))


def set_off(tab: Page, ask: Callable[[], None]) -> None:
    """Wait until a notebook runs as it is asked to; asked again where JupyterLab did not listen yet."""
    prompt = tab.locator(".jp-CodeCell").first.locator(".jp-InputPrompt")
    begun = prompt.and_(tab.get_by_text(re.compile(r"\[(\*|\d+)\]")))
    for _ in range(12):
        ask()
        with suppress(TimeoutError):
            return begun.wait_for(timeout=10_000)
    raise AssertionError("JupyterLab does not run the notebook")


def settled(page: Page) -> None:
    """Wait until the app's script has run, all it made is drawn, and that has been so for a while."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector("[data-testid=stApp]");
            const waits = "[data-stale=true], [data-testid=stSpinner], [data-testid=stSkeleton]";
            const answered = !(globalThis.asked > globalThis.heard);
            const done = app?.dataset.testConnectionState == "CONNECTED" && answered &&
                app.dataset.testScriptState == "notRunning" && !app.querySelector(waits);
            window.settledSince = done ? (window.settledSince ?? performance.now()) : undefined;
            return performance.now() - window.settledSince > 400;
        }""",
        polling=LOOK_MS,
    )
    page.evaluate("window.settledSince = undefined")


def painted(page: Page) -> None:
    """Wait until what the page is to draw with its next frame is on its canvases."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pick(page: Page, label: str, option: str | re.Pattern, typed: str | None = None) -> None:
    """Choose from one of Streamlit's lists, ``typed`` into it first; again where a change of the page has closed it."""
    box = page.get_by_role("combobox", name=label)
    for _ in range(20):
        box.click()
        if typed is not None:
            page.keyboard.press("Control+A")
            page.keyboard.type(typed)
        try:
            return page.get_by_role("option", name=option).first.click(timeout=6_000)
        except TimeoutError:
            page.keyboard.press("Escape")
    raise AssertionError(f"the list {label!r} does not offer {option!r}")


def fits(page: Page, width: int | None = None, but: str = "input[type=range]") -> None:
    """Wait until nothing in the app is wider than the window, and that has been so for a while; ``width``: after the
    window has got this width. ``but``: what may be wider, with all in it."""
    if width is not None:
        page.set_viewport_size({"width": width, "height": page.viewport_size["height"]})
    wider = f"""[...document.querySelectorAll("[data-testid=stMain] *")].filter(
        e => !e.closest("{but}") && e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)"""
    try:
        page.wait_for_function(
            f"""() => {{
                const done = !{wider}.length && document.documentElement.scrollWidth <= innerWidth;
                window.fitsSince = done ? (window.fitsSince ?? performance.now()) : undefined;
                return performance.now() - window.fitsSince > 400;
            }}""",
            polling=LOOK_MS,
        )
    except TimeoutError:
        found = page.evaluate(f"{wider}.map(e => e.outerHTML.slice(0, 120))")
        raise AssertionError(f"wider than the window: {found}") from None
    page.evaluate("window.fitsSince = undefined")


def until(page: Page, condition: Callable[[], bool], said: str) -> None:
    """Wait until something outside the page is so, while it goes on; ``said`` names it."""
    end = time.monotonic() + TIMEOUT_MS / 1000
    while not condition():
        assert time.monotonic() < end, f"this never came to be: {said}"
        page.wait_for_timeout(LOOK_MS)


def in_address(page: Page, exactly: bool = False, **expected: str | None) -> None:
    """Wait until the address says so (None: says nothing of it), ``exactly``: and nothing else."""

    def said() -> dict:
        found = dict(parse_qsl(urlsplit(page.url).query))
        return found if exactly else {key: found.get(key) for key in expected}

    until(page, lambda: said() == expected, f"{expected} in the address")


def plain(text: str) -> str:
    """Numbers without what sets their thousands apart, and units after an ordinary space."""
    return re.sub(r"(?<=\d)\u202f(?=\d)", "", text).replace("\u202f", " ")


def canvas_pixels(canvas: Locator) -> np.ndarray:
    """What is on a canvas, (H, W, 3)."""
    width, height, text = canvas.evaluate(
        """canvas => {
            const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            let text = "";
            for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
            return [canvas.width, canvas.height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[..., :3]
