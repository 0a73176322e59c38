# SPDX-License-Identifier: Apache-2.0
"""The parts of ``make test`` and ``make bench``: commands that are run one after the other or side by side."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import command, console, settings
from sahara_docker import exceptions

_CLEANS_UP = 60  # seconds


@dataclasses.dataclass(frozen=True)
class Part:
    """One command.

    :param name: what messages call it.
    :param words: program and arguments.
    :param environment: the whole environment; the caller's own when None.
    :param timeout: seconds.
    """

    name: str
    words: Sequence[object]
    environment: Mapping[str, str] | None = None
    timeout: float = 300


def run(part: Part, failed: list[str] | None = None) -> None:
    """Run one part with its output on ours.

    :param failed: takes its name when it fails; None to raise.
    :raises SaharaDockerError: when it fails or takes too long.
    :raises KeyboardInterrupt: after Ctrl-C, when it has ended.
    """
    _watch([part], 1, None, failed)


def run_side_by_side(parts: Sequence[Part], lanes: int, logs: Path, failed: list[str] | None = None) -> None:
    """Run *parts* in their order, some at a time, until one fails; the output of each is shown when it has ended.

    :param lanes: how many at a time.
    :param logs: directory for their output.
    :param failed: takes the names of those that fail, and the others go on; None to raise.
    :raises SaharaDockerError: for the first that fails or takes too long; the others are ended.
    :raises KeyboardInterrupt: after Ctrl-C, when all have ended.
    """
    logs.mkdir(parents=True, exist_ok=True)
    console.step(f"{len(parts)} parts, {lanes} at a time ...")
    _watch(parts, lanes, logs, failed)


class _Running:
    """A part whose process was started."""

    def __init__(self, part: Part, logs: Path | None) -> None:
        self.part = part
        self.log = logs / f"{part.name.replace('/', '-').replace(' ', '-')}.log" if logs else None
        console.step(f"{part.name} ...")
        self.began = time.monotonic()
        words = [str(word) for word in part.words]
        stream = self.log.open("wb") if self.log else None
        try:
            self.process = subprocess.Popen(
                words,
                cwd=settings.CHECKOUT,
                env=part.environment,
                stdout=stream,
                stderr=subprocess.STDOUT if stream else None,
                start_new_session=True,
            )
        finally:
            if stream:
                stream.close()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def has_ended(self) -> bool:
        return self.process.poll() is not None or self.seconds > self.part.timeout

    def end(self) -> None:
        """End what is left of it, show its output and raise unless it went well."""
        late = self.process.poll() is None
        if late:
            _end_process(self.process)
        if self.log:
            console.step(f"{self.part.name} has ended", self.seconds)
            console.say(self.log.read_text(errors="replace").rstrip())
        if late or self.process.returncode:
            observed = f"exit status {self.process.returncode}; its output is above"
            if late:
                observed = f"not done in {self.part.timeout:.0f} s"
            raise exceptions.SaharaDockerError(f"{self.part.name} failed", observed=observed)


def _end_process(process: subprocess.Popen) -> None:
    """End a part as Ctrl-C would, so that tests take away what they have made on the machine; then what is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_CLEANS_UP)
    command.end_group(process)


def _watch(parts: Sequence[Part], lanes: int, logs: Path | None, failed: list[str] | None) -> None:
    waiting = list(parts)
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < lanes:
                running.append(_Running(waiting.pop(0), logs))
            for one in running.copy():
                if one.has_ended():
                    running.remove(one)
                    _end(one, failed)
            if command.interrupted.is_set():
                raise KeyboardInterrupt
            time.sleep(0.2)
    finally:
        for one in running:
            _end_process(one.process)


def _end(one: _Running, failed: list[str] | None) -> None:
    try:
        one.end()
    except exceptions.SaharaDockerError as error:
        if failed is None:
            raise
        console.error(str(error))
        failed.append(one.part.name)
