# SPDX-License-Identifier: Apache-2.0
"""OpenStack's processes as a benchmark sees them."""

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


class ProcessFailed(exceptions.SaharaDockerError):
    """A request to a process failed, took too long, or the process died."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a run keeps things.

    :param lab: its logs, caches and data.
    :param label: ``name=value`` that every container gets, so that a run that was killed can be cleaned up after.
    """

    lab: settings.Lab
    label: str


class Process:
    """A running program that serves requests (:mod:`benchmarks.serving`).

    :param program: module of this package.
    :param flavour: which of its kind.
    :ivar pid: its process id.
    """

    def __init__(self, program: str, flavour: str, lab: settings.Lab) -> None:
        self.flavour = flavour
        self._log = lab.log / f"bench-{flavour}.log"
        directory = lab.data / f"bench-{flavour}"
        for needed in (self._log.parent, directory):
            needed.mkdir(parents=True, exist_ok=True)
        # An installed service has its bytecode compiled: children that compile it anew would be no fair comparison.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(lab.cache / "bench-bytecode")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", f"benchmarks.{program}", flavour, directory, self._log],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        self.pid = self._process.pid

    def call(self, function: str, *arguments: Any, timeout: float = 120) -> Any:
        """Run a function in the process.

        :param function: ``module:name``.
        :param arguments: what JSON can carry, as is what the function returns.
        :param timeout: seconds.
        :raises ProcessFailed: with its words and the log to read.
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
        raise ProcessFailed(
            f"{function} failed", where=f"process {self.flavour}", observed=observed, remedy=f"read {self._log}"
        )

    def stop(self) -> None:
        """End the process; stock's children end when it is gone."""
        self._process.kill()
        self._process.wait()


class Engine(Process):
    """sahara-engine: :mod:`benchmarks.engine_process`.

    :param flavour: ``ours`` or ``stock``.
    """

    def __init__(self, flavour: str, lab: settings.Lab) -> None:
        super().__init__("engine_process", flavour, lab)


@contextlib.contextmanager
def running(flavour: str, place: Place) -> Iterator[Engine]:
    """An engine process, ended at the end of the block."""
    engine = Engine(flavour, place.lab)
    try:
        yield engine
    finally:
        engine.stop()
