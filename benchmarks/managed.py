# SPDX-License-Identifier: Apache-2.0
"""A cluster's Cloudera Manager, asked by its REST API (version 8) what it did and when."""

from __future__ import annotations

import base64
import itertools
import time
from typing import Any

from benchmarks import timeline
from lab import rest
from sahara_docker import exceptions

_LIMIT = 300.0


class Manager:
    """Cloudera Manager of one cluster.

    :param address: of its node.
    :param cluster: name.
    """

    def __init__(self, address: str, password: str, cluster: str) -> None:
        self._base = f"http://{address}:7180/api/v8"
        self._cluster = f"/clusters/{cluster}"
        login = base64.b64encode(f"admin:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return rest.call(method, self._base + path, body, self._headers)[1]

    def commands(self) -> list[dict[str, Any]]:
        """Return all commands that were given, the first one first: their numbers follow each other."""
        found = []
        for number in itertools.count(1):
            try:
                found.append(self._ask("GET", f"/commands/{number}"))
            except rest.RestError as error:
                if error.status != 404:
                    raise
                return [command for command in found if not command.get("parent")]
        raise AssertionError

    def roles(self) -> dict[str, dict[str, Any]]:
        """Return all roles of the cluster by name."""
        services = self._ask("GET", f"{self._cluster}/services")["items"]
        found = [self._ask("GET", f"{self._cluster}/services/{one['name']}/roles")["items"] for one in services]
        return {role["name"]: role for role in itertools.chain.from_iterable(found)}

    def restart(self) -> float:
        """Stop everything; return the seconds that starting all daemons takes then."""
        self._finish([self._ask("POST", f"{self._cluster}/commands/stop")])
        return self._finish([self._ask("POST", f"{self._cluster}/commands/start")])

    def restart_roles(self, roles: dict[str, list[str]]) -> float:
        """Stop some roles, by service; return the seconds that starting them takes then."""
        for name in ("stop", "start"):
            answers = [
                self._ask("POST", f"{self._cluster}/services/{service}/roleCommands/{name}", {"items": names})
                for service, names in roles.items()
            ]
            seconds = self._finish([command for answer in answers for command in answer["items"]])
        return seconds

    def _finish(self, commands: list[dict[str, Any]]) -> float:
        """Wait for commands; return the seconds from the first one's start to the last one's end."""
        deadline = time.monotonic() + _LIMIT
        ended = []
        for command in commands:
            while command["active"] and time.monotonic() < deadline:
                time.sleep(0.2)
                command = self._ask("GET", f"/commands/{command['id']}")
            if not command.get("success"):
                observed = command.get("resultMessage") or f"in work after {_LIMIT:g} s"
                raise exceptions.SaharaDockerError(
                    f"command {command['name']} failed", where=self._base, observed=observed
                )
            ended.append(next(timeline.parts(command)))
        return max(part.ended for part in ended) - min(part.began for part in ended)
