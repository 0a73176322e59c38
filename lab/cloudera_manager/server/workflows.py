# SPDX-License-Identifier: Apache-2.0
"""What the commands on clusters and services do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from ..hadoop import catalogue, launch, sizing, topology, webhdfs
from . import decommission
from .commands import Commands, Running, Step, Target
from .errors import CommandFailed
from .model import Cluster, Role, Service
from .roles import Roles

Pair = tuple[Service, Role]

SAFE_MODE_SECONDS = 60.0

_DIRECTORIES = "HDFS directories"
_FORMAT = "NameNode format"


class Workflows:
    """The work of each command, as a function of the running command."""

    def __init__(self, commands: Commands, roles: Roles) -> None:
        self.commands, self.roles = commands, roles

    # Which roles?

    @staticmethod
    def daemons(services: Iterable[Service]) -> tuple[list[Pair], list[Pair]]:
        """Return the roles that have a daemon, and those that the lab cannot run."""
        pairs = [(service, role) for service in services for _, role in sorted(service.roles.items())]
        missing = [pair for pair in pairs if catalogue.unavailable(pair[0].type, pair[1].type)]
        return [pair for pair in pairs if catalogue.daemon(pair[0].type, pair[1].type)], missing

    # Starting

    def start_step(self, cluster: Cluster, pair: Pair, pairs: list[Pair], also_after: tuple[str, ...] = ()) -> Step:
        service, role = pair
        kind = catalogue.daemon(service.type, role.type)
        before = {name for name in kind.after} if kind else set()
        after = tuple(other.name for _, other in pairs if other.type in before and other is not role)

        def work(running: Running) -> str:
            if role.state == "STARTED":
                return f"{role.name} runs already"
            return self.roles.start(running, cluster, service, role)

        return Step(role.name, "Start", Target(cluster.name, service.name, role.name), work, after + also_after)

    def start(self, cluster: Cluster, services: list[Service]) -> Callable[[Running], str]:
        """Return the work of starting services in the order of their needs; roles that the lab lacks are named."""

        def work(running: Running) -> str:
            pairs, missing = self.daemons(services)
            self.commands.run_steps(running, [self.start_step(cluster, pair, pairs) for pair in pairs])
            return self._summary(f"Successfully started {len(pairs)} roles", missing)

        return work

    def start_roles(self, cluster: Cluster, pair: Pair) -> Callable[[Running], str]:
        """Return the work of starting one role, without regard to the others."""
        service, role = pair

        def work(running: Running) -> str:
            refusal = catalogue.unavailable(service.type, role.type)
            if refusal:
                raise CommandFailed(f"{role.name}: {refusal}")
            if catalogue.daemon(service.type, role.type) is None:
                return f"{role.name} has no daemon to start"
            return self.start_step(cluster, pair, [pair]).work(running)

        return work

    def first_run(self, cluster: Cluster) -> Callable[[Running], str]:
        """Return the work of firstRun: format HDFS once, start everything, make HDFS directories, deploy clients."""

        def work(running: Running) -> str:
            services = list(cluster.services.values())
            pairs, missing = self.daemons(services)
            steps = []
            hdfs = cluster.service_of("HDFS")
            if hdfs is not None:
                # Written down once: computed anew, it would make every daemon stale when a DataNode is added.
                hdfs.config.setdefault("dfs_replication", str(sizing.replication(cluster)))
            name_nodes = [role for service, role in pairs if role.type == "NAMENODE"]
            for pair in pairs:
                role = pair[1]
                also: tuple[str, ...] = ()
                if role.type == "NAMENODE":
                    also = (_FORMAT,)
                elif role.type in (
                    "JOBHISTORY",
                    "OOZIE_SERVER",
                    "MASTER",
                    "SPARK_YARN_HISTORY_SERVER",
                    "HIVEMETASTORE",
                ):
                    also = (_DIRECTORIES,)
                steps.append(self.start_step(cluster, pair, pairs, also))
            if hdfs is not None and name_nodes:
                first = name_nodes[0]
                target = Target(cluster.name, hdfs.name, first.name)
                steps.append(Step(_FORMAT, "Format", target, self.format(cluster, hdfs, first)))
                target = Target(cluster.name, hdfs.name)
                make = self.make_directories(cluster)
                steps.append(Step(_DIRECTORIES, "Create HDFS directories", target, make, (first.name,)))
            for host_id in self.client_hosts(services):
                steps.append(self._client_step(cluster, host_id))
            self.commands.run_steps(running, steps)
            return self._summary("Successfully performed first run of services", missing)

        return work

    def format(self, cluster: Cluster, service: Service, role: Role) -> Callable[[Running], str]:
        """Return the work of formatting a NameNode that has never been formatted."""

        def work(running: Running) -> str:
            command = launch.format_name_node(
                cluster, service, role, self.roles.host(role.host_id), self.roles.next_process()
            )
            return self.roles.run(running, role.host_id, "run", command)

        return work

    def make_metastore_tables(self, cluster: Cluster, service: Service, role: Role) -> Callable[[Running], str]:
        """Return the work of making the tables of Hive's metastore, where its database does not have them."""

        def work(running: Running) -> str:
            command = launch.make_metastore_tables(service, role, self.roles.next_process())
            return self.roles.run(running, role.host_id, "run", command)

        return work

    def make_directories(self, cluster: Cluster, *only: str) -> Callable[[Running], str]:
        """Return the work of making the HDFS directories of the cluster's services, or of some service types."""

        def work(running: Running) -> str:
            web = webhdfs.active_name_node(topology.name_node_pages(cluster))
            self._await_writable(running, web)
            made = []
            for kind, directories in webhdfs.FIRST_RUN.items():
                if cluster.service_of(kind) is None or (only and kind not in only):
                    continue
                for path, owner, group, mode in directories:
                    running.check()
                    webhdfs.make_directory(web, path, owner, group, mode)
                    made.append(path)
            return f"HDFS has {', '.join(made)}"

        return work

    @staticmethod
    def _await_writable(running: Running, web: str) -> None:
        """Wait while the NameNode is in safe mode: it has to hear of its blocks first."""
        deadline = time.monotonic() + SAFE_MODE_SECONDS
        while reason := webhdfs.metrics(web, "Hadoop:service=NameNode,name=NameNodeInfo").get("Safemode"):
            if time.monotonic() > deadline:
                raise CommandFailed(f"HDFS is in safe mode for {SAFE_MODE_SECONDS:.0f} s: {reason}")
            running.wait(0.5)

    # Stopping

    def stop(self, cluster: Cluster, services: list[Service]) -> Callable[[Running], str]:
        """Return the work of stopping services: who needs another ends before it."""

        def work(running: Running) -> str:
            pairs, _ = self.daemons(services)
            steps = []
            for service, role in pairs:
                users = tuple(
                    other.name for owner, other in pairs
                    if (kind := catalogue.daemon(owner.type, other.type)) and role.type in kind.after
                )  # fmt: skip
                steps.append(self.stop_step(cluster, service, role, users))
            self.commands.run_steps(running, steps)
            return f"Successfully stopped {len(pairs)} roles"

        return work

    def stop_step(self, cluster: Cluster, service: Service, role: Role, after: tuple[str, ...]) -> Step:
        def work(running: Running) -> str:
            return self.roles.stop(running, role)

        return Step(role.name, "Stop", Target(cluster.name, service.name, role.name), work, after)

    def restart(
        self, cluster: Cluster, services: list[Service], *, only_stale: bool = False, clients: bool = False
    ) -> Callable[[Running], str]:
        """Return the work of restarting services, or only the roles whose configuration is stale."""

        def work(running: Running) -> str:
            pairs, missing = self.daemons(services)
            if only_stale:
                pairs = [pair for pair in pairs if self.roles.stale(cluster, *pair)]
            if clients:
                self.deploy_clients(cluster, self.client_hosts(cluster.services.values()))(running)
            self.commands.run_steps(running, [self.stop_step(cluster, service, role, ()) for service, role in pairs])
            self.commands.run_steps(running, [self.start_step(cluster, pair, pairs) for pair in pairs])
            return self._summary(f"Successfully restarted {len(pairs)} roles", [] if only_stale else missing)

        return work

    # Client configuration, refresh

    @staticmethod
    def client_hosts(services: Iterable[Service]) -> list[str]:
        """Return the hosts that need a client configuration: those of any role of these services."""
        return sorted({role.host_id for service in services for role in service.roles.values()})

    def _client_step(self, cluster: Cluster, host_id: str) -> Step:
        def work(running: Running) -> str:
            return self.roles.deploy_client_configuration(running, cluster, host_id)

        return Step(f"clients {host_id}", "DeployClientConfig", Target(cluster.name, host=host_id), work)

    def deploy_clients(self, cluster: Cluster, host_ids: list[str]) -> Callable[[Running], str]:
        """Return the work of writing the client configuration on hosts."""

        def work(running: Running) -> str:
            self.commands.run_steps(running, [self._client_step(cluster, host_id) for host_id in host_ids])
            return f"Successfully deployed the client configuration to {len(host_ids)} hosts"

        return work

    def refresh(self, cluster: Cluster, pair: Pair) -> Callable[[Running], str]:
        """Return the work of refreshing a role: the master of a worker reads its list of hosts again."""
        service, role = pair

        def work(running: Running) -> str:
            master = {"DATANODE": "NAMENODE", "NODEMANAGER": "RESOURCEMANAGER"}.get(role.type, role.type)
            if master not in ("NAMENODE", "RESOURCEMANAGER"):
                return f"{role.name} has nothing to refresh"
            masters = service.roles_of(master)
            # Of two masters one may be lost; with none left the refusal of the first one tells why.
            there = [found for found in masters if self.roles.runs(found)] or masters[:1]
            return "; ".join(self.roles.refresh_nodes(running, cluster, service, found) for found in there)

        return work

    def decommission(self, cluster: Cluster, service: Service, roles: list[Role]) -> Callable[[Running], str]:
        """Return the work of taking workers out of service with their data kept."""
        return decommission.work(self.roles, cluster, service, roles)

    def recommission(self, cluster: Cluster, service: Service, roles: list[Role]) -> Callable[[Running], str]:
        """Return the work of taking decommissioned workers back into service; their daemons are started afterwards."""

        def work(running: Running) -> str:
            self.roles.set_commission(roles, "COMMISSIONED")
            for role in roles:
                self.refresh(cluster, (service, role))(running)
            return f"Successfully recommissioned {', '.join(role.name for role in roles)}"

        return work

    def restart_role(self, cluster: Cluster, pair: Pair) -> Callable[[Running], str]:
        """Return the work of restarting one role."""

        def work(running: Running) -> str:
            if catalogue.daemon(pair[0].type, pair[1].type):
                self.roles.stop(running, pair[1])
            return self.start_roles(cluster, pair)(running)

        return work

    @staticmethod
    def _refusals(missing: list[Pair]) -> list[str]:
        return [
            f"{role.name} on {role.host_id}: {catalogue.unavailable(service.type, role.type)}"
            for service, role in missing
        ]

    def _summary(self, message: str, missing: list[Pair]) -> str:
        return f"{message}. Not started: {'; '.join(self._refusals(missing))}" if missing else message
