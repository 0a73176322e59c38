# SPDX-License-Identifier: Apache-2.0
"""Faults on demand: a server or an agent that fails as real ones do, for tests of whoever has to live with that.

Either reads ``faults.json`` in its own state directory when it starts; without that file it has no faults.
"""

from __future__ import annotations

import dataclasses
import pathlib
import threading
import time

from . import durable

FILE = "faults.json"


@dataclasses.dataclass
class _Wanted:
    """The content of the file; what has happened as often as it was asked for is taken out of it.

    :ivar failing_starts: so many starts end with status 1 and ``message`` in the log.
    :ivar start_delay: seconds from the server's start, which has succeeded by then, until its ports open.
    :ivar error_seconds: for so long after its ports have opened the server's API answers 500.
    :ivar restart_after: seconds after its start the server goes, once, and is back after ``restart_pause`` more.
    :ivar failing_commands: names of the server's commands, each with how often it fails.
    """

    message: str = "a fault on demand"
    failing_starts: int = 0
    start_delay: float = 0.0
    error_seconds: float = 0.0
    restart_after: float = 0.0
    restart_pause: float = 0.0
    failing_commands: dict[str, int] = dataclasses.field(default_factory=dict)


class Faults:
    """The faults of one process.

    :param directory: the state directory of the server or the agent.
    :raises ValueError: the file is none of this kind; the text names it.
    """

    def __init__(self, directory: pathlib.Path) -> None:
        self._path, self._lock = directory / FILE, threading.Lock()
        try:
            self._wanted = _Wanted(**(durable.read_json(self._path) or {}))
        except TypeError as error:
            raise ValueError(f"{self._path}: {error}") from error
        self._errors_end = 0.0

    @property
    def message(self) -> str:
        """What a failure says of its cause."""
        return self._wanted.message

    def failing_start(self) -> bool:
        """Say whether this start has to fail; it counts then."""
        if self._wanted.failing_starts <= 0:
            return False
        self._wanted.failing_starts -= 1
        self._save()
        return True

    @property
    def start_delay(self) -> float:
        """Seconds for which the server's ports have to stay closed."""
        return self._wanted.start_delay

    @property
    def restart_pause(self) -> float:
        """Seconds for which a server stays away that restarts."""
        return self._wanted.restart_pause

    def ports_are_open(self) -> None:
        """Begin with the time in which the API answers 500."""
        self._errors_end = time.monotonic() + self._wanted.error_seconds

    def answers_errors(self) -> bool:
        """Say whether the API has to answer 500 now."""
        return time.monotonic() < self._errors_end

    def failing_command(self, name: str) -> bool:
        """Say whether a command has to fail; it counts then."""
        with self._lock:
            left = self._wanted.failing_commands.get(name, 0)
            if left <= 0:
                return False
            self._wanted.failing_commands[name] = left - 1
            self._save()
            return True

    def await_restart(self, stopping: threading.Event) -> bool:
        """Wait until the process has to end, and say whether that is in order to come back."""
        if not self._wanted.restart_after or stopping.wait(self._wanted.restart_after):
            stopping.wait()
            return False
        self._wanted.restart_after = 0.0
        self._save()
        return True

    def _save(self) -> None:
        durable.write_json(self._path, self._wanted)
