# SPDX-License-Identifier: Apache-2.0
"""The model as JSON of the API version that was asked for.

Each version answers with its own fields only: Sahara's client knows those of version 8 and refuses any other. The
versions are those that the public API reference (and cm-client's models) give for each field.
"""

from __future__ import annotations

import datetime
from typing import Any

from .. import CM_VERSION
from ..hadoop import catalogue, settings
from . import health
from .agents import Agents
from .model import Cluster, Command, Config, Host, Model, Role, RoleGroup, Service, User
from .roles import Roles

#: The version since which a field exists, where that is not the first one.
_SINCE: dict[str, dict[str, int]] = {
    "cluster": {
        "displayName": 6, "fullVersion": 6, "maintenanceMode": 2, "maintenanceOwners": 2, "clusterUrl": 10,
        "hostsUrl": 11, "entityStatus": 11, "uuid": 15,
    },
    "service": {
        "displayName": 2, "configStalenessStatus": 6, "clientConfigStalenessStatus": 6, "maintenanceMode": 2,
        "maintenanceOwners": 2, "roleInstancesUrl": 11, "entityStatus": 11,
    },
    "role": {
        "commissionState": 2, "maintenanceMode": 2, "maintenanceOwners": 2, "roleConfigGroupRef": 3,
        "configStalenessStatus": 6, "entityStatus": 11,
    },
    "host": {
        "maintenanceMode": 2, "maintenanceOwners": 2, "commissionState": 2, "numCores": 4, "totalPhysMemBytes": 4,
        "numPhysicalCores": 9, "clusterRef": 11, "entityStatus": 11,
    },
    "command": {"canRetry": 11},
    "check": {"explanation": 11, "suppressed": 11},
    "config": {"sensitive": 14, "validationWarningsSuppressed": 14},
}  # fmt: skip

_ENTITY = {"GOOD": "GOOD_HEALTH", "CONCERNING": "CONCERNING_HEALTH", "BAD": "BAD_HEALTH", "DISABLED": "DISABLED_HEALTH"}


def items(values: list[Any]) -> dict[str, Any]:
    """Return a list as the API sends it."""
    return {"items": values}


def date(seconds: float) -> str:
    """Return a moment (seconds since 1970) in the API's form, always with a fraction and a Z."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def user(record: User) -> dict[str, Any]:
    """Return a user; the password never."""
    return {"name": record.name, "roles": record.roles}


def cm_version() -> dict[str, Any]:
    """Return what /cm/version answers."""
    return {
        "version": CM_VERSION, "snapshot": False, "buildUser": "sahara-docker lab stand-in",
        "buildTimestamp": "none: this is not Cloudera's software", "gitHash": "0" * 40,
    }  # fmt: skip


class Views:
    """The views of one API version."""

    def __init__(self, version: int, model: Model, agents: Agents, roles: Roles, base_url: str) -> None:
        self._version, self._model, self._agents, self._roles, self._url = version, model, agents, roles, base_url

    def _cut(self, kind: str, value: dict[str, Any]) -> dict[str, Any]:
        since = _SINCE[kind]
        return {key: item for key, item in value.items() if item is not None and since.get(key, 1) <= self._version}

    @staticmethod
    def _entity(state: str, summary: str) -> str:
        if state in ("STARTING", "STOPPING", "STOPPED"):
            return state
        return _ENTITY.get(summary, "NONE")

    def _checks(self, checks: list[health.Check]) -> list[dict[str, Any]]:
        return [
            self._cut("check", {
                "name": check.name, "summary": check.summary, "explanation": check.explanation, "suppressed": False,
            })
            for check in checks
        ]  # fmt: skip

    def cluster(self, record: Cluster) -> dict[str, Any]:
        """Return a cluster."""
        services = record.services.values()
        checks = [check for item in services for check in health.service_checks(self._agents, record, item)]
        return self._cut("cluster", {
            "name": record.name, "displayName": record.display_name, "version": f"CDH{record.full_version[:1]}",
            "fullVersion": record.full_version, "maintenanceMode": False, "maintenanceOwners": [],
            "clusterUrl": f"{self._url}/#cluster-{record.name}", "hostsUrl": f"{self._url}/#hosts",
            "entityStatus": self._entity("", health.summary(checks)), "uuid": record.uuid,
        })  # fmt: skip

    @staticmethod
    def service_state(record: Service) -> str:
        """Return a service's state: in transition when any role is, started when any daemon runs."""
        states = [role.state for role in record.roles.values() if role.type != catalogue.GATEWAY]
        for state in ("STARTING", "STOPPING", "STARTED"):
            if state in states:
                return state
        return "STOPPED" if states else "NA"

    def service(self, cluster: Cluster | None, record: Service) -> dict[str, Any]:
        """Return a service."""
        checks = health.service_checks(self._agents, cluster, record)
        state = self.service_state(record)
        stale = client_stale = False
        if cluster is not None:
            stale = any(self._roles.stale(cluster, record, role) for role in record.roles.values())
            client_stale = record.type in ("HDFS", "YARN") and self._roles.client_stale(cluster, record)
        return self._cut("service", {
            "name": record.name, "type": record.type, "displayName": record.display_name,
            "clusterRef": {"clusterName": cluster.name} if cluster else None, "serviceState": state,
            "healthSummary": health.summary(checks), "healthChecks": self._checks(checks), "configStale": stale,
            "configStalenessStatus": "STALE" if stale else "FRESH",
            "clientConfigStalenessStatus": "STALE" if client_stale else "FRESH",
            "serviceUrl": f"{self._url}/#service-{record.name}", "maintenanceMode": False, "maintenanceOwners": [],
            "roleInstancesUrl": f"{self._url}/#service-{record.name}",
            "entityStatus": self._entity(state, health.summary(checks)),
        })  # fmt: skip

    def _ha_status(self, record: Role) -> str | None:
        if record.type not in ("NAMENODE", "RESOURCEMANAGER"):
            return None
        return (record.ha_status if self._roles.runs(record) else "") or "UNKNOWN"

    def role(self, cluster: Cluster | None, service: Service, record: Role) -> dict[str, Any]:
        """Return a role."""
        checks = health.role_checks(self._agents, service, record)
        stale = cluster is not None and self._roles.stale(cluster, service, record)
        reference = {"serviceName": service.name, "clusterName": cluster.name if cluster else None}
        return self._cut("role", {
            "name": record.name, "type": record.type, "hostRef": {"hostId": record.host_id},
            "serviceRef": {key: item for key, item in reference.items() if item}, "roleState": record.state,
            "healthSummary": health.summary(checks), "healthChecks": self._checks(checks), "configStale": stale,
            "configStalenessStatus": "STALE" if stale else "FRESH", "commissionState": record.commission,
            "haStatus": self._ha_status(record),
            "roleUrl": f"{self._url}/#role-{record.name}", "maintenanceMode": False, "maintenanceOwners": [],
            "roleConfigGroupRef": {"roleConfigGroupName": record.group},
            "entityStatus": self._entity(record.state, health.summary(checks)),
        })  # fmt: skip

    def group(self, cluster: Cluster | None, service: Service, record: RoleGroup) -> dict[str, Any]:
        """Return a role configuration group."""
        reference = {"serviceName": service.name, "clusterName": cluster.name if cluster else None}
        return {
            "name": record.name, "displayName": record.display_name, "roleType": record.role_type, "base": record.base,
            "config": self.config(record.config, service.type, record.role_type, "summary"),
            "serviceRef": {key: item for key, item in reference.items() if item},
        }  # fmt: skip

    def host(self, record: Host, view: str) -> dict[str, Any]:
        """Return a host; heartbeat, health and roles only in the full view."""
        checks = health.host_checks(self._agents, record)
        references, cluster_name = [], None
        for cluster in self._model.clusters.values():
            if record.host_id in cluster.host_ids:
                cluster_name = cluster.name
            for service in cluster.services.values():
                references += [
                    {"clusterName": cluster.name, "serviceName": service.name, "roleName": role.name}
                    for role in service.roles.values() if role.host_id == record.host_id
                ]  # fmt: skip
        management = self._model.management
        for role in management.roles.values() if management else ():
            if role.host_id == record.host_id:
                references.append({"serviceName": management.name if management else "", "roleName": role.name})
        value: dict[str, Any] = {
            "hostId": record.host_id, "hostname": record.host_id, "ipAddress": record.ip, "rackId": record.rack,
            "hostUrl": f"{self._url}/#host-{record.host_id}", "maintenanceMode": False, "maintenanceOwners": [],
            "commissionState": "COMMISSIONED", "numCores": record.cores, "numPhysicalCores": record.cores,
            "totalPhysMemBytes": record.memory, "clusterRef": {"clusterName": cluster_name} if cluster_name else None,
            "entityStatus": self._entity("", health.summary(checks)),
        }  # fmt: skip
        if view.lower() == "full":
            value["lastHeartbeat"] = date(record.last_heartbeat)
            value["healthSummary"] = health.summary(checks)
            value["healthChecks"] = self._checks(checks)
            value["roleRefs"] = references
        return self._cut("host", value)

    def command(self, record: Command, *, family: bool = True) -> dict[str, Any]:
        """Return a command, with its parent and children unless ``family`` is false."""
        service = {"clusterName": record.cluster, "serviceName": record.service}
        role = {**service, "roleName": record.role}
        value: dict[str, Any] = {
            "id": record.id, "name": record.name, "startTime": date(record.started), "active": record.active,
            "endTime": date(record.ended) if record.ended else None, "success": record.success,
            "resultMessage": record.message, "canRetry": False,
            "clusterRef": {"clusterName": record.cluster} if record.cluster else None,
            "serviceRef": {key: item for key, item in service.items() if item} if record.service else None,
            "roleRef": {key: item for key, item in role.items() if item} if record.role else None,
            "hostRef": {"hostId": record.host} if record.host else None,
        }  # fmt: skip
        if family:
            children = [self._model.commands[number] for number in record.children if number in self._model.commands]
            value["children"] = items([self.command(child, family=False) for child in children])
            parent = self._model.commands.get(record.parent or 0)
            value["parent"] = self.command(parent, family=False) if parent else None
        return self._cut("command", value)

    def config(self, values: Config, service_type: str, role_type: str | None, view: str) -> dict[str, Any]:
        """Return configuration values; the full view says of each whether the lab applies it and where."""
        if view != "full":
            return items([{"name": name, "value": text} for name, text in sorted(values.items())])
        found = []
        for name, text in sorted(values.items()):
            property_name, default = settings.default(service_type, role_type, name)
            applied = settings.is_applied(service_type, role_type, name)
            found.append(self._cut("config", {
                "name": name, "value": text, "required": False, "default": default, "displayName": name,
                "relatedName": property_name or "", "validationState": "OK" if applied else "WARNING",
                "validationMessage": None if applied else "kept, but without effect in the lab's stand-in",
                "sensitive": "password" in name, "validationWarningsSuppressed": False,
            }))  # fmt: skip
        return items(found)
