# SPDX-License-Identifier: Apache-2.0
"""How much memory the lab's services hold."""

from __future__ import annotations

import contextlib
from pathlib import Path

from lab import leftovers, settings


def of(lab: settings.Lab) -> tuple[int, int]:
    """Memory of all of the lab's processes in MB: resident (RSS), and with pages that they share counted once (PSS).

    Docker's own processes and the containers are not among OpenStack's services and are left out.
    """
    resident = share = 0
    for pid in leftovers.find(lab):
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{pid}/comm").read_text().strip()
            if name.startswith(("dockerd", "containerd")):
                continue
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    resident += int(line.split()[1])
                elif line.startswith("Pss:"):
                    share += int(line.split()[1])
    return resident // 1024, share // 1024
