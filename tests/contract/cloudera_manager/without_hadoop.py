# SPDX-License-Identifier: Apache-2.0
"""The stand-in's server and agents on one machine that has no Hadoop: where a daemon is started, a program waits.

All else is real: the server, its commands and its state, an agent for each host with its supervision of processes.
What the server asks of a running NameNode or ResourceManager is answered as by an empty one.

``python -m tests.contract.cloudera_manager.without_hadoop DIRECTORY HOST...`` says its URL in a line when it knows its
hosts, and ends with its standard input. With Hadoop: ``tests/functional/cloudera_manager``.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import sys
import threading
import time
from typing import Any

from lab.cloudera_manager.agent.__main__ import Agent
from lab.cloudera_manager.agent.settings import Settings
from lab.cloudera_manager.hadoop import catalogue, webhdfs
from lab.cloudera_manager.server import command_api, web
from lab.cloudera_manager.server.__main__ import assemble

_WAITING = ["sh", "-c", 'echo "$0 is not Hadoop, it waits"; exec sleep 900']


class _Agent(Agent):
    """An agent that starts a program that waits, and runs one that succeeds."""

    def _perform(self, task: dict[str, Any]) -> None:
        payload = dict(task["payload"])
        if task["kind"] in ("start", "run"):
            daemon = task["kind"] == "start"
            payload.update(
                user=pwd.getpwuid(os.getuid()).pw_name, directories=[], probes=[], log_file="",
                class_path_file=os.devnull, argv=[*_WAITING, payload["name"]] if daemon else ["true"],
            )  # fmt: skip
        elif task["kind"] == "client_configuration":
            payload["directory"] = str(self.config.state_directory / "client-configuration")
        super()._perform({**task, "payload": payload})


def _metrics(address: str, bean: str) -> dict[str, Any]:
    return {"Safemode": "", "LiveNodes": json.dumps({}), "State": "active"}


def _replace_hadoop() -> None:
    webhdfs.make_directory = lambda *_: None
    webhdfs.metrics = _metrics
    webhdfs.yarn_node_state = lambda *_: "DECOMMISSIONED"
    # What the lab refuses has nothing to start or to set up here: the plugin shall ask for what comes after it.
    catalogue.unavailable = lambda *_: None
    command_api._refuse = lambda name: lambda running: f"{name} done"


def _start_agent(directory: pathlib.Path, port: int, host: str) -> Agent:
    place = directory / host
    agent = _Agent(Settings("127.0.0.1", port, host, place / "state", place / "process"))
    threading.Thread(target=agent.run, daemon=True).start()
    return agent


def main(directory: pathlib.Path, *hosts: str) -> None:
    """Serve until standard input ends."""
    _replace_hadoop()
    parts = assemble(directory / "state.json")
    servers = [make(("127.0.0.1", 0), parts) for make in (web.api_server, web.agent_server)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    agents = [_start_agent(directory, servers[1].server_port, host) for host in hosts]
    deadline = time.monotonic() + 60
    while len(parts.store.model.hosts) < len(hosts) and time.monotonic() < deadline:
        time.sleep(0.02)
    print(f"http://127.0.0.1:{servers[0].server_port}", flush=True)
    sys.stdin.read()
    for agent in agents:
        agent.stopping.set()
        agent.supervisor.stop_all()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *sys.argv[2:])
