"""The viewer in a notebook: an anywidget. Frames travel as messages, never as traits, so that no notebook stores them.

from mae_viz.viewer.notebook import show
show("photo.png", lmbda=256)
"""

from collections.abc import Sequence
from pathlib import Path

import anywidget
import traitlets

from mae_viz import viewer as the_viewer
from mae_viz.images import ImageSource, open_rgb
from mae_viz.ladders.frame import middle
from mae_viz.ladders.ladder import Ladders, shared
from mae_viz.rates import Rate


class Viewer(anywidget.AnyWidget):
    """The widget. ``manifest`` may be replaced; ``view`` is what was last released, {"index", "lmbda", "panes"}."""

    _esm = the_viewer.script()
    _css = the_viewer.style()
    manifest = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, manifest: dict, ladders: Ladders | None = None):
        super().__init__(manifest=manifest)
        self._ladders = ladders or shared()
        self.on_msg(self._answer)

    def _answer(self, _: object, message: dict, buffers: list) -> None:
        key, answer, data = message["ladder"], {"id": message["id"]}, []
        if "file" not in message:
            answer["listing"] = self._ladders.listing(key, message["at"], self.model_id)
        elif (found := self._ladders.read(key, message["file"])) is not None:
            parts = message["parts"]
            data = [found if parts is None else b"".join(found[start : start + length] for start, length in parts)]
        self.send(answer, data)


def show(
    image: ImageSource,
    title: str = "",
    lmbda: float = 512.0,
    codecs: Sequence[str] | None = None,
    panes: Sequence[dict] = the_viewer.PANES,
) -> Viewer:
    """The viewer on any picture that `open_rgb` reads, on the middle of one above 0.8 megapixel. Its ladders are
    computed in the background.

    Raises ImageError for what is no picture, CheckpointError for an unknown codec.
    """
    picture = middle(open_rgb(image))
    name = title or (Path(image).stem if isinstance(image, str | Path) else "picture")
    return Viewer(the_viewer.manifest(shared(), picture, name, Rate.near(lmbda), codecs, panes))
