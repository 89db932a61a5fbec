"""Draws docs/laboratory.webp, the README's picture of the app: the laboratory as it opens, all its files measured.

Usage: python docs/laboratory.py (Chromium as the tests find it)
"""

import io
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, serve, visit

from mae_viz.codecs.registry import ORIGINAL
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.viewer import arrangements

HERE = Path(__file__).parent
SIZE = {"width": 1440, "height": 900}


def draw() -> None:
    first = next(iter(gallery().values()))
    ladders, picture = ladder.Ladders(), open_rgb(first.path)
    ladders.wait([ladders.open(picture, name) for name in (ORIGINAL.name, *arrangements.PAIR)])
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    with (
        serve(command, "/_stcore/health") as url,
        launched() as browser,
        visit(browser, url, viewport=SIZE, device_scale_factor=1, color_scheme="light") as page,
    ):
        page.locator(".mae-viewer[data-busy=false]").wait_for()
        page.locator(".balance").get_by_text("MS-SSIM: ").wait_for()  # all files are measured
        page.locator(".map figcaption").nth(2).get_by_text("one value").wait_for()
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        png = page.screenshot()
    Image.open(io.BytesIO(png)).convert("RGB").save(HERE / "laboratory.webp", quality=86, method=6)


if __name__ == "__main__":
    draw()
