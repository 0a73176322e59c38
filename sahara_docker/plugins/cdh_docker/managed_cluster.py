# SPDX-License-Identifier: Apache-2.0
"""A Sahara cluster as Cloudera Manager knows it: its services, roles, hosts and commands."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging
from sahara import context
from sahara.plugins import topology_helper
from sahara.plugins import utils as plugin_utils

from sahara_docker import conf, exceptions
from sahara_docker.plugins.cdh_docker import (
    agent_watch,
    cm_client,
    cm_commands,
    cm_session,
    options,
    role_configs,
    storage,
    topology,
    waiting,
)
from sahara_docker.plugins.cdh_docker.cloudera import Cloudera, status_reporter

LOG = logging.getLogger(__name__)
CONF = cfg.CONF
conf.register_sahara_opts(CONF)

MANAGEMENT_ROLES = ("SERVICEMONITOR", "HOSTMONITOR", "EVENTSERVER", "ALERTPUBLISHER")
WORKER_ROLES = ("DATANODE", "NODEMANAGER")


def _step(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a method one provisioning step of the cluster's event log."""
    return plugin_utils.event_wrapper(True, step=name, param=("self", 0))


class ManagedCluster:
    """One cluster during one operation on it.

    :param client: a client with the cluster's own password.
    :param watch: looks after the agents while a command runs.
    """

    def __init__(
        self,
        cluster: Any,
        client: cm_client.CMClient,
        cloudera: Cloudera,
        configs: role_configs.RoleConfigs,
        watch: agent_watch.AgentWatch | None = None,
    ) -> None:
        self.cluster = cluster
        self.client = client
        self._cloudera = cloudera
        self._pu = cloudera.pu
        self._configs = configs
        self._watch = watch
        self._report = status_reporter(cluster)
        self._host_ids: dict[str, str] = {}

    def get_event_info(self) -> context.InstanceInfo:
        """Tell Sahara's event log whose steps these are."""
        return context.InstanceInfo(self.cluster.id)

    def services(self) -> list[topology.Service]:
        """Return the services that the cluster's processes make up."""
        return topology.services_of({process for group in self.cluster.node_groups for process in group.node_processes})

    def await_commands(self, *commands: cm_client.Command) -> None:
        """Wait for commands within the cluster's time limit for one of them."""
        self._await_within(options.value(self.cluster, options.COMMAND_TIMEOUT), commands)

    def _await_within(self, timeout: float, commands: Iterable[cm_client.Command], **words: str) -> None:
        cm_commands.await_commands(
            self.client, commands, timeout=timeout, report=self._report, watch=self._watch or str, **words
        )

    def _run(self, issue: Callable[[], Iterable[cm_client.Command]]) -> None:
        """Give commands that may be repeated and wait for them.

        They are given once more when they failed while an agent was silent: with it goes what it was told to do.
        """
        silences = self._watch.silences if self._watch else 0
        try:
            self.await_commands(*issue())
        except cm_commands.CMCommandFailed as failure:
            if self._watch is None or self._watch.silences == silences:
                raise
            LOG.warning("Repeating a command that failed while an agent was silent: %s", failure)
            self.await_commands(*issue())

    # Hosts

    @_step("Await Cloudera agents")
    def await_agents(self, instances: Iterable[Any], revive: Callable[[Any], str]) -> None:
        """Wait until Cloudera Manager knows all *instances*.

        :param revive: called with an instance that it does not know; restarts an agent that died and returns what was
            the matter, or nothing.
        """

        def all_known() -> None:
            try:
                known = {host["hostname"] for host in self.client.hosts()}
            except cm_session.CMError as error:
                if error.passing:
                    raise waiting.NotYet(str(error)) from error
                raise
            missing = [instance for instance in instances if instance.fqdn() not in known]
            if missing:
                troubles = (f"{instance.fqdn()} {revive(instance)}".strip() for instance in missing)
                raise waiting.NotYet(f"no report from {', '.join(troubles)}")

        waiting.wait_for(
            all_known,
            what="reports of all agents to Cloudera Manager",
            timeout=options.value(self.cluster, options.AWAIT_AGENTS_TIMEOUT),
            where=self.client.where,
            remedy="read /var/log/cloudera-scm-agent on these nodes",
            report=self._report,
        )

    def place_in_racks(self) -> None:
        """Tell Cloudera Manager the hosts' racks, where Sahara knows them."""
        if topology_helper.is_data_locality_enabled():
            racks = topology_helper.generate_topology_map(self.cluster, is_node_awareness=False)
            for host in self.client.hosts():
                if host["ipAddress"] in racks:
                    self.client.set_rack(host, racks[host["ipAddress"]])

    @_step("Delete instances")
    def remove_hosts(self, instances: Iterable[Any]) -> None:
        """Make Cloudera Manager forget hosts whose roles are gone."""
        leaving = {instance.fqdn() for instance in instances}
        for host in self.client.hosts():
            if host["hostname"] in leaving:
                self.client.remove_host(self.cluster.name, host["hostId"])
                self.client.delete_host(host["hostId"])

    # Services and roles

    @_step("Create management service")
    def create_management_service(self) -> cm_client.Command:
        """Create Cloudera Manager's monitoring and return the command that starts it, which need not be awaited yet."""
        manager = self._pu.get_manager(self.cluster)
        host_id = self.host_id(manager)
        self.client.create_management_service(
            cm_client.role(self._pu.get_role_name(manager, role), role, host_id) for role in MANAGEMENT_ROLES
        )
        return self.client.start_roles_on_hosts([manager.fqdn()])

    @_step("Create services")
    def create_services(self) -> None:
        """Create the cluster and its services."""
        self.client.create_cluster(self.cluster.name, self.cluster.hadoop_version)
        self.client.create_services(self.cluster.name, [(service.name, service.type) for service in self.services()])

    @_step("Configure services")
    def configure_services(self) -> None:
        """Set the options of all services."""
        for service in self.services():
            settings = self._configs.of_service(service, self.cluster)
            self.client.configure_service(self.cluster.name, service.name, settings)

    def create_roles(self, instances: list[Any], volumes: Mapping[str, int]) -> None:
        """Create and configure the roles of *instances*.

        The roles of a service are created in one call; the stock plugin makes three for every role.

        :param volumes: size in bytes of the data volume of each DataNode, by instance name.
        """
        plugin_utils.add_provisioning_step(self.cluster.id, "Configure instances", len(instances))
        by_service = collections.defaultdict(list)
        for instance in instances:
            for role in topology.roles_of(instance.node_group.node_processes):
                by_service[topology.service_of(role).name].append(
                    cm_client.role(
                        self._pu.get_role_name(instance, role), topology.api_type(role), self.host_id(instance)
                    )
                )
        for service_name, roles in by_service.items():
            self.client.create_roles(self.cluster.name, service_name, roles)
        for instance in instances:
            self._configure_roles(instance, volumes.get(instance.instance_name))

    @plugin_utils.event_wrapper(True)
    def _configure_roles(self, instance: Any, volume: int | None) -> None:
        # One after the other: concurrent changes of a service's roles make CM's database transactions fail.
        reserved = None if volume is None else storage.reserved_for(volume)
        for role in topology.roles_of(instance.node_group.node_processes):
            settings = self._configs.of_role(role, instance, reserved)
            if role == "DATANODE" and volume is not None:
                storage.check_reserved(settings[storage.RESERVED], volume, instance.fqdn())
            if settings:
                service_name = topology.service_of(role).name
                role_name = self._pu.get_role_name(instance, role)
                self.client.configure_role(self.cluster.name, service_name, role_name, settings)

    def reconfigure_role(self, instance: Any, process: str) -> None:
        """Set the options of a role that Cloudera Manager itself has created and started on a node, and restart it.

        They are its own daemon's; the stock plugin restarts the whole service, with every worker.
        """
        role = topology.ROLE_OF_PROCESS.get(process, process)
        service_name = topology.service_of(role).name
        settings = self._configs.of_role(role, instance)
        for existing in self.client.roles(self.cluster.name, service_name) if settings else ():
            if existing["type"] == role and existing["hostRef"]["hostId"] == self.host_id(instance):
                name = existing["name"]
                self.client.configure_role(self.cluster.name, service_name, name, settings)
                self.await_commands(*self.client.each_role_command(self.cluster.name, service_name, "restart", [name]))

    def roles_by_service(self, instances: Iterable[Any], roles: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return the names of the roles of *instances* by service; only those of the types *roles* when given."""
        wanted = None if roles is None else frozenset(roles)
        names = collections.defaultdict(list)
        for instance in instances:
            for role in topology.roles_of(instance.node_group.node_processes):
                if wanted is None or role in wanted:
                    names[topology.service_of(role).name].append(self._pu.get_role_name(instance, role))
        return dict(names)

    # Commands

    @_step("Deploy configs")
    def deploy_client_configs(self) -> None:
        """Write the client configuration to all gateways."""
        self._run(lambda: [self.client.cluster_command(self.cluster.name, "deployClientConfig")])

    @_step("First run cluster")
    def first_run(self) -> None:
        """Format, create and start whatever the services need."""
        self.await_commands(self.client.cluster_command(self.cluster.name, "firstRun"))

    @_step("Update configs")
    def deploy_client_configs_to(self, instances: Iterable[Any]) -> None:
        """Write the client configuration to new nodes."""
        roles_by_service = self.roles_by_service(instances)
        self._run(
            lambda: [
                self.client.named_roles_command(self.cluster.name, service, "deployClientConfig", roles)
                for service, roles in roles_by_service.items()
            ]
        )

    @_step("Start roles: NODEMANAGER, DATANODE")
    def start_worker_roles(self, instances: Iterable[Any]) -> None:
        """Start the roles of new workers."""
        for service, roles in self.roles_by_service(instances, WORKER_ROLES).items():
            self._run(functools.partial(self.client.each_role_command, self.cluster.name, service, "start", roles))

    def stop_role(self, service: str, role: str) -> None:
        """Stop a role, or have Cloudera Manager take one of a dead host for stopped."""
        self.await_commands(*self.client.each_role_command(self.cluster.name, service, "stop", [role]))

    @_step("Refresh DataNodes and NodeManagers")
    def refresh_workers(self, but: Iterable[Any] = ()) -> None:
        """Have the lists of nodes read again, by commands on all workers but those of some instances."""
        passed_over = {self.host_id(instance) for instance in but}
        for service in (self._cloudera.HDFS_SERVICE_NAME, self._cloudera.YARN_SERVICE_NAME):
            names = [
                role["name"]
                for role in self.client.roles(self.cluster.name, service)
                if role["type"] in WORKER_ROLES and role["hostRef"]["hostId"] not in passed_over
            ]
            if names:
                self._run(
                    functools.partial(self.client.each_role_command, self.cluster.name, service, "refresh", names)
                )

    @_step("Restart stale services")
    def restart_stale_services(self) -> None:
        """Restart the services whose configuration has changed, and deploy it."""
        body = {"restartOnlyStaleServices": True, "redeployClientConfiguration": True}
        self._run(lambda: [self.client.cluster_command(self.cluster.name, "restart", body)])

    @_step("Decommission nodes")
    def decommission(self, instances: Iterable[Any]) -> None:
        """Move the data and work of leaving workers elsewhere; when that fails they go on working.

        :raises SaharaDockerError: they could not be emptied, and are part of the cluster as before.
        """
        self.empty(self._known(self.roles_by_service(instances, WORKER_ROLES)))

    def empty(self, workers: Mapping[str, list[str]]) -> None:
        """As :meth:`decommission`, for the names of roles by service."""
        try:
            for service, roles in workers.items():
                self._empty_service(service, roles)
        except exceptions.SaharaDockerError:
            self._recommission(workers)
            raise

    def _empty_service(self, service: str, roles: list[str]) -> None:
        command = self.client.named_roles_command(self.cluster.name, service, "decommission", roles)
        remedy = "see in HDFS how far it is; raise [sahara_docker] decommission_timeout in sahara.conf and scale again"
        try:
            self._await_within(CONF.sahara_docker.decommission_timeout, [command], remedy=remedy)
        except cm_commands.CMCommandFailed:
            raise
        except exceptions.SaharaDockerError:
            cm_commands.abort(self.client, command)
            raise

    def _known(self, roles_by_service: Mapping[str, list[str]]) -> dict[str, list[str]]:
        """Return what Cloudera Manager knows of *roles_by_service*: an interrupted removal has deleted some already."""
        known = {}
        for service, roles in roles_by_service.items():
            existing = {role["name"] for role in self.client.roles(self.cluster.name, service)}
            known[service] = [role for role in roles if role in existing]
        return {service: roles for service, roles in known.items() if roles}

    def _recommission(self, workers: Mapping[str, list[str]]) -> None:
        for service, roles in workers.items():
            try:
                self.await_commands(self.client.named_roles_command(self.cluster.name, service, "recommission", roles))
                self.await_commands(*self.client.each_role_command(self.cluster.name, service, "start", roles))
            except exceptions.SaharaDockerError as failure:
                LOG.warning("Cannot take %s back into service: %s", ", ".join(roles), failure)

    def delete_roles(self, instances: Iterable[Any]) -> None:
        """Delete all roles of *instances*, which have to be stopped."""
        for service, roles in self.roles_by_service(instances).items():
            for role in roles:
                self.client.delete_role(self.cluster.name, service, role)

    @_step("Stop services")
    def stop(self) -> None:
        """Stop all services and Cloudera Manager's own monitoring."""
        self.await_commands(self.client.cluster_command(self.cluster.name, "stop"))
        self.await_commands(self.client.management_command("stop"))

    @_step("Start services")
    def start(self) -> None:
        """Start all services and Cloudera Manager's own monitoring."""
        self.await_commands(self.client.cluster_command(self.cluster.name, "start"))
        self.await_commands(self.client.management_command("start"))

    def name_node(self) -> tuple[Any, int]:
        """Return the instance of the (first) NameNode, and the port of its web pages."""
        port = self._pu.get_config_value("NAMENODE", "dfs_http_port", self.cluster)
        return self._pu.get_namenode(self.cluster), int(port)

    def host_id(self, instance: Any) -> str:
        """Return Cloudera Manager's identifier of a node, which need not be its name."""
        if instance.fqdn() not in self._host_ids:
            self._host_ids = {host["hostname"]: host["hostId"] for host in self.client.hosts()}
        if instance.fqdn() not in self._host_ids:
            raise exceptions.SaharaDockerError(
                "Cloudera Manager does not know the host",
                where=instance.fqdn(),
                observed=f"it knows {', '.join(sorted(self._host_ids)) or 'none'}",
                remedy="look at the Cloudera agent on the node",
            )
        return self._host_ids[instance.fqdn()]
