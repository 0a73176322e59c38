# SPDX-License-Identifier: Apache-2.0
"""A small cluster as the server's records: what Sahara makes of its smallest template."""

from __future__ import annotations

import time

from lab.cloudera_manager.server import resources
from lab.cloudera_manager.server.model import Cluster, Command, Host, Model, Role, Service
from lab.cloudera_manager.server.store import Store

MANAGER, MASTER, WORKERS = "m.novalocal", "master.novalocal", ("w1.novalocal", "w2.novalocal")
GIB = 2**30

_MASTER_ROLES = {
    "HDFS": ("NAMENODE", "SECONDARYNAMENODE"), "YARN": ("RESOURCEMANAGER", "JOBHISTORY"), "OOZIE": ("OOZIE_SERVER",),
}  # fmt: skip
_WORKER_ROLES = {"HDFS": ("DATANODE", "GATEWAY"), "YARN": ("NODEMANAGER", "GATEWAY")}


def small() -> tuple[Model, Cluster]:
    """Return a model with one cluster: a master and two workers of 1 GiB."""
    model = Model()
    for name in (MANAGER, MASTER, *WORKERS):
        model.hosts[name] = Host(name, "192.0.2.1", 2, GIB)
    cluster = resources.new_cluster(model, {"name": "c1", "fullVersion": "5.13.0"})
    for kind in ("HDFS", "YARN", "OOZIE"):
        service = resources.new_service(cluster, {"name": f"{kind.lower()}01", "type": kind})
        for role_type in _MASTER_ROLES[kind]:
            add(model, cluster, service, role_type, MASTER)
        for worker in WORKERS:
            for role_type in _WORKER_ROLES.get(kind, ()):
                add(model, cluster, service, role_type, worker)
    return model, cluster


def add(model: Model, cluster: Cluster, service: Service, role_type: str, host: str) -> Role:
    """Add a role."""
    name = f"{service.name}_{role_type}_{host.partition('.')[0]}"
    return resources.new_role(model, cluster, service, {"name": name, "type": role_type, "hostRef": {"hostId": host}})


def role(cluster: Cluster, role_type: str, host: str = "") -> tuple[Service, Role]:
    """Return the first role of a type, or the one on a host, with its service."""
    for service in cluster.services.values():
        for found in service.roles_of(role_type):
            if not host or found.host_id == host:
                return service, found
    raise AssertionError(f"no {role_type} on {host or 'any host'}")


def finished(store: Store, command: Command) -> Command:
    """Return a command when it has ended, and is on disk, so that the directory may go.

    :raises AssertionError: it does not end.
    """
    deadline = time.monotonic() + 20
    while command.active:
        assert time.monotonic() < deadline, "the command does not end"
        time.sleep(0.01)
    with store.lock:
        return command
