# SPDX-License-Identifier: Apache-2.0
"""How much of a DataNode's volume stays free of HDFS.

The stock plugin leaves CDH's default of 10 GiB, which is all of a container's 10 GiB disk, so that HDFS has no room.
"""

from __future__ import annotations

import shlex
from typing import Any

from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import user_values

RESERVED = "dfs_datanode_du_reserved"
GIB = 1024**3
SHARE = 0.05
# CDH's own default: right for the disks it was made for, never exceeded on larger ones.
MOST_RESERVED = 10 * GIB
# What a 10 GiB volume gets; shown as the default in place of the 10 GiB.
SHOWN_DEFAULT = GIB // 2


def reserved_for(volume: int) -> int:
    """Return the bytes to reserve on a volume of *volume* bytes when the user has not said."""
    return min(int(volume * SHARE), MOST_RESERVED)


def check_reserved(reserved: Any, volume: int, where: str) -> None:
    """Check a reserved space that the user has set.

    :raises InvalidConfig: when it is no number of bytes or leaves nothing of the volume.
    """
    size = user_values.check_number(RESERVED, reserved, least=0, where=where)
    if size >= volume:
        raise user_values.InvalidConfig(
            f"{RESERVED} leaves HDFS no room",
            where=where,
            observed=f"{size} bytes reserved on a volume of {volume}",
            remedy="lower it, or leave it out and the plugin derives it from the volume",
        )


def promised_volume(node_group: Any) -> int:
    """Return the bytes that each volume of a node group's nodes was asked to have, or 0 when nothing says."""
    if node_group.volumes_per_node:
        return node_group.volumes_size * GIB
    flavor = plugin_utils.get_flavor(id=node_group.flavor_id)
    return (getattr(flavor, "OS-FLV-EXT-DATA:ephemeral", 0) or flavor.disk) * GIB


def smallest_volume(instance: Any, remote: Any) -> int:
    """Return the size in bytes of the smallest file system under a node's data directories.

    Inside a container ``df`` shows the host's whole disk unless a sized volume is mounted, so the size that Nova or
    Cinder has promised bounds it.

    :param remote: an open remote of *instance*.
    """
    sizes = [_file_system_size(remote, path) for path in instance.storage_paths()]
    promised = promised_volume(instance.node_group)
    return min([*sizes, promised]) if promised else min(sizes)


def _file_system_size(remote: Any, path: str) -> int:
    # The directory itself appears only when the DataNode first starts.
    script = 'p=$1; while [ ! -e "$p" ]; do p=$(dirname "$p"); done; df -P -B1 "$p"'
    _, output = remote.execute_command(f"sh -c {shlex.quote(script)} df {shlex.quote(path)}")
    try:
        return int(output.splitlines()[-1].split()[1])
    except (IndexError, ValueError):
        raise exceptions.SaharaDockerError(
            "cannot read the size of a data volume", where=path, observed=output.strip() or "no output from df"
        ) from None
