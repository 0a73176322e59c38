# SPDX-License-Identifier: Apache-2.0
"""Taking workers out of service: their data, their regions and their work move away first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from ..hadoop import launch, settings, topology, webhdfs
from .commands import Running
from .errors import CommandFailed
from .model import Cluster, Role, Service
from .roles import Roles

LONGEST = 1800.0
POLL = 0.5
_MASTER = {"DATANODE": "NAMENODE", "NODEMANAGER": "RESOURCEMANAGER"}


def work(roles: Roles, cluster: Cluster, service: Service, leaving: list[Role]) -> Callable[[Running], str]:
    """Return the work of decommissioning: exclude, let the master read that, wait until it agrees, stop the daemons."""

    def run(running: Running) -> str:
        kinds = {role.type for role in leaving}
        if not kinds <= {*_MASTER, "REGIONSERVER"} or len(kinds) != 1:
            can = "DATANODEs, NODEMANAGERs or REGIONSERVERs"
            raise CommandFailed(f"only {can} can be decommissioned, not {', '.join(sorted(kinds))}")
        roles.set_commission(leaving, "DECOMMISSIONING")
        try:
            if kinds == {"REGIONSERVER"}:
                _unload(running, roles, cluster, service, leaving)
            else:
                _exclude(running, roles, cluster, service, leaving)
        except CommandFailed:
            roles.set_commission(leaving, "COMMISSIONED")
            raise
        roles.set_commission(leaving, "DECOMMISSIONED")
        for role in leaving:
            roles.stop(running, role)
        return f"Successfully decommissioned {', '.join(role.name for role in leaving)}"

    return run


def _unload(running: Running, roles: Roles, cluster: Cluster, service: Service, leaving: list[Role]) -> None:
    """Move the regions of RegionServers that run to others, one server after the other."""
    for role in leaving:
        if roles.runs(role):
            host, number = roles.host(role.host_id), roles.next_process()
            command = launch.unload_region_server(cluster, service, role, host, number)
            roles.run(running, role.host_id, "run", command)


def _exclude(running: Running, roles: Roles, cluster: Cluster, service: Service, leaving: list[Role]) -> None:
    masters = [master for master in service.roles_of(_MASTER[leaving[0].type]) if master.state == "STARTED"]
    # Of two masters one may be lost; with both lost nothing can be emptied, and the first one tells so.
    for master in [one for one in masters if roles.runs(one)] or masters[:1]:
        roles.refresh_nodes(running, cluster, service, master)
    if masters:
        _await(running, cluster, leaving)


def _await(running: Running, cluster: Cluster, leaving: list[Role]) -> None:
    deadline = time.monotonic() + LONGEST
    look = _data_nodes_left if leaving[0].type == "DATANODE" else _node_managers_left
    while left := look(cluster, leaving):
        if time.monotonic() > deadline:
            raise CommandFailed(f"not decommissioned after {LONGEST:.0f} s: {'; '.join(left)}")
        running.wait(POLL)


def _data_nodes_left(cluster: Cluster, leaving: list[Role]) -> list[str]:
    """Return what the NameNode still waits for, for each DataNode. A dead one has nothing left to give."""
    web = webhdfs.active_name_node(topology.name_node_pages(cluster))
    live = json.loads(webhdfs.metrics(web, "Hadoop:service=NameNode,name=NameNodeInfo")["LiveNodes"])
    states = {name.rpartition(":")[0]: node for name, node in live.items()}
    staying = [node for node in states.values() if node["adminState"] == "In Service"]
    left = []
    for role in leaving:
        node = states.get(role.host_id)
        if node is None or node["adminState"] == "Decommissioned":
            continue
        left.append(f"{role.host_id} is {node['adminState'].lower()}, {node.get('numBlocks', '?')} blocks, "
                    f"{len(staying)} DataNodes stay")  # fmt: skip
        if not staying and int(node.get("numBlocks", 0)):
            raise CommandFailed(f"{role.host_id} holds {node['numBlocks']} blocks and no other DataNode stays for them")
    return left


def _node_managers_left(cluster: Cluster, leaving: list[Role]) -> list[str]:
    pages = topology.resource_manager_pages(cluster)
    service = cluster.service_of("YARN")
    assert service is not None
    left = []
    for role in leaving:
        port = settings.number(service, role, "yarn_nodemanager_address", 8041)
        state = webhdfs.yarn_node_state(pages, f"{role.host_id}:{port}")
        if state not in ("DECOMMISSIONED", "LOST", "SHUTDOWN", "GONE"):
            left.append(f"{role.host_id} is {state}")
    return left
