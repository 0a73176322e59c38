# SPDX-License-Identifier: Apache-2.0
"""One daemon: its command line, its process group, what it said last."""

from __future__ import annotations

import collections
import contextlib
import os
import pathlib
import signal
import subprocess
import time
from typing import Any

from . import process_files

LOG_LINES = 20


def start_ticks(pid: int) -> int | None:
    """Return when process ``pid`` started, in clock ticks since boot; None when it does not run (a zombie does not).

    A pid together with its start time names a process for good: pids are used again, the pair is not.
    """
    try:
        # The command name, in parentheses, may itself hold spaces and parentheses.
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def last_lines(path: pathlib.Path, count: int = LOG_LINES) -> list[str]:
    """Return the last ``count`` lines of a text file; none when it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 64 * 1024))
            return stream.read().decode("utf-8", "replace").splitlines()[-count:]
    except OSError:
        return []


def run(
    argv: list[str], *, user: str, env: dict[str, str], directory: pathlib.Path, timeout: float
) -> tuple[int | None, str]:
    """Run a command as ``user`` and return its exit status, None when it took too long, and the end of its output.

    :raises process_files.FilesError: there is no such user or program.
    """
    account = process_files.account(user)
    try:
        process = subprocess.Popen(
            argv, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", start_new_session=True, user=account.pw_uid, group=account.pw_gid,
            extra_groups=os.getgrouplist(user, account.pw_gid),
        )  # fmt: skip
    except OSError as error:
        raise process_files.FilesError(f"{argv[0]} cannot be run as {user}: {error.strerror}") from error
    try:
        output, _ = process.communicate(timeout=timeout)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        status = None
    return status, "\n".join(output.splitlines()[-LOG_LINES:])


class Process:
    """A running daemon, either started by this agent or adopted from an earlier one."""

    def __init__(self, pid: int, ticks: int | None, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid, self.ticks, self._child = pid, ticks, child

    @classmethod
    def start(cls, spec: dict[str, Any], directory: pathlib.Path) -> Process:
        """Start the daemon that ``spec`` describes in a session of its own; its output goes to ``directory``/logs.

        :raises process_files.FilesError: the user or the program is missing.
        """
        account = process_files.account(spec["user"])
        logs = directory / "logs"
        with contextlib.ExitStack() as streams:
            out = streams.enter_context((logs / "stdout.log").open("ab"))
            err = streams.enter_context((logs / "stderr.log").open("ab"))
            try:
                child = subprocess.Popen(
                    [process_files.fill_in(word, directory) for word in spec["argv"]],
                    env=process_files.environment(spec, directory),
                    cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    start_new_session=True, umask=0o022,
                    user=account.pw_uid, group=account.pw_gid,
                    extra_groups=os.getgrouplist(spec["user"], account.pw_gid),
                )  # fmt: skip
            except OSError as error:
                raise process_files.FilesError(f"{spec['argv'][0]} cannot be run: {error.strerror}") from error
        return cls(child.pid, start_ticks(child.pid), child)

    @classmethod
    def adopt(cls, pid: int, ticks: int | None) -> Process | None:
        """Return the process of an earlier agent when it still runs, else None."""
        return cls(pid, ticks) if ticks is not None and start_ticks(pid) == ticks else None

    def alive(self) -> bool:
        """Say whether the daemon still runs; a child that ended is reaped."""
        if self._child is not None:
            return self._child.poll() is None
        return start_ticks(self.pid) == self.ticks

    def exit_text(self) -> str:
        """Say how the daemon ended."""
        status = self._child.poll() if self._child is not None else None
        if status is None:
            return "exit status unknown: an earlier agent started it"
        return f"signal {-status} ({signal.Signals(-status).name})" if status < 0 else f"exit status {status}"

    def stop(self, grace: float) -> None:
        """End the whole process group: SIGTERM, and SIGKILL after ``grace`` seconds."""
        for name, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, name)
            deadline = time.monotonic() + wait
            while self.alive() and time.monotonic() < deadline:
                time.sleep(0.05)
            if not self.alive():
                return


def what_it_said(directory: pathlib.Path, log_file: str) -> str:
    """Return the last lines of a daemon's log and of its standard error, newest last, without repetitions."""
    lines = last_lines(pathlib.Path(log_file)) if log_file else []
    lines += [line for line in last_lines(directory / "logs" / "stderr.log") if line not in lines]
    return "\n".join(collections.deque(lines, maxlen=2 * LOG_LINES))
