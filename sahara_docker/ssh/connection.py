# SPDX-License-Identifier: Apache-2.0
"""One SSH connection: dial, check the host key, log in, open channels."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from typing import Iterator

import paramiko

from sahara_docker.ssh import authentication, dial, errors, route
from sahara_docker.ssh import deadline as deadlines
from sahara_docker.ssh import host_keys as host_key_store

# sshd's MaxSessions is 10 by default; two are left for whoever else looks in.
CHANNELS = 8
# Longest wait for any one step of a handshake; the caller's deadline may be shorter.
_HANDSHAKE = 30.0
_KEEPALIVE = 15
_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL)
# paramiko logs a stack trace for every connection that is dropped, as every starting node does a few times; the causes
# are in our own errors.
_PARAMIKO_LOG = "sahara_docker.ssh.paramiko"
logging.getLogger(_PARAMIKO_LOG).setLevel(logging.CRITICAL)
_KEY_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}


class Connection:
    """An authenticated paramiko transport to a node.

    :ivar node: the node.
    :ivar method: what the node accepted.
    :ivar users: how many operations have it on loan; kept by the pool.
    """

    def __init__(
        self,
        node: route.Node,
        transport: paramiko.Transport,
        stream: dial.Stream,
        method: authentication.Key | authentication.Password,
    ) -> None:
        self.node = node
        self.method = method
        self.users = 0
        self._transport = transport
        self._stream = stream
        self._channels = threading.BoundedSemaphore(CHANNELS)

    @property
    def alive(self) -> bool:
        return self._transport.is_active()

    @contextlib.contextmanager
    def channel(self, deadline: deadlines.Deadline) -> Iterator[paramiko.Channel]:
        """Lend a session channel; at most ``CHANNELS`` are out at a time.

        :raises NotSent: when the connection turns out to be broken.
        :raises DeadlineExceeded: when no channel was free in time.
        """
        if not self._channels.acquire(timeout=deadline.remaining()):
            raise errors.DeadlineExceeded
        try:
            channel = self._open_channel(deadline)
            try:
                yield channel
            finally:
                # Closing sends a message, which blocks where the peer takes nothing any more.
                if channel.closed or (self.alive and not deadline.passed):
                    channel.close()
                else:
                    threading.Thread(target=channel.close, daemon=True).start()
        finally:
            self._channels.release()

    def tunnel(self, host: str, port: int, deadline: deadlines.Deadline) -> paramiko.Channel:
        """A channel that this node forwards to *host*:*port*."""
        try:
            return self._transport.open_channel(
                "direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=deadline.remaining()
            )
        except (paramiko.SSHException, EOFError, OSError) as failure:
            raise errors.NoRoute(
                f"the gateway cannot reach {host}:{port}",
                where=str(self.node),
                observed=errors.describe(failure),
                remedy="sshd on the gateway needs AllowTcpForwarding yes",
            ) from failure

    def abort(self) -> None:
        """Cut the connection, unblocking whoever waits on it."""
        # The socket first: a transport's own close can wait for a writer that the peer lets hang.
        self._stream.close()
        self._transport.close()

    close = abort

    def _open_channel(self, deadline: deadlines.Deadline) -> paramiko.Channel:
        try:
            return self._transport.open_session(timeout=deadline.remaining())
        except (paramiko.SSHException, EOFError, OSError) as failure:
            if deadline.passed:
                raise errors.DeadlineExceeded from failure
            raise errors.NotSent(
                "no channel could be opened", where=str(self.node), observed=errors.describe(failure)
            ) from failure


def connect(
    node: route.Node,
    known_keys: host_key_store.HostKeys,
    deadline: deadlines.Deadline,
    gateway: Connection | None = None,
) -> Connection:
    """Dial *node* and log in, once.

    :raises NodeNotUp, NoRoute: nothing (useful) answers; may mend itself.
    :raises HostKeyChanged, PasswordRefused, NoPasswordKnown: will not.
    :raises DeadlineExceeded: the deadline passed.
    """
    known = known_keys.known(node)
    stream = _dial(node, deadline, gateway)
    try:
        transport = _handshake(node, stream, known, deadline)
        try:
            # Before any secret is sent.
            known_keys.check(node, transport.get_remote_server_key())
            method = authentication.authenticate(node, transport, deadline, acquainted=known is not None)
            transport.set_keepalive(_KEEPALIVE)
        except BaseException:
            stream.close()
            transport.close()
            raise
    except BaseException:
        stream.close()
        raise
    return Connection(node, transport, stream, method)


def _dial(node: route.Node, deadline: deadlines.Deadline, gateway: Connection | None) -> dial.Stream:
    if not node.host:
        raise errors.NodeNotUp("no address yet", where=node.name)
    try:
        if gateway is not None:
            return dial.Stream(gateway.tunnel(node.host, node.port, deadline))
        if node.proxy_command:
            return dial.through_command(node.proxy_command())
        return dial.direct(node.host, node.port, min(_HANDSHAKE, deadline.remaining()))
    except socket.gaierror as failure:
        raise errors.NoRoute(
            "the name cannot be resolved", where=str(node), observed=errors.describe(failure)
        ) from failure
    except socket.timeout as failure:
        raise errors.NodeNotUp(
            f"nothing answers on port {node.port}",
            where=str(node),
            observed="timed out",
            remedy="the node may still be starting; else check its security group and the route to its network",
        ) from failure
    except OSError as failure:
        if failure.errno in _NO_ROUTE:
            raise errors.NoRoute(
                "no route from the Sahara host",
                where=str(node),
                observed=errors.describe(failure),
                remedy="the Sahara host needs a route to the cluster's management network",
            ) from failure
        raise errors.NodeNotUp(
            f"nothing answers on port {node.port}", where=str(node), observed=errors.describe(failure)
        ) from failure


def _handshake(
    node: route.Node, stream: dial.Stream, known_key: str | None, deadline: deadlines.Deadline
) -> paramiko.Transport:
    patience = min(_HANDSHAKE, deadline.remaining())
    try:
        transport = paramiko.Transport(stream.socket)
        transport.set_log_channel(_PARAMIKO_LOG)
        transport.banner_timeout = transport.handshake_timeout = patience
        _prefer(transport, known_key)
        transport.start_client(timeout=patience)
    except (paramiko.SSHException, EOFError, OSError) as failure:
        deadline.remaining()
        raise errors.NodeNotUp(
            "sshd was silent or dropped the connection before the login",
            where=str(node),
            observed=errors.describe(failure),
        ) from failure
    return transport


def _prefer(transport: paramiko.Transport, known: str | None) -> None:
    """Ask for the remembered key's algorithm first: a node has keys of several and may show any of them."""
    if known is None:
        return
    options = transport.get_security_options()
    name = host_key_store.algorithm(known)
    first = _KEY_ALGORITHMS.get(name, (name,))
    options.key_types = tuple(sorted(options.key_types, key=lambda algorithm: algorithm not in first))
