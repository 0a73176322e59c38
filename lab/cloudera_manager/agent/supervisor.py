# SPDX-License-Identifier: Apache-2.0
"""Keeps the daemons of this host running, over restarts of the agent and of the host."""

from __future__ import annotations

import dataclasses
import logging
import pathlib
import threading
import time
from typing import Any, Callable

from .. import durable
from . import probes, process_files
from .process import Process, what_it_said

LOG = logging.getLogger(__name__)

POLL = 0.2
PROBE_INTERVAL = 10.0
FIRST_BACKOFF, LAST_BACKOFF = 1.0, 30.0
STOP_GRACE = 20.0


@dataclasses.dataclass
class Daemon:
    """A role's daemon as this agent sees it.

    ``returning`` lasts from a restart of the host until it answers again.
    """

    spec: dict[str, Any]
    process: Process | None = None
    wanted: bool = True
    state: str = "STOPPED"
    failure: str = ""
    ha_status: str = ""
    log_tail: str = ""
    restarts: int = 0
    returning: bool = False
    retry_at: float = 0.0
    probed_at: float = 0.0
    started_at: float = 0.0

    def report(self) -> dict[str, Any]:
        """Return what the server is told in a heartbeat."""
        return {
            "role": self.spec["role"], "process_id": self.spec["id"], "state": self.state, "failure": self.failure,
            "log_tail": self.log_tail, "restarts": self.restarts, "pid": self.process.pid if self.process else None,
            "ha_status": self.ha_status,
        }  # fmt: skip


class Supervisor:
    """All daemons of this host. States: STARTING, RUNNING, EXITED, STOPPED."""

    def __init__(
        self, state_directory: pathlib.Path, process_directory: pathlib.Path, changed: Callable[[], None]
    ) -> None:
        self._records = state_directory / "processes"
        self._processes = process_directory
        self._changed = changed
        self._daemons: dict[str, Daemon] = {}
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()

    def directory(self, spec: dict[str, Any]) -> pathlib.Path:
        """Return the process directory: ``<n>-<service>-<ROLETYPE>``, as Cloudera Manager names it."""
        return self._processes / f"{spec['id']}-{spec['name']}"

    def _lock(self, role: str) -> threading.RLock:
        with self._guard:
            return self._locks.setdefault(role, threading.RLock())

    def _save(self, daemon: Daemon) -> None:
        process = daemon.process
        durable.write_json(
            self._records / f"{daemon.spec['role']}.json",
            {
                "spec": daemon.spec, "wanted": daemon.wanted,
                "pid": process.pid if process else None, "ticks": process.ticks if process else None,
            },
        )  # fmt: skip

    def recover(self) -> None:
        """Adopt what still runs from an earlier agent and start again what should run: the host may have restarted."""
        for path in sorted(self._records.glob("*.json")):
            record = durable.read_json(path)
            daemon = Daemon(record["spec"], wanted=record["wanted"])
            if record["pid"] is not None:
                daemon.process = Process.adopt(record["pid"], record["ticks"])
            with self._guard:
                self._daemons[daemon.spec["role"]] = daemon
            if daemon.process is not None:
                daemon.state = "RUNNING"
                LOG.info("%s still runs as pid %d", daemon.spec["role"], daemon.process.pid)
            elif daemon.wanted:
                daemon.state, daemon.retry_at, daemon.returning = "EXITED", time.monotonic(), True
                daemon.failure = "it ended while no agent ran"

    def start(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Start a daemon and wait until its probes pass.

        :returns: ``{"ok", "message", "log_tail"}``; not ok when it ended, or did not answer in ``spec["timeout"]`` s.
        """
        with self._lock(spec["role"]):
            old = self._daemons.get(spec["role"])
            if old is not None and old.process is not None and old.process.alive():
                if old.spec["id"] == spec["id"]:
                    return {"ok": True, "message": "runs already", "log_tail": ""}
                old.process.stop(STOP_GRACE)
            daemon = Daemon(spec, state="STARTING")
            with self._guard:
                self._daemons[spec["role"]] = daemon
            try:
                self._launch(daemon)
            except process_files.FilesError as error:
                daemon.wanted, daemon.state, daemon.failure = False, "EXITED", str(error)
                self._changed()
                return {"ok": False, "message": str(error), "log_tail": ""}
            return self._await_answer(daemon)

    def _launch(self, daemon: Daemon) -> None:
        spec, directory = daemon.spec, self.directory(daemon.spec)
        process_files.make_directories(spec["directories"])
        process_files.write(directory, spec["files"], spec["user"])
        process_files.remove_old(self._processes, spec["name"], spec["id"])
        daemon.process = Process.start(spec, directory)
        daemon.started_at = time.monotonic()
        self._save(daemon)
        LOG.info("%s started as pid %d in %s", spec["role"], daemon.process.pid, directory)

    def _await_answer(self, daemon: Daemon) -> dict[str, Any]:
        deadline = time.monotonic() + daemon.spec["timeout"]
        process, failure = daemon.process, None
        assert process is not None
        while process.alive():
            failure = probes.first_failure(daemon.spec["probes"])
            if failure is None:
                daemon.state, daemon.failure, daemon.probed_at = "RUNNING", "", time.monotonic()
                daemon.ha_status = probes.first_that_passes(daemon.spec["ha_status"])
                self._changed()
                return {"ok": True, "message": f"runs as pid {process.pid}", "log_tail": ""}
            if time.monotonic() > deadline:
                message = f"does not answer after {daemon.spec['timeout']} s: {failure}"
                process.stop(STOP_GRACE)
                break
            time.sleep(POLL)
        else:
            message = f"ended with {process.exit_text()} while starting"
        daemon.wanted, daemon.state, daemon.failure = False, "EXITED", message
        daemon.log_tail = what_it_said(self.directory(daemon.spec), daemon.spec["log_file"])
        self._save(daemon)
        self._changed()
        return {"ok": False, "message": message, "log_tail": daemon.log_tail}

    def stop(self, role: str) -> dict[str, Any]:
        """Stop a role's daemon, if it runs, and keep it stopped."""
        daemon = self._daemons.get(role)
        if daemon is not None:
            # Set before the lock: a start that still waits for its daemon's answer holds it and ends with the daemon.
            daemon.wanted = False
            if daemon.process is not None:
                daemon.process.stop(STOP_GRACE)
            with self._lock(role):
                daemon.state, daemon.failure, daemon.log_tail, daemon.wanted = "STOPPED", "", "", False
                self._save(daemon)
            self._changed()
        return {"ok": True, "message": "stopped", "log_tail": ""}

    def forget(self, role: str) -> dict[str, Any]:
        """Stop a role's daemon and remove its record: the role was deleted."""
        self.stop(role)
        with self._guard:
            self._daemons.pop(role, None)
        (self._records / f"{role}.json").unlink(missing_ok=True)
        return {"ok": True, "message": "removed", "log_tail": ""}

    def add_files(self, role: str, files: dict[str, str]) -> dict[str, Any]:
        """Write files into the process directory of a role that has been started here.

        :raises process_files.FilesError: it has not, or the directory cannot be written.
        """
        daemon = self._daemons.get(role)
        if daemon is None:
            raise process_files.FilesError(f"{role} has not been started on this host")
        daemon.spec["files"].update(files)
        process_files.write(self.directory(daemon.spec), files, daemon.spec["user"])
        self._save(daemon)
        return {"ok": True, "message": "written", "log_tail": ""}

    def log(self, role: str, name: str) -> dict[str, Any]:
        """Return the end of a role's log: ``full``, ``stdout`` or ``stderr``."""
        daemon = self._daemons.get(role)
        if daemon is None:
            raise process_files.FilesError(f"{role} has not been started on this host")
        path = pathlib.Path(daemon.spec["log_file"])
        if name != "full" or not daemon.spec["log_file"]:
            path = self.directory(daemon.spec) / "logs" / f"{'stdout' if name == 'full' else name}.log"
        try:
            text = path.read_bytes()[-(256 * 1024) :].decode("utf-8", "replace")
        except OSError as error:
            raise process_files.FilesError(f"{path}: {error.strerror}") from error
        return {"ok": True, "message": text, "log_tail": ""}

    def reports(self) -> list[dict[str, Any]]:
        """Return every daemon's report for a heartbeat."""
        with self._guard:
            return [daemon.report() for daemon in self._daemons.values()]

    def watch_once(self) -> None:
        """Look at every daemon once: notice the ones that ended, start again what is due, probe what runs."""
        with self._guard:
            daemons = list(self._daemons.values())
        for daemon in daemons:
            lock = self._lock(daemon.spec["role"])
            if daemon.state == "STARTING" or not lock.acquire(blocking=False):
                continue
            try:
                self._watch(daemon)
            finally:
                lock.release()

    def _watch(self, daemon: Daemon) -> None:
        now = time.monotonic()
        if daemon.state == "RUNNING" and daemon.wanted and daemon.process and not daemon.process.alive():
            daemon.state, daemon.failure = "EXITED", f"ended with {daemon.process.exit_text()}"
            daemon.log_tail = what_it_said(self.directory(daemon.spec), daemon.spec["log_file"])
            if now - daemon.started_at > 10 * LAST_BACKOFF:
                daemon.restarts = 0
            daemon.retry_at = now + min(FIRST_BACKOFF * 2**daemon.restarts, LAST_BACKOFF)
            LOG.warning("%s %s", daemon.spec["role"], daemon.failure)
            self._changed()
        elif daemon.state == "EXITED" and daemon.wanted and now >= daemon.retry_at:
            # An unexpected exit is retried only where the role asks for it. After a host's restart everything is: what
            # it depends on starts at the same moment, and the job history does not wait for a NameNode.
            if daemon.spec["auto_restart"] or daemon.returning:
                self._restart(daemon)
        elif daemon.state == "RUNNING" and now - daemon.probed_at > PROBE_INTERVAL:
            daemon.probed_at = now
            before = daemon.failure, daemon.ha_status
            daemon.failure = probes.first_failure(daemon.spec["probes"]) or ""
            daemon.returning = daemon.returning and daemon.failure != ""
            daemon.ha_status = probes.first_that_passes(daemon.spec["ha_status"])
            if before != (daemon.failure, daemon.ha_status):
                self._changed()

    def _restart(self, daemon: Daemon) -> None:
        daemon.restarts += 1
        try:
            self._launch(daemon)
        except process_files.FilesError as error:
            daemon.failure = str(error)
            daemon.retry_at = time.monotonic() + LAST_BACKOFF
            return
        daemon.state, daemon.probed_at = "RUNNING", time.monotonic()
        daemon.failure, daemon.ha_status = "started again, does not answer yet" if daemon.spec["probes"] else "", ""
        daemon.probed_at -= PROBE_INTERVAL - 2.0
        self._changed()

    def stop_all(self) -> None:
        """End every daemon but remember that they should run: a clean restart of the agent starts them again."""
        with self._guard:
            daemons = list(self._daemons.values())
        stoppers = []
        for daemon in daemons:
            if daemon.process is not None:
                stoppers.append(threading.Thread(target=daemon.process.stop, args=(STOP_GRACE,)))
                stoppers[-1].start()
        for stopper in stoppers:
            stopper.join()
