# SPDX-License-Identifier: Apache-2.0
"""A cluster's nodes, seen from inside: names, addresses and whether they reach each other."""

from __future__ import annotations

import time
from typing import Any, Callable

from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.node_facts import Facts
from sahara_docker.cli.doctor.site import Site

_MOST_CLOCK_DIFFERENCE = 5  # seconds


def each(
    site: Site, trouble: Callable[[Facts], str], what: str, fine: str, *, where: str = "", **more: Any
) -> check.Result:
    """Ask *trouble* about each node that has the section *where*; an empty answer means that it is well."""
    found = {node: facts for node, facts in site.facts.items() if not where or facts.has(where)}
    if not found:
        raise check.NotHere(f"no node in reach has {what}")
    wrong = {node.name: words for node, facts in found.items() if (words := trouble(facts))}
    hidden = len(site.cluster.nodes) - len(site.facts)
    elsewhere = f" ({hidden} on other compute hosts: run this there too)" if hidden else ""
    return check.findings(wrong, f"{what} of {len(found)} nodes{elsewhere}", fine, **more)


@check.declare(
    "nodes.hostname",
    "whether nodes know their own names",
    covers=(4, "ptr"),
    remedy="the Nova driver sets it when it makes the container: create the cluster anew with this release of it",
)
def hostname(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        if facts.text("hostname") not in (facts.fqdn, facts.fqdn.partition(".")[0]):
            return f"its hostname is {facts.text('hostname')}"
        return "" if facts.text("fqdn") == facts.fqdn else f"hostname -f says {facts.text('fqdn')!r}"

    return each(site, trouble, "hostname -f", "right")


@check.declare(
    "nodes.hosts-file",
    "whether every node's /etc/hosts can be written and has every node",
    covers=(5, 6, 7),
    remedy="scale the cluster, which writes it anew; or append the line with cat >> (not mv: the file is a mount)",
)
def hosts_file(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        if facts.text("hosts-write") != "writable":
            return facts.text("hosts-write") or "cannot be written"
        lines = [line.split() for line in facts.lines("hosts")]
        missing = [n for a, n in facts.peers.items() if not any(line[:1] == [a] and n in line for line in lines)]
        return f"lacks {', '.join(missing[:3])}" if missing else ""

    return each(site, trouble, "/etc/hosts", "complete and writable")


@check.declare(
    "nodes.reverse-names",
    "whether each node's address leads back to its name, as the NameNode wants",
    covers=("ptr",),
    remedy="correct the node's line in /etc/hosts, the full name first; as a last resort set "
    "dfs.namenode.datanode.registration.ip-hostname-check = false",
)
def reverse_names(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        seen = facts.pairs("reverse")
        wrong = [f"{a} is {seen.get(a) or 'unknown'}" for a, name in facts.peers.items() if seen.get(a) != name]
        return ", ".join(wrong[:3])

    return each(site, trouble, "getent hosts ADDRESS", "full names")


@check.declare(
    "nodes.reach",
    "whether nodes reach each other by name",
    covers=(7,),
    remedy="look at network.bridge-filter and the security group: its members must be let in from each other",
)
def reach(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        seen = facts.pairs("reach")
        wrong = [f"{n}: {seen.get(n, 'not tried')}" for n in facts.peers.values() if seen.get(n) != "SSH"]
        return ", ".join(wrong[:3])

    return each(site, trouble, "port 22 of the others", "all answer")


@check.declare(
    "nodes.clock",
    "whether nodes have the same time as this host, and leave it to their hosts",
    covers=("clock",),
    remedy='keep the compute host\'s clock right; cluster config general / "Enable NTP service": false',
)
def clock(site: Site) -> check.Result:
    now = time.time()  # the nodes were asked some seconds ago at most

    def trouble(facts: Facts) -> str:
        if facts.text("time-services"):
            return f"runs {facts.text('time-services')}, which may not set the clock"
        difference = int(facts.text("clock") or 0) - now
        return f"{difference:+.0f} s from here" if abs(difference) > 30 + _MOST_CLOCK_DIFFERENCE else ""

    return each(site, trouble, "date", "as here", otherwise=check.WARN)


@check.declare(
    "nodes.addresses",
    "whether nodes have the addresses that Sahara knows",
    covers=("addresses",),
    remedy="openstack server reboot --hard SERVER; an address of Neutron stays with its port",
)
def addresses(site: Site) -> check.Result:
    wrong = {}
    for node, facts in site.facts.items():
        own = [line for line in facts.lines("addresses") if not line.startswith("127.")]
        if node.internal_address not in own:
            wrong[node.name] = f"Sahara knows {node.internal_address}, it has {', '.join(own) or 'none'}"
    return check.findings(wrong, f"addresses of {len(site.facts)} nodes", "as Sahara knows them")


@check.declare(
    "nodes.proxy",
    "whether nodes with a proxy reach each other without it",
    covers=(7, 11),
    remedy='set the cluster config "No proxy", or scale the cluster, which brings every node to no_proxy',
)
def proxy(site: Site) -> check.Result:
    names = [f"{node.name}.{site.node_domain}" for node in site.cluster.nodes]

    def trouble(facts: Facts) -> str:
        values = {name.lower(): value.strip('"') for name, value in facts.pairs("proxy", "=").items()}
        direct = values.get("no_proxy", "").split(",")
        missing = [name for name in names if name not in direct]
        return f"no_proxy lacks {', '.join(missing[:3])}" if values.get("http_proxy") and missing else ""

    return each(site, trouble, "/etc/environment", "no proxy, or no_proxy has every node")
