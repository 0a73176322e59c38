# SPDX-License-Identifier: Apache-2.0
"""``python3 -m cloudera_manager.agent``: the agent's threads and its command line."""

from __future__ import annotations

import argparse
import itertools
import logging
import os
import pathlib
import secrets
import signal
import sys
import threading
import time
from typing import Any

from .. import BANNER, durable
from ..faults import Faults
from . import host_facts, settings, tasks
from .link import Link, LinkError
from .supervisor import Supervisor

LOG = logging.getLogger("cloudera_manager.agent")

LONG_POLL = 20.0
WATCH_INTERVAL = 0.5
FIRST_RETRY, LAST_RETRY = 0.2, 3.0


class Agent:
    """One host's agent: a heartbeat thread, a task thread, a watching thread and a thread for each task."""

    def __init__(self, config: settings.Settings) -> None:
        self.config = config
        self.link = Link(config.server_host, config.server_port)
        self.stopping = threading.Event()
        self._beat = threading.Event()
        self._registered = threading.Event()
        self._address = ""
        self._session = secrets.token_hex(8)
        # By these the server tells what was seen before a task was done from what was seen after it.
        self._moments = itertools.count(1)
        self.supervisor = Supervisor(config.state_directory, config.process_directory, self._beat.set)

    def hostname(self) -> str:
        """Return the name that this host is registered under."""
        return self.config.hostname or host_facts.fqdn()

    def run(self) -> None:
        """Work until :attr:`stopping` is set. The daemons go on without the agent."""
        self.config.process_directory.mkdir(parents=True, exist_ok=True)
        self.supervisor.recover()
        for work in (self._heartbeats, self._tasks, self._watch):
            threading.Thread(target=work, name=work.__name__, daemon=True).start()
        self.stopping.wait()

    def _heartbeats(self) -> None:
        retry = FIRST_RETRY
        while not self.stopping.is_set():
            self._beat.clear()
            try:
                interval = self.heartbeat()
            except LinkError as error:
                if self._registered.is_set() or retry == FIRST_RETRY:
                    LOG.warning("%s", error)
                self._registered.clear()
                self.stopping.wait(retry)
                retry = min(retry * 1.5, LAST_RETRY)
                continue
            if not self._registered.is_set():
                LOG.info("registered at %s:%d as %s", self.link.host, self.link.port, self.hostname())
            self._registered.set()
            retry = FIRST_RETRY
            self._beat.wait(interval)

    def heartbeat(self) -> float:
        """Tell the server about this host once; return the seconds until the next time.

        :raises LinkError: the server cannot be reached.
        """
        facts: dict[str, Any] = {
            "hostname": self.hostname(), "session": self._session, "ip": self._address, "cores": host_facts.cores(),
            "memory": host_facts.memory_limit(), "moment": next(self._moments), "processes": self.supervisor.reports(),
        }  # fmt: skip
        answer, address = self.link.post("/agent/heartbeat", facts)
        if address != self._address:
            self._address = facts["ip"] = address
            answer, _ = self.link.post("/agent/heartbeat", facts)
        return float(answer["interval"])

    def _tasks(self) -> None:
        while not self.stopping.is_set():
            self._registered.wait()
            body = {"hostname": self.hostname(), "session": self._session, "wait": LONG_POLL}
            try:
                answer, _ = self.link.post("/agent/tasks", body, timeout=LONG_POLL + 10)
            except LinkError as error:
                LOG.warning("%s", error)
                self._beat.set()
                self.stopping.wait(1.0)
                continue
            for task in answer["tasks"]:
                threading.Thread(target=self._perform, args=(task,), name=f"task-{task['id']}", daemon=True).start()

    def _perform(self, task: dict[str, Any]) -> None:
        about = task["payload"].get("role") or task["payload"].get("name", "")
        LOG.info("task %d: %s %s", task["id"], task["kind"], about)
        outcome = tasks.perform(self.supervisor, task["kind"], task["payload"])
        outcome["moment"] = next(self._moments)
        if not outcome["ok"]:
            LOG.warning("task %d failed: %s", task["id"], outcome["message"])
        for _ in range(10):
            try:
                self.link.post("/agent/results", {"hostname": self.hostname(), "id": task["id"], **outcome})
                return
            except LinkError as error:
                LOG.warning("%s", error)
                self.stopping.wait(1.0)

    def _watch(self) -> None:
        while not self.stopping.is_set():
            try:
                self.supervisor.watch_once()
            except Exception:  # one daemon's trouble must not end the watching of the others
                LOG.exception("watching the daemons failed")
            time.sleep(WATCH_INTERVAL)


def main() -> int:
    """Run the agent, or with ``--stop-daemons`` only end the daemons that an earlier agent started."""
    parser = argparse.ArgumentParser(prog="cloudera_manager.agent", description=f"Agent of the {BANNER}.")
    parser.add_argument("--config", type=pathlib.Path, default=pathlib.Path("/etc/cloudera-scm-agent/config.ini"))
    parser.add_argument("--stop-daemons", action="store_true", help="only end all daemons; the next agent starts them")
    parser.add_argument("--pidfile", type=pathlib.Path, help="file to write the pid to when ready")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        agent = Agent(settings.read(arguments.config))
        faults = Faults(agent.config.state_directory)
    except (settings.SettingsError, ValueError) as error:
        print(f"cloudera-scm-agent: {error}", file=sys.stderr)
        return 2
    if arguments.stop_daemons:
        agent.supervisor.recover()
        agent.supervisor.stop_all()
        return 0
    if faults.failing_start():
        print(f"cloudera-scm-agent: {faults.message}", file=sys.stderr)
        return 1
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: agent.stopping.set())
    if arguments.pidfile:
        durable.write_text(arguments.pidfile, f"{os.getpid()}\n", mode=0o644)
    LOG.info("%s: agent", BANNER)
    agent.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
