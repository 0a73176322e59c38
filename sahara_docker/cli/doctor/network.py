# SPDX-License-Identifier: Apache-2.0
"""Filters, proxies and ports between this host and a cluster's nodes, and between the nodes."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import subprocess
import urllib.parse
from typing import Any

from sahara_docker.cli import cluster, ports
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_BRIDGE_FILTER = "/proc/sys/net/bridge/bridge-nf-call-iptables"
_DATA_PORT = 50010


@check.declare(
    "network.bridge-filter",
    "whether Docker's firewall drops what instances send each other over a Linux bridge",
    covers=(7, 10),
    remedy="iptables -I FORWARD -i BRIDGE -o BRIDGE -j ACCEPT, and keep that rule over reboots",
)
def bridge_filter(site: Site) -> check.Result:
    if not site.host.exists(_BRIDGE_FILTER) or site.host.read(_BRIDGE_FILTER) == "0":
        return check.Result(check.OK, "bridge-nf-call-iptables", "bridged frames do not pass iptables")
    bridges = _bridges_of_instances(site)
    if not bridges:
        raise check.NotHere("no instance of this host is connected to a Linux bridge")
    rules = _forward_rules()
    if "-P FORWARD DROP" not in rules:
        return check.Result(check.OK, "iptables -S FORWARD", "the policy is not DROP")
    wrong = {
        name: "bridged frames pass iptables, the policy of FORWARD is DROP, and no rule lets this bridge through"
        for name in bridges
        if not any(f"-i {name}" in rule and f"-o {name}" in rule and "-j ACCEPT" in rule for rule in rules)
    }
    remedy = "; ".join(f"iptables -I FORWARD -i {name} -o {name} -j ACCEPT" for name in wrong)
    return check.findings(
        wrong, "iptables -S FORWARD", f"a rule lets {', '.join(sorted(bridges))} through", remedy=remedy
    )


def _bridges_of_instances(site: Site) -> set[str]:
    """Linux bridges with a port that os-vif or the driver named after a port of Neutron."""
    found = set()
    for port in site.host.path("/sys/class/net").glob("tap*/brport/bridge"):
        found.add(port.resolve().name)
    return found


def _forward_rules() -> list[str]:
    """Rules of iptables' FORWARD chain.

    :raises check.NotHere: they cannot be read.
    """
    if not shutil.which("iptables"):
        raise check.NotHere("this host has no iptables")
    done = subprocess.run(
        ["iptables", "-w", "2", "-S", "FORWARD"], capture_output=True, text=True, timeout=10, check=False
    )
    if done.returncode:
        raise check.NotHere(f"the rules of iptables are for root to read: {done.stderr.strip().splitlines()[0]}")
    return done.stdout.splitlines()


@check.declare(
    "network.proxy-environment",
    "whether this shell's proxy comes between it and the cloud or a cluster",
    covers=(7, 11),
    remedy="add those hosts to no_proxy",
)
def proxy_environment(site: Site) -> check.Result:
    import requests.utils

    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    if not any(site.environ.get(name) for name in names):
        return check.Result(check.OK, "environment", "no proxy")
    direct = site.environ.get("no_proxy") or site.environ.get("NO_PROXY") or ""
    targets = {"Keystone": urllib.parse.urlsplit(site.environ.get("OS_AUTH_URL", "")).hostname}
    with contextlib.suppress(check.NotHere):
        targets.update({str(node): node.address for node in site.cluster.nodes})
    wrong = {
        label: f"{host} is asked through the proxy"
        for label, host in targets.items()
        if host and not requests.utils.should_bypass_proxies(f"http://{host}/", no_proxy=direct)
    }
    return check.findings(wrong, "no_proxy", "leaves out the cloud and the cluster", otherwise=check.WARN)


@check.declare(
    "network.ports",
    "ports of every process of the cluster, as seen from here",
    covers=(12, 10),
    remedy="open the port in the node's security group: openstack security group rule create --dst-port PORT GROUP",
)
def open_ports(site: Site) -> check.Result:
    nodes = [node for node in site.cluster.nodes if node.address]
    if not nodes:
        raise check.NotHere(f"the cluster is {site.cluster.status} and has no addresses yet")
    found = ports.probe_all((node.address, port) for node in nodes for port in ports.of_processes(node.processes))
    wrong, remedies = {}, []
    enforced = _groups_are_enforced(site, nodes, found)
    for node in nodes:
        closed = {port: found[node.address, port] for port in ports.of_processes(node.processes)}
        closed = {port: state for port, state in closed.items() if state != ports.OPEN}
        if closed:
            wrong[str(node)] = ", ".join(f"{port} {state}" for port, state in closed.items())
            remedies.append(_reason(site, node, closed, enforced))
    remedy = remedies[0] if remedies else ""
    return check.findings(wrong, f"{len(found)} ports of {len(nodes)} nodes", "all open", remedy=remedy)


def _groups_are_enforced(site: Site, nodes: list[cluster.Node], found: dict[tuple[str, int], str]) -> bool:
    """Whether security groups mean anything here: not where a port is open that none of them lets in."""
    if all(state == ports.OPEN for state in found.values()):
        return True  # nobody will ask
    seen = next((n for n in nodes if found[n.address, ports.SSH] == ports.OPEN), None)
    return seen is None or _admitted(site, seen, ports.SSH)


def _reason(site: Site, node: cluster.Node, closed: dict[int, str], enforced: bool) -> str:
    """What most likely closes a node's ports, and what to do about it."""
    if ports.REFUSED in closed.values():
        first = next(port for port, state in closed.items() if state == ports.REFUSED)
        process = next((name for name in node.processes if first in ports.PORTS.get(name, ())), "sshd")
        return f"nothing listens on {first}: Cloudera Manager tells why {process} does not run on {node.name}"
    blocked = [port for port in closed if enforced and not _admitted(site, node, port)]
    if blocked:
        return (
            f"no rule of the security groups of {node.name} lets tcp/{blocked[0]} in: "
            f"openstack security group rule create --protocol tcp --dst-port {blocked[0]} GROUP"
        )
    if set(closed) >= set(ports.of_processes(node.processes)):
        return f"{node.name} does not answer at all: openstack server show {node.instance_id}; is there a route to it?"
    return "a filter between here and the node drops it: look at iptables -S on the compute host"


def _admitted(site: Site, node: cluster.Node, port: int) -> bool:
    """Whether a security group of the node lets TCP from anywhere in; also when that cannot be known."""
    entries = site.cloud.get("network", f"/ports?device_id={node.instance_id}")["ports"]
    if not entries or not all(entry.get("port_security_enabled", True) for entry in entries):
        return True
    groups = {group for entry in entries for group in entry["security_groups"]}
    rules: list[dict[str, Any]] = []
    for group in groups:
        rules += site.cloud.get("network", f"/security-group-rules?security_group_id={group}")["security_group_rules"]
    return any(
        rule["direction"] == "ingress"
        and rule["protocol"] in (None, "tcp", "6")
        and rule["remote_group_id"] is None
        and (rule["port_range_min"] or 0) <= port <= (rule["port_range_max"] or 65535)
        and ipaddress.ip_network(rule["remote_ip_prefix"] or "0.0.0.0/0").prefixlen == 0
        for rule in rules
    )


@check.declare(
    "network.datanode-address",
    "whether a client here reaches DataNodes under the addresses that the NameNode gives it",
    covers=("datanode-address",),
    remedy="set dfs_client_use_datanode_hostname in the client's HDFS configuration, and let the names resolve there",
)
def datanode_address(site: Site) -> check.Result:
    nodes = site.cluster.with_process("HDFS_DATANODE")
    if not nodes:
        raise check.NotHere("the cluster has no DataNode")
    found = ports.probe_all((node.internal_address, _DATA_PORT) for node in nodes if node.internal_address)
    wrong = {f"{address}:{port}": state for (address, port), state in found.items() if state != ports.OPEN}
    return check.findings(
        wrong, f"internal addresses of {len(nodes)} DataNodes", "reachable from here", otherwise=check.WARN
    )
