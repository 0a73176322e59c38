# SPDX-License-Identifier: Apache-2.0
"""Service types and role types of CDH 5, and which of them the lab can start.

Names, users, ports and log directories are Cloudera Manager's, taken from the schema that Sahara's CDH plugin ships.
"""

from __future__ import annotations

import dataclasses

from . import jvm
from .setting import SPARK_HISTORY

GATEWAY = "GATEWAY"
MANAGEMENT = "MGMT"

#: The management roles watch the cluster; the stand-in does that itself, so there is no daemon for them.
MANAGEMENT_ROLES = (
    "SERVICEMONITOR", "HOSTMONITOR", "EVENTSERVER", "ALERTPUBLISHER", "ACTIVITYMONITOR", "REPORTSMANAGER", "NAVIGATOR",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class RoleType:
    """A kind of role that has a daemon.

    :ivar main: the daemon's main class, or its program when it is not started by ``java`` directly.
    :ivar heap: the configuration name of its heap size in bytes and the lab's default in MiB. The lab's heaps are far
        smaller than Cloudera Manager's, for five daemons have to fit into a container of 2 GiB.
    :ivar heap_unit: bytes for which 1 stands in the setting of the heap.
    :ivar options: the configuration name of its further JVM options; empty for a role that has none.
    :ivar arguments: of the main class.
    :ivar class_path: what the daemon needs behind Hadoop's jars.
    :ivar class_path_file: a file on the node that names Hadoop's jars, or those of a daemon that goes without them all.
    :ivar after: role types that have to answer first.
    :ivar wrapper: a program on the node that prepares something and then becomes the command behind it.
    """

    name: str
    user: str
    main: str
    heap: tuple[str, int]
    options: str
    log_dir: tuple[str, str]
    after: tuple[str, ...] = ()
    files: tuple[str, ...] = ("core-site.xml", "hdfs-site.xml")
    auto_restart: bool = False
    heap_unit: int = 1
    arguments: tuple[str, ...] = ()
    class_path: str = ""
    class_path_file: str = jvm.CLASS_PATH_FILE
    wrapper: str = ""


_YARN_FILES = ("core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml")
_HBASE_FILES = ("core-site.xml", "hdfs-site.xml", "hbase-site.xml")
#: HBase looks for its pages in a directory on its class path.
_HBASE_CLASS_PATH = "/opt/hbase/lib/*:/opt/hbase"
_HBASE_AFTER = ("SERVER", "DATANODE", "FAILOVERCONTROLLER")

DAEMONS: dict[tuple[str, str], RoleType] = {
    ("ZOOKEEPER", "SERVER"): RoleType(
        "SERVER", "zookeeper", "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        ("zookeeper_server_java_heapsize", 64), "zk_server_java_opts", ("zk_server_log_dir", "/var/log/zookeeper"),
        files=("zoo.cfg",), auto_restart=True, arguments=("{process_dir}/zoo.cfg",),
    ),
    ("HDFS", "NAMENODE"): RoleType(
        "NAMENODE", "hdfs", "org.apache.hadoop.hdfs.server.namenode.NameNode",
        ("namenode_java_heapsize", 256), "namenode_java_opts", ("namenode_log_dir", "/var/log/hadoop-hdfs"),
        after=("JOURNALNODE",),
    ),
    ("HDFS", "JOURNALNODE"): RoleType(
        "JOURNALNODE", "hdfs", "org.apache.hadoop.hdfs.qjournal.server.JournalNode",
        ("journalNode_java_heapsize", 96), "journalNode_java_opts", ("journalnode_log_dir", "/var/log/hadoop-hdfs"),
        auto_restart=True,
    ),
    ("HDFS", "FAILOVERCONTROLLER"): RoleType(
        "FAILOVERCONTROLLER", "hdfs", "org.apache.hadoop.hdfs.tools.DFSZKFailoverController",
        ("failover_controller_java_heapsize", 96), "failover_controller_java_opts",
        ("failover_controller_log_dir", "/var/log/hadoop-hdfs"), after=("SERVER", "NAMENODE"), auto_restart=True,
    ),
    ("HDFS", "SECONDARYNAMENODE"): RoleType(
        "SECONDARYNAMENODE", "hdfs", "org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode",
        ("secondary_namenode_java_heapsize", 192), "secondarynamenode_java_opts",
        ("secondarynamenode_log_dir", "/var/log/hadoop-hdfs"), after=("NAMENODE",),
    ),
    ("HDFS", "DATANODE"): RoleType(
        "DATANODE", "hdfs", "org.apache.hadoop.hdfs.server.datanode.DataNode",
        ("datanode_java_heapsize", 192), "datanode_java_opts", ("datanode_log_dir", "/var/log/hadoop-hdfs"),
        after=("NAMENODE",), auto_restart=True,
    ),
    ("YARN", "RESOURCEMANAGER"): RoleType(
        "RESOURCEMANAGER", "yarn", "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
        ("resource_manager_java_heapsize", 256), "resource_manager_java_opts",
        ("resource_manager_log_dir", "/var/log/hadoop-yarn"), after=("SERVER",),
        files=(*_YARN_FILES, "fair-scheduler.xml"),
    ),
    ("YARN", "NODEMANAGER"): RoleType(
        "NODEMANAGER", "yarn", "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
        ("node_manager_java_heapsize", 192), "node_manager_java_opts", ("node_manager_log_dir", "/var/log/hadoop-yarn"),
        after=("RESOURCEMANAGER",), files=_YARN_FILES, auto_restart=True,
    ),
    ("YARN", "JOBHISTORY"): RoleType(
        "JOBHISTORY", "mapred", "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer",
        ("mr2_jobhistory_java_heapsize", 192), "mr2_jobhistory_java_opts",
        ("mr2_jobhistory_log_dir", "/var/log/hadoop-mapreduce"), after=("NAMENODE", "FAILOVERCONTROLLER"),
        files=_YARN_FILES,
    ),
    ("OOZIE", "OOZIE_SERVER"): RoleType(
        "OOZIE_SERVER", "oozie", "/opt/oozie/bin/oozie-server",
        ("oozie_java_heapsize", 256), "oozie_java_opts", ("oozie_log_dir", "/var/log/oozie"),
        after=("NAMENODE", "FAILOVERCONTROLLER"), files=(*_YARN_FILES, "oozie-site.xml"),
    ),
    ("HBASE", "MASTER"): RoleType(
        "MASTER", "hbase", "org.apache.hadoop.hbase.master.HMaster",
        ("hbase_master_java_heapsize", 192), "hbase_master_java_opts", ("hbase_master_log_dir", "/var/log/hbase"),
        after=_HBASE_AFTER, files=_HBASE_FILES, auto_restart=True, arguments=("start",), class_path=_HBASE_CLASS_PATH,
    ),
    ("HBASE", "REGIONSERVER"): RoleType(
        "REGIONSERVER", "hbase", "org.apache.hadoop.hbase.regionserver.HRegionServer",
        ("hbase_regionserver_java_heapsize", 256), "hbase_regionserver_java_opts",
        ("hbase_regionserver_log_dir", "/var/log/hbase"),
        after=_HBASE_AFTER, files=_HBASE_FILES, auto_restart=True, arguments=("start",), class_path=_HBASE_CLASS_PATH,
    ),
    ("KAFKA", "KAFKA_BROKER"): RoleType(
        "KAFKA_BROKER", "kafka", "kafka.Kafka", ("broker_max_heap_size", 192), "broker_java_opts",
        ("log_dir", "/var/log/kafka"), after=("SERVER",), files=("kafka.properties",), auto_restart=True,
        heap_unit=2**20, arguments=("{process_dir}/kafka.properties",), class_path="/opt/kafka/lib/*",
    ),
    ("SPARK_ON_YARN", "SPARK_YARN_HISTORY_SERVER"): RoleType(
        "SPARK_YARN_HISTORY_SERVER", "spark", "org.apache.spark.deploy.history.HistoryServer",
        ("history_server_max_heapsize", 192), "", ("log_dir", "/var/log/spark"),
        after=("NAMENODE", "FAILOVERCONTROLLER"), files=("core-site.xml", "hdfs-site.xml", SPARK_HISTORY),
        arguments=("--properties-file", f"{{process_dir}}/{SPARK_HISTORY}"), class_path_file="/opt/spark/classpath",
    ),
    ("HIVE", "HIVEMETASTORE"): RoleType(
        "HIVEMETASTORE", "hive", "org.apache.hadoop.hive.metastore.HiveMetaStore",
        ("hive_metastore_java_heapsize", 192), "hive_metastore_java_opts", ("hive_log_dir", "/var/log/hive"),
        after=("NAMENODE", "FAILOVERCONTROLLER"), files=("core-site.xml", "hdfs-site.xml", "hive-site.xml"),
        auto_restart=True, class_path="/opt/hive/lib/*", wrapper="/opt/hive/bin/with-metastore-tables",
    ),
}  # fmt: skip

#: Every service type that Sahara's plugin creates, with its role types. A role type that is neither in ``DAEMONS`` nor
#: a gateway nor a management role is not available in the lab.
SERVICES: dict[str, tuple[str, ...]] = {
    "ZOOKEEPER": ("SERVER",),
    "HDFS": (
        "NAMENODE", "SECONDARYNAMENODE", "DATANODE", "JOURNALNODE", "FAILOVERCONTROLLER", "BALANCER", "HTTPFS",
        "NFSGATEWAY", GATEWAY,
    ),
    "YARN": ("RESOURCEMANAGER", "NODEMANAGER", "JOBHISTORY", GATEWAY),
    "OOZIE": ("OOZIE_SERVER",),
    "HIVE": ("HIVEMETASTORE", "HIVESERVER2", "WEBHCAT", GATEWAY),
    "HUE": ("HUE_SERVER", "HUE_LOAD_BALANCER", "KT_RENEWER"),
    "SPARK_ON_YARN": ("SPARK_YARN_HISTORY_SERVER", GATEWAY),
    "HBASE": ("MASTER", "REGIONSERVER", "HBASETHRIFTSERVER", "HBASERESTSERVER", GATEWAY),
    "FLUME": ("AGENT",),
    "SENTRY": ("SENTRY_SERVER", GATEWAY),
    "SOLR": ("SOLR_SERVER", GATEWAY),
    "SQOOP": ("SQOOP_SERVER",),
    "SQOOP_CLIENT": (GATEWAY,),
    "KS_INDEXER": ("HBASE_INDEXER",),
    "IMPALA": ("CATALOGSERVER", "STATESTORE", "IMPALAD", "LLAMA"),
    "KMS": ("KMS",),
    "KAFKA": ("KAFKA_BROKER", "KAFKA_MIRROR_MAKER", GATEWAY),
    MANAGEMENT: MANAGEMENT_ROLES,
}  # fmt: skip


def daemon(service_type: str, role_type: str) -> RoleType | None:
    """Return the role type's daemon, or None when it has none or the lab does not have it."""
    return DAEMONS.get((service_type, role_type))


def unavailable(service_type: str, role_type: str) -> str | None:
    """Return why the lab cannot run this role, or None when it can or when the role needs no daemon."""
    if role_type == GATEWAY or service_type == MANAGEMENT or (service_type, role_type) in DAEMONS:
        return None
    return f"not available in the lab: the stand-in has no {role_type} of {service_type} to start"
