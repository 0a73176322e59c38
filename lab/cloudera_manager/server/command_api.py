# SPDX-License-Identifier: Apache-2.0
"""The endpoints that do something: each starts a command and answers with it while it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..hadoop import catalogue
from . import enable_ha, resources, views
from .api import ROUTES, SERVICE, Parts, both
from .commands import Running, Target, Work
from .errors import ApiError, CommandFailed, bad_request, not_found
from .model import Cluster, Role, Service
from .routing import Request

#: Commands of the plugin that need what the lab does not have. They are accepted and fail, with this as their message.
_NOT_IN_THE_LAB = "not available in the lab: the stand-in for Cloudera Manager cannot do {} yet"


_REFUSED = (
    "createOozieDb", "oozieUpgradeDb", "installOozieShareLib",
)  # fmt: skip


def _refuse(name: str) -> Work:
    def work(running: Running) -> str:
        raise CommandFailed(_NOT_IN_THE_LAB.format(name))

    return work


def _start(parts: Parts, request: Request, name: str, target: Target, work: Work) -> Any:
    return request.views.command(parts.commands.start(name, target, work))


# Commands themselves


@ROUTES.add("GET", "/commands/{number}")
def one_command(parts: Parts, request: Request, number: str) -> Any:
    found = parts.store.model.commands.get(int(number)) if number.isdigit() else None
    if found is None:
        raise not_found("Command", number)
    return request.views.command(found)


@ROUTES.add("POST", "/commands/{number}/abort")
def abort(parts: Parts, request: Request, number: str) -> Any:
    if not number.isdigit():
        raise not_found("Command", number)
    return request.views.command(parts.commands.abort(int(number)))


def _active(parts: Parts, request: Request, **names: str) -> Any:
    found = [
        command for command in parts.store.model.commands.values()
        if command.active and all(getattr(command, key) == value for key, value in names.items())
    ]  # fmt: skip
    return views.items([request.views.command(command) for command in found])


@ROUTES.add("GET", "/cm/commands")
def all_active(parts: Parts, request: Request) -> Any:
    return _active(parts, request)


@ROUTES.add("GET", "/clusters/{cluster}/commands")
def cluster_active(parts: Parts, request: Request, cluster: str) -> Any:
    resources.cluster(parts.store.model, cluster)
    return _active(parts, request, cluster=cluster)


@both("GET", "/commands")
def service_active(parts: Parts, request: Request, **path: str) -> Any:
    return _active(parts, request, service=parts.service(path)[1].name)


@both("GET", "/roles/{role}/commands")
def role_active(parts: Parts, request: Request, role: str, **path: str) -> Any:
    return _active(parts, request, role=resources.role(parts.service(path)[1], role).name)


# Cloudera Manager


_MANAGEMENT_STATES = {"start": "STARTED", "restart": "STARTED", "stop": "STOPPED"}


def _management_work(roles: list[Role], state: str) -> Work:
    """Return the work of starting or stopping management roles: they are part of the server, so they follow at once."""

    def work(running: Running) -> str:
        for role in roles:
            role.state = state
        return f"{len(roles)} management roles are {state.lower()}; they are part of the lab's stand-in itself"

    return work


def _management_role_work(state: str, role: Role) -> Work:
    return _management_work([role], state)


@ROUTES.add("POST", "/cm/commands/hostsStartRoles", since=2)
def hosts_start_roles(parts: Parts, request: Request) -> Any:
    named = [str(name) for name in resources.list_of(request.body)]
    for name in named:
        if name not in parts.store.model.hosts:
            raise not_found("Host", name)
    found: list[tuple[Cluster, tuple[Service, Role]]] = []
    for cluster in parts.store.model.clusters.values():
        for service in cluster.services.values():
            found += [(cluster, (service, role)) for role in service.roles.values() if role.host_id in named]
    management = parts.store.model.management
    own = [role for role in management.roles.values() if role.host_id in named] if management else []

    def work(running: Running) -> str:
        if management:
            _management_work(own, "STARTED")(running)
        for cluster, pair in found:
            if catalogue.daemon(pair[0].type, pair[1].type):
                target = Target(cluster.name, pair[0].name, pair[1].name)
                running.child("Start", target, parts.workflows.start_roles(cluster, pair))
        return f"Successfully started {len(own) + len(found)} roles"

    return _start(parts, request, "HostsStartRoles", Target(), work)


@ROUTES.add("POST", "/cm/commands/importAdminCredentials", since=7)
def import_admin_credentials(parts: Parts, request: Request) -> Any:
    return _start(parts, request, "ImportAdminCredentials", Target(), _refuse("Kerberos"))


# Clusters


@ROUTES.add("POST", "/clusters/{cluster}/commands/{command}")
def cluster_command(parts: Parts, request: Request, cluster: str, command: str) -> Any:
    owner = resources.cluster(parts.store.model, cluster)
    workflows, services = parts.workflows, list(owner.services.values())
    body = request.body if isinstance(request.body, dict) else {}
    named = body.get("restartServiceNames")
    chosen = [resources.service(owner, str(name)) for name in named] if named else services
    work: dict[str, tuple[str, int, Callable[[], Work]]] = {
        "start": ("Start", 1, lambda: workflows.start(owner, services)),
        "stop": ("Stop", 1, lambda: workflows.stop(owner, services)),
        "firstRun": ("FirstRun", 7, lambda: workflows.first_run(owner)),
        "deployClientConfig": (
            "DeployClusterClientConfig", 2, lambda: workflows.deploy_clients(owner, workflows.client_hosts(services)),
        ),
        "restart": ("Restart", 1, lambda: workflows.restart(
            owner, chosen, only_stale=bool(body.get("restartOnlyStaleServices")),
            clients=bool(body.get("redeployClientConfiguration")),
        )),
        "configureForKerberos": ("ConfigureForKerberos", 11, lambda: _refuse("Kerberos")),
    }  # fmt: skip
    if command not in work:
        raise ApiError(404, f"The lab's stand-in for Cloudera Manager has no cluster command '{command}'.")
    name, since, make = work[command]
    if request.version < since:
        raise ApiError(404, f"Cluster command '{command}' exists since API v{since}; this is v{request.version}.")
    return _start(parts, request, name, Target(owner.name), make())


# Services


def _named_roles(service: Service, body: Any) -> list[Role]:
    return [resources.role(service, str(name)) for name in resources.list_of(body)]


@ROUTES.add("POST", SERVICE + "/commands/{command}")
def service_command(parts: Parts, request: Request, cluster: str, service: str, command: str) -> Any:
    owner = resources.cluster(parts.store.model, cluster)
    found = resources.service(owner, service)
    workflows = parts.workflows

    def clients() -> Work:
        # Without role names the configuration goes to all hosts of the service.
        given = request.body.get("items") if isinstance(request.body, dict) else None
        hosts = {role.host_id for role in _named_roles(found, request.body)} if given else None
        return workflows.deploy_clients(owner, sorted(hosts) if hosts else workflows.client_hosts([found]))

    def named() -> list[Role]:
        return _named_roles(found, request.body)

    def masters() -> Work:
        kinds = {"HDFS": "NAMENODE", "YARN": "RESOURCEMANAGER"}
        first = next(iter(found.roles_of(kinds.get(found.type, ""))), None)
        if first is None:
            raise bad_request(f"Service '{service}' has nothing to refresh.")
        return workflows.refresh(owner, (found, first))

    def tables() -> Work:
        first = next(iter(found.roles_of("HIVEMETASTORE")), None)
        if first is None:
            raise bad_request(f"Service '{service}' has no HIVEMETASTORE.")
        return workflows.make_metastore_tables(owner, found, first)

    work: dict[str, tuple[str, Callable[[], Work]]] = {
        "start": ("Start", lambda: workflows.start(owner, [found])),
        "stop": ("Stop", lambda: workflows.stop(owner, [found])),
        "restart": ("Restart", lambda: workflows.restart(owner, [found])),
        "refresh": ("Refresh", masters),
        "deployClientConfig": ("DeployClientConfig", clients),
        "decommission": ("Decommission", lambda: workflows.decommission(owner, found, named())),
        "recommission": ("Recommission", lambda: workflows.recommission(owner, found, named())),
        "hdfsCreateTmpDir": ("CreateTmpDir", lambda: workflows.make_directories(owner, "HDFS")),
        "yarnCreateJobHistoryDirCommand": ("CreateJobHistoryDir", lambda: workflows.make_directories(owner, "YARN")),
        "yarnNodeManagerRemoteAppLogDirCommand": ("CreateLogDir", lambda: workflows.make_directories(owner, "YARN")),
        "hbaseCreateRoot": ("CreateRoot", lambda: workflows.make_directories(owner, "HBASE")),
        "hiveCreateHiveWarehouse": ("CreateHiveWarehouse", lambda: workflows.make_directories(owner, "HIVE")),
        "hiveCreateHiveUserDir": ("CreateHiveUserDir", lambda: workflows.make_directories(owner, "HIVE")),
        "hiveCreateMetastoreDatabaseTables": ("HiveCreateMetastoreDatabaseTables", tables),
        "hdfsEnableNnHa": ("EnableNNHA", lambda: enable_ha.name_nodes(parts, owner, found, request.body)),
        "enableRmHa": ("EnableRmHA", lambda: enable_ha.resource_managers(parts, owner, found, request.body)),
        **{name: (name, functools.partial(_refuse, name)) for name in _REFUSED},
    }  # fmt: skip
    if command not in work:
        raise ApiError(404, f"The lab's stand-in for Cloudera Manager has no service command '{command}'.")
    name, make = work[command]
    return _start(parts, request, name, Target(owner.name, found.name), make())


@ROUTES.add("POST", "/cm/service/commands/{command}")
def management_command(parts: Parts, request: Request, command: str) -> Any:
    _, found = parts.service({})
    if command not in _MANAGEMENT_STATES:
        raise ApiError(404, f"The management service has no command '{command}'.")
    work = _management_work(list(found.roles.values()), _MANAGEMENT_STATES[command])
    return _start(parts, request, command.capitalize(), Target(service=found.name), work)


# Roles


@both("POST", "/roleCommands/{command}")
def role_command(parts: Parts, request: Request, command: str, **path: str) -> Any:
    """Start one command for each role; names that are not there come back in ``errors`` beside the commands."""
    cluster, service = parts.service(path)
    makers: dict[str, Callable[[Role], Work]]
    if cluster is None:
        makers = {name: functools.partial(_management_role_work, state) for name, state in _MANAGEMENT_STATES.items()}
    else:
        owner, workflows = cluster, parts.workflows
        makers = {
            "start": lambda role: workflows.start_roles(owner, (service, role)),
            "stop": lambda role: lambda running: parts.roles.stop(running, role),
            "restart": lambda role: workflows.restart_role(owner, (service, role)),
            "refresh": lambda role: workflows.refresh(owner, (service, role)),
            "hdfsFormat": lambda role: workflows.format(owner, service, role),
        }
    if command not in makers:
        raise ApiError(404, f"The lab's stand-in for Cloudera Manager has no role command '{command}'.")
    started, errors = [], []
    for name in resources.list_of(request.body):
        role = service.roles.get(str(name))
        if role is None:
            errors.append(f"Role '{name}' not found in service '{service.name}'.")
            continue
        target = Target(cluster.name if cluster else None, service.name, role.name)
        started.append(_start(parts, request, command.capitalize(), target, makers[command](role)))
    return {"items": started, "errors": errors}
