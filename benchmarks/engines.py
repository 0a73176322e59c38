# SPDX-License-Identifier: Apache-2.0
"""sahara-engine's processes as a benchmark sees them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from lab import settings
from sahara_docker import exceptions


class EngineFailed(exceptions.SaharaDockerError):
    """A request to an engine process failed, took too long, or the process died."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a run keeps things.

    :param lab: its logs, caches and data.
    :param label: ``name=value`` that every container gets, so that a run that was killed can be cleaned up after.
    """

    lab: settings.Lab
    label: str


class Engine:
    """A running process of :mod:`benchmarks.engine_process`.

    :param flavour: ``ours`` or ``stock``.
    :ivar pid: its process id.
    """

    def __init__(self, flavour: str, lab: settings.Lab) -> None:
        self.flavour = flavour
        self._log = lab.log / f"bench-{flavour}.log"
        directory = lab.data / f"bench-{flavour}"
        for needed in (self._log.parent, directory):
            needed.mkdir(parents=True, exist_ok=True)
        # An installed Sahara has its bytecode compiled: children that compile it anew would be no fair comparison.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(lab.cache / "bench-bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "benchmarks.engine_process", flavour, directory, self._log],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        self.pid = self._process.pid

    def call(self, function: str, *arguments: Any, timeout: float = 120) -> Any:
        """Run a function in the engine.

        :param function: ``module:name``.
        :param arguments: what JSON can carry, as is what the function returns.
        :param timeout: seconds.
        :raises EngineFailed: with its words and the log to read.
        """
        request = json.dumps({"function": function, "arguments": arguments}) + "\n"
        assert self._process.stdin and self._process.stdout
        observed = f"no answer in {timeout:g} s"
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(request.encode())
            self._process.stdin.flush()
        if select.select([self._process.stdout], [], [], timeout)[0]:
            line = self._process.stdout.readline()
            answer = json.loads(line) if line else {"error": "the process ended"}
            if "error" not in answer:
                return answer["value"]
            observed = answer["error"]
        raise EngineFailed(
            f"{function} failed", where=f"engine process, {self.flavour}", observed=observed, remedy=f"read {self._log}"
        )

    def stop(self) -> None:
        """End the process; stock's children end when it is gone."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def running(flavour: str, place: Place) -> Iterator[Engine]:
    """An engine process, ended at the end of the block."""
    engine = Engine(flavour, place.lab)
    try:
        yield engine
    finally:
        engine.stop()
