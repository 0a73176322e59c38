# SPDX-License-Identifier: Apache-2.0
"""What can be done to one role: start, stop, refresh; and to one host: client configuration."""

from __future__ import annotations

from typing import Any

from ..hadoop import catalogue, launch, render, settings
from .agents import Agents
from .commands import Running
from .errors import CommandFailed
from .model import Cluster, Host, Role, Service
from .store import Store

#: Beyond the time that the agent itself takes for a start or a stop.
SLACK = 30.0
STOP_TIMEOUT = 60.0


class Roles:
    """Operations on roles and hosts, each carried out by the host's agent."""

    def __init__(self, store: Store, agents: Agents) -> None:
        self._store, self._agents = store, agents

    def host(self, host_id: str) -> Host:
        """Return a host.

        :raises CommandFailed: there is no such host.
        """
        host = self._store.model.hosts.get(host_id)
        if host is None:
            raise CommandFailed(f"host {host_id} is not known")
        return host

    def next_process(self) -> int:
        """Return a number for a new process directory; it is never used again."""
        with self._store.changing() as model:
            number = model.next_process
            model.next_process += 1
        return number

    def set_commission(self, roles: list[Role], state: str) -> None:
        """Note that roles are in service, leaving it, or out of it."""
        with self._store.changing():
            for role in roles:
                role.commission = state

    def start(self, running: Running, cluster: Cluster, service: Service, role: Role) -> str:
        """Start a role's daemon and wait until it answers.

        :raises CommandFailed: it did not; the text has its last log lines.
        """
        running.check()
        number = self.next_process()
        with self._store.changing():
            spec = launch.daemon(cluster, service, role, self.host(role.host_id), number)
            ignored = settings.not_applied(cluster, service, role)
            role.state, role.process_id, role.failure, role.log_tail = "STARTING", number, "", ""
        outcome: dict[str, Any] = {"ok": False, "message": "not tried", "log_tail": ""}
        try:
            outcome = self._agents.perform(
                role.host_id, "start", spec, timeout=launch.START_TIMEOUT + SLACK, aborted=running.aborted
            )
        except CommandFailed as error:
            outcome["message"] = str(error)
        with self._store.changing():
            if outcome["ok"]:
                role.state = "STARTED"
                role.started_with = self._digest(spec)
                role.host_lists = str(sorted(render.host_lists(spec["files"]).items()))
            else:
                role.state, role.failure, role.log_tail = "STOPPED", outcome["message"], outcome["log_tail"]
        if not outcome["ok"]:
            raise CommandFailed(_with_log(f"{role.type} on {role.host_id} {outcome['message']}", outcome["log_tail"]))
        kept = f"; kept but without effect in the lab: {', '.join(ignored)}" if ignored else ""
        return f"Successfully started process {number} of {role.name}{kept}"

    @staticmethod
    def _digest(spec: dict) -> str:
        return render.digest(spec["files"], spec["argv"], spec["env"])

    def stale(self, cluster: Cluster, service: Service, role: Role) -> bool:
        """Say whether a running daemon's files or command line would be others if it were started now."""
        if role.state != "STARTED" or not role.started_with or catalogue.daemon(service.type, role.type) is None:
            return False
        try:
            spec = launch.daemon(cluster, service, role, self.host(role.host_id), role.process_id)
        except CommandFailed:
            return True
        return self._digest(spec) != role.started_with

    def stop(self, running: Running, role: Role) -> str:
        """Stop a role's daemon. A dead host's daemon counts as stopped: nobody can reach it.

        :raises CommandFailed: the agent did not stop it.
        """
        if not self._agents.alive(role.host_id):
            with self._store.changing():
                role.state, role.failure = "STOPPED", ""
            return f"{role.name}: its host {role.host_id} does not answer; taken for stopped"
        with self._store.changing():
            role.state = "STOPPING"
        try:
            outcome = self._agents.perform(role.host_id, "stop", {"role": role.name}, timeout=STOP_TIMEOUT)
        except CommandFailed as error:
            outcome = {"ok": False, "message": str(error)}
        with self._store.changing():
            role.state = "STOPPED"
            role.failure, role.log_tail = ("", "") if outcome["ok"] else (outcome["message"], "")
        if not outcome["ok"]:
            raise CommandFailed(f"{role.type} on {role.host_id}: {outcome['message']}")
        return f"Successfully stopped {role.name}"

    def runs(self, role: Role) -> bool:
        """Say whether a role's daemon runs on a host that has been heard lately."""
        return role.state == "STARTED" and self._agents.alive(role.host_id)

    def forget(self, role: Role) -> None:
        """Have the agent forget a role that is being deleted; a dead host has nothing to forget."""
        if role.process_id and self._agents.alive(role.host_id):
            self._agents.perform(role.host_id, "forget", {"role": role.name}, timeout=STOP_TIMEOUT)

    def remove(self, service: Service, role: Role) -> None:
        """Delete a role that does not run.

        :raises CommandFailed: its agent does not forget it.
        """
        self.forget(role)
        with self._store.changing():
            service.roles.pop(role.name, None)

    def refresh_nodes(self, running: Running, cluster: Cluster, service: Service, role: Role) -> str:
        """Bring a running NameNode's or ResourceManager's list of excluded hosts up to date and have it read again.

        :raises CommandFailed: it runs not, or refuses.
        """
        if role.state != "STARTED":
            raise CommandFailed(f"{role.name} is not running")
        host = self.host(role.host_id)
        with self._store.lock:
            lists = render.host_lists(render.role_files(cluster, service, role, host))
            if role.host_lists == str(sorted(lists.items())):
                return f"{role.name} has the current list of hosts"
            command = launch.refresh_nodes(cluster, service, role, host, self.next_process())
        self.run(running, role.host_id, "add_files", {"role": role.name, "files": lists})
        self.run(running, role.host_id, "run", command)
        with self._store.changing():
            role.host_lists = str(sorted(lists.items()))
        return f"{role.name} has read its list of hosts again"

    def run(self, running: Running, host_id: str, kind: str, payload: dict) -> str:
        """Have a host's agent do a task.

        :raises CommandFailed: it failed; the text has the output's last lines.
        """
        timeout = payload.get("timeout", 30) + SLACK
        outcome = self._agents.perform(host_id, kind, payload, timeout=timeout, aborted=running.aborted)
        if not outcome["ok"]:
            raise CommandFailed(_with_log(outcome["message"], outcome["log_tail"]))
        return outcome["message"]

    def log(self, role: Role, name: str) -> str:
        """Return the end of a role's log.

        :raises CommandFailed: there is none, or its host does not answer.
        """
        outcome = self._agents.perform(role.host_id, "log", {"role": role.name, "name": name}, timeout=SLACK)
        if not outcome["ok"]:
            raise CommandFailed(outcome["message"])
        return outcome["message"]

    def deploy_client_configuration(self, running: Running, cluster: Cluster, host_id: str) -> str:
        """Write the client configuration of a host.

        :raises CommandFailed: it cannot be rendered or written.
        """
        with self._store.lock:
            directories = render.client_configuration(cluster, host_id)
        for directory, files in directories.items():
            self.run(running, host_id, "client_configuration", {"directory": directory, "files": files})
        with self._store.changing():
            for service in cluster.services.values():
                if any(role.host_id == host_id for role in service.roles.values()):
                    service.client_configs[host_id] = render.digest(directories)
        return f"Successfully deployed the client configuration to {host_id}"

    def client_stale(self, cluster: Cluster, service: Service) -> bool:
        """Say whether any host of a service has no client configuration or an old one."""
        hosts = {role.host_id for role in service.roles.values()}
        try:
            wanted = {host: render.digest(render.client_configuration(cluster, host)) for host in hosts}
            return any(service.client_configs.get(host) != digest for host, digest in wanted.items())
        except CommandFailed:
            return True


def _with_log(message: str, log_tail: str) -> str:
    return f"{message}. Its last lines:\n{log_tail}" if log_tail else message
