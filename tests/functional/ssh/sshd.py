# SPDX-License-Identifier: Apache-2.0
"""Nodes for tests: unprivileged containers, each with a real sshd on a loopback address of its own."""

from __future__ import annotations

import itertools
import os
import random
import socket
import time
import uuid

import docker
import fixtures

LOGIN_USER = "cdh"
LOG = "/tmp/sshd.log"
_addresses = itertools.count(random.randrange(1, 60000))


def required(variable: str) -> str:
    """The value of an environment variable that ``make test`` sets."""
    value = os.environ.get(variable)
    if not value:
        raise AssertionError(f"{variable} is not set: run the functional tests by 'make test', which builds the image")
    return value


class SshdContainer(fixtures.Fixture):
    """A container on the host's network whose sshd listens on port 22 of its own 127.x.y.z address.

    :param hostname: of the container.
    :param sshd_options: options for sshd_config, such as ``PasswordAuthentication no``.
    :param listening: whether sshd runs from the beginning.
    :param mounts: paths that are mount points, as data volumes are.
    :param labels: Docker's, for the container.
    :ivar address: where its sshd listens.
    """

    def __init__(
        self,
        hostname: str = "node",
        sshd_options: tuple[str, ...] = (),
        listening: bool = True,
        mounts: tuple[str, ...] = (),
        labels: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.hostname = hostname
        number = next(_addresses)
        self.address = f"127.{80 + os.getpid() % 40}.{number // 250 % 250}.{1 + number % 250}"
        self._options = sshd_options
        self._listening = listening
        self._mounts = mounts
        self._labels = labels or {}

    def _setUp(self) -> None:
        client = docker.from_env()
        self.addCleanup(client.close)
        self.container = client.containers.run(
            required("SAHARA_DOCKER_TEST_IMAGE"),
            entrypoint=["/usr/bin/tini", "--", "sleep", "infinity"],
            command=[],
            name=f"ssh-test-{uuid.uuid4().hex[:12]}",
            hostname=self.hostname,
            labels=self._labels,
            network_mode="host",
            tmpfs={path: "" for path in self._mounts},
            # Without a name of its own, sudo asks the resolver for it at every call.
            extra_hosts={self.hostname: self.address},
            detach=True,
        )
        self.addCleanup(self.container.remove, force=True, v=True)
        self.run("mkdir -p /run/sshd && ssh-keygen -A")
        if self._listening:
            self.start_sshd()

    def run(self, script: str) -> str:
        """Run a script as root, past SSH; its output."""
        code, output = self.container.exec_run(["sh", "-c", script], user="root")
        text = output.decode(errors="replace")
        if code:
            raise AssertionError(f"in the container: exit code {code}: {script}\n{text}")
        return text

    def start_sshd(self, wait: bool = True) -> None:
        options = [word for option in self._options for word in ("-o", option.replace(" ", "=", 1))]
        command = ["/usr/sbin/sshd", "-D", "-E", LOG, "-o", f"ListenAddress={self.address}", *options]
        self.container.exec_run(command, user="root", detach=True)
        deadline = time.monotonic() + 20
        while wait:
            try:
                socket.create_connection((self.address, 22), timeout=5).close()
                return
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def attempts(self) -> list[str]:
        """What sshd wrote about logins that it accepted and refused."""
        return self.run(f"grep -E '^(Accepted|Failed) ' {LOG} || true").splitlines()

    def stop_sshd(self) -> None:
        """Kill sshd and every session of its."""
        self.run("pkill -KILL sshd; while pgrep -r R,S,D sshd; do sleep 0.02; done")

    def new_host_keys(self) -> None:
        self.run("rm -f /etc/ssh/ssh_host_* && ssh-keygen -A")
