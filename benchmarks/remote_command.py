# SPDX-License-Identifier: Apache-2.0
"""One command on a node: what a plugin does hundreds of times for each cluster."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

from benchmarks import bare, engines, nodes, results

_ROUNDS = 30
_COMMAND = "true"


def run(place: engines.Place) -> list[results.Result]:
    """Ours, stock and the floor take turns, so that what else the machine does meets all three."""
    with nodes.running(1, place) as one, engines.running("ours", place) as ours, engines.running("stock", place) as old:
        clusters = {engine: one.cluster_in(engine) for engine in (ours, old)}
        with bare.connected(one.addresses, nodes.USER, one.key) as connection:
            turns: dict[str, Callable[[], tuple[float, float]]] = {
                "ours": lambda: ours.call(f"{__name__}:command", clusters[ours]),
                "floor": lambda: timed(lambda: connection.run(_COMMAND)),
                "stock": lambda: old.call(f"{__name__}:command", clusters[old]),
            }
            for engine, cluster in clusters.items():
                engine.call("benchmarks.engine_process:log_in", cluster)
            for turn in turns.values():
                turn()
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in turns}
            for _ in range(_ROUNDS):
                for name, turn in turns.items():
                    taken[name].append(turn())
    wall = {name: 1000 * statistics.median(seconds for seconds, _ in pairs) for name, pairs in taken.items()}
    cpu = {name: 1000 * statistics.mean(seconds for _, seconds in pairs) for name, pairs in taken.items()}
    return [
        results.Result("one remote command, p50", "ms", **wall, n=_ROUNDS, at_most=8),
        results.Result("one remote command, CPU", "ms", **cpu, n=_ROUNDS, times=150),
    ]


def command(cluster_id: str) -> tuple[float, float]:
    """In the engine: run the command on the cluster's first node; seconds by the clock and of CPU."""
    from benchmarks import engine_process

    remote = engine_process.instances(cluster_id)[0].remote()
    return timed(lambda: remote.execute_command(_COMMAND))


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Run *action*; seconds by the clock, and seconds of CPU of this process and of its children that ended."""
    cpu, began = _cpu(), time.perf_counter()
    action()
    return time.perf_counter() - began, _cpu() - cpu


def _cpu() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
