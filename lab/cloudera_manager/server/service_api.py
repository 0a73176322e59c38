# SPDX-License-Identifier: Apache-2.0
"""The endpoints of services, role configuration groups and roles."""

from __future__ import annotations

from typing import Any

from . import resources, views
from .api import ROUTES, SERVICE, Parts, both
from .errors import ApiError, CommandFailed, bad_request, not_found
from .model import Role, Service
from .routing import Request

# Services


@ROUTES.add("GET", "/clusters/{cluster}/services")
def services(parts: Parts, request: Request, cluster: str) -> Any:
    found = resources.cluster(parts.store.model, cluster)
    return views.items([request.views.service(found, service) for service in found.services.values()])


@ROUTES.add("POST", "/clusters/{cluster}/services")
def create_services(parts: Parts, request: Request, cluster: str) -> Any:
    owner = resources.cluster(parts.store.model, cluster)
    made = [resources.new_service(owner, item) for item in resources.list_of(request.body)]
    return views.items([request.views.service(owner, service) for service in made])


@both("GET", "")
def one_service(parts: Parts, request: Request, **path: str) -> Any:
    return request.views.service(*parts.service(path))


@ROUTES.add("DELETE", SERVICE)
def delete_service(parts: Parts, request: Request, cluster: str, service: str) -> Any:
    owner, found = parts.service({"cluster": cluster, "service": service})
    if found.roles:
        raise bad_request(f"Service '{service}' still has roles: {', '.join(found.roles)}.")
    answer = request.views.service(owner, found)
    del resources.cluster(parts.store.model, cluster).services[service]
    return answer


@ROUTES.add("PUT", "/cm/service")
def set_up_management(parts: Parts, request: Request) -> Any:
    """Make the management service with its roles; it may be sent again with the same roles."""
    body = request.body if isinstance(request.body, dict) else {}
    model = parts.store.model
    if model.management is None:
        value = {"name": body.get("name") or "mgmt", "type": resources.catalogue.MANAGEMENT}
        model.management = resources.new_service(None, value)
    management = model.management
    for item in body.get("roles") or []:
        if item.get("name") not in management.roles:
            resources.new_role(model, None, management, item)
    if body.get("config"):
        resources.change_config(management.config, body["config"])
    return request.views.service(None, management)


@both("GET", "/config")
def service_config(parts: Parts, request: Request, **path: str) -> Any:
    _, service = parts.service(path)
    return request.views.config(service.config, service.type, None, request.view)


@both("PUT", "/config")
def change_service_config(parts: Parts, request: Request, **path: str) -> Any:
    _, service = parts.service(path)
    body = dict(request.body) if isinstance(request.body, dict) else {}
    # Version 1 and 2 sent the role types' values along; they are the base groups' since.
    for item in body.get("roleTypeConfigs") or []:
        base = f"{service.name}-{resources.text_of(item, 'roleType')}-BASE"
        resources.change_config(resources.group(service, base).config, item)
    resources.change_config(service.config, {"items": body.get("items") or []})
    return service_config(parts, request, **path)


@both("GET", "/roleTypes")
def role_types(parts: Parts, request: Request, **path: str) -> Any:
    return views.items(list(resources.catalogue.SERVICES[parts.service(path)[1].type]))


# Role configuration groups


@both("GET", "/roleConfigGroups", since=3)
def groups(parts: Parts, request: Request, **path: str) -> Any:
    cluster, service = parts.service(path)
    return views.items([request.views.group(cluster, service, group) for group in service.groups.values()])


@both("GET", "/roleConfigGroups/{group}", since=3)
def one_group(parts: Parts, request: Request, group: str, **path: str) -> Any:
    cluster, service = parts.service(path)
    return request.views.group(cluster, service, resources.group(service, group))


@both("GET", "/roleConfigGroups/{group}/config", since=3)
def group_config(parts: Parts, request: Request, group: str, **path: str) -> Any:
    _, service = parts.service(path)
    found = resources.group(service, group)
    return request.views.config(found.config, service.type, found.role_type, request.view)


@both("PUT", "/roleConfigGroups/{group}/config", since=3)
def change_group_config(parts: Parts, request: Request, group: str, **path: str) -> Any:
    resources.change_config(resources.group(parts.service(path)[1], group).config, request.body)
    return group_config(parts, request, group, **path)


@both("GET", "/roleConfigGroups/{group}/roles", since=3)
def group_roles(parts: Parts, request: Request, group: str, **path: str) -> Any:
    cluster, service = parts.service(path)
    name = resources.group(service, group).name
    members = [role for role in service.roles.values() if role.group == name]
    return views.items([request.views.role(cluster, service, role) for role in members])


# Roles


@both("GET", "/roles")
def roles(parts: Parts, request: Request, **path: str) -> Any:
    cluster, service = parts.service(path)
    return views.items([request.views.role(cluster, service, role) for role in service.roles.values()])


@both("POST", "/roles")
def create_roles(parts: Parts, request: Request, **path: str) -> Any:
    cluster, service = parts.service(path)
    model, made = parts.store.model, []
    try:
        for item in resources.list_of(request.body):
            made.append(resources.new_role(model, cluster, service, item))
    except ApiError:
        for role in made:
            del service.roles[role.name]
        raise
    return views.items([request.views.role(cluster, service, role) for role in made])


@both("GET", "/roles/{role}")
def one_role(parts: Parts, request: Request, role: str, **path: str) -> Any:
    cluster, service = parts.service(path)
    return request.views.role(cluster, service, resources.role(service, role))


def _delete(parts: Parts, service: Service, role: Role) -> None:
    if role.state in ("STARTED", "STARTING", "STOPPING"):
        raise bad_request(f"Role '{role.name}' is {role.state.lower()}; stop it first.")
    try:
        parts.roles.forget(role)
    except CommandFailed as error:
        raise ApiError(500, str(error)) from error
    service.roles.pop(role.name, None)
    if role.commission == "DECOMMISSIONED":
        service.retired.setdefault(role.type, []).append(role.host_id)


@both("DELETE", "/roles/{role}")
def delete_role(parts: Parts, request: Request, role: str, **path: str) -> Any:
    cluster, service = parts.service(path)
    found = resources.role(service, role)
    answer = request.views.role(cluster, service, found)
    _delete(parts, service, found)
    return answer


@both("POST", "/roles/bulkDelete", since=9)
def delete_roles(parts: Parts, request: Request, **path: str) -> Any:
    cluster, service = parts.service(path)
    found = [resources.role(service, str(name)) for name in resources.list_of(request.body)]
    answer = views.items([request.views.role(cluster, service, role) for role in found])
    for role in found:
        _delete(parts, service, role)
    return answer


@both("GET", "/roles/{role}/config")
def role_config(parts: Parts, request: Request, role: str, **path: str) -> Any:
    _, service = parts.service(path)
    found = resources.role(service, role)
    return request.views.config(found.config, service.type, found.type, request.view)


@both("PUT", "/roles/{role}/config")
def change_role_config(parts: Parts, request: Request, role: str, **path: str) -> Any:
    resources.change_config(resources.role(parts.service(path)[1], role).config, request.body)
    return role_config(parts, request, role, **path)


@both("GET", "/roles/{role}/logs/{log}")
def role_log(parts: Parts, request: Request, role: str, log: str, **path: str) -> Any:
    if log not in ("full", "stdout", "stderr"):
        raise not_found("Log", log)
    try:
        return parts.roles.log(resources.role(parts.service(path)[1], role), log)
    except CommandFailed as error:
        raise ApiError(404, str(error)) from error
