# SPDX-License-Identifier: Apache-2.0
"""Kafka's broker: its file of properties, and what shows that it serves."""

from __future__ import annotations

from typing import Any

from ..server.model import Cluster, Role, Service
from . import high_availability, settings

# A request for the API's versions with correlation id 7, and the head of the answer: that id and no error.
# https://kafka.apache.org/protocol#The_Messages_ApiVersions
_ASK, _ANSWER = "\0\0\0\x0a\0\x12\0\0\0\0\0\x07\0\0", "\0\0\0\x07\0\0"


def port(service: Service, role: Role) -> int:
    """Return where a broker answers clients and the other brokers."""
    return settings.number(service, role, "port", 9092)


def properties_file(cluster: Cluster, service: Service, role: Role, values: dict[str, str]) -> str:
    """Return the broker's file.

    A broker without a ``broker.id`` takes a number from ZooKeeper at its first start and keeps it beside its data.

    :param values: what has been set for it, and the lab's defaults.
    """
    brokers = len(service.roles_of("KAFKA_BROKER"))
    host = settings.value(service, role, "advertised.host.name") or role.host_id
    advertised = settings.number(service, role, "advertised.port", port(service, role))
    chroot = (service.config.get("zookeeper.chroot") or "").strip("/")
    copies = service.config.get("offsets.topic.replication.factor") or str(min(3, brokers))
    lines = {
        **values,
        "listeners": f"PLAINTEXT://:{port(service, role)}",
        "advertised.listeners": f"PLAINTEXT://{host}:{advertised}",
        "zookeeper.connect": high_availability.zoo_keepers(cluster) + (f"/{chroot}" if chroot else ""),
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": "1",
    }
    text = "".join(f"{name}={value}\n" for name, value in sorted(lines.items()))
    return text + (settings.value(service, role, "kafka.properties_role_safety_valve") or "") + "\n"


def probes(service: Service, role: Role) -> list[dict[str, Any]]:
    """Return what shows that a broker serves: it does not answer before it has found its place in ZooKeeper."""
    return [{"tcp": [role.host_id, port(service, role)], "send": _ASK, "pattern": _ANSWER}]
