# SPDX-License-Identifier: Apache-2.0
"""Which host key each node showed first.

Nobody tells Sahara a new container's host key, so the first one is trusted and every later one compared with it, as
``ssh -o StrictHostKeyChecking=accept-new`` does. Keys belong to Nova's server id: addresses are reused. They are kept
with the cluster in Sahara's database, as ``<algorithm> SHA256:<fingerprint>``, so that every engine process checks
them, now and after a restart.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from typing import Any

import paramiko
from oslo_log import log as logging
from sahara import exceptions as sahara_exceptions

from sahara_docker import cluster_extra
from sahara_docker.ssh import errors, route

LOG = logging.getLogger(__name__)

_ITEM = "host_keys"
# A cluster's `extra` is a TEXT column: MySQL and MariaDB give it 64 KiB, which others need a part of. This is room for
# more than 400 nodes; the host keys of further ones are remembered by the process alone.
ROOM = 48 * 1024


class HostKeys:
    """The host keys of this process's nodes, backed by those kept with their clusters."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        # One writer at a time: many nodes of one cluster show their first keys at once.
        self._lock = threading.Lock()
        self._full: set[str] = set()

    def known(self, node: route.Node) -> str | None:
        """The key to expect, as ``<algorithm> SHA256:<fingerprint>``; None for a node never seen before."""
        if node.id not in self._keys and node.cluster_id is not None:
            kept = cluster_extra.current(node.cluster_id, _ITEM) or {}
            if node.id in kept:
                self._keys.setdefault(node.id, kept[node.id])
        return self._keys.get(node.id)

    def check(self, node: route.Node, shown: paramiko.PKey) -> None:
        """Remember the first key of a node, compare every later one.

        :raises HostKeyChanged: when it is another.
        """
        fingerprint = _fingerprint(shown)
        with self._lock:
            known = self._keys.get(node.id)
            if known is None:
                known = self._keys[node.id] = self._keep(node, fingerprint)
        if known != fingerprint:
            raise errors.HostKeyChanged(
                "host key changed since the first login",
                where=str(node),
                observed=f"{fingerprint} instead of {known}",
                remedy="another machine answers at this address, or the node's sshd made new keys; replace the node",
            )

    def forget(self, node_id: str) -> None:
        """Forget a node in this process; ``forget_kept`` does what is kept with the cluster."""
        with self._lock:
            self._keys.pop(node_id, None)

    def _keep(self, node: route.Node, fingerprint: str) -> str:
        """Keep the first key of a node with its cluster; the first one, which another process may have seen."""
        if node.cluster_id is None:
            return fingerprint
        first = fingerprint
        full = False

        def add(kept: dict[str, str] | None) -> dict[str, str]:
            nonlocal first, full
            kept = kept or {}
            first = kept.get(node.id, fingerprint)
            added = {**kept, node.id: first}
            full = len(json.dumps(added)) > ROOM
            return kept if full else added

        try:
            cluster_extra.change(node.cluster_id, _ITEM, add)
        except sahara_exceptions.NotFoundException:
            LOG.debug("Host key of %s is not kept: its cluster is gone", node)
        if full and node.cluster_id not in self._full:
            self._full.add(node.cluster_id)
            LOG.warning(
                "Cluster %s has too many nodes for all their host keys to be kept in the database; "
                "those of further nodes are remembered until this process ends",
                node.cluster_id,
            )
        return first


def algorithm(key: str) -> str:
    """Algorithm of a remembered key."""
    return key.split(" ", 1)[0]


def forget_kept(cluster_id: str, node_ids: list[str]) -> None:
    """Drop nodes that are gone from what is kept with their cluster."""

    def drop(kept: dict[str, str] | None) -> Any:
        return {node_id: key for node_id, key in (kept or {}).items() if node_id not in node_ids} or None

    cluster_extra.change(cluster_id, _ITEM, drop)


def _fingerprint(key: paramiko.PKey) -> str:
    """As ``ssh-keygen -l`` prints it."""
    return f"{key.get_name()} SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
