# SPDX-License-Identifier: Apache-2.0
"""A cluster's nodes, seen from inside: where HDFS keeps its data, and whose it is."""

from __future__ import annotations

import collections
from typing import Mapping

from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.node_facts import Facts
from sahara_docker.cli.doctor.nodes import each
from sahara_docker.cli.doctor.site import Site

_UNHEALTHY = 0.90
_GIB = 1 << 30


@check.declare(
    "nodes.data-volume",
    "whether DataNodes keep their blocks on a volume, and not in the container's copy-on-write layer",
    covers=(13, "host-disk"),
    remedy="[docker] data_path = /mnt in nova.conf, which is where Sahara puts data without Cinder's volumes; restart "
    "nova-compute, create the cluster anew",
)
def data_volume(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        mounts = {line.split()[1]: line.split()[2] for line in facts.lines("mounts")}
        for line in facts.lines("storage"):
            path = line.split()[0]
            if "DATA_NODE" in line and mounts.get(_mount_of(path, mounts)) == "overlay":
                return f"{path.partition('/current/')[0]} is in the container's own layer"
        return ""

    return each(site, trouble, "HDFS directories", "on volumes", otherwise=check.WARN)


@check.declare(
    "nodes.disk",
    "how full the nodes' disks are",
    covers=(13, "disk-threshold"),
    remedy="free space on the compute host or grow the volume; the limit of YARN is "
    "max-disk-utilization-per-disk-percentage",
)
def disk(site: Site) -> check.Result:
    def trouble(facts: Facts) -> str:
        for path, values in facts.pairs("disks").items():
            size, _, available = map(int, values.split()[:3])
            if size and available < (1 - _UNHEALTHY) * size:
                return f"{path}: {available / _GIB:.1f} of {size / _GIB:.1f} GiB left"
        return ""

    return each(site, trouble, "df", f"none is {_UNHEALTHY:.0%} full")


@check.declare(
    "nodes.agent-filesystems",
    "whether agents watch the file systems that the data lies on",
    covers=("agent-filesystems",),
    remedy="add the type to local_filesystem_whitelist in /etc/cloudera-scm-agent/config.ini and restart the agent, or "
    "put the data on a volume",
)
def agent_filesystems(site: Site) -> check.Result:
    known = {"ext2", "ext3", "ext4", "xfs", "btrfs"}

    def trouble(facts: Facts) -> str:
        listed = facts.pairs("agent-config", "=").get("local_filesystem_whitelist", "")
        allowed = known | {word.strip() for word in listed.split(",") if word.strip()}
        types = {line.split()[1]: line.split()[2] for line in facts.lines("mounts")}
        for line in facts.lines("storage"):
            place = _mount_of(line.split()[0], types)
            if types.get(place) not in allowed:
                return f"{line.split()[0]} is on {types.get(place)}, which its agent does not watch"
        return ""

    return each(
        site, trouble, "local_filesystem_whitelist", "has what the data is on", where="agent", otherwise=check.WARN
    )


def _mount_of(path: str, mounts: Mapping[str, str]) -> str:
    """The mount point that *path* lies under."""
    return max((place for place in mounts if f"{path}/".startswith(f"{place.rstrip('/')}/")), key=len, default="/")


@check.declare(
    "nodes.identity",
    "whether nodes share an agent's identity or a DataNode's storage",
    covers=("cloned-identity",),
    remedy="on each but one of them: stop the agent, remove /var/lib/cloudera-scm-agent/uuid and the DataNode's "
    "current directory, start it again; remove both from the image",
)
def identity(site: Site) -> check.Result:
    owners: dict[str, list[str]] = collections.defaultdict(list)
    for node, facts in site.facts.items():
        if facts.text("agent-uuid"):
            owners[f"agent uuid {facts.text('agent-uuid')}"].append(node.name)
        for line in facts.lines("storage"):
            for word in line.split():
                if word.startswith(("datanodeUuid=", "storageID=")) and "DATA_NODE" in line:
                    owners[word].append(node.name)
    wrong = {what: f"on {', '.join(sorted(set(names)))}" for what, names in owners.items() if len(set(names)) > 1}
    return check.findings(wrong, f"agent uuid and DataNode storage of {len(site.facts)} nodes", "each its own")


@check.declare(
    "nodes.cluster-id",
    "whether all data belongs to the NameNode's file system",
    covers=("cluster-id",),
    remedy="keep the NameNode's and the DataNodes' directories together; where a DataNode's blocks are not needed, "
    "remove its current directory and start it again",
)
def cluster_id(site: Site) -> check.Result:
    ids: dict[str, list[str]] = collections.defaultdict(list)
    for node, facts in site.facts.items():
        for line in facts.lines("storage"):
            for word in line.split():
                if word.startswith("clusterID="):
                    ids[word[len("clusterID=") :]].append(f"{node.name}:{line.split()[0]}")
    if not ids:
        raise check.NotHere("no HDFS directory on the nodes in reach")
    most = max(ids, key=lambda one: len(ids[one]))
    wrong = {place: f"{one}, the others have {most}" for one, places in ids.items() if one != most for place in places}
    return check.findings(wrong, "clusterID of VERSION files", most)
