# SPDX-License-Identifier: Apache-2.0
"""Clusters and instances in Sahara's database, as the engine hands them to a remote."""

from __future__ import annotations

import uuid
from typing import Any

from sahara import conductor, context

from tests.functional.ssh import sshd


def cluster(addresses: dict[str, str], username: str = sshd.LOGIN_USER, private_key: str = "", **values: Any) -> Any:
    """A cluster with one node in each node group; the one called ``gateway`` is a proxy gateway.

    :param addresses: where the nodes answer, by node group.
    :param values: of the cluster.
    """
    ctx = context.ctx()
    groups = [{"name": name, "flavor_id": "1", "count": 0, "is_proxy_gateway": name == "gateway"} for name in addresses]
    made = conductor.API.cluster_create(
        ctx,
        {
            "name": "demo",
            "plugin_name": "fake",
            "hadoop_version": "0.1",
            "tenant_id": ctx.tenant_id,
            "neutron_management_network": str(uuid.uuid4()),
            "node_groups": groups,
            "default_image_id": str(uuid.uuid4()),
            "management_private_key": private_key,
            **values,
        },
    )
    for group in made.node_groups:
        conductor.API.node_group_update(ctx, group, {"image_username": username})
        add(group, addresses[group.name])
    return reload(made)


def add(group: Any, address: str) -> None:
    """A further node in a node group."""
    name = f"demo-{group.name}-{len(group.instances)}"
    instance = conductor.API.instance_add(
        context.ctx(), group, {"instance_id": str(uuid.uuid4()), "instance_name": name}
    )
    conductor.API.instance_update(context.ctx(), instance, {"management_ip": address, "internal_ip": address})


def reload(made: Any) -> Any:
    """A cluster as it is in the database now."""
    return conductor.API.cluster_get(context.ctx(), made.id)


def of(made: Any, group: str = "worker") -> list[Any]:
    """The nodes of a node group."""
    return next(one.instances for one in made.node_groups if one.name == group)


def instance(address: str, **values: Any) -> Any:
    """The only node of a cluster of its own."""
    return of(cluster({"worker": address}, **{"name": f"demo-{uuid.uuid4().hex[:8]}", **values}))[0]


def behind_gateway(gateway: str, inner: str) -> Any:
    """An instance at *inner* of a cluster whose proxy gateway is the node at *gateway*."""
    return of(cluster({"gateway": gateway, "worker": inner}))[0]
