# SPDX-License-Identifier: Apache-2.0
"""Sahara's own cluster and instance objects, without its database."""

from __future__ import annotations

import uuid
from typing import Any

from sahara.conductor import resource

from tests.functional.ssh import sshd


def instance(address: str, name: str = "demo-worker-0", username: str = sshd.LOGIN_USER, private_key: str = "") -> Any:
    """An instance of a one-node cluster that answers at *address*."""
    cluster = resource.ClusterResource(
        {
            "id": str(uuid.uuid4()),
            "name": "demo",
            "management_private_key": private_key,
            "neutron_management_network": str(uuid.uuid4()),
            "node_groups": [
                {
                    "id": str(uuid.uuid4()),
                    "name": "worker",
                    "image_username": username,
                    "is_proxy_gateway": False,
                    "instances": [
                        {
                            "id": str(uuid.uuid4()),
                            "instance_id": str(uuid.uuid4()),
                            "instance_name": name,
                            "management_ip": address,
                            "internal_ip": address,
                        }
                    ],
                }
            ],
        }
    )
    return cluster.node_groups[0].instances[0]
