# SPDX-License-Identifier: Apache-2.0
"""What a node is told about its cluster: names, resolver; and what it tells: hostname, data volumes. One round trip.

A container cannot set its hostname (that takes CAP_SYS_ADMIN); the Nova driver does at creation, so it is only checked.
Its hosts, hostname and resolv.conf files are bind mounts: they are written through, never replaced.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import shlex
from typing import Any

from sahara.utils import cluster as sahara_cluster

# $1 bytes of standard input  $2 FQDN  $3 short name  $4 login user  $5 name servers  $6 prefix of volumes' mount points
_SCRIPT = r"""
set -u
text=$(mktemp) && written=$(mktemp) || exit
trap 'rm -f "$text" "$written"' EXIT
cat > "$text"
arrived=$(wc -c < "$text")
if [ "$arrived" -ne "$1" ]; then
    echo "only $arrived of $1 bytes arrived" >&2
    exit 74
fi

name=$(cat /proc/sys/kernel/hostname)
if [ "$name" != "$2" ] && [ "$name" != "$3" ]; then
    if hostname "$2" 2> /dev/null; then
        name=$2
    else
        # As an alias of the node's own line it still resolves, and `hostname -f` answers the cluster's name for it.
        awk -v fqdn="$2" -v alias="$name" '$2 == fqdn { print $0, alias; next } { print }' "$text" > "$written"
        cat "$written" > "$text"
        echo "hostname=$name"
    fi
fi
cat "$text" > /etc/hosts || exit
[ "$(cat /etc/hostname 2> /dev/null)" = "$name" ] || echo "$name" > /etc/hostname

missing=
for server in $5; do
    grep -qwF -- "$server" /etc/resolv.conf || missing="$missing $server"
done
if [ -n "$missing" ]; then
    for server in $missing; do echo "nameserver $server"; done > "$written"
    cat /etc/resolv.conf >> "$written"
    cat "$written" > /etc/resolv.conf || exit
fi

case $(getent passwd "$4") in
    *bash) ;;
    *) usermod -s /bin/bash "$4" || exit ;;
esac

if [ -n "$6" ]; then
    volumes=0
    while grep -qF -- " $6$((volumes + 1)) " /proc/self/mounts; do volumes=$((volumes + 1)); done
    echo "volumes=$volumes"
fi
"""


@dataclasses.dataclass(frozen=True)
class Report:
    """What a node answered.

    :param other_hostname: its hostname when that is neither its FQDN nor its short name and could not be set.
    :param volumes: data volumes that are mounted, None when none were asked about.
    """

    other_hostname: str | None = None
    volumes: int | None = None


def hosts_text(cluster: Any) -> str:
    """The cluster's /etc/hosts.

    Sahara's own text has ``127.0.0.1 127.0.0.1`` for a service whose endpoint is an address; such lines name nothing.
    """
    lines: dict[str, None] = {}
    for line in sahara_cluster.generate_etc_hosts(cluster).splitlines():
        words = line.split()
        if len(words) < 2 or not _is_address(words[1]):
            lines[line] = None
    return "\n".join(lines) + "\n"


def apply(instance: Any, hosts: str, name_servers: list[str]) -> Report:
    """Bring *hosts* and the rest to a node.

    :param hosts: as from ``hosts_text``; the same for all nodes.
    :param name_servers: resolvers that its resolv.conf must have.
    :raises RemoteCommandFailed: when the node could not do it.
    """
    group = instance.node_group
    data = hosts.encode()
    arguments = [
        str(len(data)),
        instance.fqdn(),
        instance.hostname(),
        group.image_username,
        " ".join(name_servers),
        group.volume_mount_prefix if group.volumes_per_node else "",
    ]
    _, output = instance.remote().execute_command(
        f"set -- {' '.join(shlex.quote(argument) for argument in arguments)}\n{_SCRIPT}", run_as_root=True, stdin=data
    )
    answers = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    volumes = answers.get("volumes")
    return Report(answers.get("hostname"), None if volumes is None else int(volumes))


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True
