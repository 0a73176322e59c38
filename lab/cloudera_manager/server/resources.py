# SPDX-License-Identifier: Apache-2.0
"""Finding, making and deleting what the API names: clusters, services, roles, configuration."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from ..hadoop import catalogue, settings
from .errors import ApiError, bad_request, not_found
from .model import Cluster, Config, Model, Role, RoleGroup, Service

_NAME = re.compile(r"[_A-Za-z][-_A-Za-z0-9]{0,63}\Z")


def cluster(model: Model, name: str) -> Cluster:
    """Return a cluster.

    :raises ApiError: 404.
    """
    found = model.clusters.get(name)
    if found is None:
        raise not_found("Cluster", name)
    return found


def service(owner: Cluster, name: str) -> Service:
    """Return a service of a cluster.

    :raises ApiError: 404.
    """
    found = owner.services.get(name)
    if found is None:
        raise ApiError(404, f"Service '{name}' not found in cluster '{owner.name}'.")
    return found


def role(owner: Service, name: str) -> Role:
    """Return a role of a service.

    :raises ApiError: 404.
    """
    found = owner.roles.get(name)
    if found is None:
        raise ApiError(404, f"Role '{name}' not found in service '{owner.name}'.")
    return found


def group(owner: Service, name: str) -> RoleGroup:
    """Return a role configuration group of a service.

    :raises ApiError: 404.
    """
    found = owner.groups.get(name)
    if found is None:
        raise not_found("Role config group", name)
    return found


def list_of(body: Any) -> list[Any]:
    """Return the items of a request's body.

    :raises ApiError: 400 when it is not ``{"items": [...]}``.
    """
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise bad_request('The body must be JSON of the form {"items": [...]}.')
    return body["items"]


def text_of(value: Any, key: str) -> str:
    """Return a text field of a request's body.

    :raises ApiError: 400 when it is missing or empty.
    """
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, str) or not found:
        raise bad_request(f"'{key}' is missing.")
    return found


def new_cluster(model: Model, value: dict[str, Any]) -> Cluster:
    """Make a cluster.

    :raises ApiError: 400 for a missing name or version, or a name that is taken.
    """
    name = text_of(value, "name")
    version = value.get("fullVersion") or {"CDH5": "5.0.0", "CDH4": "4.8.0"}.get(value.get("version") or "")
    if not version or not re.match(r"\d+\.\d+\.\d+", version):
        raise bad_request("Either 'version' or 'fullVersion' must say which CDH the cluster has.")
    if name in model.clusters:
        raise bad_request(f"Cluster '{name}' already exists.")
    made = Cluster(name, value.get("displayName") or name, version, str(uuid.uuid4()))
    model.clusters[name] = made
    return made


def new_service(owner: Cluster | None, value: dict[str, Any]) -> Service:
    """Make a service, in a cluster unless it is the management service.

    :raises ApiError: 400 for an unknown type, a bad name, or a name that is taken.
    """
    kind, name = text_of(value, "type"), text_of(value, "name")
    if kind not in catalogue.SERVICES:
        raise bad_request(f"Unknown service type '{kind}'.")
    if owner is not None and name in owner.services:
        raise bad_request(f"Service '{name}' already exists in cluster '{owner.name}'.")
    made = Service(name, kind, value.get("displayName") or name)
    for role_type in catalogue.SERVICES[kind]:
        base = f"{name}-{role_type}-BASE"
        made.groups[base] = RoleGroup(base, role_type, f"{role_type.capitalize()} Default Group")
    if owner is not None:
        owner.services[name] = made
    return made


def new_role(model: Model, owner: Cluster | None, holder: Service, value: dict[str, Any]) -> Role:
    """Make a role; its host joins the cluster.

    :raises ApiError: 400 for an unknown type or host, a bad name, or a name that is taken anywhere.
    """
    kind = text_of(value, "type")
    if kind not in catalogue.SERVICES[holder.type]:
        raise bad_request(f"Role type '{kind}' is not valid for service type '{holder.type}'.")
    host_id = text_of(value.get("hostRef"), "hostId")
    if host_id not in model.hosts:
        raise bad_request(f"Host '{host_id}' not found. Its agent has to register first.")
    unique = hashlib.md5(host_id.encode(), usedforsecurity=False).hexdigest()
    name = value.get("name") or f"{holder.name}-{kind}-{unique}"
    if not _NAME.match(name):
        raise bad_request(f"Role name '{name}' is not valid: it must match [_A-Za-z][-_A-Za-z0-9]{{0,63}}.")
    taken = [item for one in model.clusters.values() for item in one.services.values()] + [holder]
    if any(name in item.roles for item in taken):
        raise bad_request(f"Role name '{name}' is already in use.")
    made = Role(name, kind, host_id, f"{holder.name}-{kind}-BASE")
    made.state = "NA" if kind == catalogue.GATEWAY else "STOPPED"
    if value.get("config"):
        change_config(made.config, value["config"])
    holder.roles[name] = made
    if host_id in holder.retired.get(kind, ()):
        holder.retired[kind].remove(host_id)
    if owner is not None and host_id not in owner.host_ids:
        for other in model.clusters.values():
            if other is not owner and host_id in other.host_ids:
                del holder.roles[name]
                raise bad_request(f"Host '{host_id}' belongs to cluster '{other.name}'.")
        owner.host_ids.append(host_id)
    return made


def change_config(values: Config, body: Any) -> None:
    """Set what a request's body names; a null value takes the setting back to its default.

    :raises ApiError: 400 for a body of another form or a safety valve that is not well-formed; nothing is changed then.
    """
    new: dict[str, str | None] = {}
    for item in list_of(body):
        name, value = text_of(item, "name"), item.get("value")
        if isinstance(value, bool):
            value = str(value).lower()
        new[name] = None if value is None else str(value)
        if name.endswith("_config_safety_valve") or name in ("core_site_safety_valve",):
            try:
                settings.snippet(new[name] or "")
            except ValueError as error:
                raise bad_request(f"Configuration '{name}': {error}.") from error
    for name, text in new.items():
        if text is None:
            values.pop(name, None)
        else:
            values[name] = text
