# SPDX-License-Identifier: Apache-2.0
"""SSH with nothing but paramiko, on real threads and with TCP_NODELAY: the least that a remote on paramiko can cost."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
from collections.abc import Iterator

import paramiko


class Connections:
    """One open connection a node.

    :param addresses: of the nodes.
    """

    def __init__(self, addresses: list[str], username: str, key: paramiko.PKey) -> None:
        self._pool = concurrent.futures.ThreadPoolExecutor(len(addresses))
        self._transports = list(self._pool.map(lambda address: _connect(address, username, key), addresses))

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


@contextlib.contextmanager
def connected(addresses: list[str], username: str, key: paramiko.PKey) -> Iterator[Connections]:
    """Connections to nodes, closed at the end of the block."""
    connections = Connections(addresses, username, key)
    try:
        yield connections
    finally:
        connections.close()


def _connect(address: str, username: str, key: paramiko.PKey) -> paramiko.Transport:
    stream = socket.create_connection((address, 22), timeout=30)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(stream)
    transport.connect(username=username, pkey=key)
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
