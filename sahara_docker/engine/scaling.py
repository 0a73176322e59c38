# SPDX-License-Identifier: Apache-2.0
"""Which nodes a cluster shall have: their numbers, by node group.

Numbers, and so names, are never used twice, so that the new nodes of a scaling are those from a number on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Dict, List

from sahara_docker import exceptions

#: Key in ``cluster_extra``: the next node's number of each node group, by its id.
NEXT_NUMBERS = "next_node_numbers"

Members = Dict[str, List[int]]


class ScalingUndone(exceptions.SaharaDockerError):
    """A scaling failed and its new nodes were removed again."""


class UndoFailed(exceptions.SaharaDockerError):
    """A scaling failed, and so did removing its new nodes."""


def number(instance: Any) -> int:
    """A node's number within its node group: the end of its name."""
    return int(instance.instance_name.rsplit("-", 1)[1])


def members(
    cluster: Any, target_count: Mapping[str, int], gone: Collection[str], known: Mapping[str, int]
) -> tuple[Members, dict[str, int]]:
    """Numbers of the nodes that each node group shall have, and the next number of each.

    :param target_count: nodes wanted, by node group id.
    :param gone: Nova ids of instances that shall not stay.
    :param known: the next numbers so far.
    """
    chosen, next_numbers = {}, {}
    for group in cluster.node_groups:
        numbers = {instance.instance_id: number(instance) for instance in group.instances}
        following = max([known.get(group.id, 0), *(used + 1 for used in numbers.values())])
        staying = sorted(used for server, used in numbers.items() if server not in gone)
        # Fewer wanted than named for removal: the youngest go, as Heat's resource groups do it.
        staying = staying[: target_count[group.id]]
        added = range(following, following + target_count[group.id] - len(staying))
        chosen[group.id] = [*staying, *added]
        next_numbers[group.id] = following + len(added)
    return chosen, next_numbers


def details(cluster: Any, chosen: Members, next_numbers: Mapping[str, int]) -> dict[str, Any]:
    """What somebody who undoes a scaling to the nodes *chosen* has to know: small, as it is kept with the cluster."""
    first_new, leaving, count = {}, {}, 0
    for group in cluster.node_groups:
        old = {number(instance) for instance in group.instances}
        added = [one for one in chosen[group.id] if one not in old]
        first_new[group.id] = min(added, default=next_numbers[group.id])
        leaving[group.id] = sorted(old.difference(chosen[group.id]))
        count += len(added)
    return {"first_new": first_new, "leaving": leaving, "added": count}


def new_instances(cluster: Any, begun: Mapping[str, Any]) -> list[Any]:
    """The instances of *cluster* that the scaling with the details *begun* has added."""
    first_new = begun["first_new"]
    return [
        instance
        for group in cluster.node_groups
        for instance in group.instances
        if group.id in first_new and number(instance) >= first_new[group.id]
    ]


def members_before(cluster: Any, begun: Mapping[str, Any]) -> Members:
    """The nodes that a scaling has found and did not remove: what is left when it is undone.

    Nodes that were to leave are not taken back: the plugin has emptied them before.
    """
    new = {instance.id for instance in new_instances(cluster, begun)}
    left = {}
    for group in cluster.node_groups:
        leaving = begun["leaving"].get(group.id, ())
        numbers = (number(instance) for instance in group.instances if instance.id not in new)
        left[group.id] = sorted(one for one in numbers if one not in leaving)
    return left


def has_stack(cluster: Any) -> bool:
    """Whether a stack's name was chosen for *cluster*: without, its own name stands for it, which another may have."""
    return "heat_stack_name" in (cluster.extra or {})
