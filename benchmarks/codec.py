"""Seconds to compress and decompress, transform and coding apart, beside CompressAI, JPEG 2000 and AVIF; memory.

    python benchmarks/codec.py [--repeats 5] [--large]

The peer is the same network as CompressAI users would run it: transforms unfolded in float32, symbols through its own
EntropyBottleneck.compress() and decompress(), tables from the same weights. CompressAI's factorised and hyperprior
models have the same width and random weights (time does not depend on them much). A figure is the median of the
repeats, all taken in turn in one run. With --large the same once for a 24-megapixel picture, and the peak memory of
whole processes that code 0.4, 24 and 100 megapixels.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections import defaultdict

import torch
from PIL import Image

from mae_viz import rates
from mae_viz.codecs.classical import CLASSICAL
from mae_viz.codecs.interface import Quality
from mae_viz.coding import coder
from mae_viz.coding.bitstream import SymbolDecoder, SymbolEncoder, parse
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.rates import Rate

LMBDA = 512.0
SIZES = {"768×512": (768, 512), "24 MP": (6000, 4000)}
MEMORY = {"0.4 MP": (768, 512), "24 MP": (6000, 4000), "100 MP": (11600, 8640)}


def picture(size: tuple[int, int]) -> Image.Image:
    """A photograph at the size of a 768 × 512 one, repeated as often as it takes: detail as in a sharp picture."""
    tile = open_rgb(gallery()["china"].path).resize((768, 512), Image.Resampling.LANCZOS)
    out = Image.new("RGB", size)
    for top in range(0, size[1], 512):
        for left in range(0, size[0], 768):
            out.paste(tile, (left, top))
    return out


def peer_coder(prior, lmbda: float):
    """CompressAI's entropy bottleneck with the tables of one trained λ."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai.entropy_models import EntropyBottleneck

    peer = EntropyBottleneck(prior.channels, filters=(3, 3, 3))
    row = rates.LMBDAS.index(lmbda)
    keep = slice(row * prior.channels, (row + 1) * prior.channels)
    with torch.no_grad():
        for own, theirs in zip(peer.parameters(), prior.entropy_bottleneck.parameters(), strict=True):
            own.copy_(theirs[keep])
    peer.update(force=True, update_quantiles=True)
    return peer


def compressai_models() -> dict:
    """CompressAI's own models of the same width, their tables ready."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai.models import FactorizedPrior, ScaleHyperprior

    models = {"CompressAI factorised": FactorizedPrior(192, 192), "CompressAI hyperprior": ScaleHyperprior(192, 192)}
    for model in models.values():
        model.eval().update(force=True, **({"scale_table": None} if "scale" in type(model).__name__ else {}))
    return models


def measure(image: Image.Image, repeats: int, others: bool) -> dict[str, float]:
    """Median seconds of every step."""
    checkpoint = open_checkpoint("mae")
    model, prior = checkpoint.model, checkpoint.model.prior
    rate, peer = Rate.near(LMBDA), peer_coder(prior, LMBDA)
    theirs = compressai_models() if others else {}
    seconds: dict[str, list[float]] = defaultdict(list)

    def timed(name, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds[name].append(time.perf_counter() - start)
        return result

    def encode(groups):
        encoder = SymbolEncoder()
        encoder.add(groups, checkpoint.tables.at(rate.index))
        return encoder.sections()

    def decode(parsed, places):
        return SymbolDecoder(parsed.payload, parsed.escapes).take(checkpoint.tables.at(rate.index), places)

    for _ in range(repeats + 1):
        stream = timed("ours: compress", coder.compress, image, "mae", LMBDA)
        timed("ours: decompress", coder.decompress, stream)
        with torch.inference_mode():
            pixels, parsed = coder.to_pixels(image, 16), parse(stream)
            y = timed("ours: g_a", coder.encode_latents, checkpoint, pixels, rate)
            (symbols,) = coder.quantise(checkpoint, y, rate)
            timed("ours: encode symbols", encode, symbols.reshape(192, -1))
            timed("ours: decode symbols", decode, parsed, symbols[0].size)
            y_hat = coder.decode_y_hat(checkpoint, parsed)
            timed("ours: g_s", coder.decode_picture, checkpoint, y_hat, rate, image.height, image.width)
            if others:
                x = coder.to_tensor(image, 16)
                timed("peer: g_a", model.analysis, x, rate.tensor())
                strings = timed("peer: encode symbols", peer.compress, y)
                decoded = timed("peer: decode symbols", peer.decompress, strings, y.shape[2:])
                timed("peer: g_s", model.synthesis, decoded, rate.tensor())
                for name, other in theirs.items():
                    coded = timed(f"{name}: compress", other.compress, x)
                    timed(f"{name}: decompress", lambda o=other, c=coded: o.decompress(c["strings"], c["shape"]))
        for name, quality in (("jpeg2000", 0.6), ("avif", 40)):
            data = timed(f"{name}: compress", CLASSICAL[name].encode, image, Quality(quality))
            timed(f"{name}: decompress", CLASSICAL[name].decode, data)
    return {name: statistics.median(values[1:] or values) for name, values in seconds.items()}


def roofline() -> float:
    """Floating-point operations a second of a large matrix product, with the threads at hand."""
    a = torch.rand(2048, 2048)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best


def transform_operations(pixels: int, channels: int = 192) -> float:
    """Multiplications and additions of g_a (g_s has as many) for so many pixels."""
    n = channels
    per_place = {16: 3 * 81 * n + n * n, 64: 25 * n * n + n * n, 256: 25 * n * n + n * n}
    return 2 * sum(pixels / area * products for area, products in per_place.items())


def report(title: str, pixels: int, found: dict[str, float]) -> None:
    print(f"\n{title}; milliseconds")
    for name, value in found.items():
        print(f"  {name:36} {1000 * value:9.1f}")
    peak, operations = roofline(), transform_operations(pixels)
    print(
        f"  g_a alone is {operations / 1e9:.0f} GFLOP: {1000 * operations / peak:.0f} ms at the {peak / 1e9:.0f}",
        end="",
    )
    print(" GFLOP/s of this machine's matrix product")
    if "peer: g_a" in found:
        for way, transform, coding in (("compress", "g_a", "encode"), ("decompress", "g_s", "decode")):
            peer = found[f"peer: {transform}"] + found[f"peer: {coding} symbols"]
            ratio = found[f"peer: {coding} symbols"] / found[f"ours: {coding} symbols"]
            print(f"  {way}: coding {ratio:.1f} × the peer's speed, the whole {peer / found[f'ours: {way}']:.1f} ×")


def peak_memory(size: tuple[int, int]) -> None:
    """Code a picture of that size and print seconds and the peak of this whole process."""
    image = picture(size)
    warm = coder.decompress(coder.compress(picture((256, 256))))
    assert warm.size == (256, 256)
    start = time.perf_counter()
    stream = coder.compress(image)
    middle = time.perf_counter()
    coder.decompress(stream)
    end = time.perf_counter()
    megapixels = size[0] * size[1] / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"  {megapixels:5.1f} MP: compress {(middle - start) / megapixels:.3f} s/MP, "
        f"decompress {(end - middle) / megapixels:.3f} s/MP, peak {peak:.2f} GiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="24 megapixels and peak memory too: some minutes")
    parser.add_argument("--memory", choices=MEMORY, help="only this picture, in this process")
    options = parser.parse_args()
    if options.memory:
        return peak_memory(MEMORY[options.memory])
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for name in SIZES if options.large else ["768×512"]:
            small = name == "768×512"
            image = picture(SIZES[name])
            found = measure(image, options.repeats if small else 0, small)
            report(f"{name}, {threads} thread{'s'[: threads - 1]}, λ = {LMBDA:.0f}", image.width * image.height, found)
    print("\nwhole processes:")
    for name in MEMORY if options.large else ["0.4 MP"]:
        subprocess.run([sys.executable, __file__, "--memory", name], check=True)
    return None


if __name__ == "__main__":
    main()
