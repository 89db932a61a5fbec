"""Panes as short text, for addresses: ``original,mae,bottleneck-scaling:ratio.12,jpeg@37``.

A pane is ``codec[:layer[.channel][/base]][@rate]``: ``/base`` is the rate that a ratio divides by where it is not λ 64,
``@rate`` the pane's own λ or quality, or ``@bytes`` or ``@psnr`` where it matches another's bytes or PSNR.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from mae_viz.codecs.registry import absent, codec
from mae_viz.ladders.frame import sources

_PANES = json.loads((Path(__file__).parent / "panes.json").read_text(encoding="utf-8"))
LAYERS, MOST = tuple(_PANES["layers"]), _PANES["most"]
_MATCHES = {"bytes": "bytes", "psnr": "psnr_db"}
_PANE = re.compile(r"([\w.-]+?)(?::([a-z]+)(?:\.(\d{1,4}))?(?:/([\d.]+))?)?(?:@(bytes|psnr|[\d.]+))?")


def write(panes: Iterable[dict]) -> str:
    """Panes, as `mae_viz.viewer.manifest` takes them and as the viewer reports them, as text."""
    return ",".join(map(_write, panes))


def _write(pane: dict) -> str:
    axis, layer = codec(pane["codec"]).axis, pane.get("layer") or "picture"
    text = pane["codec"]
    if layer != "picture":
        text += f":{layer}"
    if layer in ("y", "ratio") and pane.get("channel") is not None:
        text += f".{pane['channel']}"
    if layer == "ratio" and pane.get("base") and (base := axis.at(pane["base"])) is not None:
        text += f"/{base}"
    if pane.get("follow") == "own" and pane.get("own") is not None:
        text += f"@{axis.at(pane['own'])}"
    elif pane.get("follow") == "bytes" and axis.kind == "lmbda":
        text += "@bytes"
    elif pane.get("follow") == "psnr_db":
        text += "@psnr"
    return text


def read(text: str) -> list[dict]:
    """The panes in a text. Raises ValueError with a sentence where it is none, or names what is not there."""
    known = sources()
    panes = [_read(part, known) for part in text.split(",")]
    if len(panes) > MOST:
        raise ValueError(f"there is room for {MOST} panes, not for {len(panes)}.")
    return panes


def _read(text: str, known: list[str]) -> dict:
    found = _PANE.fullmatch(text)
    if not found:
        raise ValueError(f"“{text[:60]}” is no pane: write codec:layer@rate, such as mae:difference@512.")
    name, layer, channel, base, rate = found.groups()
    if name not in known:
        if name in absent():
            raise ValueError(f"“{name}” cannot be shown: {codec(name).absent}")
        raise ValueError(f"there is no codec “{name}”: the viewer has {', '.join(known)}.")
    if layer and layer not in LAYERS:
        raise ValueError(f"there is no layer “{layer}”: the viewer has {', '.join(LAYERS)}.")
    pane: dict = {"codec": name, "layer": layer or "picture"}
    if channel:
        pane["channel"] = int(channel)
    if base:
        pane["base"] = codec(name).rate(float(base)).at
    if rate in _MATCHES:
        pane["follow"] = _MATCHES[rate]
    elif rate:
        pane |= {"follow": "own", "own": codec(name).rate(float(rate)).at}
    return pane
