# SPDX-License-Identifier: Apache-2.0
"""The stand-in's server in this process, with real agents that register hosts, and strict clients."""

from __future__ import annotations

import dataclasses
import pathlib
import threading
import time

import fixtures
from sahara_plugin_cdh.plugins.cdh.client import api_client

from lab.cloudera_manager.agent.__main__ import Agent
from lab.cloudera_manager.agent.settings import Settings
from lab.cloudera_manager.server import web
from lab.cloudera_manager.server.__main__ import assemble

MANAGER, MASTER, WORKER = "manager-0.novalocal", "master-0.novalocal", "worker-0.novalocal"


class Server(fixtures.Fixture):
    """A server on free ports of loopback.

    :ivar port: the API's port.
    """

    def _setUp(self) -> None:
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        # The clients go to loopback, whatever proxy this machine has.
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", "127.0.0.1"))
        self.addCleanup(self.stop)
        self._agents: list[Agent] = []
        self._servers: list = []
        self.port = self.agent_port = 0
        self.start()

    def start(self) -> None:
        """Start the server, at first on free ports, later on the same ones and with the same state."""
        self.parts = assemble(self.root / "state.json")
        self._servers = [
            web.api_server(("127.0.0.1", self.port), self.parts),
            web.agent_server(("127.0.0.1", self.agent_port), self.parts),
        ]
        self.port, self.agent_port = (server.server_port for server in self._servers)
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop the server; its agents stay."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add_host(self, name: str) -> Agent:
        """Start an agent that registers this machine under ``name``."""
        directory = self.root / name
        config = Settings("127.0.0.1", self.agent_port, name, directory / "state", directory / "process")
        agent = Agent(dataclasses.replace(config))
        self.addCleanup(agent.stopping.set)
        threading.Thread(target=agent.run, daemon=True).start()
        deadline = time.monotonic() + 20
        while name not in self.parts.store.model.hosts:
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} did not register")
            time.sleep(0.02)
        return agent

    def client(self, version: int = 8, password: str = "admin") -> api_client.ApiResource:
        """Return the plugin's own client, which refuses every field that it does not know."""
        return api_client.ApiResource("127.0.0.1", self.port, "admin", password, version=version)
