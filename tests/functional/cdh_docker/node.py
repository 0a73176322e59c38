# SPDX-License-Identifier: Apache-2.0
"""One node for the plugin: an unprivileged container with its own address, sshd and the node image's services."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid

import docker
import fixtures


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


class Node(fixtures.Fixture):
    """A container that one veth pair joins to this machine, since no Docker network need be there.

    :ivar address: its address.
    :ivar fqdn: its name.
    """

    def __init__(self, fqdn: str, memory: str = "6g") -> None:
        super().__init__()
        self.fqdn = fqdn
        self._memory = memory
        self._mark = uuid.uuid4().hex[:8]
        # A pair of addresses of a range for private links; the second half of the mark keeps test runs apart.
        block = int(self._mark[:4], 16)
        self._network = f"10.{200 + block % 50}.{block // 50 % 256}"
        self.address = f"{self._network}.2"

    def _setUp(self) -> None:
        client = docker.from_env()
        self.addCleanup(client.close)
        self.container = client.containers.create(
            required("SAHARA_DOCKER_TEST_IMAGE"),
            name=f"plugin-test-{self._mark}",
            hostname=self.fqdn,
            network_mode="none",
            mem_limit=self._memory,
        )
        self.addCleanup(self.container.remove, force=True, v=True)
        self.container.start()
        self.container.reload()
        self._join(str(self.container.attrs["State"]["Pid"]))
        # The full name goes first: Hadoop takes what a reverse look-up gives.
        names = f"{self.address} {self.fqdn} {self.fqdn.partition('.')[0]}"
        self.run(f"printf '127.0.0.1 localhost\\n{names}\\n' >/etc/hosts")
        self._await_sshd()

    def _join(self, pid: str) -> None:
        outside, inside = f"pt{self._mark}", f"pi{self._mark}"
        _host("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", pid)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", outside], capture_output=True)
        _host("ip", "address", "add", f"{self._network}.1/24", "dev", outside)
        _host("ip", "link", "set", outside, "up")
        enter = ("nsenter", "--target", pid, "--net")
        _host(*enter, "ip", "address", "add", f"{self.address}/24", "dev", inside)
        _host(*enter, "ip", "link", "set", inside, "up")
        _host(*enter, "ip", "link", "set", "lo", "up")

    def _await_sshd(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection((self.address, 22), 1).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"no sshd at {self.address}: {error}\n{self.container.logs().decode()}"
                    ) from None
                time.sleep(0.1)

    def run(self, script: str) -> str:
        """Run a shell script as root in the container and return its output."""
        code, output = self.container.exec_run(["sh", "-c", script])
        if code:
            raise AssertionError(f"{script}: exit {code}: {output.decode()}")
        return output.decode()
