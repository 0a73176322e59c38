# SPDX-License-Identifier: Apache-2.0
"""Hive: its metastore and that one's database, and the configuration by which jobs and commands find both.

Ports and paths are Cloudera Manager's for CDH 5. Queries run as MapReduce jobs, as CDH 5's do.
"""

from __future__ import annotations

from typing import Any

from ..server.model import Cluster, Role, Service
from . import jvm, settings
from .setting import HIVE

CLIENT_DIRECTORY = "/etc/hive/conf"

#: Hive copies its plans with Kryo, which reaches into this package, in tasks too.
OPENED = "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED"


def everywhere(cluster: Cluster, libraries: str) -> dict[str, dict[str, str]]:
    """Return the properties, by file, of Hive's server and clients; none for a cluster without Hive.

    :param libraries: the class path of every job.
    """
    service = cluster.service_of("HIVE")
    if service is None:
        return {}
    places = [f"thrift://{role.host_id}:{port(service, role)}" for role in service.roles_of("HIVEMETASTORE")]
    warehouse = service.config.get("hive_warehouse_directory") or "/user/hive/warehouse"
    task = " ".join([*jvm.fast_start(), *jvm.opens(), OPENED])
    return {HIVE: {
        "hive.metastore.uris": ",".join(places),
        "hive.metastore.warehouse.dir": warehouse,
        # Hive 4 has a second place for tables that it does not manage for transactions; CDH's Hive has one.
        "hive.metastore.warehouse.external.dir": warehouse,
        "hive.execution.engine": "mr",
        "mapreduce.application.classpath": f"{libraries},/opt/hive/lib/*",
        "mapreduce.admin.map.child.java.opts": task,
        "mapreduce.admin.reduce.child.java.opts": task,
    }}  # fmt: skip


def own(service: Service, role: Role) -> dict[str, dict[str, str]]:
    """Return the properties, by file, of the metastore alone: where it listens and where its tables are."""
    if role.type != "HIVEMETASTORE":
        return {}
    database = connection(service)
    place = "{PGHOST}:{PGPORT}/{PGDATABASE}".format_map(database)
    return {HIVE: {
        "metastore.thrift.port": str(port(service, role)),
        "javax.jdo.option.ConnectionURL": f"jdbc:postgresql://{place}",
        "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
        "javax.jdo.option.ConnectionUserName": database["PGUSER"],
        "javax.jdo.option.ConnectionPassword": database["PGPASSWORD"],
    }}  # fmt: skip


def port(service: Service, role: Role) -> int:
    """Return where the metastore answers."""
    return settings.number(service, role, "hive_metastore_port", 9083)


def connection(service: Service) -> dict[str, str]:
    """Return the metastore's database as the variables of PostgreSQL's own programs."""

    def text(name: str, default: str) -> str:
        return settings.value(service, None, f"hive_metastore_database_{name}") or default

    return {
        "PGHOST": text("host", "localhost"), "PGPORT": text("port", "7432"), "PGDATABASE": text("name", "metastore"),
        "PGUSER": text("user", "hive"), "PGPASSWORD": text("password", ""),
    }  # fmt: skip


def probes(service: Service, role: Role) -> list[dict[str, Any]]:
    """Return what shows that the metastore answers: it listens when its tables are there and can be read."""
    return [{"tcp": [role.host_id, port(service, role)]}] if role.type == "HIVEMETASTORE" else []
