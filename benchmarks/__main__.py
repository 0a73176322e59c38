# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks that it is given the names of, or all; ``make bench`` prepares what they need and calls this."""

from __future__ import annotations

import argparse
import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

from benchmarks import MODULES, engines, results, stock
from lab import settings
from sahara_docker import exceptions


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODULES)}; all by default")
    parser.add_argument("--output", type=Path, required=True, help="file for the results, as JSON")
    parser.add_argument("--state", type=Path, required=True, help="the lab's state directory: logs and caches")
    parser.add_argument("--label", required=True, help="NAME=VALUE that every container gets")
    chosen = parser.parse_args(arguments)
    place = engines.Place(settings.Lab(chosen.state), chosen.label)
    measured = []
    loads = [os.getloadavg()[0]]
    for name in chosen.names or MODULES:
        print(f"{name} ...", flush=True)
        try:
            rows = importlib.import_module(f"benchmarks.{MODULES[name]}").run(place)
        except (exceptions.SaharaDockerError, AssertionError, OSError) as failure:
            print(f"error: benchmark {name} failed: {failure}", file=sys.stderr)
            return 1
        loads.append(os.getloadavg()[0])
        print("".join(f"  {row.summary}\n" for row in rows), flush=True)
        measured += rows
        results.write(measured, chosen.output)  # each time, so that a failure loses nothing
    print(f"\n{results.table(measured)}\n")
    print(
        f"Measured {datetime.date.today()} on {os.cpu_count()} cores ({_processor()}), Linux {platform.release()}, "
        f"Python {platform.python_version()}; load average before {loads[0]:.1f}, after {loads[-1]:.1f}.\n"
    )
    if any(row.stock is not None for row in measured):
        print("Stock is Sahara 19.0.0 with two changes, without which it configures no container:")
        print("".join(f"{number}. {fix}\n" for number, fix in enumerate(stock.FIXES, 1)))
    return 0


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
