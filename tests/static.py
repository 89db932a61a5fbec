"""Serves a folder as any web space does: python static.py PORT FOLDER [isolated], the last with the headers that give a
page shared memory."""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


class Handler(SimpleHTTPRequestHandler):
    isolated = False

    def end_headers(self) -> None:
        for name, value in ISOLATION.items() if self.isolated else ():
            self.send_header(name, value)
        super().end_headers()


if __name__ == "__main__":
    port, folder, *how = sys.argv[1:]
    Handler.isolated = how == ["isolated"]
    ThreadingHTTPServer(("127.0.0.1", int(port)), partial(Handler, directory=folder)).serve_forever()
