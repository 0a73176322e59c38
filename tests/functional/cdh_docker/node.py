# SPDX-License-Identifier: Apache-2.0
"""Nodes for the plugin: unprivileged containers with addresses, sshd and the node image's services."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid

import docker
import fixtures

from tests import node_network


def required(variable: str) -> str:
    """The value of an environment variable that ``make test`` sets."""
    value = os.environ.get(variable)
    if not value:
        raise AssertionError(f"{variable} is not set: run the functional tests by 'make test', which builds the image")
    return value


def _host(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")


class Network(fixtures.Fixture):
    """A bridge in a network namespace of its own, and this machine on it.

    No Docker network need be there, and neither this machine's bridges nor its packet filter have a say.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mark = uuid.uuid4().hex[:8]
        block = int(self.mark[:4], 16)
        self._prefix = f"10.{200 + block % 50}.{block // 50 % 256}"
        self._nodes = 0
        #: This machine's address on the bridge.
        self.host = f"{self._prefix}.1"

    def _setUp(self) -> None:
        self._namespace = f"plugin-test-{self.mark}"
        _host("ip", "netns", "add", self._namespace)
        self.addCleanup(subprocess.run, ["ip", "netns", "delete", self._namespace], capture_output=True)
        self._inside = ("ip", "-netns", self._namespace)
        _host(*self._inside, "link", "add", "bridge", "type", "bridge")
        _host(*self._inside, "link", "set", "bridge", "up")
        outside = f"pt{self.mark}"
        _host("ip", "link", "add", outside, "type", "veth", "peer", "name", "host", "netns", self._namespace)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", outside], capture_output=True)
        _host("ip", "address", "add", f"{self.host}/24", "dev", outside)
        _host("ip", "link", "set", outside, "up")
        self._plug("host")

    def _plug(self, device: str) -> None:
        _host(*self._inside, "link", "set", device, "master", "bridge", "up")

    def join(self, pid: int) -> str:
        """Give the process's network namespace an address on the bridge and return it."""
        self._nodes += 1
        device, address = f"node{self._nodes}", f"{self._prefix}.{self._nodes + 1}"
        _host(*self._inside, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        self._plug(device)
        enter = ("nsenter", "--target", str(pid), "--net", "ip")
        _host(*enter, "address", "add", f"{address}/24", "dev", "eth0")
        _host(*enter, "link", "set", "eth0", "up")
        _host(*enter, "link", "set", "lo", "up")
        return address


class Node(fixtures.Fixture):
    """A container on a :class:`Network`.

    :ivar address: its address.
    :ivar fqdn: its name.
    """

    def __init__(self, network: Network, fqdn: str, memory: str = "6g") -> None:
        super().__init__()
        self.fqdn = fqdn
        self._network = network
        self._memory = memory

    def _setUp(self) -> None:
        client = docker.from_env()
        self.addCleanup(client.close)
        short_name = self.fqdn.partition(".")[0]
        self.container = client.containers.create(
            required("SAHARA_DOCKER_TEST_IMAGE"),
            name=f"plugin-test-{self._network.mark}-{short_name}",
            hostname=self.fqdn,
            network_mode="none",
            mem_limit=self._memory,
            sysctls=node_network.SYSCTLS,
        )
        self.addCleanup(self.container.remove, force=True, v=True)
        self.container.start()
        self.container.reload()
        self._pid = self.container.attrs["State"]["Pid"]
        self.address = self._network.join(self._pid)
        self.know(self)
        self._await_sshd()

    def know(self, *nodes: Node) -> None:
        """Write /etc/hosts as the engine does: the full name first, since Hadoop takes what a reverse look-up gives."""
        lines = [f"{node.address} {node.fqdn} {node.fqdn.partition('.')[0]}" for node in nodes]
        text = "\\n".join(["127.0.0.1 localhost", *lines, ""])
        self.run(f"printf '{text}' >/etc/hosts")

    def _await_sshd(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((self.address, 22), 1).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    logs = self.container.logs().decode()
                    raise AssertionError(f"no sshd at {self.address}: {error}\n{logs}") from None
                time.sleep(0.1)

    def run(self, script: str) -> str:
        """Run a shell script as root in the container and return its output.

        Not by ``docker exec``, which on a busy machine sometimes loses the output of a command that ends at once.
        """
        enter = ["nsenter", "--target", str(self._pid), "--mount", "--uts", "--ipc", "--net", "--pid"]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run([*enter, "env", "-i", path, "sh", "-c", script], capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"{script}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout
