# SPDX-License-Identifier: Apache-2.0
"""Keeps one connection a node: opened at the first use, lent to many, closed when the node goes."""

from __future__ import annotations

import collections
import contextlib
import random
import threading
import time
from typing import Iterator

from oslo_log import log as logging

from sahara_docker.ssh import authentication, errors, host_keys, route
from sahara_docker.ssh import connection as connections
from sahara_docker.ssh import deadline as deadlines

LOG = logging.getLogger(__name__)

# sshd drops new connections at random while many others log in (MaxStartups), and refuses them while it restarts.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class ConnectionPool:
    """Connections to all nodes of this process, at most *limit* of them.

    The least recently used one that nobody has on loan makes room for a new one.
    """

    def __init__(self, limit: int) -> None:
        self.host_keys = host_keys.HostKeys()
        self._limit = limit
        self._changed = threading.Condition()
        self._kept: collections.OrderedDict[str, connections.Connection] = collections.OrderedDict()
        self._opening: set[str] = set()

    def __len__(self) -> int:
        return len(self._kept)

    @contextlib.contextmanager
    def lend(self, node: route.Node, deadline: deadlines.Deadline, patience: float) -> Iterator[connections.Connection]:
        """Lend the connection to *node*, opening it when there is none that lives.

        :param patience: seconds to try again while the node refuses or drops connections.
        :raises SshError: as ``connection.connect``.
        """
        with self._gateway_to(node, deadline, patience) as gateway:
            connection = self._take(node, deadline)
            if connection is None:
                connection = self._open(node, deadline, patience, gateway)
            try:
                yield connection
            finally:
                with self._changed:
                    connection.users -= 1
                    # Set aside by renew() while others worked on it: the last one closes it.
                    abandoned = not connection.users and self._kept.get(node.id) is not connection
                    self._changed.notify_all()
                if abandoned:
                    connection.close()

    def log_in_again(
        self, node: route.Node, deadline: deadlines.Deadline, patience: float
    ) -> authentication.Key | authentication.Password:
        """Log in beside the kept connection and close; what the node accepted.

        :raises SshError: as ``connection.connect``.
        """
        with self._gateway_to(node, deadline, patience) as gateway:
            connection = self._connect(node, deadline, patience, gateway)
            connection.close()
            return connection.method

    def renew(self, node_id: str) -> None:
        """Let the next work on a node log in anew; what runs on its connection now goes on to its end."""
        with self._changed:
            connection = self._kept.pop(node_id, None)
            self._changed.notify_all()
            idle = connection is not None and not connection.users
        if connection is not None and idle:
            connection.close()

    def forget(self, node_id: str) -> None:
        """Close the connection of a node that is gone, and forget its host key."""
        with self._changed:
            connection = self._kept.pop(node_id, None)
            self._changed.notify_all()
        self.host_keys.forget(node_id)
        if connection is not None:
            LOG.debug("Closing the connection to %s", connection.node)
            connection.close()

    def close(self) -> None:
        """Close everything."""
        for node_id in list(self._kept):
            self.forget(node_id)

    def _gateway_to(
        self, node: route.Node, deadline: deadlines.Deadline, patience: float
    ) -> contextlib.AbstractContextManager[connections.Connection | None]:
        """On loan as long as what leads through it: nobody shall close it for want of room meanwhile."""
        if node.gateway is None:
            return contextlib.nullcontext()
        return self.lend(node.gateway, deadline, patience)

    def _take(self, node: route.Node, deadline: deadlines.Deadline) -> connections.Connection | None:
        """The kept connection, or None with the caller's right to open one."""
        stale = []
        try:
            with self._changed:
                while True:
                    connection = self._kept.get(node.id)
                    if connection is not None:
                        if connection.alive and connection.node == node:
                            self._kept.move_to_end(node.id)
                            connection.users += 1
                            return connection
                        stale.append(self._kept.pop(node.id))
                    if node.id not in self._opening and (room := self._room()) is not None:
                        stale += room
                        self._opening.add(node.id)
                        return None
                    self._changed.wait(deadline.remaining())
        finally:
            for connection in stale:
                connection.close()

    def _room(self) -> list[connections.Connection] | None:
        """Connections to close for one more to be opened; None when all are in use."""
        if len(self._kept) + len(self._opening) < self._limit:
            return []
        for node_id, connection in self._kept.items():
            if not connection.users:
                return [self._kept.pop(node_id)]
        return None

    def _open(
        self,
        node: route.Node,
        deadline: deadlines.Deadline,
        patience: float,
        gateway: connections.Connection | None,
    ) -> connections.Connection:
        connection = None
        try:
            connection = self._connect(node, deadline, patience, gateway)
            return connection
        finally:
            with self._changed:
                self._opening.discard(node.id)
                if connection is not None:
                    connection.users += 1
                    self._kept[node.id] = connection
                self._changed.notify_all()

    def _connect(
        self,
        node: route.Node,
        deadline: deadlines.Deadline,
        patience: float,
        gateway: connections.Connection | None,
    ) -> connections.Connection:
        give_up = time.monotonic() + patience
        pause = _FIRST_PAUSE
        while True:
            try:
                return connections.connect(node, self.host_keys, deadline, gateway)
            except errors.NodeNotUp:
                # Half to one and a half times the pause: those who were dropped together shall not return together.
                wait = pause * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards no secret
                if time.monotonic() + wait >= give_up:
                    raise
                time.sleep(min(wait, deadline.remaining()))
                pause = min(pause * 2, _LONGEST_PAUSE)
