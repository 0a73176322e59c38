# SPDX-License-Identifier: Apache-2.0
"""A small real HTTP proxy, in front of a world of made-up hosts that only it can reach."""

from __future__ import annotations

import base64
import http.server
import threading
import urllib.parse

import fixtures


class Proxy(fixtures.Fixture):
    """Forwards GET requests to *pages*, by URL; hosts that have none are not found.

    :param address: where it listens, on a free port.
    :param credentials: ``user:password`` that it asks for; everybody may use it without.
    :ivar host, port: where it is.
    :ivar seen: what it was asked for, as method and target, refused requests left out.
    :ivar refused: how many requests came without the credentials.
    """

    def __init__(self, address: str, pages: dict[str, bytes], credentials: str = "") -> None:
        super().__init__()
        self.host = address
        self.pages = pages
        self._credentials = credentials
        self.seen: list[str] = []
        self.refused = 0

    @property
    def url(self) -> str:
        """The proxy's URL, with its credentials."""
        user, _, password = self._credentials.partition(":")
        login = f"{user}:{urllib.parse.quote(password, safe='')}@" if user else ""
        return f"http://{login}{self.host}:{self.port}"

    def _setUp(self) -> None:
        proxy = self
        wanted = "Basic " + base64.b64encode(self._credentials.encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def _allowed(self) -> bool:
                if proxy._credentials and self.headers.get("Proxy-Authorization") != wanted:
                    proxy.refused += 1
                    self.send_response(407)
                    self.send_header("Proxy-Authenticate", 'Basic realm="test"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return False
                proxy.seen.append(f"{self.command} {self.path}")
                return True

            def do_GET(self) -> None:
                if not self._allowed():
                    return
                body = proxy.pages.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body or b"")

            def do_CONNECT(self) -> None:
                if self._allowed():
                    self.send_error(502, "no such host")

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer((self.host, 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
