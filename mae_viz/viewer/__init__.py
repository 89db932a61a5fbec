"""The viewer: one piece of JavaScript without dependencies, and what its hosts share.

The sources are the ES modules in ``js/``; ``make bundle`` joins them into one, ``viewer.bundle.js``. Hosts: Streamlit
(`streamlit_host`), notebooks (`notebook`), and a file of its own (`html`).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mae_viz import further, probe, rates
from mae_viz.codecs.interface import FRAME_STEP
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.ladders.frame import describe, fingerprint, sources
from mae_viz.ladders.ladder import Ladder, Ladders
from mae_viz.rates import Rate

PANES = (
    {"codec": "original", "layer": "picture"},
    {"codec": "mae", "layer": "picture"},
    {"codec": "bottleneck-scaling", "layer": "picture"},
)
"""What is on show where nothing else is asked for."""

START = Rate.near(512)
"""The rate to begin at."""

_HERE = Path(__file__).parent


@lru_cache
def script() -> str:
    """The viewer as one ES module: exports ``mount(root, manifest, host)``, and by default what anywidget runs."""
    return (_HERE / "viewer.bundle.js").read_text(encoding="utf-8")


@lru_cache
def style() -> str:
    """The viewer's style sheet; everything in it is below ``.mae-viewer``."""
    return (_HERE / "viewer.css").read_text(encoding="utf-8")


def manifest(
    ladders: Ladders,
    picture: Image.Image,
    title: str,
    rate: Rate = START,
    codecs: Sequence[str] | None = None,
    panes: Sequence[dict] = PANES,
    whole: Image.Image | None = None,
    part: tuple[int, int] = (0, 0),
    blind: bool = False,
    laboratory: dict | None = None,
) -> dict:
    """What the viewer shows, as small JSON: a picture, the codecs to choose from, the rate to start at, the panes.

    ``codecs``: names from `frame.sources()`, the original always among them; all by default. ``panes``: one to four
    dicts {"codec", "layer": "picture" | "difference" | "bits" | "y" | "ratio", and, where wanted, "channel", "follow":
    "shared" | "bytes" | "own", "own": a rate, "base": the rate index to divide by}. ``whole``: the large picture that
    ``picture`` is a part of, cut out at ``part`` (left, top); a switch in the viewer then shows all of it at the λ
    released. ``blind``: the panes are
    called A, B, …, without numbers and without choice. ``laboratory``: what stands around the stage, as
    `arrangements.laboratory` makes it; without it there are the panes and their curve alone. Nothing is computed here:
    a ladder starts when the viewer first asks for it.
    """
    names = list(dict.fromkeys([ORIGINAL.name, *(codecs or sources())]))
    described = [{**describe(made.source), "ladder": made.id} for made in _offered(ladders, names, picture)]
    large: dict[str, object] = {}
    if whole is not None:
        keys = {made.source.codec.name: made.id for made in _offered(ladders, names, whole, whole=True)}
        large |= {"whole": {"width": whole.width, "height": whole.height, "ladders": keys}, "part": part}
    around = {"laboratory": laboratory} if laboratory else {}
    return (
        large
        | around
        | {
            "title": title,
            "width": picture.width,
            "height": picture.height,
            "rate": {
                "index": rate.index,
                "steps": rates.STEPS_PER_OCTAVE,
                "last": rates.LAST_INDEX,
                "low": rates.LMBDA_MIN,
                "frame_step": FRAME_STEP,
                "trained": rates.LMBDAS,
            },
            "mask_share": probe.MASK_SHARE,
            "further": [
                {"name": name, "title": further.FURTHER[name].title, "definition": further.FURTHER[name].definition}
                for name in further.chosen()
            ],
            "codecs": described,
            "panes": list(panes),
            "blind": blind,
        }
    )


def _offered(ladders: Ladders, names: Sequence[str], picture: Image.Image, whole: bool = False) -> list[Ladder]:
    """The ladder of each codec."""
    pixels = fingerprint(picture)
    return [ladders.offer(picture, name, whole, pixels) for name in names]
