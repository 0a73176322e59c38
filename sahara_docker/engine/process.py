# SPDX-License-Identifier: Apache-2.0
"""Which process this is, in words that other processes can check, on this machine and on others."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def own() -> dict[str, Any]:
    """The calling process, as JSON.

    A process id means something only within one boot and one process namespace, and may be given anew within these, but
    not with the same start time: see proc(5).
    """
    return {
        "host": socket.gethostname(),
        "boot": _BOOT.read_text().strip(),
        "namespace": os.readlink("/proc/self/ns/pid"),
        "pid": os.getpid(),
        "started": _stat(os.getpid())[1],
    }


def is_gone(process: dict[str, Any]) -> bool:
    """Whether *process* is known to have ended; False for one that cannot be seen, such as on another host."""
    here = own()
    if any(process[key] != here[key] for key in ("boot", "namespace")):
        return False
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # it exists, under another user
    with contextlib.suppress(OSError):
        state, started = _stat(process["pid"])
        return state in "ZX" or started != process["started"]
    return False


def text(process: dict[str, Any]) -> str:
    """*process* for people."""
    return f"{process['host']} (process {process['pid']})"


def _stat(pid: int) -> tuple[str, int]:
    """State and start time, in clock ticks since the boot, of a process."""
    # The second field, the program's name, may itself hold blanks and brackets.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[19])
