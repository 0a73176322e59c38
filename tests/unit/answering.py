# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that has one answer."""

from __future__ import annotations

import http.server

import fixtures

from tests import http_server


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

        self.url = self.useFixture(http_server.HttpServer(Handler)).url
