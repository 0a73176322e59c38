# SPDX-License-Identifier: Apache-2.0
"""Who is where: the addresses of a cluster's daemons as Hadoop properties.

Ports are Cloudera Manager's for CDH 5 (50070, 8041, ...), not Hadoop 3's, because Sahara opens those.
"""

from __future__ import annotations

from ..server.model import Cluster, Role, Service
from . import settings
from .properties import CORE, HDFS, MAPRED, YARN

Files = dict[str, dict[str, str]]

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a cluster's daemons serve the other nodes


def first(cluster: Cluster, service_type: str, role_type: str) -> tuple[Service, Role] | None:
    """Return the first role of this type with its service, or None."""
    service = cluster.service_of(service_type)
    roles = service.roles_of(role_type) if service else []
    return (service, roles[0]) if service and roles else None


def port(cluster: Cluster, service_type: str, role_type: str, name: str, default: int) -> int:
    """Return a port of the first role of this type."""
    found = first(cluster, service_type, role_type)
    return settings.number(found[0], found[1], name, default) if found else default


def address(cluster: Cluster, service_type: str, role_type: str, name: str, default: int) -> str | None:
    """Return ``host:port`` of the first role of this type, or None when the cluster has none."""
    found = first(cluster, service_type, role_type)
    return f"{found[1].host_id}:{settings.number(*found, name, default)}" if found else None


def addresses(cluster: Cluster) -> Files:
    """Return the properties that every daemon and client of the cluster needs, by file."""
    files: Files = {CORE: {}, HDFS: {}, YARN: {}, MAPRED: {}}
    name_node = address(cluster, "HDFS", "NAMENODE", "namenode_port", 8020)
    if name_node:
        files[CORE]["fs.defaultFS"] = f"hdfs://{name_node}"
        files[HDFS]["dfs.namenode.rpc-address"] = name_node
        files[HDFS]["dfs.namenode.http-address"] = str(address(cluster, "HDFS", "NAMENODE", "dfs_http_port", 50070))
    secondary = address(cluster, "HDFS", "SECONDARYNAMENODE", "dfs_secondary_http_port", 50090)
    if secondary:
        files[HDFS]["dfs.namenode.secondary.http-address"] = secondary
    manager = first(cluster, "YARN", "RESOURCEMANAGER")
    if manager:
        service, role = manager
        files[YARN]["yarn.resourcemanager.hostname"] = role.host_id
        for name, key, number in (
            ("yarn_resourcemanager_address", "address", 8032),
            ("yarn_resourcemanager_scheduler_address", "scheduler.address", 8030),
            ("yarn_resourcemanager_resource_tracker_address", "resource-tracker.address", 8031),
            ("yarn_resourcemanager_admin_address", "admin.address", 8033),
            ("resourcemanager_webserver_port", "webapp.address", 8088),
        ):
            port_number = settings.number(service, role, name, number)
            files[YARN][f"yarn.resourcemanager.{key}"] = f"{role.host_id}:{port_number}"
    for name, key, number in (
        ("mapreduce_jobhistory_address", "address", 10020),
        ("mapreduce_jobhistory_admin_address", "admin.address", 10033),
        ("mapreduce_jobhistory_webapp_address", "webapp.address", 19888),
    ):
        history = address(cluster, "YARN", "JOBHISTORY", name, number)
        if history:
            files[MAPRED][f"mapreduce.jobhistory.{key}"] = history
    history = files[MAPRED].get("mapreduce.jobhistory.webapp.address")
    if history:
        files[YARN]["yarn.log.server.url"] = f"http://{history}/jobhistory/logs"
    return files


def own_addresses(service: Service, role: Role) -> Files:
    """Return the properties by which a daemon listens, by file."""

    def number(name: str, default: int) -> int:
        return settings.number(service, role, name, default)

    if role.type == "NAMENODE":
        keys = ("rpc-bind-host", "servicerpc-bind-host", "http-bind-host")
        return {HDFS: {f"dfs.namenode.{key}": EVERYWHERE for key in keys}}
    if role.type == "DATANODE":
        return {HDFS: {
            "dfs.datanode.hostname": role.host_id,
            "dfs.datanode.address": f"{EVERYWHERE}:{number('dfs_datanode_port', 50010)}",
            "dfs.datanode.http.address": f"{EVERYWHERE}:{number('dfs_datanode_http_port', 50075)}",
            "dfs.datanode.ipc.address": f"{EVERYWHERE}:{number('dfs_datanode_ipc_port', 50020)}",
        }}  # fmt: skip
    if role.type == "RESOURCEMANAGER":
        return {YARN: {"yarn.resourcemanager.bind-host": EVERYWHERE}}
    if role.type == "NODEMANAGER":
        return {YARN: {
            "yarn.nodemanager.hostname": role.host_id,
            "yarn.nodemanager.bind-host": EVERYWHERE,
            "yarn.nodemanager.address": f"{role.host_id}:{number('yarn_nodemanager_address', 8041)}",
            "yarn.nodemanager.localizer.address":
                f"{role.host_id}:{number('yarn_nodemanager_localizer_address', 8040)}",
            "yarn.nodemanager.webapp.address": f"{role.host_id}:{number('nodemanager_webserver_port', 8042)}",
        }}  # fmt: skip
    if role.type == "JOBHISTORY":
        return {MAPRED: {"mapreduce.jobhistory.bind-host": EVERYWHERE}}
    return {}
