# SPDX-License-Identifier: Apache-2.0
"""A login on a node by password, as Sahara has it."""

from __future__ import annotations

import fixtures
import paramiko

from tests.functional.cdh_docker import node

USER = "cdh"


class Login(fixtures.Fixture):
    """An SSH connection to *address* by password.

    :ivar host_key: the key that the node's sshd showed, in base 64.
    """

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def _setUp(self) -> None:
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.addCleanup(self._client.close)
        password = node.required("SAHARA_DOCKER_TEST_PASSWORD")
        self._client.connect(
            self._address, username=USER, password=password, timeout=30, allow_agent=False, look_for_keys=False
        )
        transport = self._client.get_transport()
        assert transport is not None
        self.host_key = transport.get_remote_server_key().get_base64()

    def run(self, command: str, accept: int = 0) -> str:
        """Run *command* on the node and return its output, stderr behind stdout."""
        _, stdout, stderr = self._client.exec_command(command, timeout=120)
        output = (stdout.read() + stderr.read()).decode()
        status = stdout.channel.recv_exit_status()
        if status != accept:
            raise AssertionError(f"{command}: exit status {status}: {output}")
        return output
