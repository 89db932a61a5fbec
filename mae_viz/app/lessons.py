"""The offline lessons: one HTML file for each bundled photograph, written by `mae-viz lessons`, served by the app.

A lecture of a hundred is served by these: a file needs no server once it is in the browser.
"""

from collections.abc import Callable
from pathlib import Path

from mae_viz.images import gallery

CODECS = ("mae", "bottleneck-scaling")


def folder() -> Path:
    """Where the lessons lie: in the folder that `mae-viz` was started in."""
    return Path.cwd() / "lessons"


def there() -> dict[str, Path]:
    """The lessons that have been made, by the photograph's name."""
    found = {name: folder() / f"{name}.html" for name in gallery()}
    return {name: path for name, path in found.items() if path.is_file()}


def url(name: str) -> str:
    """The address of a lesson, relative to that of any page of the app."""
    from mae_viz.viewer import streamlit_host

    return f"{streamlit_host.PREFIX}/lessons/{name}.html"


def write(out: Path, progress: Callable[[float], None] | None = None) -> list[Path]:
    """Make a lesson of every bundled photograph in a folder; the ladders of the cache are used where they are there."""
    from mae_viz.images import open_rgb
    from mae_viz.ladders import ladder
    from mae_viz.ladders.frame import middle
    from mae_viz.rates import Rate
    from mae_viz.storage import write_whole
    from mae_viz.viewer import html

    photographs, ladders, written = gallery(), ladder.Ladders(), []
    out.mkdir(parents=True, exist_ok=True)
    for done, (name, photograph) in enumerate(photographs.items()):

        def report(part: float, done: int = done) -> None:
            if progress:
                progress((done + part) / len(photographs))

        picture = middle(open_rgb(photograph.path))
        page = html.lesson(ladders, picture, photograph.title, Rate.near(128), CODECS, report)
        written.append(out / f"{name}.html")
        write_whole(written[-1], page.encode())
    return written


def routes() -> list:
    """What the server hands out: the files of `there`, and nothing else."""
    from starlette.requests import Request
    from starlette.responses import FileResponse, PlainTextResponse, Response
    from starlette.routing import Route

    from mae_viz.viewer import streamlit_host

    def lesson(request: Request) -> Response:
        path = there().get(request.path_params["name"])
        if path is None:
            return PlainTextResponse("There is no such lesson: type `mae-viz lessons` where this app was started.", 404)
        return FileResponse(path, media_type="text/html")

    return [Route(streamlit_host.path("lessons/{name}.html"), lesson)]
