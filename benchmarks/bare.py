# SPDX-License-Identifier: Apache-2.0
"""SSH with nothing but paramiko, on real threads and with TCP_NODELAY: the least that a remote on paramiko can cost."""

from __future__ import annotations

import concurrent.futures
import socket

import paramiko


class Connections:
    """One connection a node: ``open`` them, run commands, ``close`` them.

    :param addresses: of the nodes.
    :param key: with which *username* may log in.
    """

    def __init__(self, addresses: list[str], username: str, key: paramiko.PKey) -> None:
        self._addresses, self._username, self._key = addresses, username, key
        self._pool = concurrent.futures.ThreadPoolExecutor(len(addresses))
        self._transports: list[paramiko.Transport] = []

    def open(self) -> None:
        """Log in to all nodes at once."""
        self._transports = list(self._pool.map(self._connect, self._addresses))

    def run(self, command: str) -> None:
        """Run *command* on the first node."""
        _run(self._transports[0], command)

    def run_on_all(self, command: str) -> None:
        """Run *command* on every node at once."""
        for _ in self._pool.map(lambda transport: _run(transport, command), self._transports):
            pass

    def close(self) -> None:
        for transport in self._transports:
            transport.close()
        self._pool.shutdown()

    def _connect(self, address: str) -> paramiko.Transport:
        stream = socket.create_connection((address, 22), timeout=30)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(stream)
        transport.connect(username=self._username, pkey=self._key)
        return transport


def _run(transport: paramiko.Transport, command: str) -> None:
    channel = transport.open_session(timeout=30)
    channel.exec_command(command)
    while channel.recv(65536):
        pass
    code = channel.recv_exit_status()
    channel.close()
    if code:
        raise RuntimeError(f"{command}: exit status {code}")
