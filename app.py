"""The interactive app: `make app`, or `mae-viz app`.

What a browser sees is built by mae_viz/app/server/main.py; this file starts the server, with the routes that the
viewer's frames and the offline lessons come from.
"""

import streamlit as st

from mae_viz.app import lessons
from mae_viz.viewer import streamlit_host

app = st.App("mae_viz/app/server/main.py", routes=[*streamlit_host.routes(), *lessons.routes()])
