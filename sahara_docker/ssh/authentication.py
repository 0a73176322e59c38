# SPDX-License-Identifier: Apache-2.0
"""Logging in on a connection whose host key is known to be the right one."""

from __future__ import annotations

import dataclasses
import io
from typing import Any, Callable, Union

import paramiko

from sahara_docker.ssh import deadline as deadlines
from sahara_docker.ssh import errors, route

# Longest wait for the answer to one attempt; the caller's deadline may be shorter.
_ANSWER = 30.0


@dataclasses.dataclass(frozen=True)
class Key:
    """A private key; the text of an RSA key in PEM form."""

    text: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Password:
    """A password.

    :param origin: whose it is, for messages: "the image's password".
    :param remedy: what to do when a node refuses it.
    """

    secret: str = dataclasses.field(repr=False)
    origin: str
    remedy: str


@dataclasses.dataclass(frozen=True)
class Missing:
    """What could have been tried, and why it cannot."""

    why: str


Method = Union[Key, Password, Missing]


def authenticate(
    node: route.Node, transport: paramiko.Transport, deadline: deadlines.Deadline, acquainted: bool
) -> Key | Password:
    """Try the methods of *node*'s login in turn; the one that was accepted.

    :param acquainted: whether the node's host key was known before this connection.
    :raises NoPasswordKnown, PasswordRefused: all were refused.
    :raises NodeNotUp: the node went away instead of answering.
    """
    refused: list[tuple[Password, str]] = []
    missing = []
    for method in node.login.methods(acquainted):
        if isinstance(method, Missing):
            missing.append(method.why)
            continue
        refusal = _try(node, transport, deadline, _attempt(transport, node.login.username, method))
        if refusal is None:
            return method
        if isinstance(method, Password):
            refused.append((method, errors.describe(refusal)))
    if not refused:
        raise errors.NoPasswordKnown(
            f"login refused for user '{node.login.username}'",
            where=str(node),
            observed=f"the cluster's key is not accepted; {'; '.join(missing) or 'no password known'}",
            remedy="set the image's property sahara_docker_password or [sahara_docker] ssh_password to the password of "
            "the image's user",
        )
    raise errors.PasswordRefused(
        f"password refused for user '{node.login.username}'",
        where=str(node),
        observed="; ".join([*(f"{method.origin}: {answer}" for method, answer in refused), *missing]),
        remedy=refused[-1][0].remedy,
    )


def _attempt(transport: paramiko.Transport, username: str, method: Key | Password) -> Callable[[], Any]:
    if isinstance(method, Password):
        secret = method.secret
        return lambda: transport.auth_password(username, secret)
    key = paramiko.RSAKey.from_private_key(io.StringIO(method.text))
    return lambda: transport.auth_publickey(username, key)


def _try(
    node: route.Node, transport: paramiko.Transport, deadline: deadlines.Deadline, attempt: Callable[[], Any]
) -> BaseException | None:
    """Run one attempt; None when it succeeded, the refusal when it was refused.

    :raises NodeNotUp: when the node went away instead of answering.
    """
    transport.auth_timeout = min(_ANSWER, deadline.remaining())
    try:
        attempt()
    except (paramiko.SSHException, EOFError, OSError) as failure:
        deadline.remaining()
        refused = isinstance(failure, paramiko.AuthenticationException) and "timeout" not in str(failure).lower()
        if refused and transport.is_active():
            return failure
        raise errors.NodeNotUp(
            "sshd dropped the connection during the login", where=str(node), observed=errors.describe(failure)
        ) from failure
    if transport.is_authenticated():
        return None
    return paramiko.AuthenticationException("the node asks for a second factor")
