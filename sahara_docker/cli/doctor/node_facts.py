# SPDX-License-Identifier: Apache-2.0
"""What a cluster's nodes say of themselves: one script in each node, all nodes at once, nothing changed on them."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import Mapping, Sequence

from sahara_docker import exceptions
from sahara_docker.cli import cluster, daemon
from sahara_docker.cli.doctor import check

SSH_PORT = 22
#: A node tries to reach every other one of a small cluster, and so many of a large one.
MOST_PEERS = 12
_WORKERS = 16

# $1 login user of the image; the other arguments are "address=name" of peers to reach and to look up.
SCRIPT = r"""
user=$1; shift
exec 2>/dev/null
section() { printf '@@ %s\n' "$1"; }
# Where Sahara's plugins keep data: without Cinder's volumes in /mnt.
places=$(ls -d /mnt /data* /dfs* /volumes/disk*)
state() { service "$1" status >/dev/null && echo runs || echo down; }
section hostname; cat /proc/sys/kernel/hostname
section fqdn; hostname -f 2>&1
section hosts; cat /etc/hosts
section hosts-write; { : >>/etc/hosts; } 2>&1 && echo writable
section mounts; cat /proc/self/mounts
section init; cat /proc/1/comm
section limits; grep -E '^Max (open files|processes)' /proc/1/limits
section limits.d; grep -hvE '^[[:space:]]*(#|$)' /etc/security/limits.conf /etc/security/limits.d/*.conf
section session; timeout 10 su -s /bin/sh - "$user" -c true 2>&1 </dev/null && echo opens
section sudo; timeout 10 su -s /bin/sh - "$user" -c 'sudo -n true' 2>&1 </dev/null && echo works
section password
passwd=$(getent shadow "$user" | cut -d: -f2)
case $passwd in '' | '!'* | '*'*) echo none ;; *) echo set ;; esac
if [ -e /etc/init.d/cloudera-scm-agent ]; then
    section agent; state cloudera-scm-agent
    section agent-log; tail -n 3 /var/log/cloudera-scm-agent/cloudera-scm-agent.log 2>&1
    section agent-tmpfs
    grep -hiE 'cm_processes' /var/log/cloudera-scm-agent/*.log | grep -iE 'denied|permit|fail|error' | tail -n 1
    section agent-config; grep -E '^[a-z_]+ *=' /etc/cloudera-scm-agent/config.ini
    section agent-uuid; cat /var/lib/cloudera-scm-agent/uuid
    section supervisors; pgrep -c supervisord
fi
if [ -e /etc/init.d/cloudera-scm-server-db ]; then section database; state cloudera-scm-server-db; fi
section disks
for path in / $places; do
    [ -d "$path" ] && printf '%s %s\n' "$path" "$(df -P -B1 "$path" | awk 'NR == 2 { print $2, $3, $4, $1 }')"
done
section storage
find $places -maxdepth 5 -path '*/current/VERSION' -not -path '*/BP-*' | while read -r file; do
    printf '%s %s\n' "$file" "$(grep -E '^(clusterID|datanodeUuid|storageID|storageType)=' "$file" | tr '\n' ' ')"
done
section zombies; cat /proc/[0-9]*/stat | grep -cE '^[0-9]+ \(.*\) Z '
section clock; date +%s
section time-services; cat /proc/[0-9]*/comm | grep -xE 'ntpd|chronyd|systemd-timesyn'
section memory; cat /sys/fs/cgroup/memory/memory.limit_in_bytes || cat /sys/fs/cgroup/memory.max
section addresses; cat /proc/net/fib_trie | awk '/32 host LOCAL/ { print last } { last = $2 }' | sort -u
section executor
grep -hA1 'yarn.nodemanager.container-executor.class' /run/cloudera-scm-agent/process/*NODEMANAGER/yarn-site.xml \
    /etc/hadoop/conf/yarn-site.xml | grep -o '<value>[^<]*' | cut -c8- | tail -n 1
section proxy; grep -iE '^(http_proxy|no_proxy)=' /etc/environment
section swift
ls /usr/lib/hadoop-mapreduce/hadoop-openstack*.jar /usr/lib/hadoop/lib/hadoop-openstack*.jar \
    /opt/hadoop/lib/hadoop-openstack*.jar
section reverse
for peer in "$@"; do echo "${peer%%=*} $(getent hosts "${peer%%=*}" | awk '{ print $2; exit }')"; done
section reach
for peer in "$@"; do
    {
        said=$(timeout 4 bash -c "exec 3<>/dev/tcp/${peer#*=}/22 && head -c 3 <&3" 2>&1 | tail -n 1)
        echo "${peer#*=} ${said:-no answer within 4 s}"
    } &
done
wait
"""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What one node said, by section of the script.

    :param fqdn: the full name that the node is meant to have.
    :param peers: full names of the nodes that it tried to reach, by address.
    """

    fqdn: str
    peers: Mapping[str, str]
    sections: Mapping[str, str]

    def text(self, section: str) -> str:
        """A section's text, empty when the node has no such thing."""
        return self.sections.get(section, "")

    def lines(self, section: str) -> list[str]:
        """A section's lines."""
        return self.text(section).splitlines()

    def pairs(self, section: str, separator: str | None = None) -> dict[str, str]:
        """A section whose lines are a name, a separator and a value."""
        rows = (line.split(separator, 1) for line in self.lines(section))
        return {row[0].strip(): row[1].strip() if len(row) > 1 else "" for row in rows}

    def has(self, section: str) -> bool:
        """Whether the node has what the section is about."""
        return section in self.sections


def parse(output: str) -> dict[str, str]:
    """Split the script's output into its sections."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output.splitlines():
        if line.startswith("@@ "):
            current = sections.setdefault(line[3:], [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in sections.items()}


def peers_of(index: int, names: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the peers that node number *index* tries: all others, or the next :data:`MOST_PEERS` around the ring."""
    others = [*names[index + 1 :], *names[:index]]
    return dict(others[:MOST_PEERS])


def collect(
    nodes: Sequence[cluster.Node],
    places: Mapping[str, tuple[daemon.Daemon, daemon.Instance]],
    *,
    user: str,
    domain: str,
) -> dict[cluster.Node, Facts]:
    """Ask all *nodes* that are instances on one of the Docker daemons.

    :param places: daemon and instance by Nova's id.
    :param user: login user of the image.
    :param domain: what comes after the nodes' short names.
    :raises check.NotHere: none of them is there and runs.
    :raises SaharaDockerError: a daemon refuses.
    """
    reachable = [
        node for node in nodes if node.instance_id in places and places[node.instance_id][1].runs and node.address
    ]
    if not reachable:
        raise check.NotHere("none of the cluster's nodes runs on a Docker daemon in reach: run this on a compute host")
    names = [(node.internal_address, f"{node.name}.{domain}") for node in nodes if node.internal_address]

    def ask(node: cluster.Node) -> Facts:
        own = f"{node.name}.{domain}"
        peers = peers_of(next(i for i, (_, name) in enumerate(names) if name == own), names)
        where, instance = places[node.instance_id]
        arguments = [f"{address}={name}" for address, name in peers.items()]
        _, output = where.run_in(instance.workload["Id"], ["bash", "-c", SCRIPT, "doctor", user, *arguments])
        if "@@ reach" not in output:
            raise exceptions.SaharaDockerError(
                "the node does not tell about itself", where=str(node), observed=output.strip()[-200:] or "no output",
                remedy="the image needs bash and the usual commands of a Linux distribution",
            )  # fmt: skip
        return Facts(own, peers, parse(output))

    with concurrent.futures.ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(reachable, pool.map(ask, reachable)))
