# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server that gives scripted answers and keeps what it was asked."""

from __future__ import annotations

import http.server
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import fixtures


@dataclass
class Answer:
    """What to say to one request; ``drop`` closes the connection instead, ``delay`` is in seconds."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json"
    delay: float = 0
    drop: bool = False
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What the client sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class _State:
    answers: list[Answer]
    requests: list[Request] = field(default_factory=list)


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is what some tests are about."""


class ScriptedServer(fixtures.Fixture):
    """Answers request after request from a list; the last answer is repeated.

    ``port`` is where it listens on 127.0.0.1, ``requests`` what it was asked.
    """

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self._state = _State(list(answers))

    @property
    def requests(self) -> list[Request]:
        return self._state.requests

    def _setUp(self) -> None:
        state = self._state

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                is_json = "json" in self.headers.get("Content-Type", "")
                body = json.loads(raw) if is_json and raw else raw.decode()
                state.requests.append(Request(self.command, self.path, dict(self.headers), body))
                answer = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
                if answer.delay:
                    time.sleep(answer.delay)
                if answer.drop:
                    self.close_connection = True
                    return
                text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                content = b"" if answer.body is None else text.encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(content)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        server = _Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
