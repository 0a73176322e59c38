# SPDX-License-Identifier: Apache-2.0
"""HTTP: the API and the page on port 7180, the agents' protocol on port 7182."""

from __future__ import annotations

import http.cookies
import http.server
import json
import logging
import re
import socket
import urllib.parse
from typing import Any

from .. import API_VERSION, BANNER
from . import command_api, markup, page, passwords, service_api
from .api import ROUTES, Parts
from .errors import ApiError
from .model import User
from .routing import Request
from .views import Views

LOG = logging.getLogger(__name__)

REALM = "Cloudera Manager"
COOKIE = "CLOUDERA_MANAGER_SESSIONID"
LONGEST_BODY = 4 * 1024 * 1024

#: Endpoints that wait for an agent must not hold the store's lock.
_UNLOCKED = re.compile(r".*/logs/\w+|.*/roles/(bulkDelete|[^/]+)\Z")

# Importing these modules adds their endpoints to the table.
assert command_api.ROUTES is service_api.ROUTES is ROUTES


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "cloudera-manager-stand-in (sahara-docker lab; not Cloudera software)"
    sys_version = ""
    # An idle keep-alive connection ends after this many seconds.
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *arguments: Any) -> None:
        LOG.debug("%s %s", self.client_address[0], format % arguments)

    def read_json(self) -> Any:
        """Return the request's JSON, or None without a body.

        :raises ApiError: 400 for a body that is no JSON, 413 for one that is far too long.
        """
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            raise ApiError(413, f"The body has {length} bytes; at most {LONGEST_BODY} are read.")
        text = self.rfile.read(length)
        if not text.strip():
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise ApiError(400, f"The body is not JSON: {error}.") from error

    def send(self, code: int, body: str, kind: str, headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        data = body.encode("utf-8")
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_json(self, code: int, value: Any, headers: dict[str, str] | None = None) -> None:
        """Send a JSON answer."""
        self.send(code, json.dumps(value), "application/json", headers)


class ApiHandler(_Handler):
    """One connection to port 7180."""

    parts: Parts
    gate: passwords.Gate

    def _user(self) -> tuple[User | None, dict[str, str]]:
        users = self.parts.store.model.users
        cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        if COOKIE in cookies:
            user = self.gate.by_session(users, cookies[COOKIE].value)
            if user is not None:
                return user, {}
        credentials = passwords.decode_basic(self.headers.get("Authorization", ""))
        user = self.gate.by_password(users, *credentials) if credentials else None
        if user is None:
            return None, {}
        return user, {"Set-Cookie": f"{COOKIE}={self.gate.open_session(user)};Path=/;HttpOnly"}

    def _serve(self) -> None:
        headers: dict[str, str] = {}
        try:
            body = self.read_json()
            if self.parts.faults.answers_errors():
                raise ApiError(500, self.parts.faults.message)
            user, headers = self._user()
            if user is None:
                challenge = {"WWW-Authenticate": f'Basic realm="{REALM}"'}
                self.send_json(401, {"message": f"Authentication needed. This is a {BANNER}."}, challenge)
                return
            url = urllib.parse.urlsplit(self.path)
            path = urllib.parse.unquote(url.path).rstrip("/")
            text = page.find(self.parts, url.path) if self.command in ("GET", "HEAD") else None
            if text is not None:
                self.send(200, text, "text/html; charset=utf-8", {**headers, **markup.HEADERS})
            elif path == "/api/version":
                self.send(200, f"v{API_VERSION}", "text/plain", headers)
            else:
                params = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query).items()}
                answer = self._answer(path, params, body, user)
                if isinstance(answer, str):
                    self.send(200, answer, "text/plain; charset=utf-8", headers)
                else:
                    self.send_json(200, answer, headers)
        except ApiError as error:
            self.send_json(error.code, {"message": error.message}, headers)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except Exception as error:  # a client must get an answer, and the log the cause
            LOG.exception("%s %s", self.command, self.path)
            self.send_json(500, {"message": f"The stand-in failed: {type(error).__name__}: {error}; look at its log."})

    def _answer(self, path: str, params: dict[str, str], body: Any, user: User) -> Any:
        match = re.match(r"/api/v(\d+)(/.*)\Z", path)
        if match is None:
            raise ApiError(404, f"There is nothing at {path}; the API is at /api/v1 to /api/v{API_VERSION}.")
        version = int(match.group(1))
        if not 1 <= version <= API_VERSION:
            raise ApiError(404, f"API v{version} is not there; this stand-in answers v1 to v{API_VERSION}.")
        endpoint, arguments = ROUTES.find(self.command, match.group(2), version)
        store = self.parts.store
        host = self.headers.get("Host") or f"{self.connection.getsockname()[0]}:7180"
        made = Views(version, store.model, self.parts.agents, self.parts.roles, f"http://{host}")
        request = Request(self.command, match.group(2), version, params, body, user, made)
        if self.command == "GET":
            if _UNLOCKED.match(path) and "/logs/" in path:
                return endpoint(self.parts, request, **arguments)
            with store.lock:
                return endpoint(self.parts, request, **arguments)
        if self.command == "DELETE" and _UNLOCKED.match(path):
            answer = endpoint(self.parts, request, **arguments)
            store.save()
            return answer
        with store.changing():
            return endpoint(self.parts, request, **arguments)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve


class AgentHandler(_Handler):
    """One request to port 7182."""

    parts: Parts

    def do_POST(self) -> None:
        agents = self.parts.agents
        try:
            body = self.read_json()
            if self.path == "/agent/heartbeat":
                answer: Any = agents.heartbeat(body)
            elif self.path == "/agent/tasks":
                answer = {"tasks": agents.take_tasks(str(body["hostname"]), str(body["session"]), float(body["wait"]))}
            elif self.path == "/agent/results":
                answer = agents.result(body)
            else:
                raise ApiError(404, f"Agents have no {self.path}.")
            self.send_json(200, answer)
        except ApiError as error:
            self.send_json(error.code, {"message": error.message})
        except (KeyError, TypeError, ValueError) as error:
            self.send_json(400, {"message": f"Not an agent's message: {type(error).__name__} {error}."})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    # A restarted server must not wait for the old one's connections to end.
    allow_reuse_address = True


def api_server(address: tuple[str, int], parts: Parts) -> http.server.ThreadingHTTPServer:
    """Return a server for the API and the page; port 0 lets the system choose.

    :raises OSError: the port is taken.
    """
    return _Server(address, type("BoundApiHandler", (ApiHandler,), {"parts": parts, "gate": passwords.Gate()}))


def agent_server(address: tuple[str, int], parts: Parts) -> http.server.ThreadingHTTPServer:
    """Return a server for the agents.

    :raises OSError: the port is taken.
    """
    return _Server(address, type("BoundAgentHandler", (AgentHandler,), {"parts": parts}))
