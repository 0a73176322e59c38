# SPDX-License-Identifier: Apache-2.0
"""Sahara's cluster objects without its database."""

from __future__ import annotations

from typing import Any

from sahara.conductor import resource

NETWORK = "d1b0ea59-8a64-4a35-b4bb-7f3b5c3d4a11"


def cluster(workers: int = 2, group: dict[str, Any] | None = None, **values: Any) -> Any:
    """A cluster of one master and some workers whose instances have addresses."""
    return resource.ClusterResource(
        {
            "id": "5f1f1ca4-7c7e-4d4b-a1ea-0a2f4e6a1c11",
            "name": "Demo",
            "tenant_id": "tenant",
            "neutron_management_network": NETWORK,
            "default_image_id": "image",
            "anti_affinity": [],
            "anti_affinity_ratio": 1,
            "user_keypair_id": None,
            "domain_name": None,
            "extra": {},
            "cluster_configs": {},
            **values,
            "node_groups": [_group("master", 1, {}), _group("worker", workers, group or {})],
        }
    )


def _group(name: str, count: int, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{name}-group-id",
        "name": name,
        "flavor_id": "2",
        "image_id": None,
        "image_username": "cdh",
        "node_processes": [name],
        "count": count,
        "volumes_per_node": 0,
        "volumes_size": 0,
        "volume_type": None,
        "volumes_availability_zone": None,
        "volume_local_to_instance": False,
        "floating_ip_pool": None,
        "security_groups": None,
        "auto_security_group": False,
        "availability_zone": None,
        "boot_from_volume": False,
        "open_ports": [],
        "instances": [
            {
                "id": f"{name}-{number}",
                "instance_id": f"server-{name}-{number}",
                "instance_name": f"demo-{name}-{number}",
                "internal_ip": f"10.0.{len(name)}.{number}",
                "management_ip": f"10.0.{len(name)}.{number}",
            }
            for number in range(count)
        ],
        **values,
    }
