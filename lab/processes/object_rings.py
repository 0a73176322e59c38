# SPDX-License-Identifier: Apache-2.0
"""Make Swift's rings of one device, one copy: ``python -m lab.processes.object_rings DIRECTORY DEVICE KIND=PORT...``.

One process for all of them: importing Swift costs more than making its rings.
"""

from __future__ import annotations

import sys
from pathlib import Path

#: 2 to this power partitions: one device needs no more.
PART_POWER = 4


def make(path: Path, device: str, port: int) -> None:
    """Write a ring that leads to *device* of the server on that *port* of loopback."""
    from swift.common.ring import RingBuilder

    builder = RingBuilder(PART_POWER, replicas=1, min_part_hours=0)
    place = {"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": device}
    builder.add_dev({"id": 0, **place, "weight": 1.0, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(str(path))


def main() -> None:
    directory, device, *servers = sys.argv[1:]
    for server in servers:
        kind, _, port = server.partition("=")
        make(Path(directory) / f"{kind}.ring.gz", device, int(port))


if __name__ == "__main__":
    main()
