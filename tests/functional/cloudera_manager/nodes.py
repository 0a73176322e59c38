# SPDX-License-Identifier: Apache-2.0
"""Nodes of the node image on a network of their own, with the services of the stand-in."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from typing import Any

import docker
import fixtures
from sahara_plugin_cdh.plugins.cdh.client import api_client, types

from tests import node_network

DOMAIN = "novalocal"
COMMAND_SECONDS = 600.0


def image() -> str:
    """Return the node image that ``make test`` has built."""
    found = os.environ.get("SAHARA_DOCKER_TEST_IMAGE")
    if not found:
        raise AssertionError("SAHARA_DOCKER_TEST_IMAGE is not set: run `make test`, which builds the node image")
    return found


def _host(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")


class Node:
    """One container."""

    def __init__(self, container: Any, name: str, address: str) -> None:
        self.container, self.name, self.address = container, name, address
        self.fqdn = f"{name}.{DOMAIN}"

    def run(self, script: str, user: str = "root", check: bool = True) -> str:
        """Run a shell script and return what it writes.

        :raises AssertionError: it fails, unless ``check`` is false.
        """
        code, output = self.container.exec_run(["sh", "-c", script], user=user, workdir="/tmp")
        text = output.decode("utf-8", "replace")
        if check and code:
            raise AssertionError(f"[{self.name}] {script}: exit {code}: {text[-2000:]}")
        return text


class Nodes(fixtures.Fixture):
    """Containers whose veth pairs meet in a bridge of this machine's own; no Docker network is needed.

    The bridge lives in the network namespace of the first container: there no packet filter of the machine applies.
    """

    def __init__(self, *names: str, memory: str = "2g") -> None:
        super().__init__()
        self._names, self._memory = names, memory
        self._mark = uuid.uuid4().hex[:6]
        number = int(self._mark[:4], 16)
        self._prefix = f"10.{60 + number % 50}.{number // 50 % 256}"
        self.nodes: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def _setUp(self) -> None:
        self._docker = docker.from_env()
        self.addCleanup(self._docker.close)
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", "*"))
        for number, name in enumerate(self._names):
            container = self._docker.containers.create(
                image(), name=f"cm-test-{self._mark}-{name}", hostname=name, network_mode="none",
                mem_limit=self._memory, sysctls=node_network.SYSCTLS,
            )  # fmt: skip
            self.addCleanup(container.remove, force=True, v=True)
            self.nodes[name] = Node(container, name, f"{self._prefix}.{number + 2}")
        for node in self.nodes.values():
            node.container.start()
            node.container.reload()
        self._connect()
        for node in self.nodes.values():
            self.write_hosts(node)

    def _pid(self, node: Node) -> str:
        return str(node.container.attrs["State"]["Pid"])

    def _hub(self) -> tuple[str, tuple[str, ...]]:
        """The first container's process, and how to run ``ip`` in its network namespace."""
        pid = self._pid(next(iter(self.nodes.values())))
        return pid, ("nsenter", "--target", pid, "--net", "ip")

    def _connect(self) -> None:
        hub, inside = self._hub()
        _host(*inside, "link", "add", "bridge", "type", "bridge")
        _host(*inside, "link", "set", "bridge", "up")
        outside = f"ct{self._mark}"
        _host("ip", "link", "add", outside, "type", "veth", "peer", "name", "machine", "netns", hub)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", outside], capture_output=True)
        _host("ip", "address", "add", f"{self._prefix}.1/24", "dev", outside)
        _host("ip", "link", "set", outside, "up")
        _host(*inside, "link", "set", "machine", "master", "bridge", "up")
        for node in self.nodes.values():
            self._plug(node)

    def _plug(self, node: Node) -> None:
        hub, inside = self._hub()
        own = ("nsenter", "--target", self._pid(node), "--net", "ip")
        port = f"to-{node.address.rpartition('.')[2]}"
        _host(*own, "link", "set", "lo", "up")
        if self._pid(node) == hub:
            _host(*own, "address", "add", f"{node.address}/24", "dev", "bridge")
            return
        _host(*inside, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", self._pid(node))
        _host(*inside, "link", "set", port, "master", "bridge", "up")
        _host(*own, "address", "add", f"{node.address}/24", "dev", "eth0")
        _host(*own, "link", "set", "eth0", "up")

    def restart(self, name: str) -> None:
        """Restart a container other than the first one; its network, which goes with it, is made again."""
        node = self.nodes[name]
        node.container.restart(timeout=30)
        node.container.reload()
        self._plug(node)
        self.write_hosts(node)

    def write_hosts(self, node: Node) -> None:
        """Write a node's names as the engine does."""
        lines = ["127.0.0.1 localhost", *(f"{item.address} {item.fqdn} {item.name}" for item in self.nodes.values())]
        text = "\\n".join(lines)
        node.run(f"printf '{text}\\n' > /etc/hosts")

    def start_agent(self, name: str, manager: str) -> None:
        """Do with a node's agent what Sahara's plugin does."""
        self[name].run(f"sed -i 's/server_host=.*/server_host={manager}/' /etc/cloudera-scm-agent/config.ini")
        self[name].run("service cloudera-scm-agent start")


class Finished:
    """Waiting for commands: short intervals, a bound, and the causes when one fails."""

    @staticmethod
    def well(command: types.ApiCommand) -> types.ApiCommand:
        """Wait until a command has ended well and return it.

        :raises AssertionError: it failed, or takes too long.
        """
        command = Finished.anyhow(command)
        if not command.success:
            causes = [child.resultMessage for child in command.children or [] if not child.success]
            raise AssertionError(f"{command.name} failed: {command.resultMessage}\n" + "\n".join(map(str, causes)))
        return command

    @staticmethod
    def anyhow(command: types.ApiCommand) -> types.ApiCommand:
        """Wait until a command has ended.

        :raises AssertionError: it takes too long.
        """
        deadline = time.monotonic() + COMMAND_SECONDS
        while command.active:
            if time.monotonic() > deadline:
                raise AssertionError(f"{command.name} does not end in {COMMAND_SECONDS} s")
            time.sleep(0.2)
            command = command.fetch()
        return command


def wait_for(condition: Any, seconds: float = 180.0, what: str = "it") -> None:
    """Wait until a condition holds.

    :raises AssertionError: it does not in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} not in {seconds:.0f} s")
        time.sleep(0.3)


def client(node: Node) -> api_client.ApiResource:
    """Return the plugin's strict client of the server on a node."""
    return api_client.ApiResource(node.address, version=8)
