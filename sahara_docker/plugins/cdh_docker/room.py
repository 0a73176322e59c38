# SPDX-License-Identifier: Apache-2.0
"""Whether the DataNodes that stay have room for what the leaving ones hold.

HDFS does not say that it cannot empty a DataNode: it goes on looking for room for ever.
"""

from __future__ import annotations

import json
from typing import Any

import requests
from oslo_log import log as logging

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import managed_cluster

LOG = logging.getLogger(__name__)

MIB = 1024**2


class NoRoom(exceptions.SaharaDockerError):
    """What leaving DataNodes hold does not fit on those that stay."""


def check(managed: managed_cluster.ManagedCluster, leaving: list[Any]) -> None:
    """Compare what *leaving* nodes hold with the space of the others, by the NameNode's word.

    A NameNode that says nothing is no obstacle: HDFS moves the data, or the time for that passes.

    :raises NoRoom: it does not fit, and no node was touched.
    """
    names = {instance.fqdn() for instance in leaving}
    try:
        data_nodes = _data_nodes(managed)
    except (requests.RequestException, exceptions.SaharaDockerError, ValueError, LookupError, TypeError) as fault:
        LOG.warning("[%s] Whether leaving nodes' data has room is not known: %s", managed.cluster.name, fault)
        return
    held = {name: node["usedSpace"] for name, node in data_nodes.items() if name in names}
    free = {
        name: node["remaining"]
        for name, node in data_nodes.items()
        if name not in names and node["adminState"] == "In Service"
    }
    if sum(held.values()) > sum(free.values()):
        raise NoRoom(
            "the DataNodes that stay have no room for what the leaving ones hold",
            where=managed.cluster.name,
            observed=f"{_sizes(held)} to move; free: {_sizes(free) or 'nothing, for no DataNode stays'}",
            remedy="delete files or lower their replication, or let fewer nodes leave",
        )


def _data_nodes(managed: managed_cluster.ManagedCluster) -> dict[str, dict[str, Any]]:
    """Return the live DataNodes by host name, from the NameNode's page ``/jmx`` (bean NameNodeInfo, LiveNodes)."""
    name_node, port = managed.name_node()
    with name_node.remote() as remote:
        session = remote.get_http_client(port)
        answer = session.get(
            f"http://{name_node.management_ip}:{port}/jmx", params={"qry": "Hadoop:service=NameNode,name=NameNodeInfo"}
        )
    answer.raise_for_status()
    live = json.loads(answer.json()["beans"][0]["LiveNodes"])
    return {name.partition(":")[0]: node for name, node in live.items()}


def _sizes(by_name: dict[str, int]) -> str:
    return ", ".join(f"{name} {size // MIB} MiB" for name, size in sorted(by_name.items()))
