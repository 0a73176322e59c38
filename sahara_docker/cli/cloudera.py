# SPDX-License-Identifier: Apache-2.0
"""Cloudera Manager's REST API, as far as one looks and does not touch."""

from __future__ import annotations

import urllib.parse
from typing import Any

from sahara_docker import exceptions
from sahara_docker.cli import cluster

PORT = 7180
_VERSION = 8  # what CDH 5.7's manager speaks, and every later one still does


class ManagerError(exceptions.SaharaDockerError):
    """Cloudera Manager refused or did not answer; ``status`` is the HTTP status, None when there was no answer."""

    def __init__(self, what: str, *, status: int | None = None, **parts: str) -> None:
        super().__init__(what, **parts)
        self.status = status


class Manager:
    """One Cloudera Manager; the proxy of this machine never comes between.

    :param address: of its node.
    :param login: name and password of its administrator.
    """

    def __init__(self, address: str, login: tuple[str, str], port: int = PORT, timeout: float = 10) -> None:
        host = f"[{address}]" if ":" in address else address
        self.url = f"http://{host}:{port}/api/v{_VERSION}"
        self._login, self._timeout = login, timeout

    def get(self, path: str, **query: str) -> Any:
        """Return the decoded answer to a GET.

        :raises ManagerError: with the manager's own words.
        """
        import requests  # keystoneauth's own; not needed by commands that ask nobody

        url = f"{self.url}/{path}"
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.get(url, params=query, auth=self._login, timeout=self._timeout)
                document = answer.json() if answer.content else None
        except (requests.RequestException, ValueError) as error:
            raise ManagerError("Cloudera Manager does not answer", where=url, observed=_cause(error)) from error
        if answer.status_code >= 400:
            words = document.get("message") if isinstance(document, dict) else answer.reason
            raise ManagerError(
                "Cloudera Manager refused", status=answer.status_code, where=url,
                observed=f"HTTP {answer.status_code} {words}",
            )  # fmt: skip
        return document

    def items(self, *path: str, **query: str) -> list[dict[str, Any]]:
        """Return the list that a GET of *path*, given in parts, answers."""
        return self.get("/".join(urllib.parse.quote(part, safe="") for part in path), **query)["items"]


def of_cluster(described: cluster.Cluster) -> Manager | None:
    """The manager of a cluster, with the login that Sahara shows to the cluster's owner; None when it has none yet."""
    node, shown = described.manager, described.info.get("Cloudera Manager", {})
    if node is None or not node.address:
        return None
    return Manager(node.address, (shown.get("Username", "admin"), shown.get("Password", "admin")))


def _cause(error: BaseException) -> str:
    """The innermost reason of a requests exception, without the objects' addresses."""
    while True:
        inner = getattr(error, "reason", None) or next((a for a in error.args if isinstance(a, BaseException)), None)
        if not isinstance(inner, BaseException):
            return str(error).rpartition(">: ")[2] or type(error).__name__
        error = inner
