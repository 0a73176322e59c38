# SPDX-License-Identifier: Apache-2.0
"""Running jobs: the stock engines for Oozie and Spark, with requests that are bounded and stay inside the cloud."""

from __future__ import annotations

import re
from typing import Any

import requests
from sahara import exceptions as sahara_exceptions
from sahara.plugins import kerberos
from sahara.service.edp.oozie import oozie

from sahara_docker import exceptions

CONNECT_TIMEOUT = 10
# Oozie reads the workflow from HDFS before it answers a submission.
READ_TIMEOUT = 120
_LONGEST_CAUSE = 1000


class OozieClient(oozie.OozieClient):
    """Sahara's client of Oozie's REST API, past the Sahara host's proxy and with time limits."""

    def post(self, job_execution: Any, url: str, data: str, headers: dict[str, str]) -> str:
        """Submit a job and return Oozie's identifier of it."""
        return self._ask(job_execution, "POST", url, 201, data=data.encode(), headers=headers).json()["id"]

    def put(self, job_execution: Any, url: str) -> None:
        """Change a job's state."""
        self._ask(job_execution, "PUT", url, 200)

    def get(self, job_execution: Any, url: str) -> Any:
        """Return what Oozie knows about a job."""
        return self._ask(job_execution, "GET", url, 200).json()

    def _ask(self, job_execution: Any, method: str, url: str, wanted: int, **content: Any) -> requests.Response:
        session = self._get_http_session(job_execution.extra.get("neutron"))
        session.trust_env = False
        try:
            response = session.request(method, url, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), **content)
        except requests.RequestException as fault:
            raise exceptions.SaharaDockerError(
                f"no answer from Oozie to {method} {url}",
                where=self.oozie_server.fqdn(),
                observed=str(fault),
                remedy="look at the service oozie01 in Cloudera Manager",
            ) from fault
        if response.status_code != wanted:
            raise sahara_exceptions.OozieException(f"HTTP {response.status_code}: {_cause(response)}")
        return response


def _cause(response: requests.Response) -> str:
    """Oozie's own words about a refusal.

    Every Oozie has them in a header (Oozie's REST API, "oozie-error-message"); a proxy or a servlet container in front
    of it has only a page. Stock Sahara splits Tomcat's page at a mark that is not in any other, and dies of that.
    """
    words = [response.headers.get(f"oozie-error-{name}") for name in ("code", "message")]
    if any(words):
        return " ".join(word for word in words if word)
    return " ".join(re.sub(r"<[^<>]*>", " ", response.text).split())[:_LONGEST_CAUSE] or response.reason


class OozieEngineMixin:
    """Goes before a stock ``EdpOozieEngine`` class of one version; ``cloudera`` is that version's access."""

    cloudera: Any

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)  # type: ignore[call-arg]
        self.cloudera_utils = self.cloudera

    def get_client(self) -> oozie.BaseOozieClient:
        """Return a client of the cluster's Oozie; for a kerberized one it runs Oozie's command on the node."""
        cluster = self.cluster  # type: ignore[attr-defined]
        if kerberos.is_kerberos_security_enabled(cluster):
            return self.get_remote_client()  # type: ignore[attr-defined]
        return OozieClient(self.get_oozie_server_uri(cluster), self.get_oozie_server(cluster))  # type: ignore[attr-defined]
