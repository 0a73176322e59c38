# SPDX-License-Identifier: Apache-2.0
"""The server's side of the agents: who is there, what they report, what they are asked to do."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from typing import Any

from .errors import ApiError, CommandFailed
from .model import Host, Role
from .store import Store

LOG = logging.getLogger(__name__)

HEARTBEAT = 5.0
#: A host is dead after this many seconds of silence.
SILENCE = 45.0
LONGEST_POLL = 30.0
#: A server that starts gives the agents, which come back every few seconds, this long until it refuses them tasks.
RETURN = 15.0


class Ticket:
    """One task of one agent, and its outcome when it has come."""

    def __init__(self, number: int, host_id: str, kind: str, payload: dict[str, Any]) -> None:
        self.number, self.host_id, self.kind, self.payload = number, host_id, kind, payload
        self.done = threading.Event()
        self.outcome: dict[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """Return what the agent is sent."""
        return {"id": self.number, "kind": self.kind, "payload": self.payload}


class Agents:
    """All agents. A host's role reports go straight into the model.

    What the model has of heartbeats is an earlier server's: the host may have started again at the same moment as this
    one, with none of its daemons. So nothing of it is alive until its agent has been heard here.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unheard = {name for name, host in store.model.hosts.items() if host.last_heartbeat}
        self._refusing_at = time.monotonic() + RETURN
        self._numbers = itertools.count(int(time.time() * 1000))
        self._waiting: dict[str, list[Ticket]] = {}
        self._open: dict[int, Ticket] = {}
        self._condition = threading.Condition()
        #: The agent's moment at which a host's last task was done.
        self._done_at: dict[str, int] = {}

    def heartbeat(self, body: dict[str, Any]) -> dict[str, Any]:
        """Register a host or note that it lives, and take over what it says of its daemons.

        :raises ApiError: 410 when the host was deleted while this agent ran.
        """
        name, agent = str(body["hostname"]), str(body["session"])
        if not body["ip"]:
            return {"interval": HEARTBEAT}  # it learns its address from this connection and tells it in the next one
        with self._store.lock:
            model = self._store.model
            if agent in model.deleted_agents:
                raise ApiError(410, f"Host '{name}' was deleted; restart its agent to register it again.")
            host = model.hosts.get(name)
            known = (host.ip, host.cores, host.memory) if host else None
            if host is None:
                host = model.hosts[name] = Host(name)
                LOG.info("host %s registered from %s", name, body["ip"])
            host.ip, host.cores, host.memory = str(body["ip"]), int(body["cores"]), int(body["memory"])
            followed = host.agent != agent
            host.agent, host.last_heartbeat = agent, time.time()
            if followed:
                self._done_at.pop(name, None)
            changed = []
            # What it saw before it had done its last task is out of date: a role that is stopped would run again.
            if int(body["moment"]) > self._done_at.get(name, 0):
                reports = {str(report["role"]): report for report in body["processes"]}
                changed = [self._take_over(role, reports.get(role.name)) for role in self.roles_on(name)]
            if any(changed) or known != (host.ip, host.cores, host.memory):
                self._store.save()
        with self._condition:
            if followed or name in self._unheard:
                self._unheard.discard(name)
                self._condition.notify_all()
        return {"interval": HEARTBEAT}

    def roles_on(self, host_id: str) -> list[Role]:
        """Return the roles of every cluster on this host; the caller holds the store's lock."""
        clusters = self._store.model.clusters.values()
        services = [service for cluster in clusters for service in cluster.services.values()]
        return [role for service in services for role in service.roles.values() if role.host_id == host_id]

    @staticmethod
    def _take_over(role: Role, report: dict[str, Any] | None) -> bool:
        """Bring a role's state in line with its agent's report; say whether anything changed."""
        if role.state not in ("STARTED", "STOPPED") or not role.process_id:
            return False
        before = (role.state, role.failure, role.log_tail, role.ha_status)
        if report is None or report["process_id"] != role.process_id:
            if role.state == "STARTED":
                role.state, role.failure = "STOPPED", "its host's agent does not know its process any more"
        elif report["state"] == "RUNNING":
            role.state, role.failure, role.log_tail = "STARTED", report["failure"], ""
            role.ha_status = report["ha_status"]
        elif report["state"] == "EXITED":
            role.state, role.failure, role.log_tail = "STOPPED", report["failure"], report["log_tail"]
        return before != (role.state, role.failure, role.log_tail, role.ha_status)

    def alive(self, host_id: str) -> bool:
        """Say whether a host's agent has been heard lately."""
        host = self._store.model.hosts.get(host_id)
        return host is not None and host_id not in self._unheard and time.time() - host.last_heartbeat < SILENCE

    def take_tasks(self, hostname: str, agent: str, wait: float) -> list[dict[str, Any]]:
        """Return a host's tasks: at once when there are some, else when one comes, else none after ``wait`` seconds.

        An agent that another one has followed gets none: its last poll may be open although nobody reads the answer.
        """

        def followed() -> bool:
            host = self._store.model.hosts.get(hostname)
            return host is None or host.agent != agent

        with self._condition:
            self._condition.wait_for(lambda: followed() or self._waiting.get(hostname), timeout=min(wait, LONGEST_POLL))
            tickets = [] if followed() else self._waiting.pop(hostname, [])
        return [ticket.to_json() for ticket in tickets if not ticket.done.is_set()]

    def result(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take the outcome of a task; one that nobody waits for any more is dropped."""
        with self._condition:
            ticket = self._open.pop(int(body["id"]), None)
        if ticket is not None:
            self._done_at[ticket.host_id] = max(self._done_at.get(ticket.host_id, 0), int(body["moment"]))
            ticket.outcome = {key: body[key] for key in ("ok", "message", "log_tail")}
            ticket.done.set()
        return {}

    def perform(
        self,
        host_id: str,
        kind: str,
        payload: dict[str, Any],
        *,
        timeout: float,
        aborted: threading.Event | None = None,
    ) -> dict[str, Any]:
        """Have an agent do something and return its outcome: ``{"ok", "message", "log_tail"}``.

        :raises CommandFailed: the host is not there or dead, did not answer in time, or the command was aborted.
        """
        with self._condition:
            left = max(0.0, self._refusing_at - time.monotonic())
            self._condition.wait_for(lambda: host_id not in self._unheard, timeout=left)
        if not self.alive(host_id):
            host = self._store.model.hosts.get(host_id)
            age = f"{time.time() - host.last_heartbeat:.0f} s" if host else ""
            seen = f"its last heartbeat was {age} ago" if host else "it never registered"
            raise CommandFailed(f"host {host_id} does not answer: {seen}; look at its cloudera-scm-agent service")
        with self._condition:
            ticket = Ticket(next(self._numbers), host_id, kind, payload)
            self._open[ticket.number] = ticket
            self._waiting.setdefault(host_id, []).append(ticket)
            self._condition.notify_all()
        try:
            self._await(ticket, timeout, aborted)
        finally:
            with self._condition:
                self._open.pop(ticket.number, None)
                if ticket in self._waiting.get(host_id, []):
                    self._waiting[host_id].remove(ticket)
        return ticket.outcome

    def _await(self, ticket: Ticket, timeout: float, aborted: threading.Event | None) -> None:
        deadline = time.monotonic() + timeout
        while not ticket.done.wait(0.25):
            if aborted is not None and aborted.is_set():
                raise CommandFailed("aborted")
            if not self.alive(ticket.host_id):
                raise CommandFailed(f"host {ticket.host_id} stopped answering during task {ticket.kind!r}")
            if time.monotonic() > deadline:
                raise CommandFailed(f"host {ticket.host_id} did not finish task {ticket.kind!r} in {timeout:.0f} s")
