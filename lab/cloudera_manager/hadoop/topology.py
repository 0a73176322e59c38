# SPDX-License-Identifier: Apache-2.0
"""Who is where: the addresses of a cluster's daemons as Hadoop properties.

Ports are Cloudera Manager's for CDH 5 (50070, 8041, ...), not Hadoop 3's, because Sahara opens those.
"""

from __future__ import annotations

from ..server.model import Cluster, Role, Service
from . import hbase, high_availability, hive, settings
from .setting import CORE, HDFS, MAPRED, YARN

Files = dict[str, dict[str, str]]

#: Hadoop itself, and what CDH has beside it on every job's class path, such as S3A.
LIBRARIES = "/opt/hadoop/lib/*,/opt/s3a/lib/*"

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


def all_addresses(cluster: Cluster, service_type: str, role_type: str, name: str, default: int) -> list[str]:
    """Return ``host:port`` of every role of this type."""
    service = cluster.service_of(service_type)
    if service is None:
        return []
    return [f"{role.host_id}:{settings.number(service, role, name, default)}" for role in service.roles_of(role_type)]


def address(cluster: Cluster, service_type: str, role_type: str, name: str, default: int) -> str | None:
    """Return ``host:port`` of the first role of this type, or None when the cluster has none."""
    return next(iter(all_addresses(cluster, service_type, role_type, name, default)), None)


def name_node_pages(cluster: Cluster) -> list[str]:
    """Return ``host:port`` of the web servers of all NameNodes."""
    return all_addresses(cluster, "HDFS", "NAMENODE", "dfs_http_port", 50070)


def resource_manager_pages(cluster: Cluster) -> list[str]:
    """Return ``host:port`` of the web servers of all ResourceManagers."""
    return all_addresses(cluster, "YARN", "RESOURCEMANAGER", "resourcemanager_webserver_port", 8088)


def addresses(cluster: Cluster) -> Files:
    """Return the properties that every daemon and client of the cluster needs, by file."""
    files: Files = {CORE: {}, HDFS: {}, YARN: {}, MAPRED: {}}
    for part in (_hdfs(cluster), _yarn(cluster), _history(cluster)):
        for file, values in part.items():
            files[file].update(values)
    history = files[MAPRED].get("mapreduce.jobhistory.webapp.address")
    if history:
        files[YARN]["yarn.log.server.url"] = f"http://{history}/jobhistory/logs"
    files.update(hbase.everywhere(cluster, files[CORE].get("fs.defaultFS", "")))
    files.update(hive.everywhere(cluster, LIBRARIES))
    return files


def _hdfs(cluster: Cluster) -> Files:
    service = cluster.service_of("HDFS")
    name_nodes = service.roles_of("NAMENODE") if service else []
    if service is None or not name_nodes:
        return {}
    name = high_availability.name_service(cluster)
    files: Files = high_availability.hdfs(cluster, service, name) if name else {CORE: {}, HDFS: {}}
    for role in name_nodes if name else name_nodes[:1]:
        suffix = f".{name}.{role.name}" if name else ""
        rpc = f"{role.host_id}:{settings.number(service, role, 'namenode_port', 8020)}"
        files[CORE]["fs.defaultFS"] = f"hdfs://{name or rpc}"
        files[HDFS][f"dfs.namenode.rpc-address{suffix}"] = rpc
        web = settings.number(service, role, "dfs_http_port", 50070)
        files[HDFS][f"dfs.namenode.http-address{suffix}"] = f"{role.host_id}:{web}"
    secondary = address(cluster, "HDFS", "SECONDARYNAMENODE", "dfs_secondary_http_port", 50090)
    if secondary:
        files[HDFS]["dfs.namenode.secondary.http-address"] = secondary
    return files


def _yarn(cluster: Cluster) -> Files:
    service = cluster.service_of("YARN")
    if service is None:
        return {}
    resource_managers = service.roles_of("RESOURCEMANAGER")
    several = len(resource_managers) > 1
    files: Files = high_availability.yarn(cluster, service) if several else {YARN: {}}
    for role in resource_managers:
        suffix = f".{role.name}" if several else ""
        files[YARN][f"yarn.resourcemanager.hostname{suffix}"] = role.host_id
        for name, key, default in (
            ("yarn_resourcemanager_address", "address", 8032),
            ("yarn_resourcemanager_scheduler_address", "scheduler.address", 8030),
            ("yarn_resourcemanager_resource_tracker_address", "resource-tracker.address", 8031),
            ("yarn_resourcemanager_admin_address", "admin.address", 8033),
            ("resourcemanager_webserver_port", "webapp.address", 8088),
        ):
            number = settings.number(service, role, name, default)
            files[YARN][f"yarn.resourcemanager.{key}{suffix}"] = f"{role.host_id}:{number}"
    return files


def _history(cluster: Cluster) -> Files:
    found = {
        f"mapreduce.jobhistory.{key}": address(cluster, "YARN", "JOBHISTORY", name, number)
        for name, key, number in (
            ("mapreduce_jobhistory_address", "address", 10020),
            ("mapreduce_jobhistory_admin_address", "admin.address", 10033),
            ("mapreduce_jobhistory_webapp_address", "webapp.address", 19888),
        )
    }
    return {MAPRED: {name: text for name, text in found.items() if text}}


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
    if role.type == "JOURNALNODE":
        return {HDFS: {
            "dfs.journalnode.rpc-address": f"{EVERYWHERE}:{number('dfs_journalnode_rpc_port', 8485)}",
            "dfs.journalnode.http-address": f"{EVERYWHERE}:{number('dfs_journalnode_http_port', 8480)}",
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
    return hive.own(service, role) if service.type == "HIVE" else hbase.own(service, role)
