"""The result file: measured rows → one JSON that CompressAI's plotting reads too, and back.

At its top a result file has CompressAI's shape (``name``, ``description``, ``results``: lists over the rates, which
``python -m compressai.utils.plot`` overlays with CompressAI's own). Further keys say more: ``means`` and
``measurements`` (rows for each rate, and for each rate and image; null where a value is infinite or not defined),
``definitions``, ``settings``, ``versions``, ``machine``, ``images``, ``fingerprint``, and ``metrics`` where others than
PSNR and MS-SSIM were measured: what computed each of them.
"""

import json
from pathlib import Path

import numpy as np

from mae_viz import metrics
from mae_viz.further import FURTHER
from mae_viz.storage import write_whole

Rows = dict[tuple[str, float], dict]
"""Measurements by (image, λ or quality)."""

DEFINITIONS = {
    "lmbda": "weight of the MSE of images in [0, 1] against bits per pixel; for 0-255 images divide by 65025",
    "bpp": "8 × bytes of the whole file, header and container included, over the pixels of the original image",
    "estimated_bpp": "entropy estimate: −log2 of the model's probabilities of the rounded latents, summed, over the "
    "pixels; no file header, no rounding of the entropy tables to integers",
    "psnr_db": "10 log10(255² / MSE) on 8-bit RGB, for each image",
    "ms_ssim_db": "−10 log10(1 − MS-SSIM) on 8-bit RGB, for each image; null under 161 px a side",
    "means": "at each rate the mean over all images of their bpp and of their dB",
    "db_of_mean_ms_ssim": "−10 log10(1 − v) of the mean v over images of the MS-SSIM value, as most curves are "
    "published: below ms_ssim_db of the means, the mean of the images' dB",
    "results": "as CompressAI plots it: lists over the rates; ms-ssim-rgb is the mean over images of the MS-SSIM value",
    "seconds": "encode_s from pixels in memory to bytes, decode_s back, wall clock, one thread",
}
"""What each number in a result file is; every file holds them too."""

SAME = ("codec", "dataset", "fingerprint", "settings", "versions", "machine", "images", "metrics")
"""What a file must agree in with the run that continues it."""


def load(out: Path, facts: dict, rate_key: str) -> Rows:
    """What a file holds already; nothing where there is none. Raises ValueError where it was measured otherwise."""
    if not out.is_file():
        return {}
    try:
        document = json.loads(out.read_text(encoding="utf-8"))
        rows = {(row["image"], row[rate_key]): row for row in document["measurements"]}
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{out} is no result file of this codec: name another one, or start it anew.") from None
    for key in SAME:
        if document.get(key) != json.loads(json.dumps(facts.get(key))):
            raise ValueError(f"{out} was measured with other {key}: name another file, or start it anew (--restart).")
    return rows


def save(out: Path, facts: dict, rows: Rows, rate_key: str) -> dict:
    """Write all rows with the means of the rates at which every image is measured. Returns what the file holds."""
    images = [image["image"] for image in facts["images"]]
    points = sorted({point for _, point in rows})
    complete = [p for p in points if all((image, p) in rows for image in images)]
    means = [_mean([rows[image, p] for image in images], rate_key) for p in complete]
    measurements = [rows[image, p] for p in points for image in images if (image, p) in rows]
    head = {key: facts[key] for key in ("name", "description")}
    document = head | {"results": _as_compressai(means, measurements, rate_key)} | facts
    document |= {"means": means, "measurements": measurements}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, to_text(document).encode())
    return document


def _mean(rows: list[dict], rate_key: str) -> dict:
    """The mean over images at one rate; null where one of the values is."""
    mean = {"image": "mean", rate_key: rows[0][rate_key]}
    further = [key for key in rows[0] if key in FURTHER]
    for key in ("bpp", "estimated_bpp", "psnr_db", "ms_ssim_db", *further, "encode_s", "decode_s"):
        values = [row[key] for row in rows]
        mean[key] = None if None in values else round(float(np.mean(values)), 6)
    return mean | {"db_of_mean_ms_ssim": db_of_mean_ms_ssim(rows)}


def db_of_mean_ms_ssim(rows: list[dict]) -> float | None:
    """The dB of the mean MS-SSIM over the rows of all images at one rate; None where one of them has none."""
    decibels = [row["ms_ssim_db"] for row in rows]
    return None if None in decibels else round(metrics.db_of_mean_ms_ssim(decibels), 6)


def _as_compressai(means: list[dict], measurements: list[dict], rate_key: str) -> dict[str, list[float]]:
    """Lists over the rates under CompressAI's names; a metric that is not defined everywhere is left out."""
    names = {"bpp": "bpp", "psnr_db": "psnr-rgb", "encode_s": "encoding_time", "decode_s": "decoding_time"}
    results = {theirs: [mean[ours] for mean in means] for ours, theirs in names.items()}
    decibels = [[row["ms_ssim_db"] for row in measurements if row[rate_key] == mean[rate_key]] for mean in means]
    if not any(None in values for values in decibels):
        results["ms-ssim-rgb"] = [round(metrics.mean_ms_ssim(values), 8) for values in decibels]
    return {key: values for key, values in results.items() if None not in values}


def to_text(document: dict) -> str:
    """JSON with one row of a table per line, so that a change of one number is a change of one line."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False, allow_nan=False)}" for row in value)
            text = f"[\n{rows}\n ]"
        elif isinstance(value, dict) and value:
            rows = ",\n".join(
                f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False, allow_nan=False)}" for k, v in value.items()
            )
            text = f"{{\n{rows}\n }}"
        else:
            text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def means_text(document: dict) -> str:
    """The means of a result file as a table."""
    columns = {"lmbda": 8, "quality": 8, "bpp": 8, "estimated_bpp": 14, "psnr_db": 8, "ms_ssim_db": 11}
    columns |= {"db_of_mean_ms_ssim": 18, **dict.fromkeys(FURTHER, 11), "decode_s": 9}
    shown = {key: width for key, width in columns.items() if document["means"] and key in document["means"][0]}
    lines = [" ".join(f"{key:>{width}}" for key, width in shown.items())]
    for mean in document["means"]:
        cells = ("n/a" if mean[key] is None else f"{mean[key]:.4f}" for key in shown)
        lines.append(" ".join(f"{cell:>{width}}" for cell, width in zip(cells, shown.values(), strict=True)))
    return "\n".join(lines)
