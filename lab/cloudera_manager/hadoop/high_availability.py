# SPDX-License-Identifier: Apache-2.0
"""Two NameNodes, or two ResourceManagers, of which one is active: what their daemons and clients have to know.

A NameNode or ResourceManager goes by its role's name here, which stays the same for the role's whole life.
"""

from __future__ import annotations

from ..server.model import Cluster, Role, Service
from . import settings
from .setting import CORE, HDFS, YARN

#: Configuration names of a NameNode by which HDFS becomes highly available.
NAME_SERVICE, JOURNAL_NAME = "dfs_federation_namenode_nameservice", "dfs_namenode_quorum_journal_name"
AUTOMATIC_FAILOVER = "autofailover_enabled"

#: Where a failover controller listens for the other's request to let go.
CONTROLLER_PORT = 8019

_JOURNAL_STEPS, _JOURNAL_MILLISECONDS = ("select-input-streams", "start-segment", "write-txns"), 90_000

_PROXY_PROVIDER = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider"
_STATE_STORE = "org.apache.hadoop.yarn.server.resourcemanager.recovery.ZKRMStateStore"


def name_service(cluster: Cluster) -> str | None:
    """Return the name that HDFS's NameNodes have in common, or None while there is only one NameNode."""
    hdfs = cluster.service_of("HDFS")
    names = [settings.value(hdfs, role, NAME_SERVICE) for role in hdfs.roles_of("NAMENODE")] if hdfs else []
    return names[0] if len(names) > 1 else None


def zoo_keepers(cluster: Cluster) -> str:
    """Return the cluster's ZooKeeper servers as clients want them: ``host:port,...``."""
    service = cluster.service_of("ZOOKEEPER")
    if service is None:
        return ""
    servers = service.roles_of("SERVER")
    return ",".join(f"{role.host_id}:{settings.number(service, role, 'clientPort', 2181)}" for role in servers)


def hdfs(cluster: Cluster, service: Service, name: str) -> dict[str, dict[str, str]]:
    """Return the properties, by file, of everyone who deals with the NameNodes of the name service ``name``."""
    name_nodes = service.roles_of("NAMENODE")
    journals = ";".join(
        f"{role.host_id}:{settings.number(service, role, 'dfs_journalnode_rpc_port', 8485)}"
        for role in service.roles_of("JOURNALNODE")
    )
    journal = settings.value(service, name_nodes[0], JOURNAL_NAME) or name
    automatic = all(settings.value(service, role, AUTOMATIC_FAILOVER) == "true" for role in name_nodes)
    return {
        CORE: {"ha.zookeeper.quorum": zoo_keepers(cluster)},
        HDFS: {
            "dfs.nameservices": name,
            f"dfs.ha.namenodes.{name}": ",".join(role.name for role in name_nodes),
            "dfs.namenode.shared.edits.dir": f"qjournal://{journals}/{journal}",
            f"dfs.client.failover.proxy.provider.{name}": service.config.get("dfs_ha_proxy_provider")
            or _PROXY_PROVIDER,
            f"dfs.ha.automatic-failover.enabled.{name}": str(automatic).lower(),
            "dfs.ha.zkfc.port": str(CONTROLLER_PORT),
            # ZooKeeper and the journals let only one write; nothing else has to be done to the other one.
            "dfs.ha.fencing.methods": "shell(true)",
            # A NameNode that waits longer for the journals' majority ends itself: Hadoop's 20 s are few on a busy lab.
            **{f"dfs.qjournal.{step}.timeout.ms": str(_JOURNAL_MILLISECONDS) for step in _JOURNAL_STEPS},
        },
    }  # fmt: skip


def yarn(cluster: Cluster, service: Service) -> dict[str, dict[str, str]]:
    """Return the properties, by file, of everyone who deals with a YARN of several ResourceManagers."""
    return {YARN: {
        # The store of the state reads the one, the election the other.
        "hadoop.zk.address": zoo_keepers(cluster),
        "yarn.resourcemanager.zk-address": zoo_keepers(cluster),
        "yarn.resourcemanager.cluster-id": service.config.get("yarn_rm_ha_cluster_id") or "yarnRM",
        "yarn.resourcemanager.ha.enabled": "true",
        "yarn.resourcemanager.ha.rm-ids": ",".join(role.name for role in service.roles_of("RESOURCEMANAGER")),
        "yarn.resourcemanager.recovery.enabled": "true",
        "yarn.resourcemanager.store.class": _STATE_STORE,
        # How long a master or worker sleeps before it asks the other ResourceManager: Hadoop's 30 s are long in a lab.
        "yarn.client.failover-sleep-base-ms": "500",
        "yarn.client.failover-sleep-max-ms": "3000",
    }}  # fmt: skip


def own(cluster: Cluster, service: Service, role: Role) -> dict[str, dict[str, str]]:
    """Return the properties, by file, that tell a daemon which of several it is, or whose."""
    if role.type in ("NAMENODE", "FAILOVERCONTROLLER") and name_service(cluster):
        beside = [node for node in service.roles_of("NAMENODE") if node.host_id == role.host_id]
        return {HDFS: {"dfs.ha.namenode.id": beside[0].name}} if beside else {}
    if role.type == "RESOURCEMANAGER" and len(service.roles_of("RESOURCEMANAGER")) > 1:
        return {YARN: {"yarn.resourcemanager.ha.id": role.name}}
    return {}
