# SPDX-License-Identifier: Apache-2.0
"""Starting, watching and stopping the supervisor from the commands."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import command, leftovers, settings
from lab.service import tail
from sahara_docker import exceptions


class LabFailed(exceptions.SaharaDockerError):
    """The lab did not come up; everything it had started is stopped again."""


def read(lab: settings.Lab) -> dict[str, Any]:
    """What the supervisor wrote last; ``phase`` is ``down`` when none runs."""
    try:
        state = json.loads((lab.run / "supervisor.json").read_text())
    except (OSError, ValueError):
        return {"phase": "down", "steps": {}, "services": {}}
    if state["phase"] not in ("failed", "stopped") and not _is_supervisor(lab, state["pid"]):
        state["phase"] = "down"
    return state


def is_up(lab: settings.Lab) -> bool:
    """Whether the lab came up and no service of it is down now."""
    state = read(lab)
    return state["phase"] == "ready" and all(one["state"] == "up" for one in state["services"].values())


def _is_supervisor(lab: settings.Lab, pid: int) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        marked = f"LAB_STATE={lab.state}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return b"lab.supervisor" in words and marked
    return False


def start(lab: settings.Lab) -> None:
    """Start the supervisor, as a process that outlives the caller."""
    lab.run.mkdir(parents=True, exist_ok=True)
    lab.log.mkdir(parents=True, exist_ok=True)
    (lab.run / "supervisor.json").unlink(missing_ok=True)
    environment = {**os.environ, "LAB_STATE": str(lab.state), settings.MARK: str(lab.state)}
    environment.pop(settings.COMMAND_MARK, None)  # it outlives the command
    with (lab.log / "supervisor.log").open("ab") as stream:
        subprocess.Popen(
            [sys.executable, "-m", "lab.supervisor"],
            cwd=settings.CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env=environment,
        )


def await_ready(lab: settings.Lab, show: Callable[[str, float], None], timeout: float = 300) -> None:
    """Wait until the supervisor says that all is up; *show* gets each step and its seconds as it ends.

    :raises LabFailed: with the cause.
    """
    shown: set[str] = set()
    deadline = time.monotonic() + timeout
    while True:
        state = read(lab)
        for name, step in list(state["steps"].items()):
            if "seconds" in step and "error" not in step and name not in shown:
                shown.add(name)
                show(name, step["seconds"])
        if state["phase"] == "ready":
            return
        if state["phase"] == "failed":
            raise LabFailed("the lab did not come up", observed=state["error"])
        if command.interrupted.is_set():
            raise KeyboardInterrupt
        if time.monotonic() > deadline or (state["phase"] == "down" and time.monotonic() > deadline - timeout + 10):
            log = lab.log / "supervisor.log"
            waiting = [name for name, step in state["steps"].items() if "seconds" not in step]
            raise LabFailed(
                "the lab did not come up",
                observed=f"phase {state['phase']}, waiting for {', '.join(waiting) or 'nothing'}\n{tail(log)}\n",
                remedy=f"read {log}",
            )
        time.sleep(0.1)


def drain(lab: settings.Lab, timeout: float = 60) -> None:
    """Stop OpenStack's services and leave databases, the broker and Docker running."""
    state = read(lab)
    if state["phase"] != "ready":
        return
    os.kill(state["pid"], signal.SIGUSR1)
    deadline = time.monotonic() + timeout
    while read(lab)["phase"] in ("ready", "draining") and time.monotonic() < deadline:
        time.sleep(0.1)


def stop(lab: settings.Lab, timeout: float = 60) -> bool:
    """Stop the supervisor and all that carries the lab's mark; True when there was something to stop."""
    state = read(lab)
    running = state["phase"] not in ("down", "failed", "stopped")
    if running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(state["pid"], signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while _is_supervisor(lab, state["pid"]) and time.monotonic() < deadline:
            time.sleep(0.1)
    return leftovers.end(lab) > 0 or running
