# SPDX-License-Identifier: Apache-2.0
"""What the daemons of a cluster say of themselves, past Sahara and Cloudera Manager: pages of Apache Hadoop."""

from __future__ import annotations

import json
from typing import Any

from lab import cluster, rest


def page(node: cluster.Node, port: int, path: str) -> Any:
    """What a daemon's web server answers, decoded where it is JSON."""
    return rest.call("GET", f"http://{node.address}:{port}{path}", timeout=20)[1]


def bean(node: cluster.Node, port: int, name: str) -> dict[str, Any]:
    """The attributes of a JMX bean of a daemon."""
    return page(node, port, f"/jmx?qry={name}")["beans"][0]


def configured(node: cluster.Node, port: int, name: str) -> str:
    """The value of a property in a running daemon."""
    return page(node, port, f"/conf?name={name}").decode().partition("<value>")[2].partition("</value>")[0]


def data_nodes(made: cluster.Cluster) -> dict[str, dict[str, Any]]:
    """The live DataNodes by the names of their nodes, as the NameNode knows them."""
    live = json.loads(bean(made.node("master"), 50070, "Hadoop:service=NameNode,name=NameNodeInfo")["LiveNodes"])
    return {name.partition(".")[0]: data_node for name, data_node in live.items()}


def node_managers(made: cluster.Cluster) -> dict[str, dict[str, Any]]:
    """The running NodeManagers by the names of their nodes, as the ResourceManager knows them."""
    answer = page(made.node("master"), 8088, "/ws/v1/cluster/nodes?states=RUNNING")
    return {one["nodeHostName"].partition(".")[0]: one for one in (answer["nodes"] or {}).get("node", [])}


def resources(node_manager: dict[str, Any]) -> tuple[int, int]:
    """The MB and the cores that a NodeManager hands out."""
    cores = node_manager["usedVirtualCores"] + node_manager["availableVirtualCores"]
    return node_manager["usedMemoryMB"] + node_manager["availMemoryMB"], cores


def fsck(made: cluster.Cluster, path: str = "/") -> str:
    """What ``hdfs fsck PATH -files -blocks -locations`` prints; the command itself asks the same page."""
    answer = page(made.node("master"), 50070, f"/fsck?ugi=hdfs&path={path}&files=1&blocks=1&locations=1")
    return answer if isinstance(answer, str) else answer.decode()
