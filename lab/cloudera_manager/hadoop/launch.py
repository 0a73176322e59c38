# SPDX-License-Identifier: Apache-2.0
"""What an agent is told to run: a daemon with its probes, or a single command such as formatting the NameNode."""

from __future__ import annotations

from typing import Any

from ..server.errors import CommandFailed
from ..server.model import Cluster, Host, Role, Service
from . import catalogue, hbase, high_availability, hive, jvm, kafka, render, settings, sizing, spark, topology

START_TIMEOUT = 300
COMMAND_TIMEOUT = 120

#: Configuration names whose values are lists of directories, with the owner's mode: an agent creates them.
_DIRECTORIES = {
    "dfs_name_dir_list": "700", "dfs_namenode_edits_dir": "700", "fs_checkpoint_dir_list": "700",
    "dfs_data_dir_list": "700", "yarn_nodemanager_local_dirs": "755", "yarn_nodemanager_log_dirs": "755",
    "yarn_nodemanager_recovery_dir": "700", "dataDir": "755", "dataLogDir": "755", "oozie_data_dir": "755",
    "dfs_journalnode_edits_dir": "700", "log.dirs": "700",
}  # fmt: skip

_NAME_NODE_STATUS = "/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus"
_HDFS_CLIENT = "org.apache.hadoop.hdfs.tools.DFSAdmin"
_YARN_CLIENT = "org.apache.hadoop.yarn.client.cli.RMAdminCLI"


def directories(service: Service, role: Role, name: str) -> list[str]:
    """Return the local directories that a setting names for a role, or that the lab gives it by default."""
    text = settings.value(service, role, name) or settings.default(service.type, role.type, name)[1] or ""
    return [entry.strip().removeprefix("file://") for entry in text.split(",") if entry.strip()]


def daemon(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return all that an agent needs to start a role's daemon and to see that it answers.

    :raises CommandFailed: the lab does not have the role, or its configuration cannot be rendered.
    """
    kind = catalogue.daemon(service.type, role.type)
    if kind is None:
        raise CommandFailed(catalogue.unavailable(service.type, role.type) or f"{role.type} has no daemon")
    log_dir = settings.value(service, role, kind.log_dir[0]) or kind.log_dir[1]
    log_file = f"hadoop-cmf-{service.name}-{role.type}-{role.host_id}.log.out"
    made: list[dict[str, Any]] = [{"path": log_dir, "user": kind.user, "mode": "775"}]
    for name, mode in _DIRECTORIES.items():
        if settings.default(service.type, role.type, name)[1] or settings.value(service, role, name):
            made += [{"path": path, "user": kind.user, "mode": mode} for path in directories(service, role, name)]
    spec: dict[str, Any] = {
        "role": role.name, "id": process_id, "name": f"{service.name}-{role.type}", "user": kind.user,
        "files": render.role_files(cluster, service, role, host), "directories": made,
        "log_file": f"{log_dir}/{log_file}", "probes": probes(cluster, service, role),
        "ha_status": ha_status(service, role), "timeout": START_TIMEOUT,
        "auto_restart": _auto_restart(service, role, kind),
    }  # fmt: skip
    spec["env"], spec["class_path_file"] = environment(service, role), kind.class_path_file
    if kind.main.startswith("/"):
        spec["argv"] = [kind.main]
        spec["env"].update(_oozie(cluster, service, role, log_dir))
        spec["directories"].append({"path": spec["env"]["OOZIE_DATA_DIR"], "user": kind.user, "mode": "755"})
        spec["log_file"] = f"{log_dir}/oozie.log"
        return spec
    heap = sizing.heap_bytes(cluster, service.type, role.name)
    spec["argv"] = [
        *filter(None, [kind.wrapper]),
        jvm.JAVA, f"-Dproc_{role.type.lower()}", f"-Xmx{heap}", *jvm.fast_start(), *jvm.shared_classes(), *jvm.opens(),
        f"-Dhadoop.log.dir={log_dir}", f"-Dhadoop.log.file={log_file}", f"-Dhadoop.id.str={kind.user}",
        "-Dlog4j.configuration=file:{process_dir}/log4j.properties",
        *jvm.readable(settings.value(service, role, kind.options) or ""), kind.main, *kind.arguments,
    ]  # fmt: skip
    if role.type == "HIVEMETASTORE":
        spec["env"].update(hive.connection(service))
    if role.type == "SERVER":
        number = {"myid": f"{render.zookeeper_id(service, role)}\n"}
        made += [
            {"path": path, "user": kind.user, "mode": "755", "files": number}
            for path in directories(service, role, "dataDir")
        ]
    return spec


def _auto_restart(service: Service, role: Role, kind: catalogue.RoleType) -> bool:
    text = settings.value(service, role, "process_auto_restart")
    return text.lower() == "true" if text else kind.auto_restart


def environment(service: Service, role: Role | None) -> dict[str, str]:
    """Return a daemon's environment: its class path, its configuration directory and what safety valves add."""
    env = {
        "JAVA_HOME": jvm.JAVA_HOME,
        "PATH": f"{jvm.JAVA_HOME}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8", "HADOOP_CONF_DIR": "{process_dir}",
        "MALLOC_ARENA_MAX": "4",
    }  # fmt: skip
    kind = catalogue.daemon(service.type, role.type) if role is not None else None
    if kind is not None and kind.class_path:
        env["HADOOP_CLASSPATH"] = kind.class_path
    if role is not None and role.type == "NODEMANAGER":
        # What a container of a job inherits: the node's client configuration, not the NodeManager's own.
        env["HADOOP_CONF_DIR"] = render.CLIENT_DIRECTORY
    for name, text in {**service.config, **(role.config if role else {})}.items():
        if name.endswith("_env_safety_valve"):
            env.update(settings.environment(text))
    return env


def _oozie(cluster: Cluster, service: Service, role: Role, log_dir: str) -> dict[str, str]:
    heap = sizing.heap_bytes(cluster, service.type, role.name)
    return {
        "OOZIE_CONF_DIR": "{process_dir}", "OOZIE_LOG_DIR": log_dir,
        "OOZIE_HTTP_PORT": settings.value(service, role, "oozie_http_port") or "11000",
        "OOZIE_DATA_DIR": settings.value(service, role, "oozie_data_dir") or "/var/lib/oozie/data",
        "OOZIE_JAVA_OPTS": " ".join([f"-Xmx{heap}", *jvm.fast_start()]),
    }  # fmt: skip


def probes(cluster: Cluster, service: Service, role: Role) -> list[dict[str, Any]]:
    """Return what shows that a daemon answers and, for a worker, that its master knows it."""
    host = role.host_id

    def web(name: str, default: int, path: str, pattern: str) -> dict[str, Any]:
        return {"url": f"http://{host}:{settings.number(service, role, name, default)}{path}", "pattern": pattern}

    if role.type == "NAMENODE":
        # The web server answers before the namesystem does; a standby's namesystem answers nobody.
        namesystem = [web("dfs_http_port", 50070, "/webhdfs/v1/?op=GETFILESTATUS&user.name=hdfs", "DIRECTORY")]
        if high_availability.name_service(cluster):
            namesystem = []
        return [
            web("dfs_http_port", 50070, _NAME_NODE_STATUS, '"(active|standby)"'),
            *namesystem,
            {"tcp": [host, settings.number(service, role, "namenode_port", 8020)]},
        ]
    if role.type == "JOURNALNODE":
        return [
            web("dfs_journalnode_http_port", 8480, "/jmx?qry=Hadoop:service=JournalNode,*", "beans"),
            {"tcp": [host, settings.number(service, role, "dfs_journalnode_rpc_port", 8485)]},
        ]
    if role.type == "FAILOVERCONTROLLER":
        pages = topology.name_node_pages(cluster)
        one_is_active = [{"url": f"http://{page}{_NAME_NODE_STATUS}", "pattern": '"active"'} for page in pages]
        return [{"tcp": [host, high_availability.CONTROLLER_PORT]}, {"any": one_is_active}]
    if role.type == "SECONDARYNAMENODE":
        path = "/jmx?qry=Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo"
        return [web("dfs_secondary_http_port", 50090, path, "SecondaryNameNodeInfo")]
    if role.type == "DATANODE":
        path = "/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo"
        return [web("dfs_datanode_http_port", 50075, path, r'ActorState\\?"\s*:\s*\\?"RUNNING')]
    if role.type == "RESOURCEMANAGER":
        pages = topology.resource_manager_pages(cluster)
        one_is_active = [{"url": f"http://{page}/ws/v1/cluster/info", "pattern": "ACTIVE"} for page in pages]
        return [web("resourcemanager_webserver_port", 8088, "/ws/v1/cluster/info", "STARTED"), {"any": one_is_active}]
    if role.type == "NODEMANAGER":
        checks = [web("nodemanager_webserver_port", 8042, "/ws/v1/node/info", "nodeHealthy")]
        own = f"{host}:{settings.number(service, role, 'yarn_nodemanager_address', 8041)}"
        pages = topology.resource_manager_pages(cluster)
        known = [{"url": f"http://{page}/ws/v1/cluster/nodes/{own}", "pattern": "RUNNING"} for page in pages]
        return [*checks, {"any": known}] if known else checks
    if role.type == "JOBHISTORY":
        return [web("mapreduce_jobhistory_webapp_address", 19888, "/ws/v1/history/info", "startedOn")]
    if role.type == "OOZIE_SERVER":
        return [web("oozie_http_port", 11000, "/oozie/v1/admin/status", "NORMAL")]
    if role.type == "SPARK_YARN_HISTORY_SERVER":
        return [web("history_server_web_port", spark.WEB_PORT, "/api/v1/version", '"spark"')]
    if service.type == "HIVE":
        return hive.probes(service, role)
    if role.type == "SERVER":
        # It accepts connections before it is part of a quorum.
        tcp = [host, settings.number(service, role, "clientPort", 2181)]
        return [{"tcp": tcp, "send": "srvr", "pattern": "Mode: (leader|follower|standalone)"}]
    return kafka.probes(service, role) if role.type == "KAFKA_BROKER" else hbase.probes(service, role)


def ha_status(service: Service, role: Role) -> dict[str, dict[str, Any]]:
    """Return the probes that show what a daemon is of two, by the API's word for that; none for a role without one."""
    if role.type == "NAMENODE":
        page, words = ("dfs_http_port", 50070, _NAME_NODE_STATUS), {"ACTIVE": '"active"', "STANDBY": '"standby"'}
    elif role.type == "RESOURCEMANAGER":
        page = ("resourcemanager_webserver_port", 8088, "/ws/v1/cluster/info")
        words = {word: f'"haState":"{word}"' for word in ("ACTIVE", "STANDBY")}
    else:
        return {}
    name, default, path = page
    url = f"http://{role.host_id}:{settings.number(service, role, name, default)}{path}"
    return {word: {"url": url, "pattern": pattern} for word, pattern in words.items()}


def _command(
    cluster: Cluster, service: Service, role: Role, host: Host, process_id: int, name: str, arguments: list[str]
) -> dict[str, Any]:
    kind = catalogue.daemon(service.type, role.type)
    assert kind is not None
    return {
        "id": process_id, "name": f"{service.name}-{name}", "user": kind.user, "timeout": COMMAND_TIMEOUT,
        "files": {**render.role_files(cluster, service, role, host), "log4j.properties": _CONSOLE},
        "env": environment(service, role), "class_path_file": jvm.CLASS_PATH_FILE, "directories": [],
        "argv": [
            jvm.JAVA, "-Xmx256m", *jvm.fast_start(), *jvm.shared_classes(), *jvm.opens(),
            "-Dlog4j.configuration=file:{process_dir}/log4j.properties", *arguments,
        ],
    }  # fmt: skip


_CONSOLE = (
    "log4j.rootLogger=WARN,console\n"
    "log4j.appender.console=org.apache.log4j.ConsoleAppender\n"
    "log4j.appender.console.target=System.err\n"
    "log4j.appender.console.layout=org.apache.log4j.PatternLayout\n"
    "log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n\n"
    "log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR\n"
)


def format_name_node(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that formats a NameNode, unless one of its directories has been formatted before."""
    main = catalogue.DAEMONS["HDFS", "NAMENODE"].main
    command = _command(cluster, service, role, host, process_id, "format", [main, "-format", "-nonInteractive"])
    paths = directories(service, role, "dfs_name_dir_list")
    command["unless_exists"] = [f"{path}/current/VERSION" for path in paths]
    command["directories"] = [{"path": path, "user": "hdfs", "mode": "700"} for path in paths]
    return command


def refresh_nodes(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that makes a NameNode or a ResourceManager read its list of excluded hosts again."""
    words = [_YARN_CLIENT]
    if role.type == "NAMENODE":  # this one, not all of its name service, of which one may be dead
        words = [_HDFS_CLIENT, "-fs", f"hdfs://{role.host_id}:{settings.number(service, role, 'namenode_port', 8020)}"]
    return _command(cluster, service, role, host, process_id, f"refresh-{role.type}", [*words, "-refreshNodes"])


def unload_region_server(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that moves a RegionServer's regions to the others."""
    words = [
        hbase.MOVER,
        "--operation",
        "unload",
        "--regionserverhost",
        f"{role.host_id}:{hbase.rpc_port(service, role)}",
    ]
    return _command(cluster, service, role, host, process_id, "unload", words)


def empty(path: str, role: Role, process_id: int) -> dict[str, Any]:
    """Return the command that removes what lies in one of HDFS's directories, which need not be there."""
    return {
        "id": process_id, "name": f"empty-{role.type}", "user": "hdfs", "timeout": COMMAND_TIMEOUT, "files": {},
        "env": {"PATH": "/usr/bin:/bin"}, "class_path_file": jvm.CLASS_PATH_FILE,
        "directories": [{"path": path, "user": "hdfs", "mode": "700"}],
        "argv": ["find", path, "-mindepth", "1", "-delete"],
    }  # fmt: skip


def make_metastore_tables(service: Service, role: Role, process_id: int) -> dict[str, Any]:
    """Return the command that makes the tables of Hive's metastore, which need not be missing."""
    kind = catalogue.DAEMONS["HIVE", "HIVEMETASTORE"]
    return {
        "id": process_id, "name": f"{service.name}-make-tables", "user": kind.user, "timeout": COMMAND_TIMEOUT,
        "files": {}, "env": {**environment(service, role), **hive.connection(service)},
        "class_path_file": jvm.CLASS_PATH_FILE, "directories": [], "argv": [kind.wrapper, "true"],
    }  # fmt: skip


def share_edits(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that formats the JournalNodes with what a NameNode has."""
    words = [catalogue.DAEMONS["HDFS", "NAMENODE"].main, "-initializeSharedEdits", "-nonInteractive", "-force"]
    return _command(cluster, service, role, host, process_id, "initialize-shared-edits", words)


def bootstrap_standby(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that gives a new NameNode the running one's namespace."""
    words = [catalogue.DAEMONS["HDFS", "NAMENODE"].main, "-bootstrapStandby", "-nonInteractive", "-force"]
    command = _command(cluster, service, role, host, process_id, "bootstrap-standby", words)
    paths = directories(service, role, "dfs_name_dir_list")
    command["directories"] = [{"path": path, "user": "hdfs", "mode": "700"} for path in paths]
    return command


def format_failover(
    cluster: Cluster, service: Service, role: Role, host: Host, process_id: int, mode: str = "-nonInteractive"
) -> dict[str, Any]:
    """Return the command that makes the failover controllers' node in ZooKeeper; it fails when there is one."""
    words = [catalogue.DAEMONS["HDFS", "FAILOVERCONTROLLER"].main, "-formatZK", mode]
    return _command(cluster, service, role, host, process_id, "format-failover", words)


def format_failover_anew(cluster: Cluster, service: Service, role: Role, host: Host, process_id: int) -> dict[str, Any]:
    """Return the command that makes the failover controllers' node in ZooKeeper, in the place of one that is there."""
    return format_failover(cluster, service, role, host, process_id, "-force")
