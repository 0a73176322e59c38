# SPDX-License-Identifier: Apache-2.0
"""Looking after the nodes' agents while Cloudera Manager waits for them."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterable
from typing import Any

from oslo_log import log as logging
from sahara import exceptions as sahara_exceptions
from sahara.plugins import context

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_session, nodes

LOG = logging.getLogger(__name__)

# An agent's heartbeat comes every 15 s; one that is late costs no more than a look at the node.
SILENCE = 30.0
LOOK_EVERY = 5.0


class Reviver:
    """Restarts agents that died.

    :param manager: fully qualified name of Cloudera Manager's node.
    :param attempts: restarts of one agent until it is given up.
    :param every: seconds between two looks at the same node.
    :param patience: seconds before the first look at a node.
    """

    def __init__(
        self,
        manager: str,
        attempts: int,
        *,
        every: float = 15.0,
        patience: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager
        self._attempts = attempts
        self._every = every
        self._patience = patience
        self._clock = clock
        self._due: dict[str, float] = {}
        self._restarts: collections.Counter[str] = collections.Counter()
        self._seen: dict[str, str] = {}

    def __call__(self, instance: Any) -> str:
        """Look at a node's agent when that is due, restart it when it is down, and return what was the matter.

        :raises AgentFailed: when it was restarted too often, with the end of its log.
        """
        name = instance.instance_name
        now = self._clock()
        if now >= self._due.setdefault(name, now + self._patience):
            self._due[name] = now + self._every
            self._seen[name] = self._look(instance)
        return self._seen.get(name, "")

    def _look(self, instance: Any) -> str:
        name = instance.instance_name
        try:
            trouble = nodes.agent_trouble(instance)
        except (exceptions.SaharaDockerError, sahara_exceptions.SaharaException) as failure:
            return f"(cannot look at its agent: {failure})"
        if not trouble:
            return "(its agent runs)"
        if self._restarts[name] >= self._attempts:
            raise nodes.AgentFailed(
                f"the Cloudera agent does not stay up, {self._attempts} restarts",
                where=nodes.where(instance),
                observed=trouble,
                remedy="read /var/log/cloudera-scm-agent on the node",
            )
        self._restarts[name] += 1
        LOG.warning("[%s] the Cloudera agent is down, restarting it: %s", name, trouble)
        try:
            nodes.start_agent(instance, self._manager, 1)
        except nodes.AgentFailed:
            if self._restarts[name] >= self._attempts:
                raise
            return f"(its agent is down, {self._restarts[name]} of {self._attempts} restarts failed)"
        return f"(its agent was down and restarted {self._restarts[name]} times)"


def heard_meanwhile(
    names: Iterable[str],
    hosts: Callable[[], list[dict[str, Any]]],
    *,
    silence: float = SILENCE,
    every: float = LOOK_EVERY,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = context.sleep,
) -> list[str]:
    """Listen for *silence* seconds and return those of *names* whose agents Cloudera Manager has heard in that time.

    :param hosts: returns Cloudera Manager's hosts; a name that is not among them is not waited for.
    :raises CMError: when it cannot be asked.
    """

    def heartbeats() -> dict[str, Any]:
        return {host["hostname"]: host.get("lastHeartbeat") for host in hosts() if host["hostname"] in wanted}

    wanted = frozenset(names)
    before = now = heartbeats()
    end = clock() + silence
    while before == now and before and clock() < end:
        sleep(min(every, silence))
        now = heartbeats()
    return sorted(name for name, heartbeat in now.items() if heartbeat != before.get(name))


class AgentWatch:
    """Notices agents that fall silent during a command, and has them looked at.

    A command waits for an agent that has died without saying so, up to its own time limit. Cloudera Manager tells when
    it heard each agent last; that this time stands still is measured here, so that no two clocks need agree.

    :param instances: the nodes of the cluster.
    :param hosts: returns Cloudera Manager's hosts.
    :param revive: called with the instance of a silent agent; returns what was the matter.
    :ivar silences: how often an agent was found silent.
    """

    def __init__(
        self,
        instances: Iterable[Any],
        hosts: Callable[[], list[dict[str, Any]]],
        revive: Callable[[Any], str],
        *,
        silence: float = SILENCE,
        every: float = LOOK_EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instances = {instance.fqdn(): instance for instance in instances}
        self._hosts = hosts
        self._revive = revive
        self._silence = silence
        self._every = every
        self._clock = clock
        self._due = clock() + every
        self._heard: dict[str, tuple[Any, float]] = {}
        self._seen = ""
        self.silences = 0

    def __call__(self) -> str:
        """Return which agents are silent and what was done about it, or nothing.

        :raises AgentFailed: when an agent does not stay up.
        """
        now = self._clock()
        if now >= self._due:
            self._due = now + self._every
            silent = self._silent(now)
            self.silences += len(silent)
            self._seen = "; ".join(f"no heartbeat of {node.fqdn()} {self._revive(node)}".strip() for node in silent)
        return self._seen

    def _silent(self, now: float) -> list[Any]:
        try:
            hosts = self._hosts()
        except cm_session.CMError as error:
            # An agent cannot report to a Cloudera Manager that is away.
            LOG.debug("Cannot look after the agents: %s", error)
            self._heard.clear()
            return []
        silent = []
        for host in hosts:
            name, heartbeat = host.get("hostname", ""), host.get("lastHeartbeat")
            known, since = self._heard.get(name, (None, now))
            if heartbeat != known:
                since = now
            self._heard[name] = heartbeat, since
            if name in self._instances and now - since >= self._silence:
                silent.append(self._instances[name])
        return silent
