# SPDX-License-Identifier: Apache-2.0
"""Stands between a plugin and a Cloudera Manager, keeps what went either way, and holds it to the vendor's models."""

from __future__ import annotations

import dataclasses
import http.server
import itertools
import json
import os
import re
import threading
import urllib.parse
from typing import Any

import fixtures
import requests
from sahara_plugin_cdh.plugins.cdh.client import (
    api_client,
    clusters,
    hosts,
    role_config_groups,
    services,
    types,
    users,
)

from tests.contract.cloudera_manager import strict_models, vendor_operations

PORT = 7180
#: Requests that would change more of a Cloudera Manager than the test's own cluster.
_BEYOND_THE_CLUSTER = {("PUT", "/users"), ("PUT", "/cm/service"), ("PUT", "/cm/config"), ("PUT", "/hosts"),
                       ("DELETE", "/hosts")}  # fmt: skip
_PASSED_ON = ("Authorization", "Cookie", "Content-Type", "Accept")
_PASSED_BACK = ("Content-Type", "WWW-Authenticate", "Set-Cookie")
_BUNDLED = (clusters, hosts, role_config_groups, services, types, users)
_addresses = itertools.count(1)


@dataclasses.dataclass
class Exchange:
    """One request below ``/api/v<version>`` and its answer."""

    method: str
    path: str
    version: int
    sent: Any
    status: int
    received: Any

    def __str__(self) -> str:
        # Without the query, which has a password in the case of Kerberos.
        return f"{self.method} /api/v{self.version}{self.path.partition('?')[0]}"

    @property
    def _vendors(self) -> vendor_operations.Operation:
        return vendor_operations.find(self.method, urllib.parse.unquote(self.path.partition("?")[0]))

    @property
    def operation(self) -> str:
        """The request without the names in it."""
        return f"{self.method} {self._vendors.path} v{self.version}"

    def check_answer(self) -> None:
        """Hold the answer to cm-client's models, read strictly, and to the client that the stock plugin bundles.

        :raises AssertionError: it is not as it should be; the text says where.
        """
        where = f"answer {self.status} to {self}"
        if self.status != 200:
            if not isinstance(self.received, dict) or not {"message"} <= set(self.received) <= {"message", "causes"}:
                raise AssertionError(f"{where} is no error message: {self.received!r}")
            return
        operation = self._vendors
        kind = operation.type_of(operation.answers, self.version)
        if kind:
            strict_models.check(self.received, kind, self.version, where)
            _check_bundled(self.received, kind, "view=full" in self.path, where)

    def check_request(self) -> None:
        """Hold the request's body to cm-client's models.

        :raises AssertionError: it is not as it should be; the text says where.
        """
        operation = self._vendors
        kind = operation.type_of(operation.takes, self.version)
        if kind and self.sent is not None:
            strict_models.check(self.sent, kind, self.version, f"body of {self}")


def _check_bundled(value: Any, kind: str, full: bool, path: str) -> None:
    """Have the client that the stock plugin bundles read an answer; it refuses what it does not know."""
    resource = api_client.ApiResource("127.0.0.1", 1, "", "")
    try:
        if kind in ("ApiConfigList", "ApiServiceConfig"):
            types.json_to_config(value, full)
            return
        single = kind.removesuffix("List") if kind != "ApiBulkCommandList" else kind
        reader = next((getattr(module, single) for module in _BUNDLED if hasattr(module, single)), None)
        if reader is not None:
            for item in value["items"] if single != kind else [value]:
                reader.from_json_dict(item, resource)
    except Exception as error:
        raise AssertionError(f"{path}: the plugin's client: {type(error).__name__}: {error}") from error


class CheckingProxy(fixtures.Fixture):
    """A proxy on port 7180 of a loopback address of its own.

    :param url: of the Cloudera Manager, without a path.
    :param credentials: of its administrator, in the place of what the plugin sends; None to pass on that.
    :ivar address: where it listens.
    :ivar exchanges: what went through it, in order.
    """

    def __init__(self, url: str, credentials: tuple[str, str] | None = None) -> None:
        super().__init__()
        self.url, self.credentials = url.rstrip("/"), credentials
        number = next(_addresses)
        self.address = f"127.{200 + os.getpid() % 50}.{number // 250 % 250}.{1 + number % 250}"
        self.exchanges: list[Exchange] = []

    def _setUp(self) -> None:
        proxy = self

        class Handler(_Handler):
            to = proxy

        server = http.server.ThreadingHTTPServer((self.address, PORT), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def __str__(self) -> str:
        return "\n".join(f"{exchange}: {exchange.status}" for exchange in self.exchanges)

    def troubles(self, *, requests: bool) -> list[str]:
        """Return what is not as it should be in the answers and, if asked for, in the requests."""
        found = []
        for exchange in self.exchanges:
            for check in (exchange.check_answer, exchange.check_request)[: 1 + requests]:
                try:
                    check()
                except AssertionError as trouble:
                    found.append(str(trouble))
        return found

    def harmless(self, method: str, path: str) -> str:
        """Return the method by which a request is passed on: one that reads in the place of one that goes too far."""
        beyond = any((method, path[: len(start)]) == (known, start) for known, start in _BEYOND_THE_CLUSTER)
        return "GET" if beyond and self.credentials else method


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one segment: two would wait for each other's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    to: CheckingProxy

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        version, path = re.match(r"/api/v(\d+)(/.*)", self.path).groups()  # type: ignore[union-attr]
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        if self.to.credentials:
            headers.pop("Authorization", None)
            headers.pop("Cookie", None)
        method = self.to.harmless(self.command, path)
        with requests.Session() as session:
            session.trust_env = bool(self.to.credentials)  # the stand-in is on loopback, whatever the environment says
            answer = session.request(
                method, self.to.url + self.path, headers=headers, auth=self.to.credentials,
                data=raw if method == self.command else None, timeout=300,
            )  # fmt: skip
        if answer.status_code != 401:
            sent = json.loads(raw) if raw.strip() else None
            self.to.exchanges.append(
                Exchange(self.command, path, int(version), sent, answer.status_code, answer.json())
            )
        self.send_response(answer.status_code)
        for name in _PASSED_BACK:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def log_message(self, *_: Any) -> None:
        pass
