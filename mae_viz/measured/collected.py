"""Everything measured, read back: result files → one tidy table, curves and BD-rates. No torch.

Result files lie beside the weights (``checkpoints/<name>/rd-<dataset>.json``), in ``shipped/`` beside this (classical
codecs, and published curves with their sources) and, for codecs of one's own, anywhere below the folder that
`MAE_VIZ_RESULTS` names. The last may also hold CompressAI's JSON, as its ``results/image/<dataset>/<codec>.json``: the
folder that such a file lies in names the data set. What else lies there is left out, and said. Two files make one curve
only where they say so, as models for one λ each; where names meet, one's own curve adds its file's to its name.
"""

import json
import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mae_viz import metrics, numbers
from mae_viz.architectures import FACTS
from mae_viz.coding import checkpoints
from mae_viz.further import FURTHER
from mae_viz.measured import intervals, records

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "codec": "str",  # mae, independent-4096, jpeg, …
    "curve": "str",  # the same, but one name for all the models that make a curve together: independent
    "title": "str",
    "architecture": "str",  # of a model, a name of `mae_viz.architectures.FACTS`; else ""
    "kind": "str",  # model, classical, published (by others, on a data set that codecs are compared on), paper
    "dataset": "str",
    "image": "str",  # an image's name, or "mean"
    "lmbda": "float64",
    "quality": "float64",
    "trained": "bool",  # False for a λ between those that a model was trained for
    "bpp": "float64",
    "estimated_bpp": "float64",
    "psnr_db": "float64",
    "ms_ssim_db": "float64",  # in the row "mean": the mean over images of their dB
    "db_of_mean_ms_ssim": "float64",  # in the row "mean" alone: the dB of the mean over images
    "ms_ssim_db_as_drawn": "float64",  # read off a figure whose authors do not say which of the two it is
    "bpp_uncertainty": "float64",  # limits of the reading error, ±
    "psnr_db_uncertainty": "float64",
    "encode_s": "float64",
    "decode_s": "float64",
    "provenance": "str",
}
"""Columns of `results()`; numbers that are not defined or infinite are nan. Metrics of `FURTHER` that some file holds
have a column each behind these."""


@dataclass(frozen=True)
class Metric:
    """How well a data set's pictures come back, and how the images' values become one."""

    column: str
    title: str
    averaging: str
    unit: str = "dB"
    of_image: str = ""
    """The images' column, where it is not the mean's."""


METRICS = {
    "psnr": Metric("psnr_db", "PSNR", "mean of the images' dB"),
    "ms-ssim": Metric("db_of_mean_ms_ssim", "MS-SSIM", "dB of the images' mean", of_image="ms_ssim_db"),
    "ms-ssim-mean-of-db": Metric("ms_ssim_db", "MS-SSIM", "mean of the images' dB"),
}
"""By the names that commands take. Published curves hold the first kind of MS-SSIM; only equal kinds are compared."""

_UNSAID = "the paper does not say how it averaged"
AS_DRAWN = {
    "psnr": Metric("psnr_db", "PSNR", _UNSAID),
    "ms-ssim": Metric("ms_ssim_db_as_drawn", "MS-SSIM", _UNSAID),
}
"""The paper's own: its MS-SSIM is there to look at, and no BD-rate is taken on it."""


def metric_named(name: str) -> Metric:
    """One of `METRICS`, or of `FURTHER`. Raises ValueError for any other."""
    if name in FURTHER:
        return Metric(name, FURTHER[name].title, "mean over images", unit="")
    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}: choose one of {', '.join((*METRICS, *FURTHER))}.")
    return METRICS[name]


_log = logging.getLogger(__name__)


def files() -> list[Path]:
    """All result files: beside the weights, in the package, and below `MAE_VIZ_RESULTS`."""
    return _that_come_along() + _own()


def _that_come_along() -> list[Path]:
    found = [path for name in checkpoints.known() for path in sorted((checkpoints.folder() / name).glob("rd-*.json"))]
    return found + sorted((Path(__file__).parent / "shipped").glob("*.json"))


def _own() -> list[Path]:
    folder = os.environ.get("MAE_VIZ_RESULTS")
    return sorted(Path(folder).rglob("*.json")) if folder else []


def results() -> "pd.DataFrame":
    """Every result as one tidy table with `COLUMNS`: a row for each codec, data set, rate and image, and the means.

    Its ``attrs["left_out"]`` has a sentence for each file below `MAE_VIZ_RESULTS` that is no result; it is logged too.
    """
    import pandas as pd

    frames = [read(path) for path in _that_come_along()]
    owners = {key: Path() for frame in frames for key in _keys(frame)}
    folder = os.environ.get("MAE_VIZ_RESULTS", "")
    left_out = [] if Path(folder).is_dir() else [f"MAE_VIZ_RESULTS names {folder}, where there is no folder."]
    for said in left_out:
        _log.warning(said)
    for path in _own():
        try:
            frame = read(path)
            _check(frame, path)
        except ValueError as error:
            left_out.append(f"{error} It is left out.")
            _log.warning(left_out[-1])
            continue
        frames.append(_apart(frame, path, owners))
    table = pd.concat(frames, ignore_index=True)
    table.attrs["left_out"] = left_out
    return table


def _keys(frame: "pd.DataFrame") -> set[tuple[str, str]]:
    return set(zip(frame["curve"], frame["dataset"], strict=True))


def _apart(frame: "pd.DataFrame", path: Path, owners: dict[tuple[str, str], Path]) -> "pd.DataFrame":
    """A file's rows, with a name of their own where another file has theirs; ``owners`` says which, and learns these.

    Models of one λ each, in one folder, say that they make a curve together.
    """
    grouped = (frame["curve"] != frame["codec"]).any()
    owner = path.parent if grouped else path
    if all(owners.setdefault(key, owner) == owner for key in _keys(frame)):
        return frame
    root = Path(os.environ["MAE_VIZ_RESULTS"])
    label = owner.relative_to(root).with_suffix("").as_posix() if owner != root else root.name
    named = frame[["codec", "curve", "title"]] + f" ({label})"
    return frame.assign(**{column: named[column] for column in named})


def read(path: Path) -> "pd.DataFrame":
    """The rows of one result file, ours or CompressAI's, in any of Unicode's encodings. Raises ValueError where it is
    neither."""
    import pandas as pd

    try:
        document = json.loads(Path(path).read_bytes())
        rows = _our_rows(document) if "means" in document else _compressai_rows(document, Path(path))
        frame = pd.DataFrame(rows)
        columns = COLUMNS | {name: "float64" for name in FURTHER if name in frame}
        return frame.reindex(columns=list(columns)).astype(columns).replace([math.inf, -math.inf], math.nan)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise ValueError(f"{path} is no result file of mae_viz or CompressAI ({_reason(error)}).") from None


def _reason(error: Exception) -> str:
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error).rstrip(".")


def _check(frame: "pd.DataFrame", path: Path) -> None:
    """Raises ValueError for points that no curve goes through."""
    means = frame[frame["image"] == "mean"]
    wrong = "it has no points" if means.empty else ""
    if not (frame["bpp"] > 0).all():
        wrong = "a rate is not above 0"
    for metric in METRICS.values():
        if means.loc[means[metric.column].notna(), ["curve", metric.column]].duplicated().any():
            wrong = f"two rates have one {metric.title}"
    if wrong:
        raise ValueError(f"{path} is no result file that makes a curve ({wrong}).")


def _our_rows(document: dict) -> list[dict]:
    settings = document["settings"]
    facts = FACTS.get(settings.get("architecture"))
    curve, title = document["codec"], document["name"]
    if facts is not None and facts.group:  # models that serve one λ each make one curve together
        curve = facts.group + "".join(curve.partition("-refined-")[1:])
        title = facts.group_title + "".join(title.partition(", refined ")[1:])
    shared = {key: document[key] for key in ("codec", "kind", "dataset")}
    shared |= {"curve": curve, "title": title, "provenance": _provenance(document)}
    shared["architecture"] = settings.get("architecture", "")
    trained = settings.get("lmbdas")
    return [
        {**shared, "trained": trained is None or row.get("lmbda") in trained, **row}
        for row in _means(document) + document["measurements"]
    ]


def _means(document: dict) -> list[dict]:
    """The means, with the dB of the mean MS-SSIM, which files of before do not hold, from the images' rows."""
    by_rate: dict[tuple, list[dict]] = {}
    for row in document["measurements"]:
        by_rate.setdefault((row.get("lmbda"), row.get("quality")), []).append(row)
    found = []
    for mean in document["means"]:
        rows = by_rate.get((mean.get("lmbda"), mean.get("quality")))
        found.append(mean | {"db_of_mean_ms_ssim": records.db_of_mean_ms_ssim(rows)} if rows else mean)
    return found


def _provenance(document: dict) -> str:
    if "source" in document["settings"]:
        return f"{document['settings']['source']}; {document['settings']['averaging']}"
    settings = document["settings"]
    how = [str(settings[key]) for key in ("library", "subsampling", "mode") if key in settings]
    by = f"weights {document['fingerprint'][:16]}" if document["fingerprint"] else "; ".join(how)
    return f"measured by mae_viz {document['versions']['mae_viz']}, {by}"


def _compressai_rows(document: dict, path: Path) -> list[dict]:
    measured, name = document["results"], document.get("name", path.stem)
    none = [None] * len(measured["bpp"])
    psnr = _first(measured, "psnr-rgb", "psnr") or none
    similar = _first(measured, "ms-ssim-rgb", "ms-ssim", "msssim") or none
    if psnr is none and similar is none:
        raise ValueError("it has neither PSNR nor MS-SSIM")
    if not any(value is not None and value > 1 for value in similar):  # else they are dB already
        similar = list(map(metrics.to_db, similar))
    shared = {
        "codec": path.stem,
        "curve": path.stem,
        "architecture": "",
        "title": name,
        "kind": "published",
        "dataset": path.parent.name,
        "image": "mean",
        "trained": True,
        "provenance": f"{document.get('description', name)} ({path.name})",
    }
    return [
        {**shared, "bpp": bpp, "psnr_db": db, "db_of_mean_ms_ssim": ms_ssim_db}
        for bpp, db, ms_ssim_db in zip(measured["bpp"], psnr, similar, strict=True)
    ]


def _first(measured: dict, *names: str) -> list | None:
    return next((measured[name] for name in names if name in measured), None)


Curve = tuple[str, list[float], list[float]]
"""Title, rates in bits per pixel, and qualities, in dB but for a metric that has another unit."""


def curves(
    frame: "pd.DataFrame", dataset: str, metric: str | Metric = "psnr", trained_only: bool = True
) -> dict[str, Curve]:
    """Curves on one data set by name, by rising rate.

    ``metric``: a name of `METRICS` or `FURTHER`, or a `Metric`. Points without it are left out, and curves without a
    point.
    """
    found = metric if isinstance(metric, Metric) else metric_named(metric)
    means = frame[(frame["image"] == "mean") & (frame["dataset"] == dataset)]
    means = means[means[found.column].notna()] if found.column in means else means.iloc[:0]
    if trained_only:
        means = means[means["trained"]]
    return {
        name: (points["title"].iloc[0], points["bpp"].tolist(), points[found.column].tolist())
        for name, points in means.sort_values("bpp", kind="stable").groupby("curve", sort=False)
    }


def datasets(frame: "pd.DataFrame") -> list[str]:
    """Data sets on which there are curves, by name."""
    return sorted(set(frame["dataset"]))


def peers(frame: "pd.DataFrame", curve: str, dataset: str) -> list[str]:
    """Published curves on a data set of networks of the kind of this curve's, the nearest first."""
    there = frame[frame["dataset"] == dataset]
    architectures = there.loc[there["curve"] == curve, "architecture"]
    facts = FACTS.get(architectures.iloc[0]) if len(architectures) else None
    return [name for name in facts.peers if (there["curve"] == name).any()] if facts else []


EVERY = ", every λ"
"""What the name of a curve through all measured λ ends with, beside that of the trained ones."""

BD_COLUMNS = (
    "curve",
    "title",
    "points",
    "lowest_bpp",
    "bd_rate_percent",
    "low_percent",
    "high_percent",
    "interval_over",
    "from_db",
    "to_db",
    "source",
)
"""Of the table of BD-rates: rates in bits per pixel, differences and their interval in per cent, overlap in dB."""


def bd_table(
    anchor: str,
    dataset: str = "kodak",
    metric: str = "psnr",
    frame: "pd.DataFrame | None" = None,
    only: tuple[str, ...] | None = None,
) -> "pd.DataFrame":
    """BD-rate of every curve on a data set, or of those named in ``only``, against one, as a DataFrame.

    Columns: `BD_COLUMNS`. ``bd_rate_percent`` is nan where there is none; ``low_percent`` and ``high_percent`` are its
    95 % interval (`mae_viz.measured.intervals`) over what ``interval_over`` says; ``from_db`` and ``to_db`` are the
    common interval in the metric's unit. Networks of the anchor's kind come first, the nearest before the others.
    Models enter with the λ that they were trained for; where others were measured too, a further row named
    "<curve>, every λ" holds them all. Curves measured on other images than the anchor are not compared. Raises
    ValueError for an unknown anchor or metric.
    """
    import pandas as pd

    frame = results() if frame is None else frame
    kind = metric_named(metric)
    measured = curves(frame, dataset, metric)
    for name, curve in curves(frame, dataset, metric, trained_only=False).items():
        if len(curve[1]) > len(measured.get(name, ("", []))[1]):
            measured[name + EVERY] = curve[0] + EVERY, *curve[1:]
    if dataset not in (there := datasets(frame)):
        raise ValueError(f"nothing is measured on {dataset!r}: choose {', '.join(there)}.")
    if anchor not in measured:
        raise ValueError(
            f"there is no curve {anchor!r} on {dataset!r} in {kind.title} ({kind.averaging}): choose one of "
            f"{', '.join(measured) or '(none)'}."
        )

    def side(name: str) -> intervals.Side:
        rows = frame[(frame["dataset"] == dataset) & (frame["curve"] == name.removesuffix(EVERY))]
        return intervals.side(rows if name.endswith(EVERY) else rows[rows["trained"]], kind.column, kind.of_image)

    first = peers(frame, anchor.removesuffix(EVERY), dataset)
    order = [name for name in dict.fromkeys([*first, *measured]) if name in measured and (not only or name in only)]
    sources = frame[frame["dataset"] == dataset].drop_duplicates("curve").set_index("curve")["provenance"]
    theirs, rows = side(anchor), []
    for name in order:
        title, bpp, quality = measured[name]
        ours = side(name)
        if intervals.comparable(theirs, ours):
            difference = metrics.bd_rate(*measured[anchor][1:], bpp, quality)
            low, high, over = intervals.interval(theirs, ours) if name != anchor else (None, None, "")
        else:
            difference, (low, high, over) = metrics.BDRate(None, None), (None, None, "measured on other images")
        common = difference.overlap or (None, None)
        source = sources[name.removesuffix(EVERY)]
        rows.append((name, title, len(bpp), min(bpp), difference.percent, low, high, over, *common, source))
    numbers = ("bd_rate_percent", "low_percent", "high_percent", "from_db", "to_db")
    return pd.DataFrame(rows, columns=list(BD_COLUMNS)).astype(dict.fromkeys(numbers, "float64"))


def against_peers(frame: "pd.DataFrame", dataset: str, metric: str = "psnr") -> "pd.DataFrame":
    """BD-rate of each of this project's curves against networks of its kind, the nearest first.

    Columns: those of `bd_table`, and peer, peer_title.
    """
    import pandas as pd

    measured, found = curves(frame, dataset, metric), []
    for name in measured:
        for peer in peers(frame, name, dataset):
            if peer in measured:
                row = bd_table(peer, dataset, metric, frame, only=(name,))
                found.append(row.assign(peer=peer, peer_title=measured[peer][0]))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=[*BD_COLUMNS, "peer", "peer_title"])


def percent(row: object) -> str:
    """The BD-rate of a row of `bd_table` with its interval: "−7.1 % [−8.0, −6.2]", or n/a."""
    value, low, high = (getattr(row, name) for name in ("bd_rate_percent", "low_percent", "high_percent"))
    if value != value:
        return "n/a"
    between = f" [{numbers.grouped(low, '+.1f')}, {numbers.grouped(high, '+.1f')}]" if low == low else ""
    return numbers.percent(value / 100, "+.1f") + between


def bd_text(anchor: str, dataset: str = "kodak", metric: str = "psnr", frame: "pd.DataFrame | None" = None) -> str:
    """`bd_table` as text, with what the numbers mean below it."""
    frame = results() if frame is None else frame
    table, kind = bd_table(anchor, dataset, metric, frame), metric_named(metric)
    of_its_kind = peers(frame, anchor, dataset)
    head = f"{'curve':<40} {'points':>6} {'lowest bpp':>10} {'BD-rate':>9} {'95 % interval':>18}   overlap"
    lines = [f"BD-rate against {anchor} on {dataset}, {kind.title} ({kind.averaging})", "", head]
    for row in table.itertuples():
        value, *between = percent(row).partition(" [")
        overlap = f"{row.from_db:.2f} … {row.to_db:.2f} {kind.unit}".strip() if value != "n/a" else "none"
        said = "".join(between).strip()
        lines.append(f"{row.curve:<40} {row.points:>6} {row.lowest_bpp:>10.4f} {value:>9} {said:>18}   {overlap}")
        if row.interval_over and row.interval_over != intervals.IMAGES:
            lines[-1] += f"   ({row.interval_over})"
    if of_its_kind:
        lines += ["", f"Networks of its kind, one for each rate, nearest first: {', '.join(of_its_kind)}."]
    lines += ["", f"{metrics.BDRate.method}.", f"{intervals.METHOD}."]
    return "\n".join(lines)
