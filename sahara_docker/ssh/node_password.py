# SPDX-License-Identifier: Apache-2.0
"""A password for each node, made from one random secret of its cluster.

The secret is in Sahara's key manager; ``extra`` of the cluster has the reference. What a node is given is of no use on
another one, neither to somebody inside the container nor to a machine that answers in a node's place.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

from oslo_log import log as logging
from sahara import context
from sahara.service.castellan import utils as key_manager

from sahara_docker import cluster_extra, exceptions

LOG = logging.getLogger(__name__)

ORIGIN = "the node's own password"
_ITEM = "node_passwords"
_ACTION = "see [castellan] and the key manager's own log"


class KeyManagerFailed(exceptions.SaharaDockerError):
    """The key manager did not store or return the cluster's secret."""


def create(cluster: Any) -> str:
    """The cluster's secret, made and stored at the first call.

    :raises KeyManagerFailed: nothing was changed.
    """
    known = read(cluster.id)
    if known is not None:
        return known
    secret = secrets.token_urlsafe(32)
    try:
        reference = key_manager.store_secret(secret, context.ctx())
    except Exception as failure:
        raise _failed("cannot store the secret of the nodes' passwords", failure) from None
    first = cluster_extra.change(cluster.id, _ITEM, lambda present: present or reference)
    if first == reference:
        return secret
    # Another engine was quicker.
    _delete(cluster.id, reference)
    return _get(first)


def read(cluster_id: str) -> str | None:
    """The cluster's secret; None when its nodes still have the image's password.

    :raises KeyManagerFailed: there is one, and it cannot be had.
    """
    reference = cluster_extra.current(cluster_id, _ITEM)
    return None if reference is None else _get(reference)


def derive(secret: str, node_id: str) -> str:
    """The password of a node of the cluster with that secret."""
    digest = hmac.new(secret.encode(), node_id.encode(), hashlib.sha256).digest()
    # Password policies want one of each kind of character.
    return base64.urlsafe_b64encode(digest[:24]).decode() + ".aA1"


def remove(cluster: Any) -> None:
    """Take the secret out of the key manager; what fails is logged, since the cluster has to go all the same."""
    reference = cluster_extra.current(cluster.id, _ITEM)
    if reference is not None:
        _delete(cluster.id, reference)
        cluster_extra.change(cluster.id, _ITEM, lambda present: None)


def _get(reference: str) -> str:
    try:
        secret = key_manager.get_secret(reference, context.ctx())
    except Exception as failure:
        raise _failed("cannot get the secret of the nodes' passwords", failure) from None
    return secret.decode() if isinstance(secret, bytes) else secret


def _delete(cluster_id: str, reference: str) -> None:
    try:
        key_manager.delete_secret(reference, context.ctx())
    except Exception as failure:
        LOG.warning(
            "The secret of cluster %s stays in the key manager, which failed to delete it: %s",
            cluster_id,
            type(failure).__name__,
        )


def _failed(what: str, failure: Exception) -> KeyManagerFailed:
    # By its type alone: with Sahara's own key manager the reference in a message is the secret itself.
    return KeyManagerFailed(what, observed=type(failure).__name__, remedy=_ACTION)
