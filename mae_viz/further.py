"""Metrics beside PSNR and MS-SSIM, each of a package of its own: ``pip install mae_viz[metrics]``, and nothing to load.

SSIMULACRA 2 is a port to Python, whose scores may lie a little beside those of the original in C++; VMAF is libvmaf.

``mae-viz evaluate … --metric ssimulacra2`` measures them; result files then hold a column of that name and say which
version it came from. ``MAE_VIZ_METRICS=ssimulacra2,vmaf`` has the viewer measure and show them at every rate, which
takes a second a picture. One of your own joins with `register`, in a module that `MAE_VIZ_CODECS` names.
"""

import io
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Further:
    """One metric; higher is better."""

    name: str
    """Of its column in result files."""
    title: str
    definition: str
    compute: Callable[[np.ndarray, np.ndarray], float | None]
    """Of an original and what was decoded, uint8 RGB images (H, W, 3); None where it is not defined."""
    implementation: Callable[[], str]
    """What computes it, with version. Raises PackageNotFoundError where that is not installed."""


FURTHER: dict[str, Further] = {}
"""All of them by name."""


def register(metric: Further) -> Further:
    """Make a metric known until Python ends; one of the same name is replaced. Returns it."""
    FURTHER[metric.name] = metric
    return metric


def installed(names: Sequence[str]) -> dict[str, str]:
    """What computes each of these metrics. Raises ValueError for an unknown name or a package that is missing."""
    if unknown := [name for name in names if name not in FURTHER]:
        raise ValueError(f"there is no metric {unknown[0]!r} beside PSNR and MS-SSIM: choose {', '.join(FURTHER)}.")
    try:
        return {name: FURTHER[name].implementation() for name in names}
    except PackageNotFoundError as error:
        raise ValueError(f"the package {error.name} is missing: pip install 'mae_viz[metrics]'.") from None


def chosen() -> dict[str, str]:
    """What computes each metric that `MAE_VIZ_METRICS` names. Raises ValueError as `installed` does."""
    named = filter(None, (part.strip() for part in os.environ.get("MAE_VIZ_METRICS", "").split(",")))
    try:
        return installed(list(dict.fromkeys(named)))
    except ValueError as error:
        raise ValueError(f"MAE_VIZ_METRICS: {error}") from None


def _ssimulacra2(original: np.ndarray, decoded: np.ndarray) -> float | None:
    if min(original.shape[:2]) < 8:
        return None
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (original, decoded):
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "BMP")
        files.append(data)
    return float(compute_ssimulacra2(*files))


register(
    Further(
        "ssimulacra2",
        "SSIMULACRA 2",
        "SSIMULACRA 2.1 of 8-bit RGB, for each image: 100 for equal ones, 90 hard to tell apart side by side, 30 poor; "
        "may be negative; null under 8 px a side",
        _ssimulacra2,
        lambda: f"ssimulacra2 {version('ssimulacra2')} (a port to Python)",
    )
)

_VMAF = "vmaf_v0.6.1"


def _vmaf(original: np.ndarray, decoded: np.ndarray) -> float | None:
    height, width = original.shape[:2]
    if min(height, width) < 32:
        return None
    from imageio_ffmpeg import get_ffmpeg_exe

    with TemporaryDirectory() as folder:
        command = [get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error"]
        for name, pixels in (("decoded", decoded), ("original", original)):
            Path(folder, name).write_bytes(pixels.tobytes())
            command += ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}", "-i", name]
        compare = f"libvmaf=model=version={_VMAF}:n_threads=1:log_fmt=json:log_path=log"
        graph = f"[0]format=yuv444p[a];[1]format=yuv444p[b];[a][b]{compare}"
        done = subprocess.run(
            [*command, "-lavfi", graph, "-f", "null", "-"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode:
            raise ValueError(f"FFmpeg's VMAF failed on {width} × {height} pixels: {done.stderr.strip()[-200:]}")
        log = json.loads(Path(folder, "log").read_text(encoding="utf-8"))
    return float(log["pooled_metrics"]["vmaf"]["mean"])


@cache
def _ffmpeg() -> str:  # each time a process would start, for every codec of a page
    package = version("imageio-ffmpeg")
    from imageio_ffmpeg import get_ffmpeg_version

    return f"libvmaf of FFmpeg {get_ffmpeg_version()} (imageio-ffmpeg {package}), model {_VMAF}"


register(
    Further(
        "vmaf",
        "VMAF",
        f"VMAF of luma (BT.601, limited range) of one picture, 0…100, model {_VMAF}, which was made for video; null "
        "under 32 px a side",
        _vmaf,
        _ffmpeg,
    )
)
