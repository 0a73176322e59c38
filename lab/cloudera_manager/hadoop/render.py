# SPDX-License-Identifier: Apache-2.0
"""The files of a daemon's process directory, and those of the client configuration."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from xml.sax.saxutils import escape

from ..server.errors import CommandFailed
from ..server.model import Cluster, Host, Role, Service
from . import catalogue, high_availability, hive, jvm, kafka, properties, settings, sizing, spark, topology
from .setting import CORE, HBASE, HDFS, HIVE, KAFKA, MAPRED, OOZIE, SPARK_HISTORY, YARN, ZOO

CLIENT_DIRECTORY = "/etc/hadoop/conf"

#: Lists of hosts that a running daemon reads again; they are no reason to call a daemon's configuration stale.
HDFS_EXCLUDES, YARN_EXCLUDES = "dfs_hosts_exclude.txt", "nodes_exclude.txt"

_FAIR_SCHEDULER = """<?xml version="1.0"?>
<allocations>
  <!-- Small clusters: the default of a half would not let a second application master in. -->
  <queueMaxAMShareDefault>0.8</queueMaxAMShareDefault>
  <defaultQueueSchedulingPolicy>fair</defaultQueueSchedulingPolicy>
  <!-- A Spark job waits until those before it leave room for more than its driver. -->
  <queue name="spark"><maxAMShare>0.6</maxAMShare></queue>
</allocations>
"""


def site_xml(values: dict[str, str]) -> str:
    """Return a Hadoop configuration file."""
    rows = "".join(
        f"  <property><name>{escape(name)}</name><value>{escape(text)}</value></property>\n"
        for name, text in sorted(values.items())
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n{rows}</configuration>\n'


def role_files(cluster: Cluster, service: Service, role: Role, host: Host) -> dict[str, str]:
    """Return a daemon's files by name. ``{process_dir}`` in them stands for the directory that they are written to.

    :raises CommandFailed: a safety valve cannot be read, or the cluster lacks what the daemon needs.
    """
    daemon = catalogue.daemon(service.type, role.type)
    assert daemon is not None
    _refuse_kerberos(cluster)
    files = _cluster_properties(cluster, role.host_id)
    for setting in properties.ROLE.get(role.type, ()):
        text = settings.value(service, role, setting.name)
        _put(files, setting, text if text not in (None, "") else setting.default)
    for file, values in topology.own_addresses(service, role).items():
        files.setdefault(file, {}).update(values)
    for file, values in high_availability.own(cluster, service, role).items():
        files[file].update(values)
    _special(files, cluster, role, host)
    group = service.groups.get(role.group)
    _apply_safety_valves(files, service.config, {**(group.config if group else {}), **role.config})
    rendered = {name: site_xml(files.get(name, {})) for name in daemon.files if name.endswith("-site.xml")}
    if ZOO in daemon.files:
        rendered.update(_zookeeper(files.get(ZOO, {}), service))
    if KAFKA in daemon.files:
        rendered[KAFKA] = kafka.properties_file(cluster, service, role, files[KAFKA])
    if SPARK_HISTORY in daemon.files:
        rendered[SPARK_HISTORY] = spark.history_server(files, service, role)
    if "fair-scheduler.xml" in daemon.files:
        given = settings.value(service, role, "resourcemanager_fair_scheduler_configuration")
        rendered["fair-scheduler.xml"] = given or _FAIR_SCHEDULER
        rendered[YARN_EXCLUDES] = _excludes(cluster, "YARN", "NODEMANAGER")
    if role.type == "NAMENODE":
        rendered[HDFS_EXCLUDES] = _excludes(cluster, "HDFS", "DATANODE")
    rendered["log4j.properties"] = _log4j(service, role)
    return rendered


def client_configuration(cluster: Cluster, host_id: str) -> dict[str, dict[str, str]]:
    """Return the client configuration of a host: files by directory."""
    spark_files = spark.client_files(_cluster_properties(cluster, host_id), cluster, host_id)
    directories = {
        CLIENT_DIRECTORY: client_files(cluster, host_id),
        spark.CLIENT_DIRECTORY: spark_files,
        hive.CLIENT_DIRECTORY: _hive_client_files(cluster, host_id),
    }
    return {directory: files for directory, files in directories.items() if files}


def client_files(cluster: Cluster, host_id: str) -> dict[str, str]:
    """Return Hadoop's client configuration of a host: what people's commands and MapReduce tasks read."""
    files = _cluster_properties(cluster, host_id)
    names = [CORE, HDFS] + ([YARN, MAPRED] if cluster.service_of("YARN") else [])
    names += [HBASE] if cluster.service_of("HBASE") else []
    for service in cluster.services.values():
        if service.type in ("HDFS", "YARN", "HBASE"):
            _apply_safety_valves(files, service.config, settings.gateway_values(service, host_id))
    rendered = {name: site_xml(files[name]) for name in names}
    rendered["log4j.properties"] = (
        "log4j.rootLogger=INFO,console\n"
        "log4j.appender.console=org.apache.log4j.ConsoleAppender\n"
        "log4j.appender.console.target=System.err\n"
        "log4j.appender.console.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.console.layout.ConversionPattern=%d{yy/MM/dd HH:mm:ss} %p %c{2}: %m%n\n"
        "log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR\n"
    )
    return rendered


def _hive_client_files(cluster: Cluster, host_id: str) -> dict[str, str]:
    service = cluster.service_of("HIVE")
    if service is None:
        return {}
    files = _cluster_properties(cluster, host_id)
    _apply_safety_valves(files, service.config, settings.gateway_values(service, host_id))
    return {HIVE: site_xml(files[HIVE])}


def host_lists(files: dict[str, Any]) -> dict[str, str]:
    """Return those of a daemon's files that hold lists of hosts."""
    return {name: files[name] for name in (HDFS_EXCLUDES, YARN_EXCLUDES) if name in files}


def digest(files: dict[str, Any], *more: object) -> str:
    """Return a short name for what a daemon was started with, to tell later whether that is stale."""
    lists = host_lists(files)
    stable = {name: text for name, text in files.items() if name not in lists}
    return hashlib.sha256(json.dumps([stable, more], sort_keys=True, default=str).encode()).hexdigest()[:16]


def _put(files: topology.Files, setting: properties.Setting, text: str | None) -> None:
    if text is not None:
        files.setdefault(setting.file, {})[setting.property] = text


def _refuse_kerberos(cluster: Cluster) -> None:
    hdfs = cluster.service_of("HDFS")
    if hdfs is not None and hdfs.config.get("hadoop_security_authentication", "simple") != "simple":
        raise CommandFailed("Kerberos is not available in the lab: unset hadoop_security_authentication of HDFS")


def _cluster_properties(cluster: Cluster, host_id: str) -> topology.Files:
    """Return what daemons and clients on a host have in common."""
    files = topology.addresses(cluster)
    for service in cluster.services.values():
        for setting in properties.SERVICE.get(service.type, ()):
            text = service.config.get(setting.name)
            _put(files, setting, text if text not in (None, "") else setting.default)
        values = settings.gateway_values(service, host_id)
        for setting in properties.CLIENT.get(service.type, ()):
            text = values.get(setting.name)
            # Cloudera Manager's 0 stands for "Hadoop shall decide".
            _put(files, setting, text if text not in (None, "", "0") else setting.default)
    files[HDFS]["dfs.client.read.shortcircuit"] = "false"
    if cluster.service_of("YARN"):
        java = " ".join(jvm.fast_start())
        files[YARN].update({
            "yarn.application.classpath": f"{CLIENT_DIRECTORY},{topology.LIBRARIES}",
            "yarn.app.mapreduce.am.staging-dir": "/user",
        })  # fmt: skip
        files[MAPRED].update({
            "mapreduce.application.classpath": topology.LIBRARIES,
            "mapreduce.admin.map.child.java.opts": java,
            "mapreduce.admin.reduce.child.java.opts": java,
            "yarn.app.mapreduce.am.admin-command-opts": java,
            "yarn.app.mapreduce.am.staging-dir": "/user",
            "mapreduce.jobhistory.intermediate-done-dir": "/user/history/done_intermediate",
            "mapreduce.jobhistory.done-dir": "/user/history/done",
            # A second between two looks at a job's progress is long for a job of seconds.
            "mapreduce.client.progressmonitor.pollinterval": "500",
            "mapreduce.client.completion.pollinterval": "500",
            "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": "250",
        })  # fmt: skip
    return files


def _special(files: topology.Files, cluster: Cluster, role: Role, host: Host) -> None:
    """Put in what is neither a setting nor an address."""
    if role.type == "NAMENODE":
        files[HDFS]["dfs.hosts.exclude"] = f"{{process_dir}}/{HDFS_EXCLUDES}"
        files[HDFS]["dfs.namenode.decommission.interval"] = "2"
        # A silent DataNode counts as dead after 70 seconds instead of Hadoop's ten and a half minutes.
        files[HDFS]["dfs.namenode.heartbeat.recheck-interval"] = "20000"
        # A copy that was given to such a DataNode is tried elsewhere after as long, not after Hadoop's five minutes.
        files[HDFS]["dfs.namenode.reconstruction.pending.timeout-sec"] = "70"
        files[HDFS]["dfs.namenode.redundancy.interval.seconds"] = "1s"
    elif role.type == "RESOURCEMANAGER":
        files[YARN]["yarn.resourcemanager.nodes.exclude-path"] = f"{{process_dir}}/{YARN_EXCLUDES}"
        files[YARN]["yarn.scheduler.fair.allocation.file"] = "{process_dir}/fair-scheduler.xml"
        files[YARN]["yarn.scheduler.fair.continuous-scheduling-enabled"] = "false"
    elif role.type == "NODEMANAGER":
        values = files[YARN]
        values.setdefault("yarn.nodemanager.resource.memory-mb", str(sizing.node_manager_memory(cluster, host)))
        values.setdefault("yarn.nodemanager.resource.cpu-vcores", str(sizing.node_manager_cores(host)))
        values["yarn.nodemanager.aux-services"] = "mapreduce_shuffle"
        values["yarn.nodemanager.aux-services.mapreduce_shuffle.class"] = "org.apache.hadoop.mapred.ShuffleHandler"
        values["yarn.nodemanager.vmem-check-enabled"] = "false"
    elif role.type == "OOZIE_SERVER":
        files.setdefault(OOZIE, {})["oozie.service.HadoopAccessorService.hadoop.configurations"] = "*={process_dir}"


def _apply_safety_valves(files: topology.Files, *configs: dict[str, str]) -> None:
    for config in configs:
        for name, file in properties.SAFETY_VALVES.items():
            try:
                files.setdefault(file, {}).update(settings.snippet(config.get(name, "")))
            except ValueError as error:
                raise CommandFailed(f"configuration {name}: {error}") from error


def _excludes(cluster: Cluster, service_type: str, role_type: str) -> str:
    service = cluster.service_of(service_type)
    if service is None:
        return ""
    leaving = {role.host_id for role in service.roles_of(role_type) if role.commission != "COMMISSIONED"}
    return "".join(f"{host_id}\n" for host_id in sorted(leaving | set(service.retired.get(role_type, ()))))


def _zookeeper(values: dict[str, str], service: Service) -> dict[str, str]:
    servers = service.roles_of("SERVER")
    lines = [f"{name}={text}" for name, text in values.items()]
    lines += ["admin.enableServer=false", "4lw.commands.whitelist=srvr"]
    if len(servers) > 1:
        for server in servers:
            quorum = settings.number(service, server, "quorumPort", 3181)
            election = settings.number(service, server, "electionPort", 4181)
            lines.append(f"server.{zookeeper_id(service, server)}={server.host_id}:{quorum}:{election}")
    return {ZOO: "\n".join(lines) + "\n"}


def zookeeper_id(service: Service, role: Role) -> int:
    """Return the number by which a ZooKeeper server goes in its quorum."""
    return settings.number(service, role, "serverId", service.roles_of("SERVER").index(role) + 1)


def _log4j(service: Service, role: Role) -> str:
    threshold = settings.value(service, role, "log_threshold") or "INFO"
    size = settings.number(service, role, "max_log_size", 20)
    count = settings.number(service, role, "max_log_backup_index", 3)
    return (
        f"log4j.rootLogger={threshold},RFA\n"
        "log4j.appender.RFA=org.apache.log4j.RollingFileAppender\n"
        "log4j.appender.RFA.File=${hadoop.log.dir}/${hadoop.log.file}\n"
        f"log4j.appender.RFA.MaxFileSize={size}MB\n"
        f"log4j.appender.RFA.MaxBackupIndex={count}\n"
        "log4j.appender.RFA.layout=org.apache.log4j.PatternLayout\n"
        "log4j.appender.RFA.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n\n"
        "log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR\n"
        # HBase's servers write a line for each look at their pages, which the probes are.
        "log4j.logger.http.requests=WARN\n"
        f"{settings.value(service, role, 'log4j_safety_valve') or ''}\n"
    )
