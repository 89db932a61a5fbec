"""The interactive app: `make app`, or `mae-viz app`.

What a browser sees is built by mae_viz/app/server/main.py; this file starts the server, with the routes that the
viewer's frames and the offline lessons come from, and ends with it what is being computed.
"""

import asyncio
import resource
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from mae_viz import computing
from mae_viz.app import lessons, server
from mae_viz.app.server import leaving
from mae_viz.app.server.door import Door
from mae_viz.viewer import arrangements, streamlit_host

FILES = 8192
"""Open files and connections at once, where the system allows so many; some begin with 256."""


def get_ready() -> None:
    from mae_viz.app import computed  # loads torch

    computed.get_ready(*arrangements.PAIR)


@asynccontextmanager
async def running(_app):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    ready = threading.Thread(target=get_ready)
    ready.start()
    watch = asyncio.create_task(leaving.watch())
    yield
    watch.cancel()
    ready.join()
    computing.shared().close()


app = st.App(
    Path(server.__file__).with_name("main.py"),
    routes=[*streamlit_host.routes(), *lessons.routes()],
    middleware=[Middleware(Door)],
    lifespan=running,
)
