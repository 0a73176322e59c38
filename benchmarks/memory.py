# SPDX-License-Identifier: Apache-2.0
"""What an open connection to a node holds, in the engine's process and in its children."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from benchmarks import engines, nodes, results

# Growth is counted from the first few on: those also bring in code that every later one shares.
_FIRST, _ALL = 4, 20
_held = contextlib.ExitStack()


def run(place: engines.Place) -> list[results.Result]:
    """Ours and stock hold connections to the same nodes, one engine after the other."""
    grown = {}
    with nodes.running(_ALL, place) as many:
        # Stock comes first: ours may change how one logs in.
        for flavour in ("stock", "ours"):
            print(f"  {_ALL} connections, {flavour}", flush=True)
            with engines.running(flavour, place) as engine:
                cluster = many.cluster_in(engine)
                before, after = (
                    _with_connections(engine, cluster, start, end) for start, end in ((0, _FIRST), (_FIRST, _ALL))
                )
            connections = _ALL - _FIRST
            grown[flavour] = {kind: (after[kind] - before[kind]) / 1024 / connections for kind in before}
    return [
        results.Result(f"memory a connection, {kind.upper()}", "MiB", ours, grown["stock"][kind], None, _ALL - _FIRST)
        for kind, ours in grown["ours"].items()
    ]


def _with_connections(engine: engines.Engine, cluster: str, start: int, end: int) -> dict[str, int]:
    engine.call("benchmarks.engine_process:log_in", cluster, start, end)
    engine.call(f"{__name__}:hold", cluster, start, end)
    return of_tree(engine.pid)


def hold(cluster_id: str, start: int, end: int) -> None:
    """In the engine: open connections to some nodes of a cluster, as plugins do, and keep them open."""
    import gc

    from benchmarks import engine_process

    for instance in engine_process.instances(cluster_id, start, end):
        _held.enter_context(instance.remote()).execute_command("true")
    gc.collect()


def of_tree(pid: int) -> dict[str, int]:
    """Memory of a process and all its descendants in KiB: ``rss``, and ``pss``, which counts shared pages once.

    From ``/proc/PID/smaps_rollup``, see proc(5).
    """
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # After the name in parentheses: state, parent.
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(place.name))
    total = {"rss": 0, "pss": 0}
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        text = Path(f"/proc/{one}/smaps_rollup").read_text()
        for kind in total:
            found = re.search(rf"^{kind}:\s+(\d+) kB", text, re.MULTILINE | re.IGNORECASE)
            assert found, text
            total[kind] += int(found[1])
    return total
