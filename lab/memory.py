# SPDX-License-Identifier: Apache-2.0
"""How much memory the lab's services hold."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lab import leftovers, settings


def resident_mb(lab: settings.Lab) -> int:
    """Resident memory of all of the lab's processes in MB, pages that they share counted once (PSS).

    Docker's own processes and the containers are not among OpenStack's services and are left out.
    """
    total = 0
    for pid in leftovers.find(lab):
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name.startswith(("dockerd", "containerd")):
                continue
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total // 1024
