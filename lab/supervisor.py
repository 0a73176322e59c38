# SPDX-License-Identifier: Apache-2.0
"""The parent of every process of the lab: ``python3 -m lab.supervisor`` with the state directory in ``LAB_STATE``.

It brings the services up in the order of their needs, writes what it knows to ``run/supervisor.json`` for the commands
to read, restarts what dies, and stops everything on SIGTERM. When a step of the start fails it stops everything and
ends, with the cause in that file.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback

from lab import command, leftovers, plan, services, settings
from lab.service import Service, Supervised

PR_SET_CHILD_SUBREAPER = 36


class Supervisor:
    """Runs one lab from start to stop."""

    def __init__(self, lab: settings.Lab) -> None:
        self.lab = lab
        self.stop = threading.Event()
        self.drain = threading.Event()
        self.supervised: list[Supervised] = []
        self._steps: dict[str, dict] = {}
        self._phase = "starting"
        self._error = ""
        self._published = ""
        self._lock = threading.Lock()

    def publish(self, **changes: str) -> None:
        """Write the state file anew, in one piece."""
        with self._lock:
            self._phase = changes.get("phase", self._phase)
            self._error = changes.get("error", self._error)
            state = {
                "pid": os.getpid(),
                "phase": self._phase,
                "error": self._error,
                "steps": self._steps,
                "services": {
                    one.service.name: {"pid": one.pid, "state": one.state, "restarts": one.restarts}
                    for one in self.supervised
                },
            }
            text = json.dumps(state, indent=1)
            if text == self._published:
                return
            target = self.lab.run / "supervisor.json"
            temporary = target.with_suffix(".new")
            with contextlib.suppress(OSError):  # a full disk must not end the parent of everything
                temporary.write_text(text)
                temporary.replace(target)
                self._published = text

    def main(self) -> int:
        """Bring up, keep watch until told to stop, bring down; 0 unless the start failed."""
        self.publish()
        try:
            leftovers.end(self.lab)
            steps = [self._step(one) for one in services.build(self.lab)]
            plan.run(steps, self._note, self.stop)
        except plan.StepFailed as failure:
            traceback.print_exception(failure)
            self._bring_down()
            self.publish(phase="failed", error=f"{failure.step}: {failure.__cause__}")
            return 1
        except Exception as error:
            traceback.print_exception(error)
            self._bring_down()
            self.publish(phase="failed", error=f"{type(error).__name__}: {error}")
            return 1
        if not self.stop.is_set():
            self.publish(phase="ready")
        # Not stop.wait(): a signal that comes inside of it would wait for the lock that it holds.
        while not self.stop.is_set():
            time.sleep(0.3)
            if self.drain.is_set() and self._phase == "ready":
                self.publish(phase="draining")
                self._stop_all(last=False)
                self.publish(phase="drained")
            self.publish()
            self._reap()
        self.publish(phase="stopping")
        self._bring_down()
        self.publish(phase="stopped")
        return 0

    def _step(self, one: plan.Step | Service) -> plan.Step:
        if isinstance(one, plan.Step):
            return one
        environment = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": str(self.lab.data),
            "LANG": "C.UTF-8",
            settings.MARK: str(self.lab.state),
            **services.environment(self.lab),
        }
        supervised = Supervised(one, self.lab.log / f"{one.name}.log", environment, self.stop)
        self.supervised.append(supervised)
        return plan.Step(one.name, supervised.start, one.needs)

    def _note(self, event: plan.Event) -> None:
        if event.seconds is None:
            self._steps[event.step] = {"began": time.time()}
        else:
            self._steps[event.step]["seconds"] = round(event.seconds, 2)
            if event.error is not None:
                self._steps[event.step]["error"] = str(event.error)
        self.publish()

    def _bring_down(self) -> None:
        self._stop_all(last=False)
        self._stop_all(last=True)
        leftovers.end(self.lab, patience=1)

    def _stop_all(self, *, last: bool) -> None:
        threads = [threading.Thread(target=one.stop) for one in self.supervised if one.service.last is last]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _reap(self) -> None:
        """Collect orphans that came to us; the services themselves are waited for by their watchers."""
        own = {one.pid for one in self.supervised}
        for pid in _zombies():
            if pid not in own:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _zombies() -> list[int]:
    found = []
    with contextlib.suppress(OSError), open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as stream:
        for pid in stream.read().split():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    found.append(int(pid))
    return found


def main() -> int:
    lab = settings.Lab(settings.default_state())
    for directory in (lab.run, lab.log, lab.data):
        directory.mkdir(parents=True, exist_ok=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    supervisor = Supervisor(lab)

    def stop(*_) -> None:
        supervisor.stop.set()
        command.cancelled.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, lambda *_: supervisor.drain.set())
    return supervisor.main()


if __name__ == "__main__":
    sys.exit(main())
