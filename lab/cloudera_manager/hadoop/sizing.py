# SPDX-License-Identifier: Apache-2.0
"""Memory and cores for YARN, where nobody has set them: from what a host's containers may use, not from the machine."""

from __future__ import annotations

from ..server.model import Cluster, Host
from . import catalogue, settings

MIB = 1024 * 1024

#: What a small JVM takes beside its heap, and what the node's own services take, measured on the lab's node.
JVM_OVERHEAD_MIB = 120
NODE_MIB = 100
SMALLEST_MIB, LARGEST_MIB = 512, 8192


def heap_bytes(cluster: Cluster, service_type: str, role_name: str) -> int:
    """Return the heap of a role's daemon in bytes: what was set, else the lab's default."""
    service = next(item for item in cluster.services.values() if item.type == service_type and role_name in item.roles)
    role = service.roles[role_name]
    daemon = catalogue.daemon(service.type, role.type)
    if daemon is None:
        return 0
    name, default = daemon.heap
    return settings.number(service, role, name, default * MIB // daemon.heap_unit) * daemon.heap_unit


def node_manager_memory(cluster: Cluster, host: Host) -> int:
    """Return the MiB that a NodeManager may give away: the host's limit without the daemons that run there."""
    taken = NODE_MIB
    for service in cluster.services.values():
        for role in service.roles.values():
            if role.host_id == host.host_id and catalogue.daemon(service.type, role.type):
                taken += heap_bytes(cluster, service.type, role.name) // MIB + JVM_OVERHEAD_MIB
    return max(SMALLEST_MIB, min(LARGEST_MIB, host.memory // MIB - taken))


def replication(cluster: Cluster) -> int:
    """Return the replicas of a block that the cluster's DataNodes can hold, at most HDFS's usual three."""
    hdfs = cluster.service_of("HDFS")
    return max(1, min(3, len(hdfs.roles_of("DATANODE")) if hdfs else 1))


def node_manager_cores(host: Host) -> int:
    """Return the virtual cores that a NodeManager may give away, at least 2: a job needs its master and one task."""
    return max(2, host.cores)
