# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between Sahara and a node, told apart by cause."""

from __future__ import annotations

import string

from sahara import exceptions as sahara_exceptions

from sahara_docker import exceptions

# A message goes into the cluster's status_description, a TEXT column of 64 KiB that holds more than one of them.
_SHOWN_OUTPUT = 2000


class SshError(exceptions.SaharaDockerError):
    """A node could not be reached or used by SSH.

    ``transient`` tells whether waiting alone can mend it.
    """

    transient = True


class NodeNotUp(SshError):
    """Nothing answers yet: refused, timed out, or dropped before the login."""


class NoRoute(SshError):
    """The address cannot be reached from this host at all."""


class PasswordRefused(SshError):
    """The node asked for a password and refused the one that is known."""

    transient = False


class NoPasswordKnown(SshError):
    """Key login did not work and there is no password to try."""

    transient = False


class HostKeyChanged(SshError):
    """The node shows another host key than at its first login; nothing secret was sent to it."""

    transient = False


class NotSent(SshError):
    """The connection broke before the command was sent: it is safe to send it again."""


class ConnectionLost(SshError):
    """The connection broke after the command was sent: it may or may not have run, so it is never repeated."""


class DeadlineExceeded(Exception):
    """An operation's time is over; the remote turns it into Sahara's ``TimeoutException``."""


class RemoteCommandFailed(sahara_exceptions.RemoteCommandException, sahara_exceptions.SubprocessException):
    """A command ended with an exit code other than 0.

    Stock Sahara raises ``SubprocessException``, as its child process hides the real one, and catches either one.

    :ivar cmd: the command, secrets hidden.
    :ivar ret_code: its exit code; -1 when a signal ended it.
    :ivar stdout: all of its output.
    :ivar stderr: all of its error output.
    """

    def __init__(self, cmd: str, ret_code: int, stdout: str, stderr: str, where: str = "") -> None:
        self.cmd, self.ret_code, self.stdout, self.stderr = cmd, ret_code, stdout, stderr
        how = f"exit code {ret_code}" if ret_code >= 0 else "ended by a signal"
        text = f"[{where}] " if where else ""
        text += f"command failed, {how}: {_shortened(cmd)}"
        for name, output in (("stderr", stderr), ("stdout", stdout)):
            if output:
                text += f"\n{name}: {_shortened(output)}"
        sahara_exceptions.SaharaException.__init__(self, text)


def describe(failure: BaseException) -> str:
    """A failure in words: paramiko raises bare ``EOFError`` and ``SSHException`` without text."""
    if isinstance(failure, EOFError):
        return "the connection was closed by the node"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror.lower()
    return str(failure) or type(failure).__name__


def _shortened(text: str) -> str:
    printable = "".join(character for character in text if character in string.printable).strip()
    if len(printable) <= _SHOWN_OUTPUT:
        return printable
    return "..." + printable[-_SHOWN_OUTPUT:]
