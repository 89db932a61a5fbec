"""The codec in a real browser: a static folder, a page, a worker; with shared memory and without."""

import base64
import gzip
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from chromium import serve, visit

from mae_viz import browser as package
from mae_viz.browser import export
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"

PAGE = """<!doctype html><link rel="icon" href="data:,"><script type="module">
import { RemoteCodec } from "./js/remote.js";
const here = new URL(".", location).href;
const worker = () => new Worker("./js/worker.js", { type: "module" });
window.open_codec = (settings, loading) => new RemoteCodec(
  worker(), { ort: `${here}ort/ort.wasm.min.mjs`, files: here, threads: 2, tile: 64, ...settings }, loading);
window.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
window.text = (bytes) => btoa(Array.from(new Uint8Array(bytes.buffer), (b) => String.fromCharCode(b)).join(""));
document.title = "ready";
</script>"""

SCRIPT = """async ({ settings, pixels, width, height, file, damaged, foreign }) => {
    const loads = [], heard = [];
    const codec = open_codec(settings, (load) => loads.push(load));
    const progress = (done) => heard.push(done);
    const source = () => ({ model: "mae", pixels: bytes(pixels), width, height, lmbda: 700 });
    await codec.prepare("mae");
    const there = loads.length;
    const encoded = await codec.encode(source(), { progress });
    const decoded = await codec.decode(bytes(file), { progress });
    const prepared = loads.length === there;
    const refused = (work) => work.then(() => "nothing", (error) => `${error.name}: ${error.message}`);
    const control = new AbortController();
    const cancelled = refused(codec.encode(source(), { signal: control.signal, progress: () => control.abort() }));
    const errors = [
        await cancelled,
        await refused(codec.decode(bytes(damaged))),
        await refused(codec.decode(bytes(foreign))),
        await refused(codec.encode({ ...source(), model: "mea" })),
        await refused(codec.encode({ ...source(), lmbda: 5000 })),
    ];
    await codec.close("mae");
    const again = await codec.decode(bytes(file));
    const pending = refused(codec.decode(bytes(file)));
    codec.terminate();
    return {
        isolated: crossOriginIsolated, prepared, heard, errors: [...errors, await pending],
        file: text(encoded.bytes), y: text(encoded.y), lmbda: encoded.lmbda, index: encoded.index,
        picture: text(decoded.pixels), same: text(again.pixels) === text(decoded.pixels),
        size: [decoded.width, decoded.height], model: decoded.model,
        loads: Object.fromEntries(loads.map(({ file, received, total }) => [file, [received, total]])),
    };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What a web space would hold."""
    home = tmp_path_factory.mktemp("space")
    (home / "index.html").write_text(PAGE, encoding="utf-8")
    shutil.copytree(Path(package.__file__).parent / "js", home / "js")
    (home / "ort").mkdir()
    for name in ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"):
        (home / "ort" / name).symlink_to(RUNTIME / name)
    for file, data in export.files(checkpoints.open_checkpoint("mae")):
        (home / file).write_bytes(data)
        (home / f"{file}.gz").write_bytes(gzip.compress(data, 1))
    (home / "runtime.gz").write_bytes(gzip.compress((home / "ort" / "ort-wasm-simd-threaded.wasm").read_bytes(), 1))
    return home


@pytest.mark.parametrize("isolated", [False, True], ids=["plain", "isolated and compressed"])
def test_pictures_and_files_go_through_a_worker(isolated, folder, browser, crop):
    checkpoint, rate = checkpoints.open_checkpoint("mae"), Rate.near(700)
    expected = coder.encode(crop, checkpoint, rate)
    parsed = bitstream.parse(expected.stream)
    damaged = expected.stream[:-1] + bytes([expected.stream[-1] ^ 1])
    foreign = bitstream.Stream(**{**vars(parsed), "fingerprint": b"12345678"}).pack()
    settings = {"models": [{"name": "mae", "fingerprint": checkpoint.fingerprint.hex()}]}
    given = {
        "width": crop.width,
        "height": crop.height,
        "pixels": base64.b64encode(crop.convert("RGBA").tobytes()).decode(),
        **{
            name: base64.b64encode(data).decode()
            for name, data in (("file", expected.stream), ("damaged", damaged), ("foreign", foreign))
        },
    }
    command = [sys.executable, str(Path(__file__).parent / "static.py"), "{port}", str(folder)]
    end = ".gz" if isolated else ""
    with serve([*command, *(["isolated"] if isolated else [])], "/") as url, visit(browser, url) as page:
        page.wait_for_function("document.title == 'ready'")
        settings |= {"suffix": end, "wasm": f"{url}/runtime.gz"} if isolated else {}
        found = page.evaluate(SCRIPT, given | {"settings": settings})
    assert found["isolated"] is isolated
    assert found["prepared"] is True
    y = np.frombuffer(base64.b64decode(found["y"]), np.float32).reshape(expected.y.shape)
    assert np.abs(y - expected.y).max() < 1e-3
    back, mine = (
        coder.decode_symbols(checkpoint, bitstream.parse(data))[0]
        for data in (base64.b64decode(found["file"]), expected.stream)
    )
    assert (back != mine).sum() <= 1  # at a tie
    assert (found["lmbda"], found["index"], found["model"]) == (pytest.approx(rate.lmbda), rate.index, "mae")
    assert found["size"] == list(crop.size)
    picture = np.frombuffer(base64.b64decode(found["picture"]), np.uint8).reshape(crop.height, crop.width, 4)
    assert np.abs(picture[..., :3] - np.asarray(coder.decompress(expected.stream)).astype(int)).max() <= 1
    assert found["same"] is True
    tiles = -(-crop.width // 64) * -(-crop.height // 64)
    assert found["heard"] == [(i + 1) / tiles for i in range(tiles)] * 2
    names = ["mae.g_a.onnx", "mae.g_s.onnx", "mae.safetensors"]
    sizes = {name: (folder / f"{name}{end}").stat().st_size for name in names}
    if isolated:
        sizes["runtime.gz"] = (folder / "runtime.gz").stat().st_size
    assert found["loads"] == {name: [size, size] for name, size in sizes.items()}
    cancelled, damage, other, unknown, outside, ended = found["errors"]
    assert cancelled.startswith("AbortError: ")
    assert damage == "StreamError: the file is damaged: its checksum does not match. Fetch it again."
    assert other.startswith("StreamError: the file was made with model 3132333435363738, which is not here")
    assert unknown == "RangeError: no model named mea: choose one of mae."
    assert outside.startswith("RangeError: λ = 5000 is outside the trained range")
    assert ended.startswith("AbortError: ")
