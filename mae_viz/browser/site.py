"""The live codec as a folder of static files: models, viewer and laboratory that run in the visitor's own browser.

`write` makes it. Any web space will do, every path in it is relative: `python -m http.server`, GitHub Pages. After a
first visit it works offline. What is in it:

| file | what |
|---|---|
| index.html, site.css, site.js, viewer.bundle.js | the page, and the viewer in it |
| codec/ | models and programs, as `mae_viz.browser.space` has them |
| photographs/ | the bundled ones, lossless |
| licences.txt | of what is in it |
| service_worker.js, site.webmanifest, icon-….png | for use offline, as an installed app, and in several threads |
"""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from mae_viz import viewer
from mae_viz.browser import space
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders.frame import Source, lossless
from mae_viz.ladders.ladder import Ladders
from mae_viz.rates import Rate
from mae_viz.storage import write_whole
from mae_viz.viewer import arrangements

MODELS = ("mae", "bottleneck-scaling", "mae-hyperprior")
"""The models of a site: the first two are on the stage at first."""

ENCODERS = {"jpeg": "image/jpeg", "webp": "image/webp"}
"""Codecs that browsers bring themselves, by the name that this project compares them under."""

START = Rate.near(128)
"""λ at first: low enough to see what the two models lose."""

_HERE = Path(__file__).parent
_WORKER = "service_worker.js"
_ICONS = {f"icon-{side}.png": side for side in (192, 512)}
_PAGE = ("index.html", "site.css", "site.js", "viewer.bundle.js", "site.webmanifest", *_ICONS)
_SHELL = ("./", *_PAGE, "codec/worker.js", "codec/codec.json")


def runtime_folder() -> Path:
    """Where npm has put onnxruntime-web: below the folder that this package lies in."""
    return _HERE.parents[1] / "node_modules" / "onnxruntime-web" / "dist"


def write(out: Path, runtime: Path | None = None, progress: Callable[[float], None] | None = None) -> int:
    """Make a site in a folder, which is created where it is not there; returns its bytes.

    ``runtime``: the folder ``dist`` of the npm package onnxruntime-web. ``progress`` hears the fraction of the models
    done. Raises ValueError where that is not there or onnx is not installed, CheckpointError where weights are missing.
    """
    space.write(out / "codec", MODELS, runtime or runtime_folder(), progress=progress)
    (out / "codec" / "remote.js").unlink()  # the page has it in itself
    files = {
        "site.js": (_HERE / "site.bundle.js").read_bytes(),
        "viewer.bundle.js": viewer.script().encode(),
        "site.css": (viewer.style() + (_HERE / "site.css").read_text(encoding="utf-8")).encode(),
        "site.webmanifest": json.dumps(_APP, indent=2).encode(),
        "licences.txt": (_HERE / "licences.txt").read_bytes(),
    } | {name: _icon(side) for name, side in _ICONS.items()}
    photographs = [_photograph(name, files) for name in gallery()]
    site = {"photographs": photographs, "modes": arrangements.MODES, "manifest": _manifest()}
    page = (_HERE / "index.html").read_text(encoding="utf-8")
    files["index.html"] = page.replace("{{site}}", json.dumps(site).replace("<", "\\u003c")).encode()
    for name, data in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(out / name, data)
    held = sorted(path for path in out.rglob("*") if path.is_file() and path.name != _WORKER)
    digest = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in held)).hexdigest()
    everything = ["./", *(path.relative_to(out).as_posix() for path in held)]
    facts = {"VERSION": digest[:16], "SHELL": _SHELL, "ALL": everything}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in facts.items())
    write_whole(out / _WORKER, (head + (_HERE / "js" / _WORKER).read_text(encoding="utf-8")).encode())
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def _photograph(name: str, files: dict[str, bytes]) -> dict[str, str]:
    """What the page says of a photograph; its file joins ``files``."""
    known = gallery()[name]
    data, suffix = lossless(open_rgb(known.path))
    files[file := f"photographs/{name}{suffix}"] = data
    facts = {key: getattr(known, key) for key in ("name", "title", "look_for", "credit", "counterexample")}
    return facts | {"file": file}


def _icon(side: int) -> bytes:
    """The app's icon, so many pixels a side: four bars that grow."""
    picture = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, side - 1, side - 1), side // 6, "#0b6e99")
    for number in range(4):
        left, top = side * (12 + 11 * number) / 64, side * (43 - 10 * number) / 64
        draw.rounded_rectangle((left, top, left + side * 7 / 64, side * 52 / 64), side // 40, "white")
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return data.getvalue()


def _manifest() -> dict[str, Any]:
    """What the viewer shows, but for a picture: `mae_viz.viewer.manifest` of the models and of what browsers code
    themselves."""
    names = (ORIGINAL.name, *MODELS, *ENCODERS)
    made = viewer.manifest(
        Ladders(),
        Image.new("RGB", (64, 64)),
        "",
        START,
        codecs=names,
        panes=[{"codec": name, "layer": "picture"} for name in MODELS[:2]],
        laboratory=arrangements.laboratory(codecs=names),
    )
    for codec in made["codecs"]:
        codec |= {"grid": [rate.at for rate in Source.of(codec["id"]).grid], "refinable": False}
        del codec["ladder"]
        if encoder := ENCODERS.get(codec["id"]):
            codec |= {
                "encoder": {"type": encoder},
                "title": f"{codec['title']} of this browser",
                "about": "coded by the browser that shows this page, with its own settings",
            }
    return made


_APP = {
    "name": "mae_viz: a neural codec in your browser",
    "short_name": "mae_viz",
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "background_color": "#15181c",
    "theme_color": "#0b6e99",
    "icons": [{"src": name, "sizes": f"{side}x{side}", "type": "image/png"} for name, side in _ICONS.items()],
}
