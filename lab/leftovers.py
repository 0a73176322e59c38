# SPDX-License-Identifier: Apache-2.0
"""Processes of this lab that lost their parent: found by the variable that the lab gives to all it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from lab import settings

#: Seconds for a Docker daemon to end its containers, which get ten each, side by side.
DAEMON_PATIENCE = 15.0


def find(lab: settings.Lab, kind: str = settings.MARK) -> list[int]:
    """Process ids that carry this lab's mark of that *kind*, less the caller and its ancestors."""
    mark = f"{kind}={lab.state}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in _ancestry():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return sorted(found)


def running_labs() -> dict[str, Path]:
    """The labs of this machine that a process carries the mark of: their state directories by their hosts' names."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                for variable in (entry / "environ").read_bytes().split(b"\0"):
                    name, _, value = variable.partition(b"=")
                    if name == settings.MARK.encode():
                        lab = settings.Lab(Path(os.fsdecode(value)))
                        found[lab.host] = lab.state
    return found


def _ancestry() -> set[int]:
    pids, pid = set(), os.getpid()
    while pid > 1 and pid not in pids:
        pids.add(pid)
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rpartition(")")[2].split()[1])
    return pids


def end(lab: settings.Lab, patience: float = 5, kind: str = settings.MARK) -> int:
    """End them, SIGTERM first and SIGKILL after *patience* seconds; return how many there were.

    Docker's daemon comes after the others and gets its time: it ends the containers, for which it needs its containerd.
    """
    first = find(lab, kind)
    for rank, seconds in enumerate((patience, max(patience, DAEMON_PATIENCE), 1)):
        _end([pid for pid in find(lab, kind) if _rank(pid) == rank], seconds)
    return len(first)


def _rank(pid: int) -> int:
    with contextlib.suppress(OSError):
        name = Path(f"/proc/{pid}/comm").read_text()
        return 1 if name.startswith("dockerd") else 2 if name.startswith("containerd") else 0
    return 0


def _end(pids: list[int], patience: float) -> None:
    _signal(pids, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while (left := _alive(pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for _ in range(20):
        if not left:
            break
        _signal(left, signal.SIGKILL)
        time.sleep(0.1)
        left = _alive(left)


def _alive(pids: list[int]) -> list[int]:
    """*pids* without zombies, which nothing but their parent can end."""
    alive = []
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                alive.append(pid)
    return alive


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
