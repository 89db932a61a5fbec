"""The viewer: one piece of JavaScript without dependencies, and what its hosts share.

The sources are the ES modules in ``js/``; ``make bundle`` joins them into one, ``viewer.bundle.js``. Hosts: Streamlit
(`streamlit_host`), notebooks (`notebook`), and a file of its own (`html`).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image

from mae_viz import probe, rates
from mae_viz.ladders import ladder

PANES = (
    {"codec": "original", "layer": "picture"},
    {"codec": "mae", "layer": "picture"},
    {"codec": "bottleneck-scaling", "layer": "picture"},
)
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
    ladders: ladder.Ladders,
    picture: Image.Image,
    title: str,
    lmbda: float = 512.0,
    codecs: Sequence[str] | None = None,
    panes: Sequence[dict] = PANES,
    whole: Image.Image | None = None,
    part: tuple[int, int] = (0, 0),
    blind: bool = False,
) -> dict:
    """What the viewer shows, as small JSON: a picture, the codecs to choose from, λ to start at, the panes.

    ``codecs``: names from `ladder.sources()`, the original always among them; all by default. ``panes``: one to four
    dicts {"codec", "layer": "picture" | "difference" | "bits" | "y" | "ratio", and, where wanted, "channel", "follow":
    "shared" | "bytes" | "own", "own": a rate, "base": the rate index to divide by}. ``whole``: the large picture that
    ``picture`` is a part of, cut out at ``part`` (left, top); a switch in the viewer then shows all of it at the λ
    released. ``blind``: the panes are
    called A, B, …, without numbers and without choice. Nothing is computed here: a ladder starts when the viewer first
    asks for it.
    """
    index = rates.grid_index(lmbda)
    names = [ladder.ORIGINAL, *(name for name in codecs or ladder.sources() if name != ladder.ORIGINAL)]
    described = [{**ladder.source(name).describe(), "ladder": key} for name, key in _ladders(ladders, names, picture)]
    large = {}
    if whole is not None:
        keys = dict(_ladders(ladders, names, whole, whole=True))
        large |= {"whole": {"width": whole.width, "height": whole.height, "ladders": keys}, "part": part}
    return large | {
        "title": title,
        "width": picture.width,
        "height": picture.height,
        "rate": {
            "index": index,
            "steps": rates.STEPS_PER_OCTAVE,
            "last": rates.LAST_INDEX,
            "low": rates.LMBDA_MIN,
            "frame_step": ladder.FRAME_STEP,
            "trained": rates.LMBDAS,
        },
        "mask_share": probe.MASK_SHARE,
        "codecs": described,
        "panes": list(panes),
        "blind": blind,
    }


def _ladders(ladders: ladder.Ladders, names: Sequence[str], picture: Image.Image, whole: bool = False):
    """(name, ladder id) of each codec."""
    pixels = ladder.fingerprint(picture)
    for name in names:
        yield name, ladders.offer(picture, name, whole, pixels).id
