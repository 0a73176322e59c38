# SPDX-License-Identifier: Apache-2.0
"""Waiting for Cloudera Manager's commands, and saying which part of a failed one failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from oslo_log import log as logging

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_client, cm_session, waiting

LOG = logging.getLogger(__name__)

SYNCHRONOUS_ID = -1
# Asking costs a few milliseconds; a long pause would be added to every cluster's creation.
LONGEST_PAUSE = 1.0
ABORT_TIMEOUT = 60


class CMCommandFailed(exceptions.SaharaDockerError):
    """A command of Cloudera Manager ended without success."""


def await_commands(
    client: cm_client.CMClient,
    commands: Iterable[cm_client.Command],
    *,
    timeout: float,
    report: Callable[[str], None] | None = None,
    watch: Callable[[], str] = str,
    remedy: str = "look at the command in Cloudera Manager",
) -> None:
    """Wait until all *commands* are over and all have succeeded.

    A Cloudera Manager that does not answer meanwhile, such as while it restarts, is waited for.

    :param timeout: seconds for all of them together.
    :param watch: called while they run; returns what stands in their way, or nothing, and may raise to end the wait.
    :param remedy: what to do when they are not over in time.
    :raises CMCommandFailed: when one failed, naming the failed steps, roles and hosts.
    :raises WaitTimedOut: when one is still running after *timeout*.
    """
    commands = list(commands)
    names = ", ".join(sorted({str(command.get("name")) for command in commands}))
    # By position: all synchronous commands have the same id.
    pending = dict(enumerate(commands))
    trouble = ""

    def all_over() -> None:
        nonlocal trouble
        for position, command in list(pending.items()):
            if command["id"] != SYNCHRONOUS_ID:
                command = pending[position] = _current(client, command["id"])
            if not command.get("active"):
                del pending[position]
                _check(client, command, trouble)
        if pending:
            trouble = watch()
            parts = [*map(_progress, pending.values()), trouble]
            raise waiting.NotYet("; ".join(filter(None, parts)))

    waiting.wait_for(
        all_over,
        what=f"the end of Cloudera Manager's command {names}",
        timeout=timeout,
        where=client.where,
        remedy=remedy,
        report=report,
        longest_pause=LONGEST_PAUSE,
    )


def abort(client: cm_client.CMClient, command: cm_client.Command) -> None:
    """Abort a command that nobody waits for any more and see it end; a failure of that is logged only."""

    def over() -> None:
        if _current(client, command["id"]).get("active"):
            raise waiting.NotYet("it still runs")

    try:
        client.abort(command["id"])
        what = f"the end of Cloudera Manager's aborted command {command.get('name')}"
        waiting.wait_for(over, what=what, timeout=ABORT_TIMEOUT, where=client.where)
    except exceptions.SaharaDockerError as failure:
        LOG.warning("Cannot abort command %s: %s", command.get("name"), failure)


def _current(client: cm_client.CMClient, command_id: int) -> cm_client.Command:
    try:
        return client.command(command_id)
    except cm_session.CMError as error:
        if error.passing:
            raise waiting.NotYet(str(error)) from error
        raise


def _check(client: cm_client.CMClient, command: cm_client.Command, trouble: str) -> None:
    failed = list(_failed_parts(command))
    if command.get("success") and not failed:
        return
    own = command.get("resultMessage") or "no message"
    # The command's own message often repeats its children's.
    parts = [own, *(part for part in failed if part.partition(": ")[2] not in own), trouble]
    observed = "; ".join(filter(None, parts))
    raise CMCommandFailed(f"command {command.get('name')} failed", where=client.where, observed=observed)


def _children(command: cm_client.Command) -> list[dict[str, Any]]:
    return (command.get("children") or {}).get("items") or []


def _failed_parts(command: cm_client.Command) -> Iterator[str]:
    """Yield a line for each innermost failed child."""
    for child in _children(command):
        deeper = list(_failed_parts(child))
        if deeper:
            yield from deeper
        elif not child.get("active") and child.get("success") is False:
            yield f"{_label(child)}: {child.get('resultMessage') or 'no message'}"


def _label(command: cm_client.Command) -> str:
    for reference, key in (("roleRef", "roleName"), ("serviceRef", "serviceName"), ("hostRef", "hostId")):
        subject = (command.get(reference) or {}).get(key)
        if subject:
            return f"{command.get('name')} of {subject}"
    return str(command.get("name"))


def _progress(command: cm_client.Command) -> str:
    running = [_label(child) for child in _children(command) if child.get("active")]
    return f"{_label(command)} is at {', '.join(running)}" if running else f"{_label(command)} is running"
