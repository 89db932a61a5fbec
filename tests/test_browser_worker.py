"""The codec in a real browser: a static folder, a page, a worker; with shared memory and without."""

import base64
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from chromium import serve, visit

from mae_viz.browser import space
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"
MODELS = ["mae", "bottleneck-scaling", "mae-hyperprior"]

PAGE = """<!doctype html><link rel="icon" href="data:,"><script type="module">
import { openCodec } from "./codec/remote.js";
window.openCodec = openCodec;
window.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
window.text = (bytes) => btoa(Array.from(new Uint8Array(bytes.buffer), (b) => String.fromCharCode(b)).join(""));
document.title = "ready";
</script>"""

SCRIPT = """async ({ pixels, width, height, file, damaged, foreign }) => {
    const loads = [], heard = [];
    const { codec, models } = await openCodec("codec/", { threads: 2, tile: 64, loading: (load) => loads.push(load) });
    const progress = (done) => heard.push(done);
    const source = () => ({ model: "mae", pixels: bytes(pixels), width, height, lmbda: 700 });
    await codec.prepare("mae");
    const there = loads.length;
    const encoded = await codec.encode(source(), { progress });
    const decoded = await codec.decode(bytes(file), { progress });
    const prepared = loads.length === there;
    const refused = (work) => work.then(() => "nothing", (error) => `${error.name}: ${error.message}`);
    const control = new AbortController();
    const long = { ...source(), pixels: new Uint8Array(4 * 1024 ** 2), width: 1024, height: 1024 }; // 256 tiles
    const cancelled = refused(codec.encode(long, { signal: control.signal, progress: () => control.abort() }));
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
        models, isolated: crossOriginIsolated, prepared, heard, errors: [...errors, await pending],
        file: text(encoded.bytes), y: text(encoded.y), lmbda: encoded.lmbda, index: encoded.index,
        picture: text(decoded.pixels), same: text(again.pixels) === text(decoded.pixels),
        size: [decoded.width, decoded.height], model: decoded.model,
        loads: Object.fromEntries(loads.map(({ file, received, total }) => [file, [received, total]])),
    };
}"""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, dict]:
    """A folder as a web space would hold it, with all models that come in one file for every λ, and its list."""
    home = tmp_path_factory.mktemp("space")
    (home / "index.html").write_text(PAGE, encoding="utf-8")
    return home, space.write(home / "codec", MODELS, RUNTIME)


def test_the_folder_is_small_enough_for_any_web_space_and_a_phone(written):
    home, said = written
    codec = home / "codec"
    assert json.loads((codec / "codec.json").read_text(encoding="utf-8")) == json.loads(json.dumps(said))
    sizes = {path.relative_to(codec).as_posix(): path.stat().st_size for path in codec.rglob("*") if path.is_file()}
    assert sum(sizes.values()) < 60e6
    (first, *others) = said["models"]
    assert [model["name"] for model in (first, *others)] == MODELS
    until_a_picture = [*said["runtimes"]["wasm"].values(), *first["files"].values(), "worker.js", "remote.js"]
    assert sum(sizes[name] for name in until_a_picture if isinstance(name, str)) < 25e6
    for model in said["models"]:
        assert sum(sizes[name] for name in model["files"].values()) == model["bytes"]
        assert model["files"].keys() == {"tables", *model["parts"]}
    assert not [name for name in sizes if name.endswith((".mjs", ".wasm", ".onnx"))]
    with pytest.raises(ValueError, match="npm install onnxruntime-web"):
        space.write(home / "other", ["mae"], home)


@pytest.mark.parametrize("isolated", [False, True], ids=["plain", "isolated"])
def test_pictures_and_files_go_through_a_worker(isolated, written, browser, crop):
    folder, said = written
    checkpoint, rate = checkpoints.open_checkpoint("mae"), Rate.near(700)
    expected = coder.encode(crop, checkpoint, rate)
    parsed = bitstream.parse(expected.stream)
    damaged = expected.stream[:-1] + bytes([expected.stream[-1] ^ 1])
    foreign = bitstream.Stream(**{**vars(parsed), "fingerprint": b"12345678"}).pack()
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
    with serve([*command, *(["isolated"] if isolated else [])], "/") as url, visit(browser, url) as page:
        page.wait_for_function("document.title == 'ready'")
        found = page.evaluate(SCRIPT, given)
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
    assert found["models"] == json.loads(json.dumps(said["models"]))
    loaded = [said["runtimes"]["wasm"]["wasm"], *said["models"][0]["files"].values()]
    sizes = {name: (folder / "codec" / name).stat().st_size for name in loaded}
    assert found["loads"] == {name: [size, size] for name, size in sizes.items()}
    cancelled, damage, other, unknown, outside, ended = found["errors"]
    assert cancelled.startswith("AbortError: ")
    assert damage == "StreamError: the file is damaged: its checksum does not match. Fetch it again."
    assert other.startswith("StreamError: the file was made with model 3132333435363738, which is not here")
    assert unknown == "RangeError: no model named mea: choose one of mae, bottleneck-scaling, mae-hyperprior."
    assert outside.startswith("RangeError: λ = 5000 is outside the trained range")
    assert ended.startswith("AbortError: ")


def test_a_page_with_the_runtime_for_gpus_reads_files_with_a_hyperprior(written, browser, crop):
    """That runtime knows no float64, which their whole numbers are in: another computes these."""
    folder, _ = written
    small = crop.crop((0, 0, 80, 64))
    stream = coder.encode(small, checkpoints.open_checkpoint("mae-hyperprior"), Rate.near(700)).stream
    command = [sys.executable, str(Path(__file__).parent / "static.py"), "{port}", str(folder)]
    with serve(command, "/") as url, visit(browser, url) as page:
        page.wait_for_function("document.title == 'ready'")
        script = """async (file) => {
            const { codec } = await openCodec("codec/", { runtime: "webgpu" });
            return text((await codec.decode(bytes(file))).pixels);
        }"""
        found = page.evaluate(script, base64.b64encode(stream).decode())
    picture = np.frombuffer(base64.b64decode(found), np.uint8).reshape(small.height, small.width, 4)
    assert np.abs(picture[..., :3] - np.asarray(coder.decompress(stream)).astype(int)).max() <= 1
