"""How fast the viewer is, and what it costs: drag, start, first picture, ladder, memory.

drag    four panes of 768 × 512, λ swept from end to end for two seconds by a real mouse. Each time is taken from the
        slider's input event to the end of the animation frame that draws it, after a pixel has been read back from
        every stage; in milliseconds, for pictures, for maps, and for the laboratory with a wipe that fits its stage
        and every panel open.
ladder  25 frames each of MAE and bottleneck scaling of a bundled photograph, models warm, nothing on disk; seconds.
refine  the drag of `drag` in the real app, the laboratory with every panel open: first in peace, then while the file on
        show is refined.
app     the real app in a browser, seconds: server start to a page that answers, and to the models' first pictures; a
        photographs chosen to both models' first pictures (nothing on disk); a prepared photograph chosen to all its
        frames listed and λ's shown.
memory  the app with 0.8 megapixel in four panes of different codecs until nothing more is fetched, then the whole of a
        12 megapixel upload in three panes: memory of the page's process, MB received per pane.

Usage: python benchmarks/viewer.py [drag|refine|ladder|app|memory …], all by default
"""

import math
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, serve, visit

from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.viewer import arrangements, html
from mae_viz.viewer.arrangements import laboratory

MODELS = ("mae", "bottleneck-scaling")
PANES = {
    "pictures": [("original", "picture"), ("mae", "picture"), ("bottleneck-scaling", "picture"), ("mae", "difference")],
    "maps": [("mae", "ratio"), ("mae", "y"), ("mae", "bits"), ("bottleneck-scaling", "ratio")],
}
DRAGGED = {name: (panes, None) for name, panes in PANES.items()} | {
    "laboratory": (
        [("mae", "picture"), ("bottleneck-scaling", "picture")],
        laboratory(panels=tuple(arrangements.PANELS)),
    )
}

_LISTEN = """() => {
    const viewer = globalThis.maeViewer;
    const canvases = [...viewer.element.querySelectorAll(".stage canvas")].filter((canvas) => canvas.clientWidth);
    globalThis.times = [];
    let sent = null;
    viewer.slider.addEventListener("input", () => (sent ??= performance.now()), true);
    viewer.drawn = () => {
        if (sent === null) return;
        for (const c of canvases) c.getContext("2d").getImageData(c.width >> 1, c.height >> 1, 1, 1);
        times.push(performance.now() - sent);
        sent = null;
    };
}"""
_DRAWN = """() => ({ times, canvases: [...maeViewer.element.querySelectorAll(".stage canvas")]
    .filter((canvas) => canvas.clientWidth).map(({ width, height }) => `${width} × ${height}`) })"""
_RECEIVED = """() => {
    const found = {};
    for (const entry of performance.getEntriesByType("resource")) {
        const [, id] = /\\/mae-viz\\/ladder\\/([0-9a-f]+)\\//.exec(entry.name) ?? [];
        if (id) found[id] = (found[id] ?? 0) + entry.encodedBodySize;
    }
    return found;
}"""


def sweep(tab: Page, seconds: float = 2) -> None:
    """The mouse drags λ from end to end and back, twice."""
    box = tab.locator("input.rate").bounding_box()
    y, middle, reach = box["y"] + box["height"] / 2, box["x"] + box["width"] / 2, box["width"] / 2 - 12
    tab.mouse.move(middle, y)
    tab.mouse.down()
    start = time.perf_counter()
    while (t := time.perf_counter() - start) < seconds:
        tab.mouse.move(middle + reach * math.sin(4 * math.pi * t / seconds), y)
    tab.mouse.up()


def drag() -> None:
    picture = open_rgb(gallery()["china"].path).resize((768, 512), Image.Resampling.LANCZOS)
    for name, (panes, around) in DRAGGED.items():
        chosen = [{"codec": codec, "layer": layer} for codec, layer in panes]
        codecs = tuple(dict.fromkeys(codec for codec, _ in panes))
        page = html.page(ladder.Ladders(), picture, "sweep", codecs=codecs, panes=chosen, laboratory=around)
        with tempfile.TemporaryDirectory() as folder, launched() as browser:
            file = Path(folder) / "sweep.html"
            file.write_text(page, encoding="utf-8")
            size = SIZE if around else {"width": 1620, "height": 1700}
            with visit(browser, file.as_uri(), viewport=size) as tab:
                tab.get_by_role("button", name="Fit" if around else "Zoom 100 %").click()
                tab.locator(".mae-viewer[data-busy=false]").wait_for()
                tab.wait_for_function("maeViewer.frames.busy.size == 0")
                tab.wait_for_timeout(500)
                tab.evaluate(_LISTEN)
                sweep(tab)
                found = tab.evaluate(_DRAWN)
        times = np.array(found["times"])
        print(
            f"drag, {name}: {len(times)} frames drawn in 2 s, median {np.median(times):.1f} ms, p95 "
            f"{np.percentile(times, 95):.1f} ms, worst {times.max():.1f} ms; canvases {', '.join(found['canvases'])}"
        )


_LISTEN_IN_APP = """(slider) => {
    const stages = [...slider.getRootNode().querySelectorAll(".stage canvas")].filter((canvas) => canvas.clientWidth);
    globalThis.times = [];
    let sent = null;
    slider.addEventListener("input", () => {
        if (sent !== null) return;
        sent = performance.now();
        requestAnimationFrame(() => {  // asked for after the viewer's own: what it draws is there
            for (const c of stages) c.getContext("2d").getImageData(c.width >> 1, c.height >> 1, 1, 1);
            times.push(performance.now() - sent);
            sent = null;
        });
    });
}"""


def drag_while_refining() -> None:
    picture = open_rgb(gallery()["china"].path).resize((768, 512), Image.Resampling.LANCZOS)
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        prepare(Path(folder), [picture], (*MODELS, "original"))
        upload = Path(folder) / "mine.png"
        picture.save(upload)
        with app(folder) as url, visit(browser, f"{url}/?panels={','.join(arrangements.PANELS)}", viewport=SIZE) as tab:
            settled(tab)
            tab.get_by_role("button", name="Your own").click()
            tab.locator("input[type=file]").set_input_files(upload)
            tab.get_by_text("mine.png: your picture").wait_for()
            tab.keyboard.press("Escape")
            settled(tab)
            tab.wait_for_load_state("networkidle")
            tab.locator("input.rate").evaluate(_LISTEN_IN_APP)
            for state in ("in peace", "while a file is refined"):
                sweep(tab)
                times = np.array(tab.evaluate("times.splice(0)"))
                middle, late = np.percentile(times, [50, 95])
                print(
                    f"drag in the app, {state}: {len(times)} frames drawn in 2 s, median {middle:.1f} ms, p95 "
                    f"{late:.1f} ms, worst {times.max():.1f} ms"
                )
                settled(tab)
                tab.locator(".acts .refine").first.click()
                tab.locator(".pane[data-refined]").wait_for(timeout=300_000)
                tab.wait_for_timeout(500)


def full_ladder() -> None:
    picture = open_rgb(gallery()["coffee"].path)
    for name in MODELS:
        checkpoints.open_checkpoint(name)
    with tempfile.TemporaryDirectory() as folder:
        ladders = ladder.Ladders(Path(folder))
        ladders.wait([ladders.open(picture.crop((0, 0, 64, 64)), name) for name in MODELS])
        start = time.perf_counter()
        ladders.wait([ladders.open(picture, name) for name in MODELS])
        took = time.perf_counter() - start
    print(f"ladder: 2 × 25 frames of {picture.width} × {picture.height}: {took:.1f} s")


@contextmanager
def app(cache: str) -> Iterator[str]:
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    with serve(command, "/_stcore/health", MAE_VIZ_CACHE=cache) as url:
        yield url


def settled(tab: Page) -> None:
    tab.locator(".mae-viewer[data-busy=false]").wait_for()


def choose(tab: Page, name: str) -> float:
    """Choose a photograph and wait until each pane tells the bytes of its first frame; returns when it was chosen."""
    tab.get_by_role("combobox", name="Photograph").click()
    option = tab.get_by_role("option", name=gallery()[name].title)
    option.wait_for()
    before = sizes(tab)
    start = time.perf_counter()
    option.click()
    while not all(told_anew(*pair) for pair in zip(before, sizes(tab), strict=True)):
        tab.wait_for_timeout(40)  # looking more often would slow what is measured
    return start


def sizes(tab: Page) -> list[str]:
    """What each pane says of its file's bytes."""
    return tab.locator(".pane").evaluate_all("panes => panes.map((pane) => pane.querySelectorAll('dd')[1].innerText)")


def told_anew(before: str, now: str) -> bool:
    return now != before and any(map(str.isdigit, now))


def prepare(folder: Path, pictures: list[Image.Image], names: tuple[str, ...]) -> None:
    ladders = ladder.Ladders(folder)
    ladders.wait([ladders.open(picture, name) for picture in pictures for name in names])


def in_app() -> None:
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        start = time.perf_counter()
        with app(folder) as url, visit(browser, f"{url}/?image=china", viewport=SIZE) as tab:
            tab.locator(".mae-viewer canvas:visible").first.wait_for()
            print(f"app: server start to a page that answers, nothing prepared: {time.perf_counter() - start:.1f} s")
            settled(tab)
            print(f"app: server start to the pictures of both models: {time.perf_counter() - start:.1f} s")
            took = []
            for name in list(gallery())[:6]:
                start = choose(tab, name)
                took.append(time.perf_counter() - start)
                settled(tab)
            print(
                f"app: photograph chosen to the first pictures of both models, nothing prepared: median "
                f"{np.median(took):.2f} s, worst of {len(took)} {max(took):.2f} s"
            )
        prepare(Path(folder), [open_rgb(gallery()[name].path) for name in ("china", "chelsea")], (*MODELS, "original"))
        start = time.perf_counter()
        with app(folder) as url, visit(browser, f"{url}/?image=china", viewport=SIZE) as tab:
            settled(tab)
            print(f"app: server start to a usable page, photograph prepared: {time.perf_counter() - start:.1f} s")
            start = choose(tab, "chelsea")
            settled(tab)
            told = tab.locator(".panes").inner_text()
            assert "rates ready" not in told, told
            print(f"app: prepared photograph chosen, all 25 rates there: {time.perf_counter() - start:.2f} s")


def resident(browser: Browser) -> float:
    """MB of the largest page process of the browser: its share of what is in memory."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    found = []
    for process in processes:
        if process["type"] == "renderer":
            text = Path(f"/proc/{process['id']}/smaps_rollup").read_text()
            found.append(int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]) / 1e3)
    return max(found)


def peak(browser: Browser, tab: Page, until, seconds: float) -> float:
    """The most that `resident` shows until a condition holds."""
    most, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        most = max(most, resident(browser))
        if until():
            break
        tab.wait_for_timeout(100)
    return max(most, resident(browser))


def memory() -> None:
    photograph = open_rgb(gallery()["china"].path)
    picture = photograph.resize((1094, 730), Image.Resampling.LANCZOS)
    codecs = (*MODELS, "jpeg", "webp")
    with tempfile.TemporaryDirectory() as folder, launched() as browser:
        prepare(Path(folder), [picture], (*codecs, "original"))
        upload = Path(folder) / "mine.png"  # a file: what Playwright is given as bytes would go through the page's heap
        picture.save(upload, compress_level=1)
        with app(folder) as url, visit(browser, f"{url}/?mode=side&panes={','.join(codecs)}", viewport=SIZE) as tab:
            settled(tab)
            before = resident(browser)
            tab.evaluate("performance.setResourceTimingBufferSize(5000); performance.clearResourceTimings()")
            tab.get_by_role("button", name="Your own").click()
            tab.locator("input[type=file]").set_input_files(upload)
            tab.get_by_text("mine.png").wait_for()
            most = peak(browser, tab, lambda: False, 25)
            held = tab.evaluate(_RECEIVED)
            print(
                f"memory: 4 panes of {picture.width} × {picture.height}: {resident(browser):.0f} MB held, at most "
                f"{most:.0f} MB, {before:.0f} MB before; received per ladder "
                f"{', '.join(f'{v / 1e6:.1f}' for v in held.values())} MB"
            )
        large = photograph.resize((4240, 2829), Image.Resampling.BICUBIC)
        upload = Path(folder) / "large.png"
        large.save(upload, compress_level=1)
        with (
            app(folder) as url,
            visit(browser, f"{url}/?mode=side&panes=original,mae,bottleneck-scaling&lambda=512", viewport=SIZE) as tab,
        ):
            settled(tab)
            tab.get_by_role("button", name="Your own").click()
            tab.locator("input[type=file]").set_input_files(upload)
            tab.get_by_role("button", name="Show the whole picture").wait_for()
            tab.get_by_role("button", name="Show the whole picture").click()
            start = time.perf_counter()
            done, waiting = tab.locator('.pane[data-at="192"]'), tab.locator(".pane[data-waiting]")
            most = peak(browser, tab, lambda: done.count() == 2 and not waiting.count(), 400)
            print(
                f"memory: the whole of {large.width} × {large.height} in three panes after "
                f"{time.perf_counter() - start:.0f} s: {resident(browser):.0f} MB held, at most {most:.0f} MB"
            )


SIZE = {"width": 1440, "height": 900}
MEASURES = {"drag": drag, "refine": drag_while_refining, "ladder": full_ladder, "app": in_app, "memory": memory}

if __name__ == "__main__":
    for measure in sys.argv[1:] or MEASURES:
        MEASURES[measure]()
