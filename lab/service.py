# SPDX-License-Identifier: Apache-2.0
"""One long-running process: started, watched, restarted with growing pauses, stopped with all its children."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lab import rest
from sahara_docker import exceptions

#: Seconds before the first restart; doubled at each further one, back to the first after a quiet minute.
FIRST_PAUSE, LONGEST_PAUSE, QUIET = 1.0, 30.0, 60.0


class ServiceError(exceptions.SaharaDockerError):
    """A service ended or did not become ready; the text ends with its log's path."""


@dataclasses.dataclass(frozen=True)
class Service:
    """What is to run and how to tell that it answers.

    :param command: program and arguments.
    :param ready: gets the time of the process's start (seconds since the epoch); raises or returns False until the
        service answers.
    :param needs: names of steps that must be done before.
    :param environment: variables on top of the lab's own.
    :param timeout: seconds that the service has to become ready.
    :param patience: seconds between SIGTERM and SIGKILL.
    :param last: stopped after all the services that are not ``last``: databases, the broker, Docker.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[float], object]
    needs: tuple[str, ...] = ()
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    timeout: float = 90
    patience: float = 3
    last: bool = False


def tail(path: Path, lines: int = 12) -> str:
    """The last *lines* of a log, for a message."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 20000))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


class Supervised:
    """A :class:`Service` and its process."""

    def __init__(self, service: Service, log: Path, environment: dict[str, str], cancelled: threading.Event) -> None:
        self.service = service
        self.log = log
        self.restarts = 0
        self.state = "down"
        self._environment = {**environment, **service.environment}
        self._process: subprocess.Popen | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.spawned = 0.0
        self._cancelled = cancelled

    @property
    def pid(self) -> int | None:
        """Process id of the newest process, which may have ended; None before the first."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, wait until it is ready and keep watch over it.

        :raises ServiceError: when it ends or does not become ready in time; the process is then gone.
        """
        self.state = "starting"
        self._spawn()
        try:
            self._await_ready()
        except BaseException:
            self.stop()
            self.state = "failed"
            raise
        self.state = "up"
        threading.Thread(target=self._watch, name=f"watch {self.service.name}", daemon=True).start()

    def _spawn(self) -> None:
        self.spawned = time.time()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        stream: IO[bytes]
        with self.log.open("ab") as stream:
            try:
                # An own session is an own process group: a service that ignores SIGTERM is killed with its children.
                self._process = subprocess.Popen(
                    self.service.command,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    env=self._environment,
                    start_new_session=True,
                    cwd="/",
                )
            except OSError as error:
                raise ServiceError("cannot be started", where=self.service.name, observed=str(error)) from error

    def _await_ready(self) -> None:
        try:
            probe = functools.partial(self.service.ready, self.spawned)
            rest.wait_until(probe, timeout=self.service.timeout, alive=self._check_alive)
        except TimeoutError as error:
            raise self._failure("did not become ready", str(error)) from error

    def _check_alive(self) -> None:
        assert self._process is not None
        if self._cancelled.is_set():
            raise ServiceError("stopped while it was starting", where=self.service.name)
        code = self._process.poll()
        if code is not None:
            raise self._failure("ended while it was starting", f"exit status {code}")

    def _failure(self, what: str, observed: str) -> ServiceError:
        last = tail(self.log)
        observed += f"; last lines of its log:\n{last}\n" if last else ""
        return ServiceError(what, where=self.service.name, observed=observed, remedy=f"read {self.log}")

    def _watch(self) -> None:
        pause = FIRST_PAUSE
        while True:
            assert self._process is not None
            began = time.monotonic()
            self._process.wait()
            if self._stopping.is_set():
                return
            self.state = "restarting"
            self._kill_group(signal.SIGKILL)
            if time.monotonic() - began > QUIET:
                pause = FIRST_PAUSE
            if self._stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE)
            with self._lock:  # stop() comes before the new process or after it, never beside
                if self._stopping.is_set():
                    return
                self.restarts += 1
                try:
                    self._spawn()
                except ServiceError as error:
                    self._note_failure(error)
                    continue
            try:
                self._await_ready()
                self.state = "up"
            except Exception as error:  # whatever a probe may raise: the watch goes on
                self._note_failure(error)
                self._kill_group(signal.SIGKILL)

    def _note_failure(self, error: Exception) -> None:
        with contextlib.suppress(OSError), self.log.open("a") as stream:
            stream.write(f"\nrestart {self.restarts} failed: {error}\n")

    def stop(self) -> None:
        """End the process and its group: SIGTERM, then SIGKILL."""
        with self._lock:
            self._stopping.set()
        if self._process is not None:
            self._kill_group(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self.service.patience)
            self._kill_group(signal.SIGKILL)
            self._process.wait()
        self.state = "down"

    def _kill_group(self, number: int) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
