"""The codec as a static folder, for any web space: programs, models, and onnxruntime-web to run them.

| file | |
|---|---|
| `remote.js` | what a page imports: `const { codec } = await openCodec("codec/")` |
| `worker.js` | the codec, in a worker |
| `codec.json` | which models and runtimes there are, and where |
| `models/` | what `mae_viz.browser.export` makes of each model |
| `runtime/` | onnxruntime-web |

What is large is gzip, for the page to expand, since not every web space compresses what it sends. Nothing ends with
.mjs, a name that some of them send as no JavaScript.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from mae_viz.browser import export
from mae_viz.coding import checkpoints
from mae_viz.storage import write_whole

_HERE = Path(__file__).parent
_RUNTIMES = {
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm", ["wasm"]),
    "webgpu": (
        "ort.webgpu.min.mjs",
        "ort-wasm-simd-threaded.asyncify.mjs",
        "ort-wasm-simd-threaded.asyncify.wasm",
        ["webgpu", "wasm"],
    ),
}
"""Of each runtime its module, the one that starts its WebAssembly, that itself, and what runs graphs, best first."""

Progress = Callable[[float], None]
"""Hears the fraction done."""


def write(
    out: Path, names: Sequence[str], runtime: Path, webgpu: bool = True, progress: Progress | None = None
) -> dict:
    """Write the folder with these models; returns what `codec.json` says.

    ``names``: models that ship, or checkpoints' folders. ``runtime``: the folder `dist` of the npm package
    onnxruntime-web. ``webgpu``: whether a page may choose that too, for 7 MB more. ``progress`` hears the fraction of
    the models done. Raises CheckpointError for an unknown model, ValueError where onnxruntime-web is not there or onnx
    is not installed.
    """
    said: dict = {"runtimes": {}, "models": []}
    for name in _RUNTIMES if webgpu else ("wasm",):
        module, glue, wasm, providers = _RUNTIMES[name]
        said["runtimes"][name] = {
            "module": _put(out, f"runtime/{_script(module)}", _read(runtime / module)),
            "glue": _put(out, f"runtime/{_script(glue)}", _read(runtime / glue)),
            "wasm": _put(out, f"runtime/{wasm}.gz", _packed(_read(runtime / wasm))),
            "providers": providers,
        }
    for number, name in enumerate(names, 1):
        checkpoint = checkpoints.open_checkpoint(name)
        said["models"].append({**export.facts(checkpoint), **_model(out, checkpoint)})
        if progress:
            progress(number / len(names))
    _put(out, "remote.js", (_HERE / "js" / "remote.js").read_bytes())
    _put(out, "worker.js", (_HERE / "worker.bundle.js").read_bytes())
    _put(out, "codec.json", json.dumps(said, ensure_ascii=False, indent=1).encode())
    return said


def _model(out: Path, checkpoint: checkpoints.Checkpoint) -> dict:
    """Where a model's files are, by what is in them, and how many bytes they have in all."""
    found, size = {}, 0
    for part, file, data in export.files(checkpoint, takes_gains=True):
        packed = _packed(data)
        found[part] = _put(out, f"models/{file}.gz", packed)
        size += len(packed)
    return {"files": found, "bytes": size}


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def _script(name: str) -> str:
    return name.removesuffix(".mjs") + ".js"


def _put(out: Path, name: str, data: bytes) -> str:
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    write_whole(out / name, data)
    return name


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path} is not there: npm install onnxruntime-web, and name its folder dist.")
    return path.read_bytes()
