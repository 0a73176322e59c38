# SPDX-License-Identifier: Apache-2.0
"""A session with a Cloudera Manager that exists only as a table of answers."""

from __future__ import annotations

from typing import Any

from sahara_docker.plugins.cdh_docker import cm_client, cm_session

SUCCESS = {"active": False, "success": True, "resultMessage": "done"}


class RecordedSession:
    """Stands in for a :class:`cm_session.CMSession`.

    Hosts are numbered, so that nobody can take a name for an identifier. Every command gets an identifier of its own
    and succeeds, unless *outcomes* has another end for its name. One on a role that does not exist is refused.

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
            if "aborted" in command:
                return {**command, "active": False, "success": False}
            return {**command, **SUCCESS, **self._outcomes.get(command["name"], {})}
        if method == "GET" and path.endswith("/roles"):
            return {"items": self.roles.get(path.split("/")[-2], [])}
        if method == "POST" and path.endswith("/roles"):
            self.roles.setdefault(path.split("/")[-2], []).extend(body["items"])
            return body
        if method == "DELETE" and "/roles/" in path:
            *_, service, _, name = path.split("/")
            self.roles[service] = [role for role in self.roles[service] if role["name"] != name]
            return None
        if method == "POST" and path.endswith("/abort"):
            self._commands[int(path.split("/")[2])].update(aborted=True)
            return None
        if method == "POST" and "/services/" in path and "items" in (body or ()):
            known = {role["name"] for role in self.roles.get(path.split("/")[4], [])}
            unknown = [name for name in body["items"] if name not in known]
            if unknown:
                raise cm_session.CMError("POST refused", status=404, observed=f"no role {', '.join(unknown)}")
        if "/roleCommands/" in path:
            items = [self._command(path) for _ in body["items"]]
            return {"items": items, "errors": self._outcomes.get("errors", [])}
        if "/commands/" in path:
            return self._command(path)
        return None

    def _command(self, path: str) -> dict[str, Any]:
        self._commands.append({"id": len(self._commands), "name": path.rpartition("/")[2], "active": True})
        return self._commands[-1]
