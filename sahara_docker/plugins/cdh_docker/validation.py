# SPDX-License-Identifier: Apache-2.0
"""What can be told about a cluster's configs before any of its nodes exists."""

from __future__ import annotations

from typing import Any

from sahara_docker.plugins.cdh_docker import options, proxy, storage, swift, user_values


def check(cluster: Any) -> None:
    """Check what a user has set for a cluster, before the stock checks, which take numbers for numbers.

    :raises InvalidConfig: naming the setting, its value and what to do.
    """
    options.check(cluster)
    replicas = cluster.cluster_configs.get("HDFS", {}).get("dfs_replication")
    if replicas is not None:
        user_values.check_number("dfs_replication", replicas, least=1)
    proxy.settings_of(cluster)
    swift.check(cluster)
    for node_group in cluster.node_groups:
        _check_reserved(node_group, cluster)


def _check_reserved(node_group: Any, cluster: Any) -> None:
    for configs in (node_group.node_configs, cluster.cluster_configs):
        reserved = configs.get("DATANODE", {}).get(storage.RESERVED)
        if reserved is not None:
            where = f"node group {node_group.name}"
            user_values.check_number(storage.RESERVED, reserved, least=0, where=where)
            if "HDFS_DATANODE" in node_group.node_processes:
                volume = storage.promised_volume(node_group)
                if volume:
                    storage.check_reserved(reserved, volume, where)
            return
