"""How fast the viewer follows a hand: four panes of 768 × 512, λ swept from end to end for two seconds.

A real mouse drags the slider. Each time is taken from the slider's input event to the end of the animation frame that
draws it, after a pixel has been read back from every canvas. Printed: median, 95th percentile and worst, in
milliseconds, for pictures and for maps, and what the browser holds and has received.
Usage: python benchmarks/viewer.py [PICTURE]
"""

import math
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, visit

from mae_viz import ladder
from mae_viz.images import gallery, open_rgb
from mae_viz.viewer import html

PANES = {
    "pictures": [("original", "picture"), ("mae", "picture"), ("bottleneck-scaling", "picture"), ("mae", "difference")],
    "maps": [("mae", "ratio"), ("mae", "y"), ("mae", "bits"), ("bottleneck-scaling", "ratio")],
}

_LISTEN = """() => {
    const viewer = globalThis.maeViewer, canvases = viewer.panes.map((pane) => pane.canvas);
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

_HELD = """() => {
    const viewer = globalThis.maeViewer;
    const assets = [...viewer.frames.ladders.values()].flatMap((ladder) => [...ladder.assets.values()]);
    return { times, canvases: viewer.panes.map(({ canvas }) => `${canvas.width} × ${canvas.height}`),
             held: assets.reduce((sum, a) => sum + (a.byteLength ?? 4 * a.width * a.height), 0),
             received: viewer.frames.received };
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


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else gallery()["china"].path
    picture = open_rgb(path)
    picture = picture.resize((768, 512), Image.Resampling.LANCZOS) if picture.size != (768, 512) else picture
    for name, panes in PANES.items():
        chosen = [{"codec": codec, "layer": layer} for codec, layer in panes]
        page = html.page(ladder.Ladders(), picture, "sweep", codecs=viewer_codecs(panes), panes=chosen)
        with tempfile.TemporaryDirectory() as folder, launched() as browser:
            file = Path(folder) / "sweep.html"
            file.write_text(page, encoding="utf-8")
            with visit(browser, file.as_uri(), viewport={"width": 1620, "height": 1500}) as tab:
                tab.get_by_role("button", name="Zoom 100 %").click()
                tab.locator(".mae-viewer[data-busy=false]").wait_for()
                tab.wait_for_function("maeViewer.frames.busy.size == 0")
                tab.wait_for_timeout(500)
                tab.evaluate(_LISTEN)
                sweep(tab)
                found = tab.evaluate(_HELD)
        times = np.array(found["times"])
        print(
            f"{name}: {len(times)} frames drawn in 2 s, median {np.median(times):.1f} ms, "
            f"p95 {np.percentile(times, 95):.1f} ms, worst {times.max():.1f} ms; "
            f"canvases {', '.join(found['canvases'])}; "
            f"{found['held'] / 1e6:.0f} MB of frames held, {found['received'] / 1e6:.1f} MB received"
        )


def viewer_codecs(panes: list[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codec for codec, _ in panes))


if __name__ == "__main__":
    main()
