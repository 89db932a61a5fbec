"""Seconds to compress and decompress a 768×512 picture, transform and coding apart, beside CompressAI's coder.

    python benchmarks/codec.py [--threads 2] [--repeats 5]

The peer codes the same latents with CompressAI's own EntropyBottleneck.compress() and decompress(), built from the
same tables. Every figure is the median of the repeats, all taken in turn in one run.
"""

import argparse
import io
import statistics
import time
from collections import defaultdict

import torch
from PIL import Image

from mae_viz import bitstream, codec, rates
from mae_viz.checkpoints import open_checkpoint
from mae_viz.images import gallery, open_rgb
from mae_viz.layers import EntropyBottleneck


def peer_coder(prior, lmbda: float) -> EntropyBottleneck:
    """CompressAI's entropy bottleneck with the tables of one trained λ."""
    coder = EntropyBottleneck(prior.channels, filters=(3, 3, 3))
    row = rates.LMBDAS.index(lmbda)
    keep = slice(row * prior.channels, (row + 1) * prior.channels)
    with torch.no_grad():
        for own, theirs in zip(coder.parameters(), prior.entropy_bottleneck.parameters(), strict=True):
            own.copy_(theirs[keep])
    coder.update(force=True, update_quantiles=True)
    return coder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    picture = open_rgb(gallery()["china"].path).resize((768, 512), Image.Resampling.LANCZOS)
    checkpoint = open_checkpoint("mae")
    model, prior = checkpoint.model, checkpoint.model.prior
    seconds: dict[str, list[float]] = defaultdict(list)

    def timed(name, function, *arguments):
        start = time.perf_counter()
        result = function(*arguments)
        seconds[name].append(time.perf_counter() - start)
        return result

    print(f"768×512, {options.threads} threads, median of {options.repeats}; milliseconds")
    for lmbda in (64.0, 512.0, 4096.0):
        seconds.clear()
        coder = peer_coder(prior, lmbda)
        index, rate = rates.grid_index(lmbda), torch.tensor([lmbda])
        for _ in range(options.repeats + 1):
            stream = timed("compress, whole", codec.compress, picture, "mae", lmbda)
            timed("decompress, whole", codec.decompress, stream)
            with torch.inference_mode():
                x = codec.to_tensor(picture, model.stride)
                y = timed("g_a", codec.encode_latents, checkpoint, x, rate)
                symbols = torch.round(y - prior.medians(rate))[0].int().reshape(prior.channels, -1).numpy()
                models = checkpoint.tables.at(index)
                payload, escapes = timed("encode symbols", bitstream.encode_symbols, symbols, models)
                timed("decode symbols", bitstream.decode_symbols, payload, escapes, models, symbols.shape[1])
                strings = timed("CompressAI: encode", coder.compress, y)
                timed("CompressAI: decode", coder.decompress, strings, y.shape[2:])
                y_hat = codec.decode_y_hat(checkpoint, bitstream.parse(stream))
                timed("g_s", codec.decode_latents, checkpoint, y_hat, lmbda)
            timed("JPEG 2000: encode", picture.save, io.BytesIO(), "JPEG2000")
        median = {name: 1000 * statistics.median(values[1:]) for name, values in seconds.items()}  # the first warms up
        print(f"\nλ = {lmbda:.0f}: {len(stream)} bytes, CompressAI's coder {len(strings[0])} + header")
        for name, value in median.items():
            print(f"  {name:20} {value:8.1f}")
        print(
            f"  encoding {median['CompressAI: encode'] / median['encode symbols']:.1f} × CompressAI's speed,", end=" "
        )
        print(f"decoding {median['CompressAI: decode'] / median['decode symbols']:.1f} ×")


if __name__ == "__main__":
    main()
