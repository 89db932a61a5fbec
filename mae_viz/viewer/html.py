"""The viewer as one HTML file: opens from a disk or a server, offline, without Python.

Frames travel inside, as base64. Of the maps of y a file holds a few channels only: those with the most bits.
"""

import base64
import json
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from mae_viz import viewer
from mae_viz.codecs.registry import ORIGINAL
from mae_viz.ladders.ladder import Ladders
from mae_viz.rates import Rate
from mae_viz.viewer import arrangements

CHANNELS = 6
"""Channels of y per model in a file."""

CODECS = (ORIGINAL.name, "mae", "bottleneck-scaling", "jpeg")
"""What an offline file compares unless told otherwise."""

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{
  margin: 0; background: light-dark(#fff, #15181c); color: light-dark(#1c2127, #e8ebee);
  font: 16px/1.5 system-ui, sans-serif;
}}
main {{ padding: 6px 14px 24px; --mv-above: 50px; }}
h1 {{ font-size: 19px; line-height: 32px; margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }}
main > p {{ max-width: 76ch; margin: 14px 0 0; }}
{style}
</style>
<main>
<h1>{title}</h1>
<div id="viewer"></div>
<p>{text}</p>
</main>
<script type="application/json" id="data">{data}</script>
<script type="module">
{script}
const {{ manifest, ladders, files }} = JSON.parse(document.getElementById("data").textContent);
const host = {{
  ladder: async (id) => ladders[id],
  bytes: async (id, file, parts) => {{
    const text = atob(files[file]);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Blob(parts?.map(([start, length]) => bytes.subarray(start, start + length)) ?? [bytes]);
  }},
}};
globalThis.maeViewer = mount(document.getElementById("viewer"), manifest, host);
</script>
</html>
"""

_TEXT = (
    "Move <b>λ</b>: low values ask for a small file, high ones for a good picture. The modulated autoencoder (MAE) "
    "re-weights the channels of every layer as λ moves; bottleneck scaling only stretches the last one. Compare them "
    "at low λ, at equal λ or at equal bytes; choose another layer to see the error, where the bits go, or a channel of "
    "the bottleneck."
)


def lesson(
    ladders: Ladders,
    picture: Image.Image,
    title: str,
    rate: Rate = viewer.START,
    codecs: Sequence[str] = CODECS,
    progress: Callable[[float], None] | None = None,
) -> str:
    """A `page` to hand out: the first two codecs under the wipe, the laboratory around them where its pair is there."""
    coded = [name for name in codecs if name != ORIGINAL.name]
    around = arrangements.laboratory("wipe" if len(coded) > 1 else "side", codecs=codecs)
    panes = [{"codec": name, "layer": "picture"} for name in coded[:2] or codecs]
    has_pair = set(arrangements.PAIR) <= set(codecs)
    return page(
        ladders, picture, title, rate, codecs, panes, laboratory=around if has_pair else None, progress=progress
    )


def page(
    ladders: Ladders,
    picture: Image.Image,
    title: str,
    rate: Rate = viewer.START,
    codecs: Sequence[str] = CODECS,
    panes: Sequence[dict] = viewer.PANES,
    channels: int = CHANNELS,
    laboratory: dict | None = None,
    progress: Callable[[float], None] | None = None,
) -> str:
    """A self-contained HTML page with the ladders of a picture (computed first where they are not there).

    Raises CheckpointError for an unknown codec and ValueError where a codec failed.
    """
    manifest = viewer.manifest(ladders, picture, title, rate, codecs, panes, laboratory=laboratory) | {"static": True}
    opened = [ladders.open(picture, codec["id"]) for codec in manifest["codecs"]]
    ladders.wait(opened, progress)
    files: dict[str, str] = {}
    listings = {made.id: _cut(made.listing(), channels, ladders, files) for made in opened}
    data = json.dumps({"manifest": manifest, "ladders": listings, "files": files}, separators=(",", ":"))
    return _PAGE.format(
        title=title.replace("&", "&amp;").replace("<", "&lt;"),
        text=_TEXT,
        style=viewer.style(),
        script=viewer.script().replace("</script", "<\\/script"),
        data=data.replace("<", "\\u003c"),  # no "</script" or "<!--<script" of a title's ends or nests this one
    )


def _cut(listing: dict, channels: int, ladders: Ladders, files: dict[str, str]) -> dict:
    """The listing of the grid's frames alone, y of a few channels alone; their bytes go into ``files``."""
    frames = [frame for frame in listing["frames"] if not frame.get("extra")]
    listing |= {"frames": frames, "complete": True}
    kept = None
    if "places" in listing:
        last = max(frames, key=lambda frame: frame["at"])
        kept = listing["kept"] = last["rank"][:channels]
    for frame in frames:
        for kind in ("file", "bits", "by_channel", "y"):
            if name := frame.get(kind):
                data = ladders.must_read(listing["id"], name)
                if kind == "y":
                    planes = np.frombuffer(data, "<f4").reshape(listing["channels"], -1)
                    data = planes[kept].tobytes()
                files[name] = base64.b64encode(data).decode()
    return listing
