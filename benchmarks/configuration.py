# SPDX-License-Identifier: Apache-2.0
"""The engine's two steps on new nodes: log in for the first time, then bring every node the names of all.

Ours has its connections open when it configures, since it has just logged in; what that cost is a row of its own.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable

from benchmarks import bare, clock, engines, nodes, results

# Nodes, and how often each is configured: stock takes a minute and more for 100.
_ROUNDS = {3: 5, 20: 3, 100: 1}
_FEW, _USUAL, _MANY = _ROUNDS
_COMMAND = "true"
_LIMIT = 900.0
_LOG_IN = "benchmarks.engine_process:log_in"
_CONFIGURE = f"{__name__}:configure"


def run(place: engines.Place) -> list[results.Result]:
    """Ours, stock and the floor take turns on the same nodes."""
    logins, configurations = {}, {}
    with engines.running("ours", place) as ours, engines.running("stock", place) as old:
        for size, rounds in _ROUNDS.items():
            logins[size], configurations[size] = _measure(place, size, rounds, ours, old)

    def row(size: int, **target: float) -> results.Result:
        name = f"configuring {size} nodes"
        return results.Result(name, "ms a node", **configurations[size], n=_ROUNDS[size], **target)

    return [
        results.Result(f"first login to {_USUAL} nodes", "ms a node", **logins[_USUAL], n=1),
        row(_FEW),
        row(_USUAL, times=15),
        # What one node takes shall not grow with their number.
        row(_MANY, at_most=configurations[_FEW]["ours"]),
    ]


def _measure(
    place: engines.Place, size: int, rounds: int, ours: engines.Engine, old: engines.Engine
) -> tuple[dict[str, float], dict[str, float]]:
    """Milliseconds a node of the login and of the configuration, by who did it."""
    with nodes.running(size, place) as many:
        clusters = {engine: many.cluster_in(engine) for engine in (ours, old)}

        def request(engine: engines.Engine, step: str) -> float:
            print(f"  {size} nodes: {step.partition(':')[2]}, {engine.flavour}", flush=True)
            return engine.call(step, clusters[engine], timeout=_LIMIT)

        with contextlib.closing(bare.Connections(many.addresses, nodes.USER, many.key)) as connections:
            # Ours comes last, for it changes how one logs in.
            login = {
                "floor": clock.timed(connections.open).wall,
                "stock": request(old, _LOG_IN),
                "ours": request(ours, _LOG_IN),
            }
            turns: dict[str, Callable[[], float]] = {
                "ours": lambda: request(ours, _CONFIGURE),
                "floor": lambda: clock.timed(lambda: connections.run_on_all(_COMMAND)).wall,
                "stock": lambda: request(old, _CONFIGURE),
            }
            taken: dict[str, list[float]] = {name: [] for name in turns}
            for _ in range(rounds):
                for name, turn in turns.items():
                    taken[name].append(turn())
    a_node = {name: 1000 * statistics.median(seconds) / size for name, seconds in taken.items()}
    return {name: 1000 * seconds / size for name, seconds in login.items()}, a_node


def configure(cluster_id: str) -> float:
    """In the engine: the step after it; seconds."""
    from sahara.service import ops

    from benchmarks import engine_process

    cluster = engine_process.cluster(cluster_id)
    return clock.timed(lambda: ops.INFRA._configure_instances(cluster)).wall
