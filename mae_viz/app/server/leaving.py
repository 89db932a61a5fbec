"""Visits that are over: Streamlit lets go of them, and of their uploads.

It keeps the session of a page that has closed for ``server.disconnectedSessionTTL`` seconds, so that a connection that
broke finds it again, but lets go of it only when another page closes after that: the last of a class stay for ever,
128 with an upload each. Here they go shortly before that time is over; once nobody is left, what was computed for them
goes too.
"""

import asyncio
import time

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from mae_viz import computing

LOOK_S = 10.0

_seen: dict[str, float] = {}  # sessions, and when the page of each was last there


def note() -> None:
    """The session that runs this is there."""
    if context := get_script_run_ctx():
        _seen[context.session_id] = time.monotonic()


async def watch() -> None:
    """Look every LOOK_S seconds who has left. Runs in the server's event loop, where alone sessions may be closed."""
    while True:
        await asyncio.sleep(LOOK_S)
        look(time.monotonic())


def look(now: float) -> None:
    """Close the sessions whose page has gone for long enough at ``now`` (as `time.monotonic` counts)."""
    server, closed = runtime.get_instance(), False
    patience = st.get_option("server.disconnectedSessionTTL") - 2 * LOOK_S  # Streamlit hands out none that is older
    for session, last in list(_seen.items()):
        if server.is_active_session(session):
            _seen[session] = now
        elif now - last >= patience:
            del _seen[session]
            server.close_session(session)
            closed = True
    if closed and not _seen:
        computing.shared().submit(computing.rest, large=True)
