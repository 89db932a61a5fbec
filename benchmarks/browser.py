"""How long the codec takes in a browser, and how much memory: one photograph of 768 × 512, in headless Chromium.

    python benchmarks/browser.py [--models mae,mae-hyperprior] [--size 768x512] [--threads 2]

For each model, in a page without shared memory (one thread) and in one with it: seconds from a photograph to its first
reconstruction through a real file, everything loaded on the way from a server on this machine; the same at a further λ,
the median of five; and the most memory that the page's process had. onnxruntime-web runs in WebAssembly.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from PIL import Image

from mae_viz.browser import space
from mae_viz.images import gallery, open_rgb

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from chromium import launched, serve, visit

ROOT = Path(__file__).parent.parent
RUNTIME = ROOT / "node_modules" / "onnxruntime-web" / "dist"

PAGE = """<!doctype html><link rel="icon" href="data:,"><script type="module">
import { openCodec } from "./codec/remote.js";
window.measure = async ({ model, picture, threads }) => {
  const image = await createImageBitmap(await (await fetch(picture)).blob());
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const start = performance.now();
  const { codec } = await openCodec("codec/", { threads });
  const found = [];
  for (const lmbda of [512, 300, 1000, 64, 4096, 700]) {
    const before = found.length ? performance.now() : start;
    const { bytes } = await codec.encode({ model, pixels, width, height, lmbda });
    const between = performance.now();
    await codec.decode(bytes);
    found.push([between - before, performance.now() - between]);
  }
  return found;
};
document.title = "ready";
</script>"""


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="mae,bottleneck-scaling,mae-hyperprior")
    parser.add_argument("--size", default="768x512")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    names = options.models.split(",")
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        (folder / "index.html").write_text(PAGE, encoding="utf-8")
        space.write(folder / "codec", names, RUNTIME)
        photograph = open_rgb(gallery()["coffee"].path)
        photograph.resize((width, height), Image.Resampling.LANCZOS).save(folder / "photograph.png")
        print(f"{'model':20} {'threads':>7} {'first':>7} {'further':>8} {'encode':>7} {'decode':>7} {'peak':>8}")
        for model in names:
            for how, threads in (([], 1), (["isolated"], options.threads)):
                command = [sys.executable, str(ROOT / "tests" / "static.py"), "{port}", home, *how]
                with serve(command, "/") as url, launched() as instance, visit(instance, url) as page:
                    page.wait_for_function("document.title == 'ready'")
                    given = {"model": model, "picture": "photograph.png", "threads": threads}
                    (first, *further) = page.evaluate("given => measure(given)", given)
                    encode, decode, both = (
                        statistics.median(map(part, further)) / 1000 for part in (lambda t: t[0], lambda t: t[1], sum)
                    )
                    seconds = f"{sum(first) / 1000:5.2f} s {both:6.2f} s {encode:5.2f} s {decode:5.2f} s"
                    print(f"{model:20} {threads:7} {seconds} {peak_mb():5.0f} MB", flush=True)


if __name__ == "__main__":
    main()
