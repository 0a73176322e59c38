# SPDX-License-Identifier: Apache-2.0
"""Taking workers out of a cluster: those that answer are emptied first, those that are gone are written off."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from oslo_log import log as logging
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import agent_watch, managed_cluster, nodes, parallel, room

LOG = logging.getLogger(__name__)


class NodeGone(exceptions.SaharaDockerError):
    """A node was removed without being emptied, because nothing is there any more."""


def remove_workers(
    managed: managed_cluster.ManagedCluster, instances: list[Any], *, silence: float = agent_watch.SILENCE
) -> None:
    """Make Cloudera Manager forget *instances*.

    :param silence: seconds without a heartbeat, after which a node where nothing is found any more is taken for gone.
    :raises SaharaDockerError: a node that is there, or may be, could not be emptied; then all stay in the cluster.
    """
    absent = _absent(managed, instances, silence)
    # By name: comparing Sahara's objects that were loaded at different times recurses without end.
    alive = [instance for instance in instances if instance.instance_name not in absent]
    if alive:
        room.check(managed, alive)
        managed.decommission(alive)
        managed.delete_roles(alive)
        parallel.on_each(alive, "Stop Cloudera agents", nodes.stop_agent)
        managed.remove_hosts(alive)
    gone = [instance for instance in instances if instance.instance_name in absent]
    if gone:
        _write_off(managed, gone, absent)


def _absent(managed: managed_cluster.ManagedCluster, instances: list[Any], silence: float) -> dict[str, str]:
    """Return what shows that a node is gone, by the names of those that are.

    :raises SaharaDockerError: one cannot be reached from here, and yet may live.
    """
    absent: dict[str, str] = {}

    def look(instance: Any) -> None:
        absence = nodes.absence(instance)
        if absence:
            absent[instance.instance_name] = absence

    parallel.on_each(instances, "Look for leaving nodes", look)
    suspects = {instance.fqdn(): instance for instance in instances if instance.instance_name in absent}
    heard = agent_watch.heard_meanwhile(suspects, managed.client.hosts, silence=silence)
    if heard:
        raise exceptions.SaharaDockerError(
            "nodes cannot be reached from the Sahara host, but Cloudera Manager hears their agents",
            where=", ".join(heard),
            observed="; ".join(absent[suspects[name].instance_name] for name in heard),
            remedy="mend the way to the nodes and remove them again",
        )
    return absent


def _write_off(managed: managed_cluster.ManagedCluster, gone: list[Any], absent: dict[str, str]) -> None:
    """Remove nodes that are gone, with what Cloudera Manager still lets do; the event log names each.

    HDFS makes new replicas of a dead DataNode's blocks by itself. Those that only it had went with it, and keeping the
    node in the cluster would not bring them back.
    """
    notes = [(instance, _say_farewell(managed, instance, absent[instance.instance_name])) for instance in gone]
    # A step of its own, begun when those of the farewells are over: an event belongs to the step that began last.
    plugin_utils.add_provisioning_step(managed.cluster.id, "Remove nodes that are gone", len(gone))
    for instance, note in notes:
        LOG.warning("%s", note)
        plugin_utils.add_fail_event(instance, note)


def _say_farewell(managed: managed_cluster.ManagedCluster, instance: Any, absence: str) -> NodeGone:
    troubles = [absence]
    for step in _farewells(managed, instance):
        try:
            step()
        except exceptions.SaharaDockerError as trouble:
            troubles.append(str(trouble))
    return NodeGone(
        "the node is gone and was removed without being emptied",
        where=nodes.where(instance),
        observed="; ".join(troubles),
        remedy="look at HDFS's missing blocks, if files had one replica only",
    )


def _farewells(managed: managed_cluster.ManagedCluster, instance: Any) -> Iterator[Callable[[], object]]:
    """Yield what is to be tried, each whether or not the others succeed: stopping and deleting every role, the host."""
    for service, roles in managed.roles_by_service([instance], managed_cluster.WORKER_ROLES).items():
        for role in roles:
            yield functools.partial(managed.stop_role, service, role)
    for service, roles in managed.roles_by_service([instance]).items():
        for role in roles:
            yield functools.partial(managed.client.delete_role, managed.cluster.name, service, role)
    yield functools.partial(managed.remove_hosts, [instance])
