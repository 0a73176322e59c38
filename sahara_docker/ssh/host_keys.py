# SPDX-License-Identifier: Apache-2.0
"""Which host key each node showed first.

Nobody tells Sahara a new container's host key, so the first one is trusted and every later one compared with it, as
``ssh -o StrictHostKeyChecking=accept-new`` does. Keys belong to Nova's server id: addresses are reused.
"""

from __future__ import annotations

import base64
import hashlib
import threading

import paramiko

from sahara_docker.ssh import errors


class HostKeys:
    """Host keys of this process's nodes, by Nova server id."""

    def __init__(self) -> None:
        self._keys: dict[str, paramiko.PKey] = {}
        self._lock = threading.Lock()

    def known(self, node_id: str) -> paramiko.PKey | None:
        return self._keys.get(node_id)

    def check(self, node_id: str, shown: paramiko.PKey, where: str) -> None:
        """Remember the first key of a node, compare every later one.

        :raises HostKeyChanged: when it is another.
        """
        with self._lock:
            known = self._keys.setdefault(node_id, shown)
        if known.asbytes() != shown.asbytes():
            raise errors.HostKeyChanged(
                "host key changed since the first login",
                where=where,
                observed=f"{_fingerprint(shown)} instead of {_fingerprint(known)}",
                remedy="another machine answers at this address, or the node's sshd made new keys; replace the node",
            )

    def forget(self, node_id: str) -> None:
        with self._lock:
            self._keys.pop(node_id, None)


def _fingerprint(key: paramiko.PKey) -> str:
    """As ``ssh-keygen -l`` prints it."""
    return f"{key.get_name()} SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
