# SPDX-License-Identifier: Apache-2.0
"""Which services a cluster has in Cloudera Manager, and which roles a node has.

Processes are Sahara's names (``HDFS_DATANODE``), role types are Cloudera Manager's (``DATANODE``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service of Cloudera Manager.

    :param type: its type in the API; ``cluster_configs`` of a user go by it.
    :param name: what the plugin calls it.
    :param process: the process that brings it into a cluster; None for a service that every cluster has.
    :param roles: its role types, GATEWAY under the name that Sahara's configs use for it.
    """

    type: str
    name: str
    process: str | None
    roles: tuple[str, ...]


SERVICES = (
    Service("ZOOKEEPER", "zookeeper01", "ZOOKEEPER_SERVER", ("SERVER",)),
    Service("HDFS", "hdfs01", None, ("NAMENODE", "DATANODE", "SECONDARYNAMENODE", "JOURNALNODE", "HDFS_GATEWAY")),
    Service("YARN", "yarn01", None, ("RESOURCEMANAGER", "NODEMANAGER", "JOBHISTORY", "YARN_GATEWAY")),
    Service("OOZIE", "oozie01", "OOZIE_SERVER", ("OOZIE_SERVER",)),
    Service("HIVE", "hive01", "HIVE_METASTORE", ("HIVESERVER2", "HIVEMETASTORE", "WEBHCAT")),
    Service("HUE", "hue01", "HUE_SERVER", ("HUE_SERVER",)),
    Service("SPARK_ON_YARN", "spark_on_yarn01", "SPARK_YARN_HISTORY_SERVER", ("SPARK_YARN_HISTORY_SERVER",)),
    Service("HBASE", "hbase01", "HBASE_MASTER", ("MASTER", "REGIONSERVER")),
    Service("FLUME", "flume01", "FLUME_AGENT", ("AGENT",)),
    Service("SENTRY", "sentry01", "SENTRY_SERVER", ("SENTRY_SERVER",)),
    Service("SOLR", "solr01", "SOLR_SERVER", ("SOLR_SERVER",)),
    Service("SQOOP", "sqoop01", "SQOOP_SERVER", ("SQOOP_SERVER",)),
    Service("KS_INDEXER", "ks_indexer01", "KEY_VALUE_STORE_INDEXER", ("HBASE_INDEXER",)),
    Service("IMPALA", "impala01", "IMPALA_CATALOGSERVER", ("CATALOGSERVER", "STATESTORE", "IMPALAD", "LLAMA")),
    Service("KMS", "kms01", "KMS", ("KMS",)),
    Service("KAFKA", "kafka01", "KAFKA_BROKER", ("KAFKA_BROKER",)),
)

SERVICE_NAME = {service.type: service.name for service in SERVICES}
_SERVICE_OF_ROLE = {role: service for service in SERVICES for role in service.roles}

# A client configuration is deployed to the nodes that run these.
GATEWAYS = {
    "HDFS_GATEWAY": frozenset({"HDFS_NAMENODE", "HDFS_DATANODE", "HDFS_SECONDARYNAMENODE"}),
    "YARN_GATEWAY": frozenset({"YARN_NODEMANAGER"}),
}

# Cloudera Manager creates these itself: its own roles at installation, the others when it makes a service highly
# available.
NOT_CREATED = frozenset({"CLOUDERA_MANAGER", "HDFS_JOURNALNODE", "YARN_STANDBYRM"})

# Process names whose role type is not their own name.
ROLE_OF_PROCESS = {
    "HDFS_NAMENODE": "NAMENODE",
    "HDFS_DATANODE": "DATANODE",
    "HDFS_JOURNALNODE": "JOURNALNODE",
    "HDFS_SECONDARYNAMENODE": "SECONDARYNAMENODE",
    "YARN_RESOURCEMANAGER": "RESOURCEMANAGER",
    "YARN_STANDBYRM": "RESOURCEMANAGER",
    "YARN_NODEMANAGER": "NODEMANAGER",
    "YARN_JOBHISTORY": "JOBHISTORY",
    "HIVE_SERVER2": "HIVESERVER2",
    "HIVE_METASTORE": "HIVEMETASTORE",
    "HIVE_WEBHCAT": "WEBHCAT",
    "ZOOKEEPER_SERVER": "SERVER",
    "HBASE_MASTER": "MASTER",
    "HBASE_REGIONSERVER": "REGIONSERVER",
    "FLUME_AGENT": "AGENT",
    "IMPALA_CATALOGSERVER": "CATALOGSERVER",
    "IMPALA_STATESTORE": "STATESTORE",
    "KEY_VALUE_STORE_INDEXER": "HBASE_INDEXER",
}

# Users write node configs under these names; Cloudera Manager's role types differ.
ROLE_OF_CONFIG_SECTION = {
    "CLOUDERA": "MANAGER",
    "OOZIE": "OOZIE_SERVER",
    "HIVESERVER": "HIVESERVER2",
    "HUE": "HUE_SERVER",
    "SPARK_ON_YARN": "SPARK_YARN_HISTORY_SERVER",
    "ZOOKEEPER": "SERVER",
    "FLUME": "AGENT",
    "KS_INDEXER": "HBASE_INDEXER",
    "SENTRY": "SENTRY_SERVER",
    "SOLR": "SOLR_SERVER",
    "SQOOP": "SQOOP_SERVER",
    "KAFKA": "KAFKA_BROKER",
}


def service_of(role: str) -> Service:
    """Return the service to which a role type belongs.

    :raises ValueError: for a role type that no service has.
    """
    try:
        return _SERVICE_OF_ROLE[role]
    except KeyError:
        raise ValueError(f"{role} is not a role of any CDH service") from None


def services_of(processes: Collection[str]) -> list[Service]:
    """Return a cluster's services, in the order in which they depend on each other.

    :param processes: the processes of all its node groups.
    """
    return [service for service in SERVICES if service.process is None or service.process in processes]


def roles_of(processes: Iterable[str]) -> list[str]:
    """Return the role types to create on a node with these processes, gateways included."""
    processes = set(processes)
    roles = [ROLE_OF_PROCESS.get(process, process) for process in sorted(processes - NOT_CREATED)]
    return roles + [gateway for gateway, hosts in GATEWAYS.items() if hosts & processes]


def idle_services(processes: Collection[str]) -> frozenset[str]:
    """Return the names of the services that have no role on any node.

    :param processes: the processes of all node groups.
    """
    busy = {service_of(role).name for role in roles_of(processes)}
    return frozenset(service.name for service in SERVICES if service.name not in busy)


def api_type(role: str) -> str:
    """Return the type that the API knows a role by."""
    return "GATEWAY" if role in GATEWAYS else role
