# SPDX-License-Identifier: Apache-2.0
"""An HTTP server of this process on a port of its own."""

from __future__ import annotations

import http.server
import threading

import fixtures


class HttpServer(fixtures.Fixture):
    """Serves requests by *handler*; ``url`` is where."""

    def __init__(self, handler: type[http.server.BaseHTTPRequestHandler]) -> None:
        self._handler = handler

    def _setUp(self) -> None:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
