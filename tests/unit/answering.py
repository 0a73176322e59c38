# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that has one answer."""

from __future__ import annotations

import http.server
import threading

import fixtures


class Server(fixtures.Fixture):
    """Answers every GET at ``url`` with status 200 and the same JSON."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def _setUp(self) -> None:
        answer = self._answer

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                """Not to the test's output."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_port}"
