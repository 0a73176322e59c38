# SPDX-License-Identifier: Apache-2.0
"""Taking back what a scaling that cannot be finished has told Cloudera Manager about its new nodes."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import managed_cluster

LOG = logging.getLogger(__name__)


def forget(managed: managed_cluster.ManagedCluster, instances: list[Any]) -> None:
    """Make Cloudera Manager forget *instances*, as far as it knows them and lets itself be asked.

    The nodes go in any case, so that a step that fails is logged and the next one done. A DataNode that has started is
    emptied first: it may have blocks that no other has.
    """
    started: dict[str, list[str]] = collections.defaultdict(list)
    known: list[tuple[str, str]] = []

    def look() -> None:
        leaving = {host["hostId"] for host in managed.client.hosts() if host["hostname"] in _names(instances)}
        for service in managed.services():
            for role in managed.client.roles(managed.cluster.name, service.name):
                if role["hostRef"]["hostId"] in leaving:
                    known.append((service.name, role["name"]))
                    if role["type"] in managed_cluster.WORKER_ROLES and role.get("roleState") == "STARTED":
                        started[service.name].append(role["name"])

    def empty() -> None:
        for service, roles in started.items():
            command = managed.client.named_roles_command(managed.cluster.name, service, "decommission", roles)
            managed.await_commands(command)

    def delete_roles() -> None:
        for service, role in known:
            managed.client.delete_role(managed.cluster.name, service, role)

    steps: list[Callable[[], None]] = [look, empty, delete_roles, lambda: managed.remove_hosts(instances)]
    for step in steps:
        try:
            step()
        except exceptions.SaharaDockerError as trouble:
            LOG.warning("Cloudera Manager may go on listing nodes that are removed: %s", trouble)


def _names(instances: list[Any]) -> set[str]:
    return {instance.fqdn() for instance in instances}
