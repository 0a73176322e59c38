# SPDX-License-Identifier: Apache-2.0
"""One command on one channel: its three streams are moved at the same time, within one deadline."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import socket
import threading

import paramiko

from sahara_docker.ssh import connection as connections
from sahara_docker.ssh import deadline as deadlines
from sahara_docker.ssh import errors

_CHUNK = 65536


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command ended.

    :param exit_code: -1 when a signal ended it.
    :param stdout: all of its output, as it came.
    :param stderr: all of its error output.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes


def as_root(command: str, username: str) -> str:
    """*command* for ``exec``, run by root, with the shell's own words left to root's shell."""
    if username == "root":
        return command
    return f"sudo -n bash -c {shlex.quote(command)}"


def execute(
    connection: connections.Connection,
    command: str,
    deadline: deadlines.Deadline,
    stdin: bytes = b"",
) -> Outcome:
    """Run *command* to its end.

    :raises NotSent: the connection broke before the command was sent.
    :raises ConnectionLost: it broke after that.
    :raises DeadlineExceeded: time is over; the command may still run on the node.
    """
    with connection.channel(deadline) as channel:
        _start(connection, channel, command, deadline)
        reader = _Reader(channel.recv_stderr, deadline)
        reader.start()
        if stdin:
            threading.Thread(target=_feed, args=(channel, stdin), daemon=True).start()
        else:
            _end_input(channel)
        stdout = bytearray()
        _drain(channel.recv, stdout, channel, deadline)
        reader.join(deadline.remaining())
        if not channel.status_event.wait(deadline.remaining()):
            raise errors.DeadlineExceeded
        if channel.exit_status == -1 and not channel.eof_received:
            raise errors.ConnectionLost(
                "connection lost while a command ran",
                where=str(connection.node),
                observed="the command may or may not have done its work",
                remedy="see whether the node is still there; the command is not repeated",
            )
        return Outcome(channel.exit_status, bytes(stdout), bytes(reader.data))


def _start(
    connection: connections.Connection, channel: paramiko.Channel, command: str, deadline: deadlines.Deadline
) -> None:
    # paramiko waits for the reply without a limit; cutting the connection is what ends that wait. A node that does not
    # even answer a request for the whole deadline has nothing else to say on this connection either.
    watchdog = threading.Timer(deadline.remaining(), connection.abort)
    watchdog.daemon = True
    watchdog.start()
    try:
        channel.settimeout(deadline.remaining())
        channel.exec_command(command)
    except (paramiko.SSHException, EOFError, OSError) as failure:
        deadline.remaining()
        raise errors.ConnectionLost(
            "the node did not confirm that it started a command",
            where=str(connection.node),
            observed=errors.describe(failure),
        ) from failure
    finally:
        watchdog.cancel()


def _drain(receive, into: bytearray, channel: paramiko.Channel, deadline: deadlines.Deadline) -> None:
    while True:
        channel.settimeout(deadline.remaining())
        try:
            chunk = receive(_CHUNK)
        except socket.timeout:
            raise errors.DeadlineExceeded from None
        if not chunk:
            return
        into += chunk


class _Reader(threading.Thread):
    """Drains standard error beside standard output: both share one window, and a full one stops the command."""

    def __init__(self, receive, deadline: deadlines.Deadline) -> None:
        super().__init__(daemon=True)
        self.data = bytearray()
        self._receive = receive
        self._deadline = deadline

    def run(self) -> None:
        while not self._deadline.passed:
            try:
                chunk = self._receive(_CHUNK)
            except socket.timeout:
                continue
            if not chunk:
                return
            self.data += chunk


def _feed(channel: paramiko.Channel, data: bytes) -> None:
    """Write standard input beside the reading: a command may answer before it has read everything."""
    try:
        channel.sendall(data)
    except OSError:
        # It closed its input early, or the connection broke, or time is over: the outcome tells which.
        return
    _end_input(channel)


def _end_input(channel: paramiko.Channel) -> None:
    # Raises when the channel is closed already, which a command that ends at once may well be.
    with contextlib.suppress(OSError, EOFError):
        channel.shutdown_write()
