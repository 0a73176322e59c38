# SPDX-License-Identifier: Apache-2.0
"""Files of /proc and /sys that tell an instance about itself and not about the host, where the host has lxcfs.

lxcfs is a FUSE file system; each file answers by the control group of the process that reads it.
"""

from __future__ import annotations

import os

# Without slabinfo, which not every runtime lets be covered. "online" is where the C library counts CPUs.
_FILES = (
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/sys/devices/system/cpu/online",
)


def files(lxcfs_path: str) -> dict[str, str]:
    """Return path in an instance -> path on the host; {} when no lxcfs is mounted at *lxcfs_path*."""
    if not lxcfs_path or not os.path.ismount(lxcfs_path):
        return {}
    return {file: lxcfs_path + file for file in _FILES if os.path.exists(lxcfs_path + file)}
