# SPDX-License-Identifier: Apache-2.0
"""Access to a cluster's Cloudera Manager, and what the stock version handler asks about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sahara.plugins import conductor, context

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_client, cm_session, options, passwords, topology, waiting

USERNAME = "admin"
INITIAL_PASSWORD = "admin"  # noqa: S105 - Cloudera Manager's own, replaced before anything else is done
KERBEROS_API_VERSION = 11


class Cloudera:
    """Cloudera Manager of the clusters of one CDH version.

    The upper-case names and ``pu`` are read by the stock version handler, health checks and job engines.

    :param plugin_utils: the version's cluster queries.
    """

    HDFS_SERVICE_NAME = topology.SERVICE_NAME["HDFS"]
    YARN_SERVICE_NAME = topology.SERVICE_NAME["YARN"]
    OOZIE_SERVICE_NAME = topology.SERVICE_NAME["OOZIE"]
    NAME_SERVICE = "nameservice01"

    def __init__(self, plugin_utils: Any) -> None:
        self.pu = plugin_utils

    def get_api_client(self, cluster: Any, api_version: int = 8) -> cm_client.CMClient:
        """Return a client that logs in with the cluster's own password."""
        return self._client(cluster, passwords.of_cloudera_manager(cluster), api_version=api_version)

    def await_manager(self, cluster: Any) -> cm_client.CMClient:
        """Wait until Cloudera Manager answers, give its administrator the cluster's own password, return a client.

        :raises WaitTimedOut: when it does not answer within the cluster's time limit.
        """
        own = passwords.of_cloudera_manager(cluster)

        def answered_password() -> str:
            # The own password is in use when an interrupted creation is taken up again.
            for password in (INITIAL_PASSWORD, own):
                try:
                    self._client(cluster, password, retry_pauses=()).echo()
                    return password
                except cm_session.CMError as error:
                    if error.status != 401:
                        raise waiting.NotYet(str(error)) from error
            raise waiting.NotYet("it refuses both its initial and the cluster's password")

        password = waiting.wait_for(
            answered_password,
            what="an answer from Cloudera Manager",
            timeout=options.value(cluster, options.AWAIT_MANAGER_STARTING_TIMEOUT),
            remedy=f"read /var/log/cloudera-scm-server on {self.pu.get_manager(cluster).fqdn()}",
            report=status_reporter(cluster),
        )
        if password != own:
            self._client(cluster, password).change_password(USERNAME, own)
        return self.get_api_client(cluster)

    def get_cloudera_manager_info(self, cluster: Any) -> dict[str, dict[str, str]]:
        """Return what the cluster's page shows of Cloudera Manager."""
        return {
            "Cloudera Manager": {
                "Web UI": f"http://{self.pu.get_manager(cluster).get_ip_or_dns_name()}:{cm_session.PORT}",
                "Username": USERNAME,
                "Password": passwords.of_cloudera_manager(cluster),
            }
        }

    def _client(self, cluster: Any, password: str, **session: Any) -> cm_client.CMClient:
        address = self.pu.get_manager(cluster).management_ip
        return cm_client.CMClient(cm_session.CMSession(address, USERNAME, password, **session))


def status_reporter(cluster: Any) -> Callable[[str], None]:
    """Return a function that shows a text as the cluster's status description.

    It raises SaharaDockerError when the cluster is gone or being deleted, which ends a wait.
    """

    def report(text: str) -> None:
        ctx = context.ctx()
        current = conductor.cluster_get(ctx, cluster.id)
        if current is None or current.status == "Deleting":
            raise exceptions.SaharaDockerError("the cluster was deleted meanwhile", where=cluster.name)
        conductor.cluster_update(ctx, current, {"status_description": text})

    return report
