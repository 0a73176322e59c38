# SPDX-License-Identifier: Apache-2.0
"""HBase: where its servers and its data are, and what shows that they serve.

Ports are Cloudera Manager's for CDH 5 (60000 and so on), not HBase 2's.
"""

from __future__ import annotations

from typing import Any

from ..server.model import Cluster, Role, Service
from . import high_availability, settings
from .setting import HBASE

#: Moves a RegionServer's regions to the others, as HBase's graceful stop does.
MOVER = "org.apache.hadoop.hbase.util.RegionMover"

_MASTER_STATE = "/jmx?qry=Hadoop:service=HBase,name=Master,sub=Server"
_SERVER_STATE = "/jmx?qry=Hadoop:service=HBase,name=RegionServer,sub=Server"
_SERVER_STATE = "/jmx?qry=Hadoop:service=HBase,name=RegionServer,sub=Server"


def everywhere(cluster: Cluster, file_system: str) -> dict[str, dict[str, str]]:
    """Return the properties, by file, of HBase's servers and clients; none for a cluster without HBase.

    :param file_system: HDFS's address, ``hdfs://...``.
    """
    service = cluster.service_of("HBASE")
    if service is None:
        return {}
    return {HBASE: {
        "hbase.cluster.distributed": "true",
        "hbase.rootdir": file_system + (service.config.get("hdfs_rootdir") or "/hbase"),
        "hbase.zookeeper.quorum": high_availability.zoo_keepers(cluster),
    }}  # fmt: skip


def own(service: Service, role: Role) -> dict[str, dict[str, str]]:
    """Return the properties, by file, by which a server listens."""
    kinds = {"MASTER": "master", "REGIONSERVER": "regionserver"}
    if role.type not in kinds:
        return {}
    kind = kinds[role.type]
    return {
        HBASE: {f"hbase.{kind}.port": str(rpc_port(service, role)), f"hbase.{kind}.info.port": str(_web(service, role))}
    }


def rpc_port(service: Service, role: Role) -> int:
    """Return where a server answers clients."""
    kind, default = ("master", 60000) if role.type == "MASTER" else ("regionserver", 60020)
    return settings.number(service, role, f"hbase_{kind}_port", default)


def _web(service: Service, role: Role) -> int:
    kind, default = ("master", 60010) if role.type == "MASTER" else ("regionserver", 60030)
    return settings.number(service, role, f"hbase_{kind}_info_port", default)


def probes(service: Service, role: Role) -> list[dict[str, Any]]:
    """Return what shows that a server answers; for a RegionServer, that the active master knows it and serves."""
    if role.type == "MASTER":
        page = f"http://{role.host_id}:{_web(service, role)}{_MASTER_STATE}"
        return [{"url": page, "pattern": r'"tag\.isActiveMaster" *: *"(true|false)"'}]
    if role.type != "REGIONSERVER":
        return []
    masters = [f"{master.host_id}:{_web(service, master)}" for master in service.roles_of("MASTER")]
    name = rf"{role.host_id},{rpc_port(service, role)},"
    known = rf'(?s)"tag\.liveRegionServers" *: *"[^"]*{name}.*"masterFinishedInitializationTime" *: *[1-9]'
    return [
        {"url": f"http://{role.host_id}:{_web(service, role)}{_SERVER_STATE}", "pattern": "regionCount"},
        {"any": [{"url": f"http://{page}{_MASTER_STATE}", "pattern": known} for page in masters]},
    ]  # fmt: skip
