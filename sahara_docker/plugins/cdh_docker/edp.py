# SPDX-License-Identifier: Apache-2.0
"""Running jobs through Oozie: the stock engine, with requests that are bounded and stay inside the cloud, values that
arrive as they were given, and a cause where a job fails.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

import requests
from oslo_log import log
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.plugins import kerberos
from sahara.plugins import utils as plugin_utils
from sahara.service.edp import hdfs_helper
from sahara.service.edp.job_binaries import manager as job_binaries_manager
from sahara.service.edp.oozie import oozie
from sahara.utils import edp, remote

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import hdfs_binaries, job_cause, workflow

LOG = log.getLogger(__name__)

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
    cluster: Any

    def __init__(self, cluster: Any) -> None:
        super().__init__(cluster)  # type: ignore[call-arg]
        self.cloudera_utils = self.cloudera

    def get_client(self) -> oozie.BaseOozieClient:
        """Return a client of the cluster's Oozie; for a kerberized one it runs Oozie's command on the node."""
        cluster = self.cluster
        if kerberos.is_kerberos_security_enabled(cluster):
            return self.get_remote_client()  # type: ignore[attr-defined]
        return OozieClient(self.get_oozie_server_uri(cluster), self.get_oozie_server(cluster))  # type: ignore[attr-defined]

    def validate_job_execution(self, cluster: Any, job: Any, data: dict[str, Any]) -> None:
        """Check a job before it is accepted.

        :raises SaharaException: when it cannot run, or something of its configuration would not arrive as it is.
        """
        super().validate_job_execution(cluster, job, data)  # type: ignore[misc]
        unfit = "; ".join(workflow.unfit(job.type, data.get("job_configs") or {}))
        if unfit:
            raise sahara_exceptions.InvalidDataException(unfit)

    def run_job(self, job_execution: Any) -> tuple[str | None, str | None, dict[str, Any] | None]:
        """Start a job; one that cannot be started or was cancelled before has come to its end.

        Of a job that cannot be started stock Sahara writes the cause to its log only, here it is also in ``info``.
        """
        try:
            identifier, status, extra = super().run_job(job_execution)  # type: ignore[misc]
        except Exception as fault:  # whatever it is, it is the job's end
            LOG.exception("Job %s cannot be started", job_execution.id)
            identifier, status, extra = self._withdraw(job_execution), None, None
            _end(job_execution, {"info": {"status": edp.JOB_STATUS_FAILED, "error": str(fault)}})
        else:
            if identifier is None:
                _end(job_execution)
        return identifier, status, extra

    def _withdraw(self, job_execution: Any) -> str | None:
        """Have Oozie forget a job that cannot be started; return its identifier there, if it has come that far."""
        known = conductor.API.job_execution_get(context.ctx(), job_execution.id)
        if known.engine_job_id is not None:
            try:
                self.get_client().kill_job(known)
            except Exception as fault:  # the job's own cause matters more
                LOG.warning("Oozie keeps job %s: %s", known.engine_job_id, fault)
        return known.engine_job_id

    def get_job_status(self, job_execution: Any) -> dict[str, Any] | None:
        """Return what Oozie knows of a job.

        A workflow whose action fails ends as KILLED, like one that a user has cancelled. Here it is FAILED, and
        ``error`` says why.
        """
        info = super().get_job_status(job_execution)  # type: ignore[misc]
        if info is None or info["status"] not in (edp.JOB_STATUS_KILLED, edp.JOB_STATUS_FAILED):
            return info
        cause = self._job_sources().cause(info.get("actions") or [])
        return {**info, "status": edp.JOB_STATUS_FAILED, "error": cause} if cause else info

    def _job_sources(self) -> job_cause.Sources:
        nodes = {node.fqdn(): node for node in plugin_utils.get_instances(self.cluster)}

        def get(name: str, port: int, path: str) -> requests.Response:
            node = nodes[name]
            session = node.remote().get_http_client(port)
            session.trust_env = False
            url = f"http://{node.management_ip}:{port}{path}"
            return session.get(url, timeout=job_cause.TIMEOUT, allow_redirects=False)

        def nodes_of(process: str) -> list[str]:
            return [node.fqdn() for node in plugin_utils.get_instances(self.cluster, process)]

        managers = nodes_of("YARN_RESOURCEMANAGER") + nodes_of("YARN_STANDBYRM")
        return job_cause.Sources(get, managers, nodes_of("YARN_JOBHISTORY")[0])

    def _upload_workflow_file(self, where: Any, job_dir: str, wf_xml: str, hdfs_user: str) -> str:
        document, command = workflow.exact(wf_xml)
        if command is not None:
            with remote.get_remote(where) as node:
                hdfs_helper.put_file_to_hdfs(node, command, workflow.COMMAND, job_dir, hdfs_user)
        return super()._upload_workflow_file(where, job_dir, document, hdfs_user)  # type: ignore[misc]

    def _upload_job_binaries(
        self, r: Any, job_binaries: list[Any], proxy_configs: Any, hdfs_user: str, job_dir: str
    ) -> list[str]:
        """Bring programs to a job's directory in HDFS.

        Stock leaves each in the node's /tmp under its own name, where a second job with the same program overwrites it
        while the first one reads it. One on a mounted share is read from there.
        """
        mounted = [one for one in job_binaries if one.url.startswith("manila://")]
        paths = super()._upload_job_binaries(r, mounted, proxy_configs, hdfs_user, job_dir)  # type: ignore[misc]
        for one in job_binaries:
            if one in mounted:
                continue
            kind = job_binaries_manager.JOB_BINARIES.get_job_binary_by_url(one.url)
            if isinstance(kind, hdfs_binaries.HDFSType):
                kind.copy_in_hdfs(r, one, f"{job_dir}/{one.name}")
            else:
                content = kind.get_raw_data(one, context=context.ctx(), proxy_configs=proxy_configs)
                hdfs_helper.put_file_to_hdfs(r, content, one.name, job_dir, hdfs_user)
            paths.append(f"{job_dir}/{one.name}")
        return paths


def _end(job_execution: Any, changes: dict[str, Any] | None = None) -> None:
    """Write down that a job has ended, by Sahara's clock, which is the host's."""
    ended = {"end_time": datetime.datetime.now(), **(changes or {})}
    conductor.API.job_execution_update(context.ctx(), job_execution.id, ended)
