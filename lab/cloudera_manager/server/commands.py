# SPDX-License-Identifier: Apache-2.0
"""Asynchronous commands with children, each in a thread of its own."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable

from ..faults import Faults
from .errors import ApiError, CommandFailed, not_found
from .model import Command
from .store import Store

LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Target:
    """What a command is about."""

    cluster: str | None = None
    service: str | None = None
    role: str | None = None
    host: str | None = None


class Running:
    """A running command, as its work sees it."""

    def __init__(self, commands: Commands, command: Command, aborted: threading.Event) -> None:
        self._commands, self.command, self.aborted = commands, command, aborted

    def check(self) -> None:
        """Raise when somebody aborted the command.

        :raises CommandFailed: it was aborted.
        """
        if self.aborted.is_set():
            raise CommandFailed("aborted")

    def wait(self, seconds: float) -> None:
        """Sleep, unless the command is aborted meanwhile."""
        self.aborted.wait(seconds)
        self.check()

    def child(self, name: str, target: Target, work: Work) -> str:
        """Do a part of the work as a child command, in this thread; return its message.

        :raises CommandFailed: it failed; the text is the child's.
        """
        command = self._commands.add(name, target, self.command)
        return self._commands.carry_out(command, work, self.aborted)


Work = Callable[[Running], str]


@dataclasses.dataclass
class Step:
    """A part of a command that can begin when others have succeeded."""

    key: str
    name: str
    target: Target
    work: Work
    after: tuple[str, ...] = ()


class Commands:
    """All commands of the server."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults
        self._aborts: dict[int, threading.Event] = {}

    def add(self, name: str, target: Target, parent: Command | None = None) -> Command:
        """Note a new command."""
        with self._store.changing() as model:
            number = max(model.commands, default=0) + 1
            command = Command(number, name, time.time(), **dataclasses.asdict(target))
            if parent is not None:
                command.parent = parent.id
                parent.children.append(number)
            model.commands[number] = command
        return command

    def start(self, name: str, target: Target, work: Work) -> Command:
        """Start a command and return it while it runs."""
        command = self.add(name, target)
        aborted = self._aborts[command.id] = threading.Event()

        def run() -> None:
            try:
                self.carry_out(command, work, aborted)
            except CommandFailed as error:
                LOG.warning("command %d %s failed: %s", command.id, name, error)
            finally:
                self._aborts.pop(command.id, None)

        threading.Thread(target=run, name=f"command-{command.id}-{name}", daemon=True).start()
        return command

    def carry_out(self, command: Command, work: Work, aborted: threading.Event) -> str:
        """Do a command's work in this thread and note how it ended; return its message.

        :raises CommandFailed: it failed.
        """
        try:
            if self._faults.failing_command(command.name):
                raise CommandFailed(self._faults.message)
            message, success = work(Running(self, command, aborted)), True
        except CommandFailed as error:
            message, success = str(error), False
        except Exception as error:  # a command must end: its caller polls it
            LOG.exception("command %d %s", command.id, command.name)
            message, success = f"the stand-in failed: {type(error).__name__}: {error}; look at its log", False
        with self._store.changing():
            command.end(success, message)
        LOG.info("command %d %s: %s", command.id, command.name, message.splitlines()[0] if message else "done")
        if not success:
            raise CommandFailed(message)
        return message

    def abort(self, number: int) -> Command:
        """Ask a running command to end.

        :raises ApiError: there is no such command.
        """
        with self._store.lock:
            command = self._store.model.commands.get(number)
            if command is None:
                raise not_found("Command", str(number))
            if command.active:
                event = self._aborts.get(number)
                if event is None:
                    raise ApiError(400, f"Command {number} is part of command {command.parent}: abort that one.")
                event.set()
        return command

    def run_steps(self, running: Running, steps: Iterable[Step]) -> list[str]:
        """Carry out steps as child commands, each as soon as those before it have succeeded; return their messages.

        A step names the ones before it by key; keys of steps that are not part of this run are taken for done.

        :raises CommandFailed: at least one step failed; the text holds each cause.
        """
        todo = list(steps)
        ends = {step.key: threading.Event() for step in todo}
        failures: dict[str, str] = {}
        messages: list[str] = []

        def run(step: Step) -> None:
            try:
                for key in step.after:
                    if key in ends:
                        ends[key].wait()
                    if key in failures:
                        raise CommandFailed(f"{step.name} of {step.key} not tried: {key} failed")
                messages.append(running.child(step.name, step.target, step.work))
            except CommandFailed as error:
                failures[step.key] = str(error)
            finally:
                ends[step.key].set()

        threads = [threading.Thread(target=run, args=(step,), name=f"step-{step.key}", daemon=True) for step in todo]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            causes = [text for text in failures.values() if " not tried: " not in text]
            raise CommandFailed("; ".join(causes or failures.values()))
        return messages
