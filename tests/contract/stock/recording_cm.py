# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that answers as Cloudera Manager does, runs nothing, and keeps what it was asked.

Shapes are those that the client bundled with the stock plugin accepts; it refuses every unknown field. A host's
identifier is its name, as in the clusters that the stock plugin was written for.
"""

from __future__ import annotations

import base64
import dataclasses
import http.server
import itertools
import json
import os
import random
import threading
import urllib.parse
from typing import Any

import fixtures

PORT = 7180
_addresses = itertools.count(random.randrange(1, 60000))


@dataclasses.dataclass
class Call:
    """One request that was answered: path without the API's root, decoded body."""

    method: str
    path: str
    body: Any
    api_version: int

    @property
    def words(self) -> list[str]:
        return self.path.strip("/").split("/")


@dataclasses.dataclass
class Fault:
    """What to do to one request instead of answering it.

    :param body: the error's body.
    :param cut: close the connection in the middle of the body.
    :param silent: never answer.
    :param times: how many requests it is for.
    """

    status: int = 200
    body: str = ""
    cut: bool = False
    silent: bool = False
    times: int = 1_000_000


class RecordingCM(fixtures.Fixture):
    """A Cloudera Manager on port 7180 of a loopback address of its own.

    :param hosts: names of the hosts whose agents have reported.
    :ivar address: where it listens.
    :ivar calls: what was asked, in order.
    :ivar outcomes: how commands end, by name: fields of an ``ApiCommand``; any other succeeds.
    :ivar bulk_errors: what an answer to a command on several roles has as its errors.
    :ivar faults: by method and end of the path.
    """

    def __init__(self, hosts: list[str] | None = None) -> None:
        super().__init__()
        number = next(_addresses)
        self.address = f"127.{160 + os.getpid() % 40}.{number // 250 % 250}.{1 + number % 250}"
        self.hosts = hosts or []
        self.calls: list[Call] = []
        self.requests = 0
        self.outcomes: dict[str, dict[str, Any]] = {}
        self.bulk_errors: list[str] = []
        self.faults: dict[tuple[str, str], Fault] = {}
        self.roles: dict[tuple[str, str], dict[str, Any]] = {}
        self.services: dict[str, str] = {}
        self.commands: list[dict[str, Any]] = []
        self.password = "admin"
        self.released = threading.Event()

    def _setUp(self) -> None:
        manager = self

        class Handler(_Handler):
            cm = manager

        server = _Server((self.address, PORT), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.addCleanup(self.released.set)

    def answer(self, call: Call) -> Any:
        """The answer to a request, with its effect."""
        self.calls.append(call)
        words = call.words
        if "commands" in words[:-1] and call.method == "GET":
            return self._ended(int(words[-1]))
        if "commands" in words or "roleCommands" in words:
            return self._command(call)
        for depth, area in ((5, self._role), (2, self._cluster), (0, self._manager)):
            if len(words) > depth and (depth < 2 or words[0] == "clusters"):
                return area(call, words)
        raise AssertionError(f"nothing is known of {call}")

    def _manager(self, call: Call, words: list[str]) -> Any:
        if words[0] == "users":
            if call.method == "PUT":
                self.password = call.body["password"]
            return {"name": "admin", "roles": ["ROLE_ADMIN"]}
        if words == ["tools", "echo"]:
            return {"message": "ready"}
        if words[0] == "hosts":
            hosts = [{"hostId": name, "hostname": name, "ipAddress": "10.0.0.1"} for name in self.hosts]
            return _items(hosts) if len(words) == 1 else {"hostId": words[1]}
        if words[0] == "clusters":
            return call.body if len(words) == 1 else {"name": words[1]}
        if words == ["cm", "service"]:
            return {"name": "mgmt", "type": "MGMT"}
        if words == ["cm", "config"]:
            return call.body
        raise AssertionError(f"nothing is known of {call}")

    def _cluster(self, call: Call, words: list[str]) -> Any:
        """Requests below one cluster, down to one service's roles."""
        cluster = words[1]
        if words[2] == "hosts":
            return {"hostId": words[3]}
        if len(words) == 3 and call.method == "POST":
            self.services.update({item["name"]: item["type"] for item in call.body["items"]})
            return _items(self._service(cluster, item["name"]) for item in call.body["items"])
        if len(words) == 3:
            return _items(self._service(cluster, name) for name in self.services)
        service = words[3]
        if len(words) == 4:
            return self._service(cluster, service)
        if words[4] == "config":
            return _items(call.body.get("items", []))
        if call.method == "POST":
            for item in call.body["items"]:
                self.add_role(cluster, service, item["name"], item["type"], item["hostRef"]["hostId"])
            return _items(self.roles[service, item["name"]] for item in call.body["items"])
        return _items(role for (of, _), role in self.roles.items() if of == service)

    def _role(self, call: Call, words: list[str]) -> Any:
        _, _, _, service, _, role, *rest = words
        if call.method == "DELETE":
            return self.roles.pop((service, role))
        return call.body if rest else self.roles[service, role]

    def add_role(self, cluster: str, service: str, name: str, kind: str, host: str) -> None:
        self.roles[service, name] = {
            "name": name,
            "type": kind,
            "hostRef": {"hostId": host},
            "serviceRef": {"clusterName": cluster, "serviceName": service},
        }

    def _service(self, cluster: str, name: str) -> dict[str, Any]:
        reference = {"clusterName": cluster}
        return {"name": name, "type": self.services[name], "clusterRef": reference, "healthSummary": "GOOD"}

    def _command(self, call: Call) -> Any:
        words, name = call.words, call.words[-1]
        if name == "hdfsEnableNnHa":
            self.add_role(words[1], words[3], "NAMENODE-standby", "NAMENODE", call.body["standbyNnHostId"])
        if name == "enableRmHa":
            self.add_role(words[1], words[3], "RESOURCEMANAGER-standby", "RESOURCEMANAGER", call.body["newRmHostId"])
        if "roleCommands" in words:
            return {"items": [self._begun(name) for _ in call.body["items"]], "errors": self.bulk_errors}
        return self._begun(name)

    def _begun(self, name: str) -> dict[str, Any]:
        number = len(self.commands) + 1
        self.commands.append({"id": number, "name": name, "active": True, "startTime": "2023-10-04T12:00:00.000Z"})
        return self.commands[-1]

    def _ended(self, number: int) -> dict[str, Any]:
        command = self.commands[number - 1]
        end = {"active": False, "success": True, "resultMessage": "done", "children": {"items": []}}
        return {**command, **end, **self.outcomes.get(command["name"], {})}


def _items(values: Any) -> dict[str, Any]:
    return {"items": list(values)}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is what some tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: two would wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    cm: RecordingCM

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.cm.requests += 1
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        _, _, version, rest = path.split("/", 3)
        expected = base64.b64encode(f"admin:{self.cm.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self._send(401, {"message": "Bad credentials"}, {"WWW-Authenticate": 'Basic realm="Cloudera Manager"'})
            return
        for (method, end), fault in self.cm.faults.items():
            if fault.times and method == self.command and f"/{rest}".endswith(end):
                fault.times -= 1
                self._fail(fault)
                return
        call = Call(self.command, f"/{rest}", json.loads(raw) if raw else None, int(version[1:]))
        try:
            answer = self.cm.answer(call)
        except (AssertionError, LookupError, TypeError) as failure:
            self._send(500, {"message": f"{call} is not understood: {failure!r}"})
        else:
            self._send(200, answer)

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(body), headers or {})

    def _raw(self, status: int, text: str, headers: dict[str, str], missing: int = 0) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) + missing))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, fault: Fault) -> None:
        if fault.silent:
            self.cm.released.wait(60)
            self.close_connection = True
        elif fault.cut:
            self._raw(fault.status, fault.body, {}, missing=100)
            self.close_connection = True
        else:
            self._raw(fault.status, fault.body, {})

    def log_message(self, *_: Any) -> None:
        pass
