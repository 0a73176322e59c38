# SPDX-License-Identifier: Apache-2.0
"""Kerberos for a cluster, by Sahara's own helpers and Cloudera Manager's commands."""

from __future__ import annotations

from typing import Any

from sahara.plugins import kerberos

from sahara_docker.plugins.cdh_docker.cloudera import KERBEROS_API_VERSION, Cloudera
from sahara_docker.plugins.cdh_docker.managed_cluster import ManagedCluster


def secure_cluster(managed: ManagedCluster, cloudera: Cloudera) -> None:
    """Kerberize a running cluster, when its configs ask for it."""
    cluster = managed.cluster
    if not kerberos.is_kerberos_security_enabled(cluster):
        return
    kerberos.deploy_infrastructure(cluster, cloudera.pu.get_manager(cluster))
    managed.stop()
    kerberos.prepare_policy_files(cluster)
    _configure_manager(managed, cloudera)
    managed.start()
    keytabs = {"hdfs": cloudera.pu.get_hdfs_nodes(cluster)}
    history_server = cloudera.pu.get_spark_historyserver(cluster)
    if history_server:  # the stock plugin asks for the keytab of a node that need not exist
        keytabs["spark"] = [history_server]
    kerberos.create_keytabs_for_map(cluster, keytabs)


def secure_new_nodes(managed: ManagedCluster, cloudera: Cloudera, instances: list[Any]) -> None:
    """Bring Kerberos to the new nodes of a kerberized cluster."""
    cluster = managed.cluster
    if not kerberos.is_kerberos_security_enabled(cluster):
        return
    server = None if kerberos.using_existing_kdc(cluster) else cloudera.pu.get_manager(cluster)
    kerberos.setup_clients(cluster, server, instances)
    kerberos.prepare_policy_files(cluster, instances)
    _configure_manager(managed, cloudera)
    kerberos.create_keytabs_for_map(cluster, {"hdfs": cloudera.pu.get_hdfs_nodes(cluster, instances)})


def _configure_manager(managed: ManagedCluster, cloudera: Cloudera) -> None:
    cluster = managed.cluster
    realm = kerberos.get_realm_name(cluster)
    kdc = kerberos.get_kdc_host(cluster, cloudera.pu.get_manager(cluster))
    managed.client.configure_manager({"SECURITY_REALM": realm, "KDC_HOST": kdc})
    principal = f"{kerberos.get_admin_principal(cluster)}@{realm}"
    managed.await_commands(managed.client.import_admin_credentials(principal, kerberos.get_server_password(cluster)))
    newer = cloudera.get_api_client(cluster, api_version=KERBEROS_API_VERSION)
    managed.await_commands(newer.cluster_command(cluster.name, "configureForKerberos", {}))
    managed.deploy_client_configs()
