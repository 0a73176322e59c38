# SPDX-License-Identifier: Apache-2.0
"""A session with a Cloudera Manager that exists only as a table of answers."""

from __future__ import annotations

from typing import Any

from sahara_docker.plugins.cdh_docker import cm_client

SUCCESS = {"active": False, "success": True, "resultMessage": "done"}


class RecordedSession:
    """Stands in for a :class:`cm_session.CMSession`.

    Hosts are numbered, so that nobody can take a name for an identifier. Every command gets an identifier of its own
    and succeeds, unless *outcomes* has another end for its name.

    :ivar calls: what was asked: method, path and body.
    """

    where = "Cloudera Manager"

    def __init__(self, hostnames: list[str], **outcomes: dict[str, Any]) -> None:
        self.hosts = [{"hostId": f"id-{number}", "hostname": name} for number, name in enumerate(hostnames)]
        self.roles: dict[str, list[dict[str, Any]]] = {}
        self.calls: list[tuple[str, str, Any]] = []
        self._outcomes = outcomes
        self._commands: list[dict[str, Any]] = []

    def client(self) -> cm_client.CMClient:
        return cm_client.CMClient(self)  # type: ignore[arg-type]

    def asked(self, method: str, part: str = "") -> list[tuple[str, Any]]:
        """Return paths and bodies of the calls by a method whose path contains a part."""
        return [(path, body) for verb, path, body in self.calls if verb == method and part in path]

    def request(self, method: str, path: str, *, params: Any = None, body: Any = None) -> Any:
        self.calls.append((method, path, body))
        if path == "/hosts":
            return {"items": self.hosts}
        if method == "GET" and path.startswith("/commands/"):
            command = self._commands[int(path.rpartition("/")[2])]
            return {**command, **SUCCESS, **self._outcomes.get(command["name"], {})}
        if method == "GET" and path.endswith("/roles"):
            return {"items": self.roles.get(path.split("/")[-2], [])}
        if "/roleCommands/" in path:
            items = [self._command(path) for _ in body["items"]]
            return {"items": items, "errors": self._outcomes.get("errors", [])}
        if "/commands/" in path:
            return self._command(path)
        return None

    def _command(self, path: str) -> dict[str, Any]:
        self._commands.append({"id": len(self._commands), "name": path.rpartition("/")[2], "active": True})
        return self._commands[-1]
