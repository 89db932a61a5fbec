"""The codec and its page in a browser: one photograph of 768 × 512, in headless Chromium, WebAssembly.

    python benchmarks/browser.py [stages|page|large …], all by default

stages  for each model seconds of g_a, of coding (both ways, real files) and of g_s at λ = 512, the median of three: in
        a page without shared memory (one thread), in one with it (two), and in Python on as many threads; beside them
        what the multiplications of plain convolutions would take at the speed of a product of 1024 × 1024 matrices
        there (the page needs fewer: mae_viz/browser/winograd.py).
page    the static page, seconds: opened to the first pictures of both models, a photograph chosen to its first picture
        and to both, a further λ released to both, and with MAE + hyperprior alone; then milliseconds of a drag over
        ladders that are ready, and the most memory that the page's process had.
large   12 megapixels in the page: seconds to the whole picture by the MAE, and memory.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from PIL import Image
from playwright.sync_api import Page
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, serve, visit

from mae_viz.browser import site, space
from mae_viz.coding import bitstream, checkpoints, coder
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

ROOT = Path(__file__).parent.parent
SIZE = (768, 512)
THREADS = 2
SIDE = 1024  # of the matrices

STAGES = """<!doctype html><link rel="icon" href="data:,"><script type="module">
import * as ort from "./ort/ort.wasm.min.mjs";
import { parse } from "./js/bitstream.js";
import { Codec } from "./js/codec.js";
window.measure = async ({ model, picture, threads, side }) => {
  ort.env.wasm.numThreads = threads;
  const bytes = async (file) => new Uint8Array(await (await fetch(file)).arrayBuffer());
  const image = await createImageBitmap(await (await fetch(picture)).blob());
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const load = (part) => bytes(`models/${model}.${part === "tables" ? "safetensors" : `${part}.onnx`}`);
  const codec = await Codec.open({ ort, load });
  const found = [];
  const timed = async (work) => {
    const start = performance.now();
    const made = await work();
    return [made, performance.now() - start];
  };
  for (let i = 0; i < 4; i++) {
    const index = codec.model.near(512);
    const [y, analysis] = await timed(() => codec.analyse({ pixels, width, height }, codec.rate(index)));
    const [file, writing] = await timed(async () =>
      codec.model.write(await codec.quantise(y, width, height, index), index, width, height));
    const [symbols, reading] = await timed(async () => codec.model.read(parse(file)));
    const [, synthesis] = await timed(() => codec.synthesise(symbols, width, height, index));
    if (i) found.push([analysis, writing + reading, synthesis]);
  }
  const session = await ort.InferenceSession.create(await bytes("product.onnx"));
  const matrix = new ort.Tensor("float32", new Float32Array(side * side).fill(0.5), [side, side]);
  const products = [];
  for (let i = 0; i < 4; i++) products.push((await timed(() => session.run({ a: matrix, b: matrix })))[1]);
  return { found, product: Math.min(...products) };
};
document.title = "ready";
</script>"""

BOTH = "globalThis.maeViewer?.panes.every((pane) => pane.frame?.bytes && !pane.waiting && pane.shown?.bitmap)"
FIRST = "globalThis.maeViewer?.panes.some((pane) => pane.frame?.bytes && !pane.waiting && pane.shown?.bitmap)"


def photograph() -> Image.Image:
    return open_rgb(gallery()["coffee"].path).resize(SIZE, Image.Resampling.LANCZOS)


@contextmanager
def served(folder: Path, isolated: bool = True) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "tests" / "static.py"), "{port}", str(folder)]
    with serve([*command, *(["isolated"] if isolated else [])], "/") as url:
        yield url


def stages() -> None:
    opened = [checkpoints.open_checkpoint(name) for name in site.MODELS]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "index.html").write_text(STAGES, encoding="utf-8")
        shutil.copytree(Path(space.__file__).parent / "js", folder / "js")
        (folder / "ort").symlink_to(site.runtime_folder())
        (folder / "models").mkdir()
        for checkpoint in opened:
            for _, name, data in space.export.files(checkpoint, takes_gains=True):
                (folder / "models" / name).write_bytes(data)
        (folder / "product.onnx").write_bytes(product())
        photograph().save(folder / "photograph.png")
        print(
            f"{'model':20}{'where':>14}{'threads':>8}{'g_a':>8}{'coding':>8}{'g_s':>8}{'sum':>8}{'limit':>8}   seconds"
        )
        for checkpoint in opened:
            work = operations(checkpoint)
            for threads in (1, THREADS):
                with served(folder, threads > 1) as url, launched() as instance, visit(instance, url) as page:
                    page.wait_for_function("document.title == 'ready'")
                    given = {"model": checkpoint.name, "picture": "photograph.png", "threads": threads, "side": SIDE}
                    told = page.evaluate("given => measure(given)", given)
                row(
                    checkpoint.name,
                    "WebAssembly",
                    threads,
                    np.median(told["found"], 0) / 1e3,
                    work,
                    told["product"] / 1e3,
                )
                row(checkpoint.name, "Python", threads, *in_python(checkpoint, threads, work))


def row(name: str, where: str, threads: int, seconds: np.ndarray, work: float, product_s: float) -> None:
    limit = work / (2 * SIDE**3) * product_s
    told = "".join(f"{value:8.2f}" for value in (*seconds, seconds.sum(), limit))
    print(f"{name:20}{where:>14}{threads:8}{told}", flush=True)


def operations(checkpoint: checkpoints.Checkpoint) -> float:
    """Floating-point operations of g_a and g_s."""
    model, lmbda = checkpoint.model, Rate.near(512).tensor()
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        y = model.analysis(torch.zeros(1, 3, *SIZE[::-1]), lmbda)
        model.synthesis(y, lmbda)
    return counter.get_total_flops()


def in_python(checkpoint: checkpoints.Checkpoint, threads: int, work: float) -> tuple[np.ndarray, float, float]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    picture, rate, found = photograph(), Rate.near(512), []
    for _ in range(4):
        times = [time.perf_counter()]
        with torch.inference_mode():
            y = coder.encode_latents(checkpoint, coder.to_tensor(picture, checkpoint.model.stride), rate)
            times.append(time.perf_counter())
            stream = coder.write(checkpoint, coder.quantise(checkpoint, y, rate), rate, picture.size)
            y_hat = coder.decode_y_hat(checkpoint, bitstream.parse(stream))
            times.append(time.perf_counter())
            coder.decode_picture(checkpoint, y_hat, rate, picture.height, picture.width)
        times.append(time.perf_counter())
        found.append(np.diff(times))
    matrix = torch.full((SIDE, SIDE), 0.5)
    products = []
    for _ in range(4):
        start = time.perf_counter()
        matrix @ matrix
        products.append(time.perf_counter() - start)
    torch.set_num_threads(before)
    return np.median(found[1:], 0), work, min(products)


def product() -> bytes:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [SIDE, SIDE]) for name in "abc"]
    graph = helper.make_graph([helper.make_node("MatMul", ["a", "b"], ["c"])], "product", ports[:2], ports[2:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (child, *descendants(child))]


def peak_mb() -> float:
    """The most memory that any page's process of the running browser has had."""
    most = 0.0
    for pid in descendants(os.getpid()):
        if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
            status = Path(f"/proc/{pid}/status").read_text()
            (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
            most = max(most, int(line.split()[1]) / 1000)
    return most


def bring(tab: Page, path: Path) -> float:
    start = time.perf_counter()
    tab.locator("header input[type=file]").first.set_input_files(path)
    tab.get_by_text("it stays on this device").wait_for()
    return start


def release(tab: Page, index: int) -> float:
    start = time.perf_counter()
    tab.evaluate("(index) => { maeViewer.drag(index); maeViewer.release(); }", index)
    tab.wait_for_function(f"maeViewer.panes.every((pane) => pane.frame?.at === {index}) && {BOTH}")
    return time.perf_counter() - start


def page() -> None:
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        site.write(folder / "site")
        photograph().save(own := folder / "mine.png")
        with served(folder / "site", isolated=False) as url, launched() as browser:
            start = time.perf_counter()
            with visit(browser, f"{url}/#image=china&lambda=128", viewport={"width": 1440, "height": 900}) as tab:
                tab.wait_for_function(BOTH)
                print(f"page: opened to the first pictures of both models: {time.perf_counter() - start:.1f} s")
                tab.locator("html[data-kept]").wait_for()
                start = bring(tab, own)
                tab.wait_for_function(FIRST)
                first = time.perf_counter() - start
                tab.wait_for_function(BOTH)
                both = time.perf_counter() - start
                print(f"page: photograph of 768 × 512 chosen to its first picture {first:.1f} s, to both {both:.1f} s")
                further = [release(tab, index) for index in (37, 301, 171)]
                print(f"page: a further λ released to both pictures: {statistics.median(further):.1f} s")
                tab.evaluate("maeViewer.setPanes([{ codec: 'mae-hyperprior', layer: 'picture' }]); maeViewer.changed()")
                tab.wait_for_function(BOTH)
                further = [release(tab, index) for index in (75, 245, 130)]
                print(f"page: a further λ with MAE + hyperprior: {statistics.median(further):.1f} s")
                tab.evaluate("maeViewer.laboratory.arrange(maeViewer.laboratory.known[0])")
                ready = (
                    "maeViewer.panes.every((pane) => pane.ladder.info?.complete) && maeViewer.frames.busy.size === 0"
                )
                tab.wait_for_function(ready, timeout=600_000)
                tab.wait_for_timeout(500)
                tab.evaluate(_LISTEN)
                sweep(tab)
                times = np.array(tab.evaluate("times"))
                middle, late = np.percentile(times, [50, 95])
                print(
                    f"page: drag over ready ladders, {len(times)} frames drawn in 2 s: median {middle:.1f} ms, p95 "
                    f"{late:.1f} ms; memory at most {peak_mb():.0f} MB"
                )


def large() -> None:
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        site.write(folder / "site")
        photograph().resize((4000, 3000), Image.Resampling.BICUBIC).save(own := folder / "mine.png", compress_level=1)
        with served(folder / "site") as url, launched() as browser, visit(browser, f"{url}/#panes=mae") as tab:
            tab.wait_for_function(BOTH)
            bring(tab, own)
            tab.wait_for_function(BOTH)
            start = time.perf_counter()
            tab.get_by_role("button", name="Show the whole picture").click()
            tab.wait_for_function(f"maeViewer.whole && {BOTH}", timeout=600_000)
            took = time.perf_counter() - start
            print(f"large: 12 megapixels shown whole after {took:.0f} s; memory at most {peak_mb():.0f} MB")


if __name__ == "__main__":
    from viewer import _LISTEN, sweep

    for name in sys.argv[1:] or ("stages", "page", "large"):
        {"stages": stages, "page": page, "large": large}[name]()
