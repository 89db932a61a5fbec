"""Everything measured, read back: result files → one tidy table, curves and BD-rates. No torch.

Result files lie beside the weights (``checkpoints/<name>/rd-<dataset>.json``), in ``shipped/`` beside this (classical
codecs, and published curves with their sources) and, for codecs of one's own, anywhere below the folder that
`MAE_VIZ_RESULTS` names. The last may also hold CompressAI's JSON, as its ``results/image/<dataset>/<codec>.json``: the
folder that such a file lies in names the data set.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from mae_viz import metrics
from mae_viz.architectures import FACTS
from mae_viz.coding import checkpoints

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "codec": "str",  # mae, independent-4096, jpeg, …
    "curve": "str",  # the same, but one name for all the models that make a curve together: independent
    "title": "str",
    "kind": "str",  # model, classical, published (by others, on a data set that codecs are compared on), paper
    "dataset": "str",
    "image": "str",  # an image's name, or "mean"
    "lmbda": "float64",
    "quality": "float64",
    "trained": "bool",  # False for a λ between those that a model was trained for
    "bpp": "float64",
    "estimated_bpp": "float64",
    "psnr_db": "float64",
    "ms_ssim_db": "float64",
    "encode_s": "float64",
    "decode_s": "float64",
    "provenance": "str",
}
"""Columns of `results()`; numbers that are not defined or infinite are nan."""

METRICS = {"psnr": "psnr_db", "ms-ssim": "ms_ssim_db"}


def files() -> list[Path]:
    """All result files: beside the weights, in the package, and below `MAE_VIZ_RESULTS`."""
    found = [
        path for name in checkpoints.available() for path in sorted((checkpoints.folder() / name).glob("rd-*.json"))
    ]
    found += sorted((Path(__file__).parent / "shipped").glob("*.json"))
    if own := os.environ.get("MAE_VIZ_RESULTS"):
        found += sorted(Path(own).rglob("*.json"))
    return found


def results() -> "pd.DataFrame":
    """Every result as one tidy table with `COLUMNS`: a row for each codec, data set, rate and image, and the means."""
    import pandas as pd

    return pd.concat([read(path) for path in files()], ignore_index=True)


def read(path: Path) -> "pd.DataFrame":
    """The rows of one result file, ours or CompressAI's. Raises ValueError where it is neither."""
    import pandas as pd

    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        rows = _our_rows(document) if "means" in document else _compressai_rows(document, Path(path))
        frame = pd.DataFrame(rows)
        return frame.reindex(columns=list(COLUMNS)).astype(COLUMNS)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no result file of mae_viz or CompressAI ({error}).") from None


def _our_rows(document: dict) -> list[dict]:
    settings = document["settings"]
    facts = FACTS.get(settings.get("architecture"))
    curve, title = document["codec"], document["name"]
    if facts is not None and facts.group:  # models that serve one λ each make one curve together
        curve, title = facts.group, facts.group_title
    shared = {key: document[key] for key in ("codec", "kind", "dataset")}
    shared |= {"curve": curve, "title": title, "provenance": _provenance(document)}
    trained = settings.get("lmbdas")
    return [
        {**shared, "trained": trained is None or row.get("lmbda") in trained, **row}
        for row in document["means"] + document["measurements"]
    ]


def _provenance(document: dict) -> str:
    if "source" in document["settings"]:
        return f"{document['settings']['source']}; {document['settings']['averaging']}"
    by = f"weights {document['fingerprint'][:16]}" if document["fingerprint"] else document["settings"]["library"]
    return f"measured by mae_viz {document['versions']['mae_viz']}, {by}"


def _compressai_rows(document: dict, path: Path) -> list[dict]:
    measured, name = document["results"], document.get("name", path.stem)
    psnr = measured.get("psnr-rgb", measured.get("psnr"))
    value = measured.get("ms-ssim-rgb", measured.get("ms-ssim", [None] * len(psnr)))
    shared = {
        "codec": path.stem,
        "curve": path.stem,
        "title": name,
        "kind": "published",
        "dataset": path.parent.name,
        "image": "mean",
        "trained": True,
        "provenance": f"{document.get('description', name)} ({path.name})",
    }
    return [
        {**shared, "bpp": bpp, "psnr_db": db, "ms_ssim_db": metrics.to_db(v)}
        for bpp, db, v in zip(measured["bpp"], psnr, value, strict=True)
    ]


Curve = tuple[str, list[float], list[float]]
"""Title, rates in bits per pixel, and dB."""


def curves(frame: "pd.DataFrame", dataset: str, metric: str = "psnr", trained_only: bool = True) -> dict[str, Curve]:
    """Curves on one data set by name, by rising rate.

    ``metric``: "psnr" or "ms-ssim". Points without that metric are left out, and curves without a point.
    """
    column = METRICS[metric]
    means = frame[(frame["image"] == "mean") & (frame["dataset"] == dataset) & frame[column].notna()]
    if trained_only:
        means = means[means["trained"]]
    return {
        name: (points["title"].iloc[0], points["bpp"].tolist(), points[column].tolist())
        for name, points in means.sort_values("bpp", kind="stable").groupby("curve", sort=False)
    }


def bd_table(
    anchor: str, dataset: str = "kodak", metric: str = "psnr", frame: "pd.DataFrame | None" = None
) -> "pd.DataFrame":
    """BD-rate of every curve on a data set against the one named, as a DataFrame.

    Columns: curve, title, points, lowest_bpp, bd_rate_percent (nan where there is none), from_db, to_db.
    Models enter with the λ that they were trained for; where others were measured too, a further row named
    "<curve>, every λ" holds them all. Raises ValueError for an unknown anchor.
    """
    import pandas as pd

    frame = results() if frame is None else frame
    measured = curves(frame, dataset, metric)
    for name, curve in curves(frame, dataset, metric, trained_only=False).items():
        if len(curve[1]) > len(measured.get(name, ("", []))[1]):
            measured[f"{name}, every λ"] = f"{curve[0]}, every λ", *curve[1:]
    if anchor not in measured:
        raise ValueError(
            f"there is no curve {anchor!r} on {dataset!r}: choose one of {', '.join(measured) or '(none)'}."
        )
    rows = []
    for name, (title, bpp, db) in measured.items():
        difference = metrics.bd_rate(*measured[anchor][1:], bpp, db)
        low, high = difference.overlap or (None, None)
        rows.append((name, title, len(bpp), min(bpp), difference.percent, low, high))
    columns = ["curve", "title", "points", "lowest_bpp", "bd_rate_percent", "from_db", "to_db"]
    return pd.DataFrame(rows, columns=columns).astype({"bd_rate_percent": "float64", "from_db": "float64"})


def bd_text(anchor: str, dataset: str = "kodak", metric: str = "psnr", frame: "pd.DataFrame | None" = None) -> str:
    """`bd_table` as text, with what the numbers mean below it."""
    table = bd_table(anchor, dataset, metric, frame)
    head = f"{'curve':<42} {'points':>6} {'lowest bpp':>10} {'BD-rate':>9}   overlap"
    lines = [f"BD-rate against {anchor} on {dataset}, {metric}", "", head]
    for row in table.itertuples():
        known = row.bd_rate_percent == row.bd_rate_percent
        percent = f"{row.bd_rate_percent:+.1f} %" if known else "n/a"
        overlap = f"{row.from_db:.2f} … {row.to_db:.2f} dB" if known else "none"
        lines.append(f"{row.curve:<42} {row.points:>6} {row.lowest_bpp:>10.4f} {percent:>9}   {overlap}")
    return "\n".join([*lines, "", f"{metrics.BDRate.method}."])
