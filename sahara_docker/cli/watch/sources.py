# SPDX-License-Identifier: Apache-2.0
"""One snapshot of a cluster: what Sahara, Heat, Nova and Cloudera Manager say at a moment."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime
from typing import Any, Callable

from sahara_docker import exceptions
from sahara_docker.cli import cloud, cloudera
from sahara_docker.cli import cluster as sahara_cluster

_WORKERS = 8


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """What was said; a part that could not be asked is empty, and ``troubles`` says why.

    :param cluster: None when it is gone.
    :param servers: Nova's documents by id.
    :param actions: Nova's records of what was done with each server, by its id.
    :param heat: the stack's events, oldest first.
    :param commands: of Cloudera Manager, in work.
    :param roles: health and state of its roles by name.
    :param jobs: Sahara's job executions on the cluster.
    :param troubles: what could not be asked, by the service's name.
    """

    cluster: sahara_cluster.Cluster | None
    servers: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    actions: dict[str, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)
    heat: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    commands: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    roles: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    jobs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    troubles: dict[str, str] = dataclasses.field(default_factory=dict)


def moment(text: str | None) -> datetime.datetime | None:
    """Read one of OpenStack's or Cloudera Manager's dates, which all are UTC; None for none."""
    if not text:
        return None
    text = text.rstrip("Z").partition(".")[0].replace(" ", "T")
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)


def take(openstack: cloud.Cloud, identifier: str) -> Snapshot:
    """Ask everybody about a cluster, side by side.

    :param identifier: the cluster's id.
    :raises CloudError: Sahara does not answer.
    """
    try:
        found = openstack.get("data-processing", f"/clusters/{identifier}?show_progress=true")["cluster"]
    except cloud.CloudError as error:
        if error.status == 404:
            return Snapshot(None)
        raise
    cluster = sahara_cluster.Cluster(found)
    parts: dict[str, Callable[[], Any]] = {
        "servers": lambda: _servers(openstack, cluster),
        "actions": lambda: _actions(openstack, cluster),
        "heat": lambda: _heat(openstack, cluster),
        "commands": lambda: _manager(cluster, _commands, []),
        "roles": lambda: _manager(cluster, _roles, {}),
        "jobs": lambda: _jobs(openstack, cluster),
    }
    known: dict[str, Any] = {}
    troubles = {}
    with concurrent.futures.ThreadPoolExecutor(_WORKERS) as pool:
        asked = {name: pool.submit(ask) for name, ask in parts.items()}
        for name, answer in asked.items():
            try:
                known[name] = answer.result()
            except exceptions.SaharaDockerError as error:
                troubles[name] = str(error)
    return Snapshot(cluster, **known, troubles=troubles)


def _servers(openstack: cloud.Cloud, cluster: sahara_cluster.Cluster) -> dict[str, dict[str, Any]]:
    wanted = {node.instance_id for node in cluster.nodes}
    if not wanted:
        return {}
    found = openstack.get("compute", f"/servers/detail?name={cluster.name}-")["servers"]
    return {one["id"]: one for one in found if one["id"] in wanted}


def _actions(openstack: cloud.Cloud, cluster: sahara_cluster.Cluster) -> dict[str, list[dict[str, Any]]]:
    found = {}
    # Nova tells when an action ended from 2.51 on.
    headers = {"X-OpenStack-Nova-API-Version": "2.58"}
    for node in cluster.nodes:
        try:
            path = f"/servers/{node.instance_id}/os-instance-actions"
            found[node.instance_id] = openstack.get("compute", path, headers=headers)["instanceActions"]
        except cloud.CloudError as error:
            if error.status != 404:
                raise
    return found


def _heat(openstack: cloud.Cloud, cluster: sahara_cluster.Cluster) -> list[dict[str, Any]]:
    # Sahara's stacks are hidden ones, called after the cluster and the start of its id.
    stacks = openstack.get("orchestration", "/stacks?show_hidden=true")["stacks"]
    stack = next((one for one in stacks if one["stack_name"] == f"{cluster.name}{cluster.id[:8]}"), None)
    if stack is None:
        return []
    return openstack.get("orchestration", f"/stacks/{stack['stack_name']}/{stack['id']}/events?sort_dir=asc")["events"]


def _manager(cluster: sahara_cluster.Cluster, ask: Callable[[cloudera.Manager, str], Any], nothing: Any) -> Any:
    manager = cloudera.of_cluster(cluster)
    if manager is None or "Cloudera Manager" not in cluster.info:
        return nothing  # it does not run yet, or with a password that Sahara does not show yet
    try:
        return ask(manager, cluster.name)
    except cloudera.ManagerError as error:
        if error.status == 404:
            return nothing
        raise


def _commands(manager: cloudera.Manager, name: str) -> list[dict[str, Any]]:
    return manager.items("clusters", name, "commands")


def _roles(manager: cloudera.Manager, name: str) -> dict[str, dict[str, Any]]:
    services = [one["name"] for one in manager.items("clusters", name, "services")]
    return {
        role["name"]: role
        for service in services
        for role in manager.items("clusters", name, "services", service, "roles")
    }


def _jobs(openstack: cloud.Cloud, cluster: sahara_cluster.Cluster) -> list[dict[str, Any]]:
    found = openstack.get("data-processing", "/job-executions")["job_executions"]
    return [one for one in found if one["cluster_id"] == cluster.id]
