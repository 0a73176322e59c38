# SPDX-License-Identifier: Apache-2.0
"""Sahara's own cluster and instance objects, without its database."""

from __future__ import annotations

import uuid
from typing import Any

from sahara.conductor import resource

from tests.functional.ssh import sshd


def _group(name: str, address: str, username: str, is_proxy_gateway: bool = False) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "name": name,
        "image_username": username,
        "is_proxy_gateway": is_proxy_gateway,
        "instances": [
            {
                "id": str(uuid.uuid4()),
                "instance_id": str(uuid.uuid4()),
                "instance_name": f"demo-{name}-0",
                "management_ip": address,
                "internal_ip": address,
            }
        ],
    }


def _cluster(groups: list[dict[str, Any]], private_key: str = "") -> Any:
    return resource.ClusterResource(
        {
            "id": str(uuid.uuid4()),
            "name": "demo",
            "management_private_key": private_key,
            "neutron_management_network": str(uuid.uuid4()),
            "node_groups": groups,
        }
    )


def instance(address: str, username: str = sshd.LOGIN_USER, private_key: str = "") -> Any:
    """An instance of a one-node cluster that answers at *address*."""
    cluster = _cluster([_group("worker", address, username)], private_key)
    return cluster.node_groups[0].instances[0]


def behind_gateway(gateway: str, inner: str) -> Any:
    """An instance at *inner* of a cluster whose proxy gateway is the node at *gateway*."""
    groups = [_group("gateway", gateway, sshd.LOGIN_USER, True), _group("worker", inner, sshd.LOGIN_USER)]
    return _cluster(groups).node_groups[1].instances[0]
