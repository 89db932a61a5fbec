"""Draws the documentation's pictures of the app, from the app as it runs, all its files measured.

    python docs/pictures.py                  # all
    python docs/pictures.py drag gains       # some of them

``laboratory`` is docs/laboratory.webp, ``drag`` the README's moving picture docs/drag.webp: λ from end to end over
picture, map and ratio. All others are docs/pictures/<page>.webp, one for each page of the app. Chromium is found as the
tests find it; frames that have to be computed first stay in the cache (MAE_VIZ_CACHE).
"""

import io
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, painted, serve, settled, visit

from mae_viz.codecs.registry import ORIGINAL
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders import ladder
from mae_viz.ladders.frame import middle
from mae_viz.rates import LAST_INDEX
from mae_viz.viewer import arrangements

HERE = Path(__file__).parent
LOOK = {"device_scale_factor": 1, "color_scheme": "light"}
SIZE = {"width": 1440, "height": 900}

FIRST = next(iter(gallery()))
"""The photograph that the app opens with."""

DRAG_SIZE, DRAG_WIDTH = {"width": 1280, "height": 800}, 960
"""Of the window, and the width that the film is reduced to."""
DRAG_STEP = 16
"""Points of the grid of λ from one frame of the film to the next: a quarter octave, as in the viewer's ladders."""
DRAG_MS, END_MS = 130, 900
"""How long each frame of the film stands, and those at both ends."""

PAGES = {
    "feature-maps": ("feature-maps?image=chelsea&lambda=4096&base=64", 1080),
    "bits": ("bits?image=astronaut&lambda=4096&base=64", 1100),
    "gains": ("gains?image=chelsea&lambda=512", 960),
    "curves": ("curves", 1000),
    "file": ("file?image=coffee&lambda=256", 900),
    "how": ("how?image=coffee&lambda=64", 900),
}
"""Address and height of the window for the picture of each page."""


def measured(name: str) -> None:
    """Have the frames of a photograph at every λ, of the codecs that the laboratory opens with."""
    ladders, picture = ladder.Ladders(), middle(open_rgb(gallery()[name].path))
    ladders.wait([ladders.open(picture, codec) for codec in (ORIGINAL.name, *arrangements.PAIR)])


def rested(page: Page) -> None:
    """Wait until the laboratory shows what it is to show."""
    page.locator(".mae-viewer[data-busy=false]").wait_for()
    painted(page)


def shot(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def draw_laboratory(browser: Browser, url: str) -> None:
    """The laboratory as it opens."""
    measured(FIRST)
    with visit(browser, url, viewport=SIZE, **LOOK) as page:
        page.locator(".balance").get_by_text("MS-SSIM: ").wait_for()  # all files are measured
        page.locator(".map figcaption").nth(2).get_by_text("one value").wait_for()
        rested(page)
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        shot(page).save(HERE / "laboratory.webp", quality=86, method=6)


def draw_drag(browser: Browser, url: str) -> None:
    """λ dragged from the highest to the lowest and back."""
    measured(FIRST)
    address = f"{url}/?lambda=4096&panels=curve,maps"
    with visit(browser, address, viewport=DRAG_SIZE, **LOOK) as page:
        page.locator(".balance").get_by_text("MS-SSIM: ").wait_for()
        slider, frames = page.locator("input.rate"), []
        for index in range(LAST_INDEX, -1, -DRAG_STEP):
            slider.fill(str(index))
            rested(page)
            frame = shot(page)
            frames.append(
                frame.resize((DRAG_WIDTH, DRAG_WIDTH * frame.height // frame.width), Image.Resampling.LANCZOS)
            )
    film = [*frames, *frames[-2:0:-1]]
    ends = [END_MS if frame in (frames[0], frames[-1]) else DRAG_MS for frame in film]
    film[0].save(HERE / "drag.webp", save_all=True, append_images=film[1:], duration=ends, loop=0, quality=55, method=6)


def draw_page(name: str, browser: Browser, url: str) -> None:
    """A page of the app as an address opens it."""
    address, height = PAGES[name]
    with visit(browser, f"{url}/{address}", viewport={"width": 1280, "height": height}, **LOOK) as page:
        settled(page)
        painted(page)
        shot(page).save(HERE / "pictures" / f"{name}.webp", quality=80, method=6)


DRAWINGS: dict[str, Callable[[Browser, str], None]] = {
    "laboratory": draw_laboratory,
    "drag": draw_drag,
    **{name: (lambda browser, url, name=name: draw_page(name, browser, url)) for name in PAGES},
}


def draw(*wanted: str) -> None:
    """The drawings named, all of them without a name. Raises KeyError for a name that there is none of."""
    command = [sys.executable, "-m", "mae_viz", "app", "--server.port", "{port}", "--server.headless", "true"]
    with serve(command, "/_stcore/health") as url, launched() as browser:
        for name in wanted or DRAWINGS:
            DRAWINGS[name](browser, url)
            print(name, flush=True)


if __name__ == "__main__":
    draw(*sys.argv[1:])
