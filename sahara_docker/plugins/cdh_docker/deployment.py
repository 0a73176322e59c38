# SPDX-License-Identifier: Apache-2.0
"""Creating, starting, growing and shrinking a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from oslo_log import log as logging
from sahara.plugins import utils as plugin_utils
from sahara.service import ops
from sahara_plugin_cdh.plugins.cdh import deploy as stock

from sahara_docker import cluster_extra, exceptions
from sahara_docker.plugins.cdh_docker import (
    agent_watch,
    availability,
    databases,
    dead_nodes,
    hbase_lib,
    images,
    nodes,
    options,
    parallel,
    passwords,
    proxy,
    proxy_in_jobs,
    proxy_on_nodes,
    removal,
    role_configs,
    security,
    storage,
    swift,
    undo,
)
from sahara_docker.plugins.cdh_docker.cloudera import Cloudera
from sahara_docker.plugins.cdh_docker.managed_cluster import ManagedCluster

LOG = logging.getLogger(__name__)

# What the stock plugin's list of ports to open lacks: HDFS_JOURNALNODE is listed there under another name.
MORE_OPEN_PORTS = {
    "HDFS_JOURNALNODE": [8480, 8481, 8485],
    "HDFS_NAMENODE": [8019],
    "YARN_NODEMANAGER": [13562],
    "YARN_JOBHISTORY": [10033],
    "HIVE_WEBHCAT": [50111],
    "KAFKA_BROKER": [9092],
    "KEY_VALUE_STORE_INDEXER": [11060],
}

# Marks a cluster whose nodes were given a proxy, in what is kept with it.
_HAS_PROXY = "has_proxy"


def _others(cluster: Any, instances: list[Any]) -> list[Any]:
    """Return the nodes of *cluster* but *instances*."""
    # By name: comparing Sahara's objects that were loaded at different times recurses without end.
    names = {instance.instance_name for instance in instances}
    return [node for node in plugin_utils.get_instances(cluster) if node.instance_name not in names]


class Deployment:
    """Operations on the clusters of one CDH version, in the shape that a version handler wants.

    :param images: the version's image checks.
    """

    def __init__(self, cloudera: Cloudera, configs: role_configs.RoleConfigs, images: images.Images) -> None:
        self._cloudera = cloudera
        self._pu = cloudera.pu
        self._configs = configs
        self._images = images

    def prepare_images(self, cluster: Any, test_only: bool = False) -> None:
        """Give all nodes their environment, then check them and install what an image lacks, unless *test_only*."""
        instances = plugin_utils.get_instances(cluster)
        self._bring_proxy(cluster, instances)
        self._images.validate(cluster, instances, test_only)
        if not test_only:
            swift.bring(cluster, instances, self._pu.c_helper.DEFAULT_SWIFT_LIB_URL)

    def configure_cluster(self, cluster: Any) -> None:
        """Start Cloudera Manager and its agents, and describe the cluster to it."""
        passwords.prepare(cluster)
        instances = plugin_utils.get_instances(cluster)
        volumes = self._start_nodes(cluster, instances, manager=self._pu.get_manager(cluster))
        managed = self._managed(cluster, self._cloudera.await_manager(cluster))
        managed.await_agents(instances, self._reviver(cluster))
        managed.place_in_racks()
        monitoring = managed.create_management_service()
        managed.create_services()
        managed.configure_services()
        self._bring_proxy_to_jobs(managed, instances)
        managed.create_roles(instances, volumes)
        managed.await_commands(monitoring)
        managed.deploy_client_configs()

    def start_cluster(self, cluster: Any) -> None:
        """Start the services for the first time."""
        managed = self._managed(cluster)
        self._prepare(cluster)
        managed.first_run()
        availability.add_standby_masters(managed, self._cloudera)
        self._finish(cluster, managed)
        security.secure_cluster(managed, self._cloudera)

    def scale_cluster(self, cluster: Any, instances: list[Any]) -> None:
        """Take new *instances* into a running cluster; when that fails, they are removed again.

        Sahara swallows a failure here, sets the cluster Active with its text and would leave the nodes half-made.
        """
        try:
            self._take_in(cluster, instances)
        except Exception as failure:
            LOG.exception("Scaling of cluster %s failed", cluster.name)
            try:
                self.forget_nodes(cluster, instances)
            except Exception as second:
                raise undo.NodesStay(
                    "scaling failed, and its new nodes stay, as they may hold data that could not be moved",
                    where=cluster.name,
                    observed=f"{failure}; then: {second}",
                    remedy="mend what failed and scale the cluster down to remove them",
                ) from failure
            if not hasattr(ops.INFRA, "undo_scaling"):  # another engine than this package's
                raise
            raise ops.INFRA.undo_scaling(cluster.id, failure) from failure

    def forget_nodes(self, cluster: Any, instances: list[Any]) -> None:
        """Take back what the cluster was told about new nodes that are to be removed without having worked.

        :raises Exception: they may hold data that no other node has, and must not be removed.
        """
        undo.forget(self._managed(cluster, watched=[]), instances)
        try:
            self._bring_proxy(cluster, _others(cluster, instances))
        except Exception as trouble:
            LOG.warning("[%s] The nodes' proxy settings name nodes that are removed: %s", cluster.name, trouble)

    def _take_in(self, cluster: Any, instances: list[Any]) -> None:
        if not instances:
            return
        # The old nodes have to reach the new ones directly, too.
        everyone = plugin_utils.get_instances(cluster)
        old = _others(cluster, instances)
        dead_nodes.passed_over(old, lambda: self._bring_proxy(cluster, everyone))
        self._images.validate(cluster, instances)
        swift.bring(cluster, instances, self._pu.c_helper.DEFAULT_SWIFT_LIB_URL)
        volumes = self._start_nodes(cluster, instances)
        managed = self._managed(cluster)
        managed.await_agents(instances, self._reviver(cluster))
        managed.place_in_racks()
        managed.create_roles(instances, volumes)
        self._bring_proxy_to_jobs(managed, everyone)
        managed.deploy_client_configs_to(instances)
        security.secure_new_nodes(managed, self._cloudera, instances)
        # A new node may have the name of one that was decommissioned: its masters refuse it until they look again.
        managed.refresh_workers(but=instances)
        managed.start_worker_roles(instances)
        for step in (managed.refresh_workers, managed.restart_stale_services):
            dead_nodes.passed_over(old, step)

    def decommission_cluster(self, cluster: Any, instances: list[Any]) -> None:
        """Empty *instances* and make Cloudera Manager and the other nodes forget them.

        :raises SaharaDockerError: they could not be emptied; the cluster works on with them.
        """
        staying = _others(cluster, instances)
        managed = self._managed(cluster, watched=staying)
        removal.remove_workers(managed, instances)
        # The nodes are out of Cloudera Manager, so that Sahara has to remove them whatever becomes of the rest.
        steps: list[Callable[[], None]] = [
            lambda: self._bring_proxy(cluster, staying),
            lambda: self._bring_proxy_to_jobs(managed, staying),
            managed.refresh_workers,
            managed.restart_stale_services,
        ]
        for step in steps:
            try:
                step()
            except Exception as trouble:
                note = exceptions.SaharaDockerError(
                    "nodes were removed, but those that stay were not told everything",
                    where=cluster.name,
                    observed=str(trouble),
                    remedy="restart the stale services in Cloudera Manager; the next scaling tells the nodes anew",
                )
                LOG.warning("%s", note)
                plugin_utils.add_fail_event(managed.get_event_info(), note)

    def get_open_ports(self, node_group: Any) -> list[int]:
        """Return the ports that clients outside the cluster use on a node of *node_group*."""
        ports = stock.get_open_ports(node_group)
        for process in node_group.node_processes:
            ports.extend(MORE_OPEN_PORTS.get(process, ()))
        return ports

    def _managed(self, cluster: Any, client: Any = None, watched: list[Any] | None = None) -> ManagedCluster:
        client = client or self._cloudera.get_api_client(cluster)
        watched = plugin_utils.get_instances(cluster) if watched is None else watched
        watch = agent_watch.AgentWatch(watched, client.hosts, self._reviver(cluster, patience=0))
        return ManagedCluster(cluster, client, self._cloudera, self._configs, watch)

    def _bring_proxy(self, cluster: Any, instances: list[Any]) -> None:
        """Bring the proxy settings to *instances*, all nodes of the cluster.

        Where there is no proxy any more, since sahara.conf has changed, the one that the nodes have is taken away.
        """
        settings = proxy.settings_of(cluster, instances)
        if settings:
            cluster_extra.change(cluster.id, _HAS_PROXY, lambda _: True)
            work = functools.partial(proxy_on_nodes.bring, settings=settings)
            parallel.on_each(instances, "Set proxy environment", work)
        elif cluster_extra.read(cluster, _HAS_PROXY):
            parallel.on_each(instances, "Remove proxy environment", proxy_on_nodes.remove)

    def _bring_proxy_to_jobs(self, managed: ManagedCluster, instances: list[Any]) -> None:
        cluster = managed.cluster
        settings = proxy.settings_of(cluster, instances)
        if settings or cluster_extra.read(cluster, _HAS_PROXY):
            names = {service.type: service.name for service in managed.services()}
            proxy_in_jobs.bring(managed.client, cluster.name, names["YARN"], names.get("SPARK_ON_YARN"), settings)
        if not settings and cluster_extra.read(cluster, _HAS_PROXY):
            cluster_extra.change(cluster.id, _HAS_PROXY, lambda _: None)

    def _start_nodes(self, cluster: Any, instances: list[Any], manager: Any = None) -> dict[str, int]:
        """Start the agents, and Cloudera Manager beside them, and measure the DataNodes' volumes.

        :param manager: the instance to start Cloudera Manager on; None when it runs already.
        :returns: size of the data volume in bytes by instance name.
        """
        manager_name = self._pu.get_manager(cluster).fqdn()
        attempts = options.value(cluster, options.AGENT_START_ATTEMPTS)
        volumes: dict[str, int] = {}

        def start(instance: Any) -> None:
            if manager and instance.instance_name == manager.instance_name:
                nodes.start_manager(instance)
            nodes.start_agent(instance, manager_name, attempts)
            if "HDFS_DATANODE" in instance.node_group.node_processes:
                with instance.remote() as remote:
                    volumes[instance.instance_name] = storage.smallest_volume(instance, remote)

        parallel.on_each(instances, "Start Cloudera Manager and agents" if manager else "Start Cloudera Agents", start)
        return volumes

    def _reviver(self, cluster: Any, patience: float = 15) -> agent_watch.Reviver:
        attempts = options.value(cluster, options.AGENT_START_ATTEMPTS)
        return agent_watch.Reviver(self._pu.get_manager(cluster).fqdn(), attempts, patience=patience)

    @plugin_utils.event_wrapper(True, step="Prepare cluster", param=("cluster", 1))
    def _prepare(self, cluster: Any) -> None:
        """Do what has to be there before the services start."""
        if self._pu.get_oozie(cluster):
            try:
                self._pu.install_extjs(cluster)
            except Exception as failure:
                # The library is for the pages of Oozie's web console only; no job needs it.
                LOG.warning("[%s] Oozie's web console will not work: %s", cluster.name, failure)
        manager = self._pu.get_manager(cluster)
        if self._pu.get_hive_metastore(cluster):
            databases.create_for_hive(manager, cluster)
        if self._pu.get_sentry(cluster):
            databases.create_for_sentry(manager, cluster)

    @plugin_utils.event_wrapper(True, step="Finish cluster starting", param=("cluster", 1))
    def _finish(self, cluster: Any, managed: ManagedCluster) -> None:
        """Do what needs the running services."""
        if self._pu.get_hive_metastore(cluster):
            self._pu.put_hive_hdfs_xml(cluster)
        hbase = self._pu.get_hbase_master(cluster)
        if hbase and self._pu.c_helper.is_hbase_common_lib_enabled(cluster):
            hbase_lib.bring(hbase)
        if self._pu.get_flumes(cluster):
            managed.await_commands(managed.client.service_command(cluster.name, "flume01", "start"))
