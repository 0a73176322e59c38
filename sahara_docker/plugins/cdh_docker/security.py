# SPDX-License-Identifier: Apache-2.0
"""Kerberos for a cluster: a realm on its nodes, and Cloudera Manager's commands."""

from __future__ import annotations

from typing import Any

from sahara.plugins import kerberos
from sahara.plugins import utils as plugin_utils

from sahara_docker.plugins.cdh_docker import parallel, realm
from sahara_docker.plugins.cdh_docker.cloudera import KERBEROS_API_VERSION, Cloudera
from sahara_docker.plugins.cdh_docker.managed_cluster import ManagedCluster


def secure_cluster(managed: ManagedCluster, cloudera: Cloudera) -> None:
    """Kerberize a running cluster, when its configs ask for it."""
    cluster = managed.cluster
    if not kerberos.is_kerberos_security_enabled(cluster):
        return
    if not kerberos.using_existing_kdc(cluster):
        parallel.on_each([cloudera.pu.get_manager(cluster)], "Deploy KDC server", _start_server)
    _set_up_clients(cluster, cloudera, plugin_utils.get_instances(cluster))
    managed.stop()
    _configure_manager(managed, cloudera)
    managed.start()
    _create_keytabs(cloudera.pu.get_hdfs_nodes(cluster), "hdfs")
    history_server = cloudera.pu.get_spark_historyserver(cluster)
    if history_server:  # the stock plugin asks for the keytab of a node that need not exist
        _create_keytabs([history_server], "spark")


def secure_new_nodes(managed: ManagedCluster, cloudera: Cloudera, instances: list[Any]) -> None:
    """Bring Kerberos to the new nodes of a kerberized cluster."""
    cluster = managed.cluster
    if not kerberos.is_kerberos_security_enabled(cluster):
        return
    _set_up_clients(cluster, cloudera, instances)
    _configure_manager(managed, cloudera)
    _create_keytabs(cloudera.pu.get_hdfs_nodes(cluster, instances), "hdfs")


def _start_server(instance: Any) -> None:
    cluster = instance.cluster
    administrator = kerberos.get_admin_principal(cluster)
    realm.start_server(instance, kerberos.get_realm_name(cluster), administrator, kerberos.get_server_password(cluster))


def _set_up_clients(cluster: Any, cloudera: Cloudera, instances: list[Any]) -> None:
    server = kerberos.get_kdc_host(cluster, cloudera.pu.get_manager(cluster))
    address = kerberos.get_kdc_server_ip(cluster) if kerberos.using_existing_kdc(cluster) else ""

    def set_up(instance: Any) -> None:
        realm.set_up_client(instance, kerberos.get_realm_name(cluster), server, address)

    parallel.on_each(instances, "Setting Up Kerberos clients", set_up)


def _create_keytabs(instances: list[Any], user: str) -> None:
    def create(instance: Any) -> None:
        cluster = instance.cluster
        administrator, password = kerberos.get_admin_principal(cluster), kerberos.get_server_password(cluster)
        realm.create_keytab(instance, user, kerberos.get_realm_name(cluster), administrator, password)

    parallel.on_each(instances, f"Setting up keytabs of {user}", create)


def _configure_manager(managed: ManagedCluster, cloudera: Cloudera) -> None:
    cluster = managed.cluster
    name = kerberos.get_realm_name(cluster)
    kdc = kerberos.get_kdc_host(cluster, cloudera.pu.get_manager(cluster))
    managed.client.configure_manager({"SECURITY_REALM": name, "KDC_HOST": kdc})
    principal = f"{kerberos.get_admin_principal(cluster)}@{name}"
    managed.await_commands(managed.client.import_admin_credentials(principal, kerberos.get_server_password(cluster)))
    newer = cloudera.get_api_client(cluster, api_version=KERBEROS_API_VERSION)
    managed.await_commands(newer.cluster_command(cluster.name, "configureForKerberos", {}))
    managed.deploy_client_configs()
