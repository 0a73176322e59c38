# SPDX-License-Identifier: Apache-2.0
"""Commands that do one thing and end: their output goes to a log, their failure becomes one clear error."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.service import tail
from sahara_docker import exceptions

#: Set when commands that run are to be ended and no further one to be started: a step beside them failed, or the user
#: interrupted, in which case both are set.
cancelled = threading.Event()
interrupted = threading.Event()


class CommandFailed(exceptions.SaharaDockerError):
    """A command ended with another status than 0, took too long or could not be started."""


def run(
    command: Sequence[object],
    *,
    log: Path,
    what: str,
    timeout: float = 600,
    environment: Mapping[str, str] | None = None,
    accept: tuple[int, ...] = (0,),
    input_text: str | None = None,
    interruptible: bool = True,
) -> None:
    """Run *command* with its output appended to *log*.

    :param what: what could not be done, for the error, such as ``installing packages``.
    :param timeout: seconds.
    :param environment: the whole environment; the caller's own when None.
    :param accept: exit statuses that mean success.
    :param interruptible: False for what must not be cut short, such as dpkg.
    :raises CommandFailed: with the log's last lines and its path.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    where, remedy = " ".join(str(word) for word in command[:4]), f"read {log}"
    with log.open("ab") as stream:
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE if input_text is not None else subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=None if environment is None else dict(environment),
                start_new_session=True,  # Ctrl-C reaches us alone, and a kill reaches the whole group
            )
        except OSError as error:
            raise CommandFailed(f"{what} failed", where=where, observed=str(error)) from error
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write((input_text or "").encode())
        process.stdin.close()
    deadline = time.monotonic() + timeout
    while process.poll() is None:
        cut = cancelled.is_set() and interruptible
        if cut or time.monotonic() > deadline:
            end_group(process)
            observed = "cut short" if cut else f"not done after {timeout:.0f} s\n{tail(log)}\n"
            raise CommandFailed(f"{what} failed", where=where, observed=observed, remedy=remedy)
        time.sleep(0.05)
    if process.returncode not in accept:
        observed = f"exit status {process.returncode}\n{tail(log)}\n"
        raise CommandFailed(f"{what} failed", where=where, observed=observed, remedy=remedy)


def end_group(process: subprocess.Popen) -> None:
    """End a process that leads a group, and its group: SIGTERM, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(3)
