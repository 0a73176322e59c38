# SPDX-License-Identifier: Apache-2.0
"""Taking workers out of a cluster: those that answer are emptied first, those that are gone are written off."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from oslo_log import log as logging
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import managed_cluster, nodes, parallel

LOG = logging.getLogger(__name__)


class NodeGone(exceptions.SaharaDockerError):
    """A node was removed without being emptied, because it does not answer."""


def remove_workers(managed: managed_cluster.ManagedCluster, instances: list[Any]) -> None:
    """Make Cloudera Manager forget *instances*.

    :raises SaharaDockerError: a node that answers could not be emptied; then all stay in the cluster.
    """
    alive: list[Any] = []
    gone: list[Any] = []
    for instance in instances:
        (alive if nodes.answers(instance) else gone).append(instance)
    if alive:
        managed.decommission(alive)
        managed.delete_roles(alive)
        parallel.on_each(alive, "Stop Cloudera agents", nodes.stop_agent)
        managed.remove_hosts(alive)
    if gone:
        _write_off(managed, gone)


def _write_off(managed: managed_cluster.ManagedCluster, gone: list[Any]) -> None:
    """Remove nodes that do not answer, with what Cloudera Manager still lets do; the event log names each.

    HDFS makes new replicas of a dead DataNode's blocks by itself. Those that only it had went with it, and keeping the
    node in the cluster would not bring them back.
    """
    plugin_utils.add_provisioning_step(managed.cluster.id, "Remove nodes that do not answer", len(gone))
    for instance in gone:
        troubles = []
        for step in _farewells(managed, instance):
            try:
                step()
            except exceptions.SaharaDockerError as trouble:
                troubles.append(str(trouble))
        note = NodeGone(
            "the node does not answer and was removed without being emptied",
            where=nodes.where(instance),
            observed="; ".join(troubles),
            remedy="look at HDFS's missing blocks, if files had one replica only",
        )
        LOG.warning("%s", note)
        plugin_utils.add_fail_event(instance, note)


def _farewells(managed: managed_cluster.ManagedCluster, instance: Any) -> Iterator[Callable[[], object]]:
    """Yield what is to be tried, each whether or not the others succeed: stopping and deleting every role, the host."""
    for service, roles in managed.roles_by_service([instance], managed_cluster.WORKER_ROLES).items():
        for role in roles:
            yield functools.partial(managed.stop_role, service, role)
    for service, roles in managed.roles_by_service([instance]).items():
        for role in roles:
            yield functools.partial(managed.client.delete_role, managed.cluster.name, service, role)
    yield functools.partial(managed.remove_hosts, [instance])
