"""The viewer in a Streamlit page: a component that gets the manifest alone, and the routes that its frames come from,
those of refinements among them.

The app's launcher hands the routes to the server, ``app = st.App("script.py", routes=streamlit_host.routes())``; a page
calls `viewer`. What travels through Streamlit is the manifest (a few kB) one way, and λ and the panes the other way,
when they are released. Frames are files that never change under their URL: the browser fetches each once.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mae_viz import viewer as the_viewer
from mae_viz.ladders import ladder, refinement
from mae_viz.rates import Rate

PREFIX = "mae-viz"
"""Of this project's own routes, below the address that the app's pages have."""

SESSION = "X-Mae-Viz-Session"
"""The header by which a page shows that it is one of ours: no other site's can send it, nor know what is in it."""

_RATES = 4  # as many as panes
_KINDS = {".webp": "image/webp", ".png": "image/png"}
_MASK_BYTES = 2 << 20  # more than the largest picture that is scrubbed has pixels
_NOT_OURS = {"error": "frames are made for open pages of this app: reload the page"}
_GONE = {"error": "this picture is not open any more: the page opens it again"}
_NOW = {"Cache-Control": "no-store"}
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def routes() -> list[Route]:
    """What the server must hand out beside the page: the script, the lists of frames, the frames."""
    return [
        Route(path("viewer-{version}.js"), _script),
        Route(path("ladder/{key}"), _listing, methods=["GET"]),
        Route(path("ladder/{key}"), _let_go, methods=["DELETE"]),
        Route(path("ladder/{key}/refined"), _refine, methods=["POST"]),
        Route(path("ladder/{key}/{file}"), _file),
    ]


def path(name: str) -> str:
    """Where the server has one of this project's own routes; what browsers call it they derive from their page."""
    return "/" + "/".join(filter(None, (st.get_option("server.baseUrlPath").strip("/"), PREFIX, name)))


def viewer(manifest: dict, key: str = "viewer", on_change: Callable[[], None] | None = None) -> dict | None:
    """Show `mae_viz.viewer.manifest` in the page. Keep ``key`` the same while the page lives: zoom and panes stay.

    Returns what the person last released, {"index": rate index, "lmbda": λ, "panes": [...]}, or None before that; a
    change runs the page again, after ``on_change``. To move λ or choose panes from Python give a manifest with others
    than in the run before: where the person has moved on meanwhile, theirs hold.
    """
    answers = ((st.session_state.get(key) or {}).get("view") or {}).get("serial", 0)
    context = get_script_run_ctx()
    if context:
        whole = manifest.get("whole", {"ladders": {}})["ladders"].values()
        ladder.shared().show(context.session_id, [*(codec["ladder"] for codec in manifest["codecs"]), *whole])
    asking = {"header": SESSION, "session": context and context.session_id}
    data = {"base": PREFIX, "version": _version(), "asking": asking, "manifest": {**manifest, "answers": answers}}
    view = _component(key=key, data=data, on_view_change=on_change or _nothing, on_lost_change=_nothing).view
    return view and view | {"lmbda": Rate(view["index"]).lmbda}  # JSON makes 64.0 an integer


def turn_away() -> None:
    """To be called as soon as a page turns to another picture: what its viewer waits for is not worked at any more."""
    if context := get_script_run_ctx():
        ladder.shared().show(context.session_id, [])


def _nothing() -> None:
    """Streamlit keeps a component's state only where there is a callback for it."""


def _version() -> str:
    return hashlib.sha256(the_viewer.script().encode()).hexdigest()[:16]


_component = st.components.v2.component(
    "mae_viz_viewer",
    css=the_viewer.style(),
    js=(Path(__file__).parent / "js" / "streamlit_host.js").read_text(encoding="utf-8"),
)


def _script(request: Request) -> Response:
    return Response(the_viewer.script(), media_type="text/javascript", headers=_FOREVER)


def _visit(request: Request) -> str | None:
    """The session that shows the page which asks, None where there is none: only pages may start or stop work."""
    session = request.headers.get(SESSION, "")
    return session if runtime.exists() and runtime.get_instance().is_active_session(session) else None


def _listing(request: Request) -> Response:
    """The list of a ladder's frames. Asking for it starts work."""
    session = _visit(request)
    if session is None:
        return JSONResponse(_NOT_OURS, 403)
    try:
        at = [float(part) for part in request.query_params.get("at", "").split(",") if part]
    except ValueError:
        return JSONResponse({"error": "at: rates are numbers"}, 400)
    listing = ladder.shared().listing(request.path_params["key"], at[:_RATES], session)
    return JSONResponse(_GONE, 404) if listing is None else JSONResponse(listing, headers=_NOW)


async def _refine(request: Request) -> Response:
    """Have a ladder's picture refined at the rate ``at``, where a mask in the body says: the ladder of that, whose list
    is asked for like any other."""
    session = _visit(request)
    if session is None:
        return JSONResponse(_NOT_OURS, 403)
    mask = bytearray()
    async for chunk in request.stream():
        mask += chunk
        if len(mask) > _MASK_BYTES:
            return JSONResponse({"error": "the mask is too large"}, 413)
    try:
        at, key = float(request.query_params.get("at", "")), request.path_params["key"]
        made = await run_in_threadpool(refinement.start, ladder.shared(), key, at, bytes(mask), session)
    except ValueError as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(_GONE, 404) if made is None else JSONResponse({"ladder": made}, headers=_NOW)


def _let_go(request: Request) -> Response:
    """The page waits for nothing of a ladder any more."""
    session = _visit(request)
    if session is None:
        return JSONResponse(_NOT_OURS, 403)
    ladder.shared().let_go(request.path_params["key"], session)
    return Response(status_code=204)


def _file(request: Request) -> Response:
    key, file = request.path_params["key"], request.path_params["file"]
    kind = _KINDS.get(Path(file).suffix, "application/octet-stream")
    if there := ladder.shared().path(key, file):
        return FileResponse(there, media_type=kind, headers=_FOREVER)
    data = ladder.shared().read(key, file)  # the disk may take nothing
    return Response(status_code=404) if data is None else Response(data, media_type=kind, headers=_FOREVER)
