"""Who may ask the server, and who may show its pages in a frame.

Pages of other sites reach a server on this machine through its user's browser: they open a WebSocket to it, or let a
name of their own lead to its address. Both are turned away here, before Streamlit sees them; its settings
(``server.allowedHosts``, ``server.corsAllowedOrigins``, ``client.allowedOrigins``) say who else is welcome.
"""

import logging
from fnmatch import fnmatchcase
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)


class Door:
    """Middleware of the whole app."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if why := refusal(headers.get("host", ""), headers.get("origin")):
            _log.warning(why)
            await PlainTextResponse(why, 403)(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # Streamlit would look at the origin again, and ask the internet for this machine's address, which holds up
            # everybody where there is no internet
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"origin"]}

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = MutableHeaders(scope=message)
                said["X-Content-Type-Options"] = "nosniff"
                framed_by = ("'self'", *st.get_option("client.allowedOrigins"))
                said["Content-Security-Policy"] = f"frame-ancestors {' '.join(framed_by)}"
            await send(message)

        await self.app(scope, receive, answer)


def refusal(host: str, origin: str | None) -> str | None:
    """Why a request is turned away, by its headers Host and Origin; None where it is welcome."""
    if not answers_as(host):
        return (
            f"This server does not answer as {host[:100]!r}: if people reach it by that name, start it with "
            "--server.allowedHosts NAME."
        )
    if origin is None or origin.partition("://")[2] == host or not st.get_option("server.enableCORS"):
        return None
    if origin in st.get_option("server.corsAllowedOrigins"):
        return None
    return (
        f"Pages of {origin[:100]!r} may not use this server: if people reach it under that address, through a proxy "
        f"that asks for {host[:100]!r}, start it with --server.corsAllowedOrigins ADDRESS."
    )


def answers_as(host: str) -> bool:
    """Whether a name, with or without port, is this server's: one of ``server.allowedHosts``, or where that says
    nothing localhost or a bare IP address, which no other site can make its own."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        if allowed := st.get_option("server.allowedHosts"):
            return any(fnmatchcase(name, pattern.lower()) for pattern in allowed)
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False
