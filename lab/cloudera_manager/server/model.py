# SPDX-License-Identifier: Apache-2.0
"""What the server knows, as plain records that go to disk as they are."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

Config = dict[str, str]


@dataclasses.dataclass
class Host:
    """A machine whose agent has registered. Its id is its full name, as Sahara's plugin expects."""

    host_id: str
    ip: str = ""
    cores: int = 0
    memory: int = 0
    rack: str = "/default"
    agent: str = ""
    last_heartbeat: float = 0.0


@dataclasses.dataclass
class User:
    """Someone who may log in; only a salted hash of the password is kept."""

    name: str
    roles: list[str]
    salt: str
    digest: str


@dataclasses.dataclass
class RoleGroup:
    """A role configuration group. Every role type of a service has a base group."""

    name: str
    role_type: str
    display_name: str
    base: bool = True
    config: Config = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Role:
    """A role of a service on a host."""

    name: str
    type: str
    host_id: str
    group: str
    config: Config = dataclasses.field(default_factory=dict)
    #: STOPPED, STARTING, STARTED, STOPPING, or NA for a gateway.
    state: str = "STOPPED"
    commission: str = "COMMISSIONED"
    process_id: int = 0
    #: Digest of the files and the command line that the daemon was started with.
    started_with: str = ""
    #: The lists of hosts that a running NameNode or ResourceManager has read.
    host_lists: str = ""
    #: Of a NameNode or ResourceManager that runs: ACTIVE or STANDBY, as its host's agent saw it last.
    ha_status: str = ""
    #: Why it is not well, in words, and what its daemon said last.
    failure: str = ""
    log_tail: str = ""


@dataclasses.dataclass
class Service:
    """A service of a cluster, or the management service, which belongs to none."""

    name: str
    type: str
    display_name: str
    config: Config = dataclasses.field(default_factory=dict)
    roles: dict[str, Role] = dataclasses.field(default_factory=dict)
    groups: dict[str, RoleGroup] = dataclasses.field(default_factory=dict)
    #: Host id to digest of the client configuration that was deployed there.
    client_configs: dict[str, str] = dataclasses.field(default_factory=dict)
    #: Role type to the hosts whose decommissioned roles were deleted. They stay excluded: a NameNode that took one back
    #: would count the replicas of a machine that is gone and delete others as superfluous.
    retired: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def roles_of(self, *types: str) -> list[Role]:
        """Return the roles of these types, by name."""
        return [role for _, role in sorted(self.roles.items()) if role.type in types]


@dataclasses.dataclass
class Cluster:
    """A cluster: services on hosts."""

    name: str
    display_name: str
    full_version: str
    uuid: str
    services: dict[str, Service] = dataclasses.field(default_factory=dict)
    host_ids: list[str] = dataclasses.field(default_factory=list)

    def service_of(self, kind: str) -> Service | None:
        """Return the first service of this type, or None."""
        return next((service for service in self.services.values() if service.type == kind), None)


@dataclasses.dataclass
class Command:
    """A command, running or ended."""

    id: int
    name: str
    started: float
    ended: float | None = None
    success: bool | None = None
    message: str | None = None
    cluster: str | None = None
    service: str | None = None
    role: str | None = None
    host: str | None = None
    parent: int | None = None
    children: list[int] = dataclasses.field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether the command still runs."""
        return self.ended is None

    def end(self, success: bool, message: str) -> None:
        """Note the outcome; a command ends once."""
        if self.ended is None:
            self.ended, self.success, self.message = time.time(), success, message


@dataclasses.dataclass
class Model:
    """Everything."""

    hosts: dict[str, Host] = dataclasses.field(default_factory=dict)
    users: dict[str, User] = dataclasses.field(default_factory=dict)
    clusters: dict[str, Cluster] = dataclasses.field(default_factory=dict)
    management: Service | None = None
    config: Config = dataclasses.field(default_factory=dict)
    #: Sessions of agents whose hosts were deleted. Such an agent has to be started anew to register again.
    deleted_agents: list[str] = dataclasses.field(default_factory=list)
    commands: dict[int, Command] = dataclasses.field(default_factory=dict)
    next_process: int = 1

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Model:
        """Return the model that was written as JSON, a record as the object of its fields."""
        return cls(
            hosts={key: Host(**item) for key, item in value["hosts"].items()},
            users={key: User(**item) for key, item in value["users"].items()},
            clusters={key: _cluster(item) for key, item in value["clusters"].items()},
            management=_service(value["management"]) if value["management"] else None,
            config=value["config"],
            deleted_agents=value["deleted_agents"],
            commands={int(key): Command(**item) for key, item in value["commands"].items()},
            next_process=value["next_process"],
        )


def _cluster(value: dict[str, Any]) -> Cluster:
    services = {key: _service(item) for key, item in value["services"].items()}
    return dataclasses.replace(Cluster(**value), services=services)


def _service(value: dict[str, Any]) -> Service:
    roles = {key: Role(**item) for key, item in value["roles"].items()}
    groups = {key: RoleGroup(**item) for key, item in value["groups"].items()}
    return dataclasses.replace(Service(**value), roles=roles, groups=groups)
