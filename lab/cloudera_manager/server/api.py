# SPDX-License-Identifier: Apache-2.0
"""The endpoints of Cloudera Manager itself, users, hosts and clusters, and what all endpoints share."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..faults import Faults
from . import passwords, resources, views
from .agents import Agents
from .commands import Commands
from .errors import ApiError, bad_request, not_found
from .model import Cluster, Host, Service, User
from .roles import Roles
from .routing import Request, Routes
from .store import Store
from .workflows import Workflows

ROUTES = Routes()

SERVICE = "/clusters/{cluster}/services/{service}"
CM_SERVICE = "/cm/service"


@dataclasses.dataclass
class Parts:
    """What the endpoints work with."""

    store: Store
    agents: Agents
    roles: Roles
    commands: Commands
    workflows: Workflows
    faults: Faults

    def service(self, arguments: dict[str, str]) -> tuple[Cluster | None, Service]:
        """Return the service that a path names; without a cluster it is the management service.

        :raises ApiError: 404.
        """
        model = self.store.model
        if "cluster" not in arguments:
            if model.management is None:
                raise ApiError(404, "The management service has not been set up.")
            return None, model.management
        cluster = resources.cluster(model, arguments["cluster"])
        return cluster, resources.service(cluster, arguments["service"])


def both(method: str, path: str, *, since: int = 1) -> Any:
    """Register an endpoint of services for those of clusters and for the management service."""

    def register(function: Any) -> Any:
        ROUTES.add(method, SERVICE + path, since=since)(function)
        return ROUTES.add(method, CM_SERVICE + path, since=since)(function)

    return register


# Tools, Cloudera Manager itself, users


@ROUTES.add("GET", "/tools/echo")
def echo(parts: Parts, request: Request) -> Any:
    return {"message": request.params.get("message", "Hello, World!")}


@ROUTES.add("GET", "/tools/echoError")
def echo_error(parts: Parts, request: Request) -> Any:
    raise ApiError(500, request.params.get("message", "Default error message"))


@ROUTES.add("GET", "/cm/version")
def cm_version(parts: Parts, request: Request) -> Any:
    return views.cm_version()


@ROUTES.add("GET", "/cm/config")
def cm_config(parts: Parts, request: Request) -> Any:
    return request.views.config(parts.store.model.config, "CM", None, "summary")


@ROUTES.add("PUT", "/cm/config")
def change_cm_config(parts: Parts, request: Request) -> Any:
    resources.change_config(parts.store.model.config, request.body)
    return cm_config(parts, request)


@ROUTES.add("GET", "/users")
def users(parts: Parts, request: Request) -> Any:
    return views.items([views.user(user) for _, user in sorted(parts.store.model.users.items())])


@ROUTES.add("POST", "/users")
def create_users(parts: Parts, request: Request) -> Any:
    made = []
    for item in resources.list_of(request.body):
        name = resources.text_of(item, "name")
        if name in parts.store.model.users:
            raise bad_request(f"User '{name}' already exists.")
        salt, digest = passwords.digest(resources.text_of(item, "password"))
        made.append(User(name, list(item.get("roles") or []), salt, digest))
    parts.store.model.users.update({user.name: user for user in made})
    return views.items([views.user(user) for user in made])


def _user(parts: Parts, name: str) -> User:
    user = parts.store.model.users.get(name)
    if user is None:
        raise not_found("User", name)
    return user


@ROUTES.add("GET", "/users/{user}")
def one_user(parts: Parts, request: Request, user: str) -> Any:
    return views.user(_user(parts, user))


@ROUTES.add("PUT", "/users/{user}")
def change_user(parts: Parts, request: Request, user: str) -> Any:
    found = _user(parts, user)
    if not isinstance(request.body, dict):
        raise bad_request("The body must be a JSON object.")
    if request.body.get("password"):
        found.salt, found.digest = passwords.digest(str(request.body["password"]))
    if isinstance(request.body.get("roles"), list):
        found.roles = [str(role) for role in request.body["roles"]]
    return views.user(found)


@ROUTES.add("DELETE", "/users/{user}")
def delete_user(parts: Parts, request: Request, user: str) -> Any:
    if user == request.user.name:
        raise bad_request("A user cannot delete itself.")
    answer = views.user(_user(parts, user))
    del parts.store.model.users[user]
    return answer


# Hosts


@ROUTES.add("GET", "/hosts")
def hosts(parts: Parts, request: Request) -> Any:
    return views.items([request.views.host(host, request.view) for _, host in sorted(parts.store.model.hosts.items())])


def _host(parts: Parts, name: str) -> Host:
    host = parts.store.model.hosts.get(name)
    if host is None:
        raise not_found("Host", name)
    return host


@ROUTES.add("GET", "/hosts/{host}")
def one_host(parts: Parts, request: Request, host: str) -> Any:
    return request.views.host(_host(parts, host), "full")


@ROUTES.add("PUT", "/hosts/{host}")
def change_host(parts: Parts, request: Request, host: str) -> Any:
    """Change a host's rack; Cloudera Manager ignores everything else."""
    found = _host(parts, host)
    if isinstance(request.body, dict) and request.body.get("rackId"):
        found.rack = str(request.body["rackId"])
    return request.views.host(found, "full")


@ROUTES.add("DELETE", "/hosts/{host}")
def delete_host(parts: Parts, request: Request, host: str) -> Any:
    found = _host(parts, host)
    with_roles = [role.name for role in parts.agents.roles_on(host)]
    if with_roles:
        raise bad_request(f"Host '{host}' still has roles: {', '.join(with_roles)}.")
    owner = next((cluster for cluster in parts.store.model.clusters.values() if host in cluster.host_ids), None)
    if owner is not None:
        raise bad_request(f"Host '{host}' still belongs to cluster '{owner.name}'.")
    answer = request.views.host(found, "full")
    del parts.store.model.hosts[host]
    parts.store.model.deleted_agents.append(found.agent)
    return answer


# Clusters


@ROUTES.add("GET", "/clusters")
def clusters(parts: Parts, request: Request) -> Any:
    return views.items([request.views.cluster(cluster) for _, cluster in sorted(parts.store.model.clusters.items())])


@ROUTES.add("POST", "/clusters")
def create_clusters(parts: Parts, request: Request) -> Any:
    made = [resources.new_cluster(parts.store.model, item) for item in resources.list_of(request.body)]
    return views.items([request.views.cluster(cluster) for cluster in made])


@ROUTES.add("GET", "/clusters/{cluster}")
def one_cluster(parts: Parts, request: Request, cluster: str) -> Any:
    return request.views.cluster(resources.cluster(parts.store.model, cluster))


@ROUTES.add("DELETE", "/clusters/{cluster}")
def delete_cluster(parts: Parts, request: Request, cluster: str) -> Any:
    found = resources.cluster(parts.store.model, cluster)
    roles_of_all = [role for service in found.services.values() for role in service.roles.values()]
    running = [role.name for role in roles_of_all if role.state == "STARTED"]
    if running:
        raise bad_request(f"Cluster '{cluster}' still runs {', '.join(running)}; stop it first.")
    answer = request.views.cluster(found)
    del parts.store.model.clusters[cluster]
    return answer


@ROUTES.add("GET", "/clusters/{cluster}/serviceTypes")
def service_types(parts: Parts, request: Request, cluster: str) -> Any:
    resources.cluster(parts.store.model, cluster)
    return views.items(sorted(kind for kind in resources.catalogue.SERVICES if kind != resources.catalogue.MANAGEMENT))


@ROUTES.add("GET", "/clusters/{cluster}/hosts", since=3)
def cluster_hosts(parts: Parts, request: Request, cluster: str) -> Any:
    found = resources.cluster(parts.store.model, cluster)
    return views.items([{"hostId": host} for host in found.host_ids])


@ROUTES.add("POST", "/clusters/{cluster}/hosts", since=3)
def add_cluster_hosts(parts: Parts, request: Request, cluster: str) -> Any:
    found = resources.cluster(parts.store.model, cluster)
    named = [resources.text_of(item, "hostId") for item in resources.list_of(request.body)]
    for host in named:
        _host(parts, host)
    found.host_ids += [host for host in named if host not in found.host_ids]
    return views.items([{"hostId": host} for host in named])


@ROUTES.add("DELETE", "/clusters/{cluster}/hosts/{host}", since=3)
def remove_cluster_host(parts: Parts, request: Request, cluster: str, host: str) -> Any:
    found = resources.cluster(parts.store.model, cluster)
    if host not in found.host_ids:
        raise ApiError(404, f"Host '{host}' not found in cluster '{cluster}'.")
    with_roles = [role.name for role in parts.agents.roles_on(host)]
    if with_roles:
        # Sahara deletes the roles that it knows of; a GATEWAY has no daemon and goes with its host.
        _drop_gateways(parts, found, host)
        with_roles = [role.name for role in parts.agents.roles_on(host)]
    if with_roles:
        raise bad_request(f"Host '{host}' still has roles: {', '.join(with_roles)}.")
    found.host_ids.remove(host)
    return {"hostId": host}


def _drop_gateways(parts: Parts, cluster: Cluster, host: str) -> None:
    for service in cluster.services.values():
        for role in service.roles_of(resources.catalogue.GATEWAY):
            if role.host_id == host:
                del service.roles[role.name]
