# SPDX-License-Identifier: Apache-2.0
"""One command on a node: what a plugin does hundreds of times for each cluster."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable

from benchmarks import bare, clock, engines, nodes, results

_ROUNDS = 30
_COMMAND = "true"


def run(place: engines.Place) -> list[results.Result]:
    """Ours, stock and the floor take turns, so that what else the machine does meets all three."""
    with nodes.running(1, place) as one, engines.running("ours", place) as ours, engines.running("stock", place) as old:
        clusters = {engine: one.cluster_in(engine) for engine in (ours, old)}
        with contextlib.closing(bare.Connections(one.addresses, nodes.USER, one.key)) as connection:
            connection.open()
            turns: dict[str, Callable[[], clock.Taken]] = {
                "ours": lambda: clock.Taken(*ours.call(f"{__name__}:command", clusters[ours])),
                "floor": lambda: clock.timed(lambda: connection.run(_COMMAND)),
                "stock": lambda: clock.Taken(*old.call(f"{__name__}:command", clusters[old])),
            }
            for engine, cluster in clusters.items():
                engine.call("benchmarks.engine_process:log_in", cluster)
            for turn in turns.values():
                turn()
            taken: dict[str, list[clock.Taken]] = {name: [] for name in turns}
            for _ in range(_ROUNDS):
                for name, turn in turns.items():
                    taken[name].append(turn())
    wall = {name: 1000 * statistics.median(one.wall for one in many) for name, many in taken.items()}
    cpu = {name: 1000 * statistics.mean(one.cpu for one in many) for name, many in taken.items()}
    return [
        results.Result("one remote command, p50", "ms", **wall, n=_ROUNDS, at_most=8),
        results.Result("one remote command, CPU", "ms", **cpu, n=_ROUNDS, times=150),
    ]


def command(cluster_id: str) -> clock.Taken:
    """In the engine: run the command on the cluster's first node."""
    from benchmarks import engine_process

    remote = engine_process.instances(cluster_id)[0].remote()
    return clock.timed(lambda: remote.execute_command(_COMMAND))
