# SPDX-License-Identifier: Apache-2.0
"""What this host is and what it may use: in a container that is the cgroup's limit, not the machine's."""

from __future__ import annotations

import os
import pathlib
import socket

CGROUP = pathlib.Path("/sys/fs/cgroup")


def fqdn() -> str:
    """Return the host's full name: the first name with a dot that the resolver gives for it, else its short name."""
    name = socket.gethostname()
    if "." in name:
        return name
    try:
        canonical, aliases, _ = socket.gethostbyname_ex(name)
    except OSError:
        return name
    for candidate in (canonical, *aliases):
        if candidate.split(".")[0] == name and "." in candidate:
            return candidate
    return name


def _number(path: pathlib.Path) -> int | None:
    """Return the first number in a cgroup file; None for "max", for -1 and for a file that is not there."""
    try:
        word = path.read_text(encoding="ascii").split()[0]
    except (OSError, IndexError):
        return None
    return int(word) if word.isdigit() else None


def physical_memory() -> int:
    """Return the machine's memory in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def memory_limit(cgroup: pathlib.Path = CGROUP, physical: int | None = None) -> int:
    """Return the bytes of memory that this host may use: the cgroup's limit (v2, then v1), at most the machine's."""
    total = physical_memory() if physical is None else physical
    limits = [_number(cgroup / "memory.max"), _number(cgroup / "memory" / "memory.limit_in_bytes")]
    return min([total, *(limit for limit in limits if limit is not None)])


def cores(cgroup: pathlib.Path = CGROUP, affinity: int | None = None) -> int:
    """Return the cores that this host may use, at least 1: the CPU set, cut by the cgroup's quota (v2, then v1)."""
    available = len(os.sched_getaffinity(0)) if affinity is None else affinity
    quota, period = _number(cgroup / "cpu" / "cpu.cfs_quota_us"), _number(cgroup / "cpu" / "cpu.cfs_period_us")
    try:
        first, second = (cgroup / "cpu.max").read_text(encoding="ascii").split()
        quota, period = (int(first) if first.isdigit() else None), int(second)
    except (OSError, ValueError):
        pass
    if quota and period:
        available = min(available, max(1, quota // period))
    return max(1, available)
