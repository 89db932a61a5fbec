"""The interactive app: `make app`, or `mae-viz app`.

What a browser sees is built by mae_viz/app/server/main.py; this file starts the server, with the routes that the
viewer's frames and the offline lessons come from, and ends with it what is being computed.
"""

from contextlib import asynccontextmanager

import streamlit as st

from mae_viz import computing
from mae_viz.app import lessons
from mae_viz.viewer import streamlit_host


@asynccontextmanager
async def computing_ends(_app):
    yield
    computing.shared().close()


app = st.App(
    "mae_viz/app/server/main.py", routes=[*streamlit_host.routes(), *lessons.routes()], lifespan=computing_ends
)
