# SPDX-License-Identifier: Apache-2.0
"""The effective configuration of a role: its own values, then its role configuration group's, then its service's."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from ..server.model import Cluster, Role, Service
from . import catalogue, properties, spark_properties

#: Names that are used elsewhere than in the tables of :mod:`properties`: ports, heaps, options, references to services.
_USED_ELSEWHERE = {
    "HDFS": {
        "zookeeper_service", "kms_service", "hadoop_security_authentication", "dfs_block_local_path_access_user",
        "dfs_ha_proxy_provider",
    },
    "YARN": {"hdfs_service", "zookeeper_service", "yarn_rm_ha_cluster_id"},
    "OOZIE": {"mapreduce_yarn_service", "hive_service", "zookeeper_service", "spark_on_yarn_service"},
    "SPARK_ON_YARN": {"yarn_service", "spark_history_log_dir"},
    "NAMENODE": {
        "namenode_port", "dfs_http_port", "dfs_federation_namenode_nameservice", "dfs_namenode_quorum_journal_name",
        "autofailover_enabled",
    },
    "JOURNALNODE": {"dfs_journalnode_rpc_port", "dfs_journalnode_http_port"},
    "SECONDARYNAMENODE": {"dfs_secondary_http_port"},
    "DATANODE": {"dfs_datanode_port", "dfs_datanode_http_port", "dfs_datanode_ipc_port"},
    "RESOURCEMANAGER": {
        "yarn_resourcemanager_address", "yarn_resourcemanager_scheduler_address",
        "yarn_resourcemanager_resource_tracker_address", "yarn_resourcemanager_admin_address",
        "resourcemanager_webserver_port", "resourcemanager_fair_scheduler_configuration",
    },
    "NODEMANAGER": {
        "yarn_nodemanager_address", "yarn_nodemanager_localizer_address", "nodemanager_webserver_port",
        # The lab's NodeManagers run containers as themselves, so there is no container-executor to forbid anyone.
        "container_executor_allowed_system_users", "container_executor_banned_users",
    },
    "JOBHISTORY": {
        "mapreduce_jobhistory_address", "mapreduce_jobhistory_admin_address", "mapreduce_jobhistory_webapp_address",
    },
    "OOZIE_SERVER": {"oozie_http_port", "oozie_data_dir"},
    "SERVER": {"quorumPort", "electionPort", "serverId"},
    "HBASE": {"hdfs_service", "zookeeper_service", "hdfs_rootdir"},
    "HIVE": {
        "mapreduce_yarn_service", "zookeeper_service", "hive_warehouse_directory",
        *(f"hive_metastore_database_{what}" for what in ("host", "port", "name", "user", "password", "type")),
    },
    "HIVEMETASTORE": {"hive_metastore_port"},
    "MASTER": {"hbase_master_port", "hbase_master_info_port"},
    "REGIONSERVER": {"hbase_regionserver_port", "hbase_regionserver_info_port"},
    "KAFKA": {"zookeeper_service", "zookeeper.chroot", "offsets.topic.replication.factor"},
    "KAFKA_BROKER": {"port", "advertised.host.name", "advertised.port", "kafka.properties_role_safety_valve"},
}  # fmt: skip

_ANY_ROLE = {"process_auto_restart", "log_threshold", "max_log_size", "max_log_backup_index"}


def value(service: Service, role: Role | None, name: str) -> str | None:
    """Return a configuration value for a role (or for the service alone), or None when nobody has set it."""
    if role is not None:
        if name in role.config:
            return role.config[name]
        group = service.groups.get(role.group)
        if group is not None and name in group.config:
            return group.config[name]
    return service.config.get(name)


def number(service: Service, role: Role | None, name: str, default: int) -> int:
    """Return a whole number, such as a port or a size in bytes; the default when it is not set or no number."""
    text = value(service, role, name)
    try:
        return int(float(text)) if text else default
    except ValueError:
        return default


def gateway_values(service: Service, host_id: str) -> dict[str, str]:
    """Return the client settings for a host: its gateway's, else the values that all gateways have in common.

    Sahara puts gateways on workers only and gives each the same values, while Oozie and the JobHistory server need
    them on the master.
    """
    gateways = service.roles_of(catalogue.GATEWAY)
    groups = [group.config for group in service.groups.values() if group.role_type == catalogue.GATEWAY]
    base = groups[0] if groups else {}
    for gateway in gateways:
        if gateway.host_id == host_id:
            return {**base, **gateway.config}
    common = dict(gateways[0].config) if gateways else {}
    for gateway in gateways[1:]:
        common = {name: text for name, text in common.items() if gateway.config.get(name) == text}
    return {**base, **common}


def _known(owner: str) -> set[str]:
    tables = (*properties.SERVICE.get(owner, ()), *properties.ROLE.get(owner, ()))
    return {setting.name for setting in tables} | _USED_ELSEWHERE.get(owner, set())


def is_applied(service_type: str, role_type: str | None, name: str) -> bool:
    """Say whether the lab does anything with this name; when not, it is kept in the state and reported as such."""
    if name in properties.SAFETY_VALVES | spark_properties.VALVES or name.endswith("_env_safety_valve"):
        return True
    if name == "log4j_safety_valve":
        return True
    if role_type is None:
        return name in _known(service_type)
    if role_type == catalogue.GATEWAY:
        return name in {setting.name for setting in properties.CLIENT.get(service_type, ())}
    daemon = catalogue.daemon(service_type, role_type)
    own = {daemon.heap[0], daemon.options, daemon.log_dir[0]} if daemon else set()
    return name in _known(role_type) | own | _ANY_ROLE


def default(service_type: str, role_type: str | None, name: str) -> tuple[str | None, str | None]:
    """Return the Hadoop property of a name and the lab's default; None for what it does not have."""
    if role_type == catalogue.GATEWAY:
        table = properties.CLIENT.get(service_type, ())
    else:
        table = properties.ROLE.get(role_type, ()) if role_type else properties.SERVICE.get(service_type, ())
    for setting in table:
        if setting.name == name:
            return setting.property, setting.default
    return None, None


def snippet(text: str) -> list[tuple[str, str]]:
    """Return the properties of a safety valve: ``<property>`` elements one after the other, or nothing.

    :raises ValueError: it is not well-formed or has something else in it; the text says what.
    """
    if not text.strip():
        return []
    try:
        root = ElementTree.fromstring(f"<configuration>{text}</configuration>")  # noqa: S314
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    found = []
    for element in root:
        inner = list(element) if element.tag == "configuration" else [element]
        for entry in inner:
            name = (entry.findtext("name") or "").strip()
            if entry.tag != "property" or not name:
                raise ValueError(f"<{entry.tag}> where a <property> with a <name> is expected")
            found.append((name, entry.findtext("value") or ""))
    return found


def environment(text: str) -> dict[str, str]:
    """Return the variables of an environment safety valve: lines of ``NAME=value``."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): content.strip().strip('"') for name, _, content in pairs}


def not_applied(cluster: Cluster, service: Service, role: Role) -> list[str]:
    """Return the names that were set for a role or its service and that the lab does nothing with."""
    names = [name for name in service.config if not is_applied(service.type, None, name)]
    group = service.groups.get(role.group)
    own = {**(group.config if group else {}), **role.config}
    return sorted(set(names + [name for name in own if not is_applied(service.type, role.type, name)]))
