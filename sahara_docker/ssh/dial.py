# SPDX-License-Identifier: Apache-2.0
"""Byte streams to a node: a TCP connection, a tunnel, or an operator's proxy command."""

from __future__ import annotations

import functools
import os
import shlex
import socket
from typing import Any, Callable

from eventlet.green import subprocess

# A peer that acknowledges nothing for this long is gone (milliseconds; Linux).
_UNACKNOWLEDGED = 30_000


class Stream:
    """Something with ``send``, ``recv``, ``settimeout`` and ``close``, and what has to end with it.

    :param end: ends the rest; called once, after the stream is closed.
    :ivar socket: the object for paramiko or http.client.
    """

    def __init__(self, stream: Any, end: Callable[[], None] | None = None) -> None:
        self.socket = stream
        self._end = end

    def close(self) -> None:
        self.socket.close()
        end, self._end = self._end, None
        if end is not None:
            end()


def direct(host: str, port: int, timeout: float) -> Stream:
    """A TCP connection without Nagle's delay.

    Nagle's algorithm against delayed acknowledgements costs 43 ms a command.

    :param timeout: seconds for connecting.
    :raises OSError: as ``socket.create_connection``.
    """
    connection = socket.create_connection((host, port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED)
    return Stream(connection)


def through_command(command: str) -> Stream:
    """Start *command* (Sahara's ``proxy_command``) with its standard input and output as the connection."""
    ours, theirs = socket.socketpair()
    # Where eventlet has patched the sockets both ends are non-blocking, which no command expects of its streams.
    os.set_blocking(theirs.fileno(), True)
    try:
        process = subprocess.Popen(
            shlex.split(command), stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Stream(ours, functools.partial(_stop, process))


def _stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()
