# SPDX-License-Identifier: Apache-2.0
"""Standby masters: high availability of the NameNode and of the ResourceManager."""

from __future__ import annotations

from sahara_docker.plugins.cdh_docker.cloudera import Cloudera
from sahara_docker.plugins.cdh_docker.managed_cluster import ManagedCluster

JOURNAL_DIRECTORY = "/dfs/jn"


def add_standby_masters(managed: ManagedCluster, cloudera: Cloudera) -> None:
    """Make HDFS and YARN highly available, when the cluster has the processes for it."""
    cluster = managed.cluster
    journal_nodes = cloudera.pu.get_jns(cluster)
    if journal_nodes:
        standby = cloudera.pu.get_secondarynamenode(cluster)
        name_node = cloudera.pu.get_role_name(cloudera.pu.get_namenode(cluster), "NAMENODE")
        managed.await_commands(
            managed.client.service_command(
                cluster.name,
                cloudera.HDFS_SERVICE_NAME,
                "hdfsEnableNnHa",
                {
                    "activeNnName": name_node,
                    "standbyNnHostId": managed.host_id(standby),
                    "nameservice": cloudera.NAME_SERVICE,
                    "forceInitZNode": True,
                    "clearExistingStandbyNameDirs": True,
                    "clearExistingJnEditsDir": True,
                    "jns": [
                        {"jnHostId": managed.host_id(node), "jnName": f"JN{index}", "jnEditsDir": JOURNAL_DIRECTORY}
                        for index, node in enumerate(journal_nodes)
                    ],
                },
            )
        )
        managed.reconfigure_role(standby, "HDFS_NAMENODE")

    standby = cloudera.pu.get_stdb_rm(cluster)
    if standby:
        body = {"newRmHostId": managed.host_id(standby)}
        managed.await_commands(
            managed.client.service_command(cluster.name, cloudera.YARN_SERVICE_NAME, "enableRmHa", body)
        )
        managed.reconfigure_role(standby, "YARN_STANDBYRM")
