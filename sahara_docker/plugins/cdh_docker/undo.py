# SPDX-License-Identifier: Apache-2.0
"""Taking back what a scaling that cannot be finished has told Cloudera Manager about its new nodes."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import managed_cluster, topology

LOG = logging.getLogger(__name__)


class NodesStay(exceptions.SaharaDockerError):
    """A scaling failed, and its new nodes were not removed, since they may hold data that no other node has."""


def forget(managed: managed_cluster.ManagedCluster, instances: list[Any]) -> None:
    """Make Cloudera Manager forget *instances*, as far as it knows them.

    A DataNode that has started is emptied first: it may have blocks that no other has. After that the nodes go in any
    case, so that a step that fails is logged and the next one done.

    :raises SaharaDockerError: Cloudera Manager cannot tell what has started, or a DataNode could not be emptied: the
        nodes have to stay.
    """
    names = {instance.fqdn() for instance in instances}
    leaving = {host["hostId"] for host in managed.client.hosts() if host["hostname"] in names}
    started: dict[str, list[str]] = collections.defaultdict(list)
    known: list[tuple[str, str]] = []
    for service in managed.services() if leaving else ():
        for role in managed.client.roles(managed.cluster.name, service.name):
            if role["hostRef"]["hostId"] in leaving:
                known.append((service.name, role["name"]))
                if role["type"] in managed_cluster.WORKER_ROLES and role.get("roleState") == "STARTED":
                    started[role["type"]].append(role["name"])
    if started["DATANODE"]:
        managed.empty({topology.SERVICE_NAME["HDFS"]: started["DATANODE"]})

    def stop_work() -> None:
        if started["NODEMANAGER"]:
            managed.empty({topology.SERVICE_NAME["YARN"]: started["NODEMANAGER"]})

    def delete_roles() -> None:
        for service_name, role_name in known:
            managed.client.delete_role(managed.cluster.name, service_name, role_name)

    steps: list[Callable[[], None]] = [stop_work, delete_roles, lambda: managed.remove_hosts(instances)]
    for step in steps:
        try:
            step()
        except exceptions.SaharaDockerError as trouble:
            LOG.warning("Cloudera Manager may go on listing nodes that are removed: %s", trouble)
