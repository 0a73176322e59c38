# SPDX-License-Identifier: Apache-2.0
"""Cloudera Manager of a cluster, and what it says of hosts, services and commands."""

from __future__ import annotations

import datetime
import json
from typing import Any

from sahara_docker import exceptions
from sahara_docker.cli import cloudera, ports
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_OLDEST_HEARTBEAT = 60  # seconds; agents report every 15
_LONGEST_COMMAND = 1800
_RESERVED = "dfs_datanode_du_reserved"
_ILL = ("BAD", "CONCERNING")


@check.declare(
    "manager.port",
    "whether Cloudera Manager's port is open from here",
    covers=(10,),
    remedy="let tcp/7180 in: openstack security group rule create --protocol tcp --dst-port 7180 GROUP; iptables -S",
)
def port(site: Site) -> check.Result:
    node = site.cluster.manager
    if node is None or not node.address:
        raise check.NotHere("the cluster has no node for Cloudera Manager yet")
    state = ports.probe(node.address, cloudera.PORT)
    remedy = ""
    if state == ports.REFUSED:
        remedy = (
            f"it does not run: on {node.name}: sudo service cloudera-scm-server start; /var/log/cloudera-scm-server"
        )
    return check.judge(state == ports.OPEN, f"{node.address}:{cloudera.PORT}", state, remedy=remedy)


@check.declare(
    "manager.echo",
    "whether Cloudera Manager answers, which is more than an open port",
    covers=(9, 11),
    remedy="it is starting, or its database is gone: see nodes.database; curl http://HOST:7180/api/v8/tools/echo?message=x",
)
def echo(site: Site) -> check.Result:
    manager = cloudera.of_cluster(site.cluster)
    if manager is None:
        raise check.NotHere("the cluster has no node for Cloudera Manager yet")
    answer = manager.get("tools/echo", message="doctor")
    version = manager.get("cm/version").get("version", "")
    return check.judge(answer.get("message") == "doctor", f"{manager.url}/tools/echo", f"answers, version {version}")


@check.declare(
    "manager.agents",
    "whether every node's agent reports to Cloudera Manager",
    covers=(15,),
    remedy="on the node: sudo service cloudera-scm-agent restart; server_host in /etc/cloudera-scm-agent/config.ini",
)
def agents(site: Site) -> check.Result:
    known = {host["hostname"]: host for host in site.manager.items("hosts", view="full")}
    wrong = {}
    for node in site.cluster.nodes:
        host = known.get(f"{node.name}.{site.node_domain}")
        if host is None:
            wrong[node.name] = "Cloudera Manager does not know it"
            continue
        age = _age(host.get("lastHeartbeat"))
        if age is None or age > _OLDEST_HEARTBEAT:
            wrong[node.name] = f"last heard of {'never' if age is None else f'{age:.0f} s ago'}"
        elif host.get("ipAddress") != node.internal_address:
            wrong[node.name] = f"known as {host.get('ipAddress')}, not {node.internal_address}"
    return check.findings(wrong, f"hosts of Cloudera Manager, {len(site.cluster.nodes)} nodes", "all report")


def _age(text: str | None) -> float | None:
    """Seconds since one of Cloudera Manager's dates; None for no date."""
    if not text:
        return None
    then = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return (datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()


@check.declare(
    "manager.services",
    "whether services and roles are started and healthy",
    covers=(11, 12),
    remedy="open Cloudera Manager on the role that is named, read its log, restart it",
)
def services(site: Site) -> check.Result:
    wrong = {}
    for service, roles in site.services.values():
        if service.get("healthSummary") in _ILL or service.get("serviceState") not in ("STARTED", "NA"):
            wrong[service["name"]] = f"{service.get('serviceState')}, health {service.get('healthSummary')}"
        for role in roles:
            if role.get("healthSummary") in _ILL or role.get("roleState") not in ("STARTED", "NA", None):
                wrong[role["name"]] = f"{role.get('roleState')}, health {role.get('healthSummary')}"
    return check.findings(wrong, "services and roles", "started and healthy", otherwise=check.WARN)


@check.declare(
    "manager.commands",
    "commands that Cloudera Manager does not get done",
    covers=(11,),
    remedy="open the command in Cloudera Manager: it names the host and the log; abort it there. Sahara waits as "
    "long as the cluster config Timeout for Cloudera Manager commands says",
)
def commands(site: Site) -> check.Result:
    path = ("clusters", site.cluster.name)
    active = site.manager.items(*path, "commands")
    for name, (_, roles) in site.services.items():
        active += site.manager.items(*path, "services", name, "commands")
        for role in roles:
            active += site.manager.items(*path, "services", name, "roles", role["name"], "commands")
    wrong = {}
    for one in active:
        age = _age(one.get("startTime"))
        if one.get("active") and age is not None and age > _LONGEST_COMMAND:
            wrong[one["name"]] = f"in work for {age:.0f} s"
    return check.findings(wrong, "active commands", f"{len(active)} in work", otherwise=check.WARN)


@check.declare(
    "manager.datanodes",
    "whether HDFS has every DataNode, with room on it",
    covers=(13, "ptr", "host-disk"),
    remedy="the NameNode's log tells why it rejects one; capacity 0: the reserved space is larger than the volume",
)
def datanodes(site: Site) -> check.Result:
    nodes = site.cluster.with_process("HDFS_DATANODE")
    masters = site.cluster.with_process("HDFS_NAMENODE")
    if not nodes or not masters:
        raise check.NotHere("the cluster has no HDFS")
    live = _live_datanodes(masters[0].address)
    by_name = {name.rpartition(":")[0]: entry for name, entry in live.items()}
    wrong, full = {}, []
    for node in nodes:
        entry = by_name.get(f"{node.name}.{site.node_domain}")
        if entry is None:
            wrong[node.name] = "the NameNode does not have it"
        elif not entry["capacity"] or not entry["remaining"]:
            wrong[node.name] = f"capacity {entry['capacity']}, remaining {entry['remaining']}"
        full.append(entry)
    total = sum(entry["capacity"] for entry in full if entry)
    return check.findings(wrong, f"NameNode's list of {len(nodes)} DataNodes", f"all live, {total >> 30} GiB in all")


def _live_datanodes(address: str) -> dict[str, dict[str, Any]]:
    beans = _ask(f"http://{address}:50070/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo", "NameNode")["beans"]
    return json.loads(beans[0]["LiveNodes"]) if beans else {}


def _ask(url: str, who: str) -> Any:
    """Return the JSON that a daemon of the cluster answers; the proxy of this machine never comes between.

    :raises SaharaDockerError: it does not answer.
    """
    import requests

    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=10).json()
    except (requests.RequestException, ValueError) as error:
        raise exceptions.SaharaDockerError(
            f"the {who} does not answer", where=url.partition("?")[0], observed=type(error).__name__
        ) from error


@check.declare(
    "manager.capacity",
    "whether DataNodes promise more than their flavors have",
    covers=("host-disk",),
    remedy="give nodes a volume of their own size: Cinder's volumes_per_node, or a sized data volume of the driver",
)
def capacity(site: Site) -> check.Result:
    wrong = {}
    nodes = {f"{node.name}.{site.node_domain}": node for node in site.cluster.with_process("HDFS_DATANODE")}
    masters = site.cluster.with_process("HDFS_NAMENODE")
    if not nodes or not masters:
        raise check.NotHere("the cluster has no HDFS")
    groups = {group["name"]: group for group in site.cluster.document["node_groups"]}
    for name, entry in _live_datanodes(masters[0].address).items():
        node = nodes.get(name.rpartition(":")[0])
        if node is None:
            continue
        group, flavor = groups[node.group], site.flavors.get(node.flavor_id, {})
        promised = group["volumes_per_node"] * group["volumes_size"] if group["volumes_per_node"] else (
            flavor.get("OS-FLV-EXT-DATA:ephemeral") or flavor.get("disk", 0)
        )  # fmt: skip
        if promised and entry["capacity"] > promised << 30:
            wrong[node.name] = f"{entry['capacity'] >> 30} GiB, it was promised {promised}"
    return check.findings(wrong, "NameNode's list of DataNodes", "no more than promised", otherwise=check.WARN)


@check.declare(
    "manager.reserved",
    "the reserved space that Cloudera Manager has for DataNodes",
    covers=(13,),
    remedy=f"lower {_RESERVED} of the DataNode in Cloudera Manager, restart the DataNode",
)
def reserved(site: Site) -> check.Result:
    wrong, found = {}, 0
    for service, roles in site.services.values():
        for role in roles:
            if role["type"] != "DATANODE":
                continue
            found += 1
            node = next(
                (one for one in site.cluster.nodes if role["hostRef"]["hostId"].startswith(f"{one.name}.")), None
            )
            flavor = site.flavors.get(node.flavor_id, {}) if node else {}
            settings = site.manager.items(
                "clusters", site.cluster.name, "services", service["name"], "roles", role["name"], "config"
            )
            value = next((int(one["value"]) for one in settings if one["name"] == _RESERVED), 10 << 30)
            if flavor.get("disk") and value >= flavor["disk"] << 30:
                wrong[role["name"]] = f"{value / (1 << 30):.1f} GiB of {flavor['disk']} GiB"
    if not found:
        raise check.NotHere("Cloudera Manager has no DataNode yet")
    return check.findings(wrong, f"{_RESERVED} of {found} DataNodes", "room is left")


@check.declare(
    "manager.nodemanagers",
    "whether YARN has every NodeManager, healthy, with no more memory than its flavor",
    covers=("memory", "disk-threshold"),
    remedy="unhealthy: free disk space; too much memory: lower yarn_nodemanager_resource_memory_mb",
)
def nodemanagers(site: Site) -> check.Result:
    nodes = site.cluster.with_process("YARN_NODEMANAGER")
    masters = site.cluster.with_process("YARN_RESOURCEMANAGER")
    if not nodes or not masters:
        raise check.NotHere("the cluster has no YARN")
    answer = _ask(f"http://{masters[0].address}:8088/ws/v1/cluster/nodes", "ResourceManager")
    known = (answer.get("nodes") or {}).get("node", [])
    by_name = {one["nodeHostName"]: one for one in known if one["state"] not in ("LOST", "DECOMMISSIONED", "SHUTDOWN")}
    wrong = {}
    for node in nodes:
        one = by_name.get(f"{node.name}.{site.node_domain}")
        ram = site.flavors.get(node.flavor_id, {}).get("ram", 0)
        if one is None:
            wrong[node.name] = "the ResourceManager does not have it"
        elif one["state"] != "RUNNING":
            wrong[node.name] = f"{one['state']}: {one.get('healthReport')}"
        elif ram and one["usedMemoryMB"] + one["availMemoryMB"] > ram:
            wrong[node.name] = f"promises {one['usedMemoryMB'] + one['availMemoryMB']} MiB, its flavor has {ram}"
    return check.findings(
        wrong, f"ResourceManager's list of {len(nodes)} NodeManagers", "all there, within their flavors"
    )
