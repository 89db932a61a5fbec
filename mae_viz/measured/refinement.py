"""What refined latents change, measured on Kodak: whose fault a loss is, what wakes, where bits go, what is important.

    python -m mae_viz.measured.refinement [--images 8]     # measures, an hour of a core; goes on where it was stopped

Models are compared on some of the photographs, evenly spread; what an important part gains is measured on all.

One JSON beside this, `ROWS`: a row for each picture, model, λ and way to code it. Notebook 07 and the app's lesson read
it and say what the functions below compute from it: a mean over pictures with its 95 % interval each.
"""

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from mae_viz import metrics, probe
from mae_viz.codecs import registry
from mae_viz.codecs.interface import Codec
from mae_viz.codecs.search import compress_to
from mae_viz.coding.checkpoints import open_checkpoint
from mae_viz.images import open_rgb
from mae_viz.measured import intervals, kodak
from mae_viz.numbers import grouped
from mae_viz.rates import Rate
from mae_viz.storage import write_whole

if TYPE_CHECKING:
    import pandas as pd

ROWS = Path(__file__).with_name("refinement.json")
"""What was measured."""

STEPS = 80
"""Of every refinement."""

LMBDAS = (64.0, 512.0, 4096.0)
"""At which models are compared."""

MODELS = {"mae": "mae", "bottleneck-scaling": "bottleneck-scaling", "independent": "independent-{:g}"}
"""Models, and what the one for a λ is called."""

PAINTED_AT = 256.0
"""λ of the plain file that one with importance is compared with, at equal bytes."""

PLAIN, REFINED, SIMILAR = "one pass", "refined", "refined for MS-SSIM"
"""Ways to code a picture, as the rows name them."""

PAINTED = "refined, the middle important"
"""The way with importance."""

WAYS = {"mae": (PLAIN, REFINED, SIMILAR), "bottleneck-scaling": (PLAIN, REFINED), "independent": (PLAIN, REFINED)}
"""Of each model."""


def middle(width: int, height: int) -> np.ndarray:
    """An importance map (H, W): 1 in the middle fifth of the picture, else 0."""
    inner = np.zeros((height, width), np.float32)
    rows, columns = (round(side * 5**-0.5) for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    inner[top : top + rows, left : left + columns] = 1
    return inner


def compared(path: Path) -> list[dict]:
    """The rows of one picture by each model, λ and way."""
    picture = open_rgb(path)
    rows = []
    for model, lmbda in product(MODELS, LMBDAS):
        name, rate = MODELS[model].format(lmbda), Rate.near(lmbda)
        for way in WAYS[model]:
            found = _judged(picture, _codec(name, way).encode(picture, rate), name)
            rows.append({"image": path.stem, "model": model, "lmbda": lmbda, "coded": way, **found})
    return rows


def _codec(name: str, way: str) -> Codec:
    refined = {REFINED: "mse", SIMILAR: "ms-ssim"}
    plain = registry.codec(name)
    return plain.refined(STEPS, refined[way]) if way in refined else plain


def _judged(picture: Image.Image, stream: bytes, name: str) -> dict:
    checkpoint = open_checkpoint(name)
    decoded, cost = registry.codec(name).decode(stream), probe.cost(checkpoint, stream)
    a, b = np.asarray(picture), np.asarray(decoded)
    detail = probe.contrast(picture)
    quarter = np.searchsorted(np.quantile(detail, [0.25, 0.5, 0.75]), detail)
    bits = np.bincount(quarter.ravel(), cost.places.ravel(), 4)
    return {
        "bytes": len(stream),
        "bpp": round(metrics.bpp(len(stream), picture.height, picture.width), 6),
        "psnr_db": round(metrics.psnr_db(a, b), 4),
        "ms_ssim_db": round(metrics.ms_ssim_db(a, b) or 0, 4),
        "awake": int((probe.symbols(checkpoint, stream) != 0).any(axis=(1, 2)).sum()),
        "bits_by_detail": [round(share, 4) for share in (bits / bits.sum()).tolist()],
    }


def important(path: Path) -> list[dict]:
    """The rows of one picture's plain file, and of one no longer whose middle is important."""
    picture, rows = open_rgb(path), []
    rate, inner = Rate.near(PAINTED_AT), middle(*picture.size)
    plain = registry.codec("mae").encode(picture, rate)
    painted = registry.codec("mae").refined(STEPS, importance=inner)
    found = compress_to(picture, painted, bytes=len(plain))
    for way, stream in ((PLAIN, plain), (PAINTED, found.stream)):
        decoded = np.asarray(registry.codec("mae").decode(stream), np.float64)
        squares = ((decoded - np.asarray(picture, np.float64)) ** 2).mean(axis=2)
        inside, outside = (float(-10 * np.log10(squares[part].mean() / 255**2)) for part in (inner > 0, inner == 0))
        judged = {"inside_db": round(inside, 4), "outside_db": round(outside, 4), "bytes": len(stream)}
        rows.append({"image": path.stem, "model": "mae", "lmbda": PAINTED_AT, "coded": way, **judged})
    return rows


def rows() -> "pd.DataFrame":
    """What was measured, a row for each picture, model, λ and way to code it."""
    import pandas as pd

    return pd.DataFrame(json.loads(ROWS.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Mean:
    """A mean over pictures and its 95 % interval (bootstrap of the pictures)."""

    value: float
    low: float
    high: float
    pictures: int

    @property
    def sign(self) -> int:
        """1 or −1 where the interval lies on one side of 0, else 0."""
        return int(np.sign(self.value)) if self.low * self.high > 0 else 0

    def __format__(self, form: str) -> str:
        """ "+4.1 [+3.8, +4.4]", each number in this form."""
        value, low, high = (grouped(number, form) for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


def mean(values: "pd.Series") -> Mean:
    """Of one value for each picture."""
    numbers = values.to_numpy(np.float64)
    low, high = np.percentile(intervals.weights(len(numbers)) @ numbers, [2.5, 97.5])
    return Mean(float(numbers.mean()), float(low), float(high), len(numbers))


def _of(table: "pd.DataFrame", column: str, **named: object) -> "pd.Series":
    """A column by picture, of the rows in which the named columns have these values."""
    for name, value in named.items():
        table = table[table[name] == value]
    return table.dropna(subset=[column]).set_index("image")[column].sort_index()


def _costs(table: "pd.DataFrame") -> "pd.DataFrame":
    """With R + λ·MSE, which a model was trained for."""
    return table.assign(cost=table["bpp"] + table["lmbda"] * 10 ** (-table["psnr_db"] / 10))


def saved(table: "pd.DataFrame", model: str, lmbda: float) -> Mean:
    """What refinement changes of R + λ·MSE, in per cent of that of coding in one pass."""
    plain, refined = (_of(_costs(table), "cost", model=model, lmbda=lmbda, coded=way) for way in (PLAIN, REFINED))
    return mean(100 * (refined / plain - 1))


def _gaps(table: "pd.DataFrame", model: str, lmbda: float, coded: str) -> "pd.Series":
    """By how many per cent a model's R + λ·MSE lies above the MAE's, picture by picture, both coded in one way."""
    theirs, ours = (_of(_costs(table), "cost", model=name, lmbda=lmbda, coded=coded) for name in (model, "mae"))
    return 100 * (theirs / ours - 1)


def gap(table: "pd.DataFrame", model: str, lmbda: float, coded: str) -> Mean:
    """By how many per cent a model's R + λ·MSE lies above the MAE's, both coded in one way."""
    return mean(_gaps(table, model, lmbda, coded))


def closed(table: "pd.DataFrame", model: str, lmbda: float) -> Mean:
    """By how many percentage points that gap is smaller where both are refined: what the encoder's share of it is."""
    return mean(_gaps(table, model, lmbda, PLAIN) - _gaps(table, model, lmbda, REFINED))


def woken(table: "pd.DataFrame", model: str, lmbda: float) -> Mean:
    """How many channels more have a symbol that is not 0 where latents are refined."""
    plain, refined = (_of(table, "awake", model=model, lmbda=lmbda, coded=way) for way in (PLAIN, REFINED))
    return mean(refined - plain)


def moved(table: "pd.DataFrame", lmbda: float, quarter: int) -> Mean:
    """Percentage points of the MAE's bits that the places of a quarter by detail (0: least, 3: most) gain where the
    picture is refined for MS-SSIM, against refinement for MSE."""
    mse, similar = (
        _of(table, "bits_by_detail", model="mae", lmbda=lmbda, coded=way).map(lambda shares: shares[quarter])
        for way in (REFINED, SIMILAR)
    )
    return mean(100 * (similar - mse))


def painted(table: "pd.DataFrame", where: str) -> Mean:
    """dB that the ``inside`` or ``outside`` of an important middle gains against the plain file of as many bytes."""
    plain, ours = (_of(table, f"{where}_db", coded=way) for way in (PLAIN, PAINTED))
    return mean(ours - plain)


def main() -> None:
    """Measure what is missing, as the command above says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=8, help="of Kodak's 24, evenly spread")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    paths = kodak.images()
    some = [paths[number * len(paths) // arguments.images] for number in range(arguments.images)]
    done = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else []
    known = {(row["image"], row["coded"]) for row in done}
    tasks = [(compared, path) for path in some if (path.stem, REFINED) not in known]
    tasks += [(important, path) for path in paths if (path.stem, PAINTED) not in known]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.jobs, context, initializer=_one_thread) as pool:
        for future in as_completed([pool.submit(work, path) for work, path in tasks]):
            done = sorted(done + future.result(), key=lambda row: (row["image"], row["model"], row["lmbda"]))
            text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in done) + "\n]\n"
            write_whole(ROWS, text.encode("utf-8"))
            print(f"{len(done)} rows", flush=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
