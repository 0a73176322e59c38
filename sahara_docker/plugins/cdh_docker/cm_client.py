# SPDX-License-Identifier: Apache-2.0
"""The calls of Cloudera Manager's REST API that the plugin makes.

Protocol: the public API reference, versions 8 and 11; shapes are those of the client bundled with the stock CDH plugin.
Answers are the API's own dictionaries.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, Dict

from sahara_docker.plugins.cdh_docker import cm_session

Command = Dict[str, Any]


def _path(*parts: str) -> str:
    return "/" + "/".join(urllib.parse.quote(part, safe="") for part in parts)


def _items(values: Iterable[Any]) -> dict[str, list[Any]]:
    return {"items": list(values)}


def _config_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def config_list(config: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return *config* as the API's ``ApiConfigList``; a value of None resets a setting to its default."""
    return _items(
        {"name": name, "value": None if value is None else _config_value(value)} for name, value in config.items()
    )


def _config(answer: Mapping[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value") for item in answer["items"]}


def role(name: str, role_type: str, host_id: str) -> dict[str, Any]:
    """Return an ``ApiRole`` for creation."""
    return {"name": name, "type": role_type, "hostRef": {"hostId": host_id}}


class CMClient:
    """One Cloudera Manager.

    :raises CMError: every method, when CM cannot be asked or refuses.
    """

    def __init__(self, session: cm_session.CMSession) -> None:
        self.where = session.where
        self._request = session.request

    def echo(self) -> None:
        """Return when CM's web application answers; an open port says less."""
        self._request("GET", "/tools/echo", params={"message": "ready"})

    # Users and Cloudera Manager itself

    def change_password(self, username: str, password: str) -> None:
        """Set a CM user's password."""
        user = self._request("GET", _path("users", username))
        self._request(
            "PUT", _path("users", username), body={"name": username, "password": password, "roles": user.get("roles")}
        )

    def configure_manager(self, config: Mapping[str, Any]) -> None:
        """Set options of CM itself."""
        self._request("PUT", "/cm/config", body=config_list(config))

    def create_management_service(self, roles: Iterable[Mapping[str, Any]]) -> None:
        """Create CM's own monitoring service."""
        self._request("PUT", "/cm/service", body={"roles": [dict(item, config=None) for item in roles]})

    def management_command(self, name: str) -> Command:
        """Run a command such as ``start`` or ``stop`` on CM's own monitoring service."""
        return self._request("POST", f"/cm/service/commands/{name}")

    def start_roles_on_hosts(self, hostnames: Iterable[str]) -> Command:
        """Start every role of these hosts."""
        return self._request("POST", "/cm/commands/hostsStartRoles", body=_items(hostnames))

    def import_admin_credentials(self, username: str, password: str) -> Command:
        """Give CM the KDC account with which it creates principals."""
        return self._request(
            "POST", "/cm/commands/importAdminCredentials", params={"username": username, "password": password}
        )

    def command(self, command_id: int) -> Command:
        """Return the present state of a command."""
        return self._request("GET", f"/commands/{command_id}")

    def abort(self, command_id: int) -> None:
        """Ask CM to end a running command; it ends some time after."""
        self._request("POST", f"/commands/{command_id}/abort")

    # Hosts

    def hosts(self) -> list[dict[str, Any]]:
        """Return the hosts whose agents have reported."""
        return self._request("GET", "/hosts", params={"view": "full"})["items"]

    def set_rack(self, host: Mapping[str, Any], rack: str) -> None:
        """Place a host of :meth:`hosts` in a rack."""
        body = {key: host.get(key) for key in ("hostId", "hostname", "ipAddress")}
        self._request("PUT", _path("hosts", host["hostId"]), body={**body, "rackId": rack})

    def delete_host(self, host_id: str) -> None:
        """Forget a host that no cluster uses any more."""
        self._delete(_path("hosts", host_id))

    # Clusters

    def create_cluster(self, name: str, full_version: str) -> None:
        """Create an empty cluster."""
        self._request("POST", "/clusters", body=_items([{"name": name, "fullVersion": full_version}]))

    def cluster_command(self, cluster: str, name: str, body: Mapping[str, Any] | None = None) -> Command:
        """Run a command on a whole cluster."""
        return self._request("POST", _path("clusters", cluster, "commands", name), body=body)

    def remove_host(self, cluster: str, host_id: str) -> None:
        """Take a host out of a cluster."""
        self._delete(_path("clusters", cluster, "hosts", host_id))

    # Services

    def services(self, cluster: str) -> list[dict[str, Any]]:
        """Return a cluster's services with their health."""
        return self._request("GET", _path("clusters", cluster, "services"))["items"]

    def create_services(self, cluster: str, services: Iterable[tuple[str, str]]) -> None:
        """Create services given as pairs of name and type."""
        body = _items({"name": name, "type": service_type} for name, service_type in services)
        self._request("POST", _path("clusters", cluster, "services"), body=body)

    def configure_service(self, cluster: str, service: str, config: Mapping[str, Any]) -> None:
        """Set options of a service."""
        self._request("PUT", _path("clusters", cluster, "services", service, "config"), body=config_list(config))

    def service_config(self, cluster: str, service: str) -> dict[str, str]:
        """Return the options of a service that are set."""
        return _config(self._request("GET", _path("clusters", cluster, "services", service, "config")))

    def role_group(self, cluster: str, service: str, role_type: str) -> str:
        """Return the name of the base group of a service's roles of one type.

        :raises CMError: also when the service has none.
        """
        groups = self._request("GET", _path("clusters", cluster, "services", service, "roleConfigGroups"))["items"]
        for group in groups:
            if group["roleType"] == role_type and group["base"]:
                return group["name"]
        raise cm_session.CMError(f"{service} has no group of {role_type} roles", where=self.where)

    def group_config(self, cluster: str, service: str, group: str) -> dict[str, str]:
        """Return the options of a role group that are set."""
        path = _path("clusters", cluster, "services", service, "roleConfigGroups", group, "config")
        return _config(self._request("GET", path))

    def configure_group(self, cluster: str, service: str, group: str, config: Mapping[str, Any]) -> None:
        """Set options of a role group."""
        path = _path("clusters", cluster, "services", service, "roleConfigGroups", group, "config")
        self._request("PUT", path, body=config_list(config))

    def service_command(self, cluster: str, service: str, name: str, body: Any = None) -> Command:
        """Run a command on a service."""
        return self._request("POST", _path("clusters", cluster, "services", service, "commands", name), body=body)

    # Roles

    def roles(self, cluster: str, service: str) -> list[dict[str, Any]]:
        """Return a service's roles."""
        return self._request("GET", _path("clusters", cluster, "services", service, "roles"))["items"]

    def create_roles(self, cluster: str, service: str, roles: Iterable[Mapping[str, Any]]) -> None:
        """Create roles in one call."""
        self._request("POST", _path("clusters", cluster, "services", service, "roles"), body=_items(roles))

    def configure_role(self, cluster: str, service: str, name: str, config: Mapping[str, Any]) -> None:
        """Set options of one role, over those of its group."""
        path = _path("clusters", cluster, "services", service, "roles", name, "config")
        self._request("PUT", path, body=config_list(config))

    def delete_role(self, cluster: str, service: str, name: str) -> None:
        """Delete a stopped role."""
        self._delete(_path("clusters", cluster, "services", service, "roles", name))

    def named_roles_command(self, cluster: str, service: str, name: str, roles: Iterable[str]) -> Command:
        """Run a command of a service on some of its roles, such as ``decommission``: one command for all of them."""
        return self.service_command(cluster, service, name, _items(roles))

    def each_role_command(self, cluster: str, service: str, name: str, roles: Iterable[str]) -> list[Command]:
        """Run a role's command, such as ``start``, on each of *roles*: a command for every role.

        :raises CMError: also when CM accepted only some of them; the stock client ignores its ``errors``.
        """
        path = _path("clusters", cluster, "services", service, "roleCommands", name)
        answer = self._request("POST", path, body=_items(roles))
        if answer.get("errors"):
            raise cm_session.CMError(
                f"command {name} not accepted for all roles of {service}",
                where=self.where,
                observed="; ".join(str(error) for error in answer["errors"]),
            )
        return answer["items"]

    def get_service_health_status(self, cluster: str) -> dict[str, dict[str, Any]]:
        """Return each service's health as Sahara's CDH health checks want it."""
        return {
            service["name"]: {"summary": service.get("healthSummary"), "checks": service.get("healthChecks") or []}
            for service in self.services(cluster)
        }

    def _delete(self, path: str) -> None:
        """Delete what may be gone already, so that an interrupted removal can be repeated."""
        try:
            self._request("DELETE", path)
        except cm_session.CMError as error:
            if error.status != 404:
                raise
