# SPDX-License-Identifier: Apache-2.0
"""Making HDFS and YARN highly available, in Cloudera Manager's own steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..hadoop import high_availability, launch
from . import resources
from .api import Parts
from .commands import Running, Step, Target, Work
from .errors import ApiError, bad_request
from .model import Cluster, Host, Role, Service

_SHARE, _FAILOVER, _BOOTSTRAP = "shared edits", "failover in ZooKeeper", "standby's namespace"
_SMALLEST_QUORUM = 3


@dataclasses.dataclass
class _Masters:
    """The NameNodes of a name service and what is beside them."""

    active: Role
    standby: Role
    controllers: list[Role]
    journals: list[Role]


def name_nodes(parts: Parts, cluster: Cluster, hdfs: Service, body: Any) -> Work:
    """Add a standby NameNode, JournalNodes and failover controllers, and return the work of bringing them up.

    :param body: as the API's ``ApiEnableNnHaArguments``; the caller holds the store's lock.
    :raises ApiError: 400 when it cannot be done; nothing has changed then.
    """
    body = body if isinstance(body, dict) else {}
    masters = _add_masters(parts, cluster, hdfs, body)
    force = body.get("forceInitZNode", True)
    to_empty = masters.journals if body.get("clearExistingJnEditsDir", True) else []
    if body.get("clearExistingStandbyNameDirs", True):
        to_empty = [*to_empty, masters.standby]

    def work(running: Running) -> str:
        services = [service for service in cluster.services.values() if service.type != "ZOOKEEPER"]
        used = [pair for pair in parts.workflows.daemons(services)[0] if pair[1].state == "STARTED"]
        stops = [parts.workflows.stop_step(cluster, *pair, ()) for pair in used]
        parts.commands.run_steps(running, stops)
        for role in hdfs.roles_of("SECONDARYNAMENODE"):  # the standby makes the checkpoints now
            parts.roles.remove(hdfs, role)
        for role in to_empty:
            _empty(parts, running, hdfs, role)
        also = {
            masters.active.name: (_SHARE,),
            masters.standby.name: (_BOOTSTRAP,),
            # The first failover controller makes its NameNode the active one: it shall be the one that was.
            masters.controllers[0].name: (_FAILOVER,),
            masters.controllers[1].name: (masters.controllers[0].name,),
        }
        names = {role.name for _, role in used} | {role.name for role in hdfs.roles.values()}
        wanted = [pair for pair in parts.workflows.daemons(services)[0] if pair[1].name in names]
        starts = [parts.workflows.start_step(cluster, pair, wanted, also.get(pair[1].name, ())) for pair in wanted]
        parts.commands.run_steps(running, [*_preparations(parts, cluster, hdfs, masters, force), *starts])
        _deploy_clients(parts, running, cluster)
        return f"Successfully enabled High Availability of NameNodes {masters.active.name} and {masters.standby.name}"

    return work


def resource_managers(parts: Parts, cluster: Cluster, yarn: Service, body: Any) -> Work:
    """Add a second ResourceManager and return the work of starting YARN with it.

    :param body: as the API's ``ApiEnableRmHaArguments``; the caller holds the store's lock.
    :raises ApiError: 400 when it cannot be done; nothing has changed then.
    """
    host_id = resources.text_of(body, "newRmHostId")
    existing = yarn.roles_of("RESOURCEMANAGER")
    if len(existing) != 1:
        raise bad_request(f"Service '{yarn.name}' has {len(existing)} ResourceManagers; one is needed to add another.")
    if existing[0].host_id == host_id:
        raise bad_request(f"Host '{host_id}' has a ResourceManager already.")
    _require_zookeeper(cluster)
    added = _add(parts, cluster, yarn, "RESOURCEMANAGER", host_id, body.get("newRmRoleName"), existing[0].config)

    def work(running: Running) -> str:
        parts.workflows.stop(cluster, [yarn])(running)
        pairs, _ = parts.workflows.daemons([yarn])
        # The first to start is the active one: it shall be the one that was.
        also = {added.name: (existing[0].name,)}
        starts = [parts.workflows.start_step(cluster, pair, pairs, also.get(pair[1].name, ())) for pair in pairs]
        parts.commands.run_steps(running, starts)
        _deploy_clients(parts, running, cluster)
        return f"Successfully enabled High Availability of ResourceManagers {existing[0].name} and {added.name}"

    return work


def _require_zookeeper(cluster: Cluster) -> None:
    if not high_availability.zoo_keepers(cluster):
        raise bad_request(f"Cluster '{cluster.name}' has no ZooKeeper, which decides who is active.")


def _add(
    parts: Parts, cluster: Cluster, service: Service, kind: str, host_id: str, name: str | None, config: dict[str, str]
) -> Role:
    value = {"type": kind, "hostRef": {"hostId": host_id}, "name": name}
    role = resources.new_role(parts.store.model, cluster, service, value)
    role.config.update(config)
    return role


def _add_masters(parts: Parts, cluster: Cluster, hdfs: Service, body: dict[str, Any]) -> _Masters:
    active = resources.role(hdfs, resources.text_of(body, "activeNnName"))
    standby_host, journals = resources.text_of(body, "standbyNnHostId"), body.get("jns") or []
    name = resources.text_of(body, "nameservice")
    if len(hdfs.roles_of("NAMENODE")) != 1 or active.type != "NAMENODE":
        raise bad_request(f"Role '{active.name}' must be the only NameNode of service '{hdfs.name}'.")
    if standby_host == active.host_id:
        raise bad_request(f"Host '{standby_host}' has the active NameNode; the standby needs another one.")
    if len(journals) < _SMALLEST_QUORUM or len(journals) % 2 == 0:
        raise bad_request(f"'jns' must name an odd number of JournalNodes, at least 3, not {len(journals)}.")
    _require_zookeeper(cluster)
    before = set(hdfs.roles)

    def add(kind: str, host_id: str, role_name: str | None, config: dict[str, str]) -> Role:
        return _add(parts, cluster, hdfs, kind, host_id, role_name, config)

    shared = {
        high_availability.NAME_SERVICE: name,
        high_availability.JOURNAL_NAME: body.get("qjName") or name,
        high_availability.AUTOMATIC_FAILOVER: "true",
    }
    own = {"dfs_name_dir_list": ",".join(body["standbyNameDirList"])} if body.get("standbyNameDirList") else {}
    try:
        standby = add("NAMENODE", standby_host, body.get("standbyNnName"), {**active.config, **shared, **own})
        masters = _Masters(active, standby, [], [])
        for host_id, key in ((active.host_id, "activeFcName"), (standby_host, "standbyFcName")):
            masters.controllers.append(add("FAILOVERCONTROLLER", host_id, body.get(key), {}))
        for item in journals:
            edits = {"dfs_journalnode_edits_dir": item["jnEditsDir"]} if item.get("jnEditsDir") else {}
            host_id = resources.text_of(item, "jnHostId")
            masters.journals.append(add("JOURNALNODE", host_id, item.get("jnName"), edits))
    except ApiError:
        for added in set(hdfs.roles) - before:
            del hdfs.roles[added]
        raise
    active.config.update(shared)
    return masters


def _empty(parts: Parts, running: Running, hdfs: Service, role: Role) -> None:
    name = {"NAMENODE": "dfs_name_dir_list", "JOURNALNODE": "dfs_journalnode_edits_dir"}[role.type]
    for path in launch.directories(hdfs, role, name):
        parts.roles.run(running, role.host_id, "run", launch.empty(path, role, parts.roles.next_process()))


def _preparations(parts: Parts, cluster: Cluster, hdfs: Service, masters: _Masters, force: bool) -> list[Step]:
    """Return the steps that are no role's start."""

    def once(make: Callable[[Cluster, Service, Role, Host, int], dict[str, Any]], role: Role) -> Work:
        def work(running: Running) -> str:
            command = make(cluster, hdfs, role, parts.roles.host(role.host_id), parts.roles.next_process())
            return parts.roles.run(running, role.host_id, "run", command)

        return work

    def step(key: str, name: str, role: Role, make: Any, after: tuple[str, ...]) -> Step:
        return Step(key, name, Target(cluster.name, hdfs.name, role.name), once(make, role), after)

    zoo_node = launch.format_failover_anew if force else launch.format_failover
    journals = tuple(role.name for role in masters.journals)
    return [
        step(_SHARE, "InitializeSharedEdits", masters.active, launch.share_edits, journals),
        step(_FAILOVER, "InitializeAutoFailover", masters.controllers[0], zoo_node, ()),
        step(_BOOTSTRAP, "BootstrapStandby", masters.standby, launch.bootstrap_standby, (masters.active.name,)),
    ]


def _deploy_clients(parts: Parts, running: Running, cluster: Cluster) -> None:
    hosts = parts.workflows.client_hosts(cluster.services.values())
    parts.workflows.deploy_clients(cluster, hosts)(running)
