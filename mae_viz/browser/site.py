"""The live codec as a folder of static files: models, viewer and laboratory that run in the visitor's own browser.

`write` makes it. Any web space will do, every path in it is relative: `python -m http.server`, GitHub Pages. After a
first visit it works offline. What is in it:

| file | what |
|---|---|
| index.html, site.css, site.js | the page, the viewer in it |
| worker.js | the codec: js/ of this package, joined |
| ort.*.mjs, ort.*.wasm.gz | onnxruntime-web, for WebAssembly and for WebGPU |
| models/ | what `mae_viz.browser.export` makes of each model |
| photographs/ | the bundled ones, lossless |
| service_worker.js, site.webmanifest, icon.png | for use offline, as an installed app, and in several threads |
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from mae_viz import viewer
from mae_viz.browser import export
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.coding import checkpoints
from mae_viz.images import gallery, open_rgb
from mae_viz.ladders.frame import Source, lossless
from mae_viz.ladders.ladder import Ladders
from mae_viz.rates import Rate
from mae_viz.storage import write_whole
from mae_viz.viewer import arrangements

MODELS = ("mae", "bottleneck-scaling", "mae-hyperprior")
"""The models of a site, in the order in which it keeps them for use offline."""

ENCODERS = {"jpeg": "image/jpeg", "webp": "image/webp"}
"""Codecs that browsers bring themselves, by the name that this project compares them under."""

START = Rate.near(128)
"""λ at first: low enough to see what the two models lose."""

_HERE = Path(__file__).parent
_RUNTIME = {
    "wasm": ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": ("ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
}
_SHELL = ("./", "index.html", "site.css", "site.js", "worker.js", "site.webmanifest", "icon.png")


def runtime_folder() -> Path:
    """Where npm has put onnxruntime-web: below the folder that this package lies in."""
    return _HERE.parents[1] / "node_modules" / "onnxruntime-web" / "dist"


def write(
    out: Path,
    models: Sequence[str] = MODELS,
    runtime: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> int:
    """Make a site in a folder, which is created where it is not there; returns its bytes.

    ``models``: of those that serve many λ; ``runtime``: the folder ``dist`` of the npm package onnxruntime-web. Raises
    ValueError where that is not there or onnx is not installed, CheckpointError for an unknown model.
    """
    runtime = runtime or runtime_folder()
    missing = [name for pair in _RUNTIME.values() for name in pair if not (runtime / name).is_file()]
    if missing:
        raise ValueError(
            f"{runtime} has no {missing[0]}: install the npm package onnxruntime-web there (make site does), or name "
            "its folder dist in --runtime."
        )
    sizes: dict[str, int] = {}
    digest = hashlib.sha256()
    total = len(models) + 4

    def put(name: str, data: bytes) -> None:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        write_whole(out / name, data)
        digest.update(name.encode() + hashlib.sha256(data).digest())
        sizes[name] = len(data)
        if progress:
            progress(min(1.0, len(done) / total))

    done: list[str] = []
    described = []
    for name in models:
        checkpoint = checkpoints.open_checkpoint(name)
        for file, data in export.files(checkpoint, takes_gains=True):
            put(f"models/{file}", data)
        described.append({"name": name, "fingerprint": checkpoint.fingerprint.hex()})
        done.append(name)
    runtimes = {}
    for kind, (module, wasm) in _RUNTIME.items():
        put(module, (runtime / module).read_bytes())
        put(packed := f"{wasm}.gz", gzip.compress((runtime / wasm).read_bytes(), mtime=0))
        runtimes[kind] = {"module": module, "wasm": packed}
        done.append(kind)
    photographs = [_photograph(put, name) for name in gallery()]
    for name, source in (("site.js", "site.bundle.js"), ("worker.js", "worker.bundle.js")):
        put(name, (_HERE / source).read_bytes())
    put("site.css", (viewer.style() + (_HERE / "site.css").read_text(encoding="utf-8")).encode())
    put("icon.png", (_HERE.parent / "app" / "server" / "icon.png").read_bytes())
    put("site.webmanifest", json.dumps(_MANIFEST, indent=2).encode())
    site = {
        "models": described,
        "runtimes": runtimes,
        "photographs": photographs,
        "modes": arrangements.MODES,
        "manifest": _manifest(models),
    }
    page = (_HERE / "index.html").read_text(encoding="utf-8")
    put("index.html", page.replace("{{site}}", json.dumps(site).replace("<", "\\u003c")).encode())
    facts = {"VERSION": digest.hexdigest()[:16], "SHELL": _SHELL, "ALL": ["./", *sizes]}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in facts.items())
    put("service_worker.js", (head + (_HERE / "js" / "service_worker.js").read_text(encoding="utf-8")).encode())
    if progress:
        progress(1.0)
    return sum(sizes.values())


def _photograph(put: Callable[[str, bytes], None], name: str) -> dict[str, Any]:
    known = gallery()[name]
    data, suffix = lossless(open_rgb(known.path))
    facts = {key: getattr(known, key) for key in ("name", "title", "look_for", "credit", "counterexample")}
    put(file := f"photographs/{name}{suffix}", data)
    return facts | {"file": file}


def _manifest(models: Sequence[str]) -> dict[str, Any]:
    """What the viewer shows, but for a picture: `mae_viz.viewer.manifest` of these models and of what browsers code
    themselves."""
    names = (ORIGINAL.name, *models, *ENCODERS)
    made = viewer.manifest(
        Ladders(),
        Image.new("RGB", (64, 64)),
        "",
        START,
        codecs=names,
        panes=[{"codec": name, "layer": "picture"} for name in models[:2]],
        laboratory=arrangements.laboratory(codecs=names),
    )
    for codec in made["codecs"]:
        source = Source.of(codec["id"])
        codec |= {"grid": [rate.at for rate in source.grid], "refinable": False}
        del codec["ladder"]
        if encoder := ENCODERS.get(codec["id"]):
            codec |= {
                "encoder": {"type": encoder},
                "title": f"{codec['title']} of this browser",
                "about": "coded by the browser that shows this page, with its own settings",
            }
    return made


_MANIFEST = {
    "name": "mae_viz: a neural codec in your browser",
    "short_name": "mae_viz",
    "start_url": "./",
    "scope": "./",
    "display": "standalone",
    "background_color": "#15181c",
    "theme_color": "#0b6e99",
    "icons": [{"src": "icon.png", "sizes": "any", "type": "image/png"}],
}
