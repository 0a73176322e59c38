# SPDX-License-Identifier: Apache-2.0
"""One step on many nodes at once."""

from __future__ import annotations

from typing import Any, Callable, Iterable

from sahara import context

from sahara_docker import exceptions, thread_group

_SHOWN = 5


class NodesFailed(exceptions.SaharaDockerError):
    """A step failed on some nodes; the text has the first few causes.

    :ivar causes: every cause, by instance name.
    """

    def __init__(self, step: str, total: int, causes: dict[str, Exception]) -> None:
        self.causes = dict(causes)
        shown = [_named(name, cause) for name, cause in sorted(causes.items())[:_SHOWN]]
        if len(causes) > _SHOWN:
            shown.append(f"and {len(causes) - _SHOWN} more")
        super().__init__(f"{step} failed on {len(causes)} of {total} nodes", observed="; ".join(shown))


def _named(name: str, cause: Exception) -> str:
    text = str(cause)
    return text if name in text else f"[{name}] {text}"


def each(instances: Iterable[Any], step: str, action: Callable[[Any], None]) -> None:
    """Run *action* on every instance in its own green thread, and wait for all.

    Sahara's ``ThreadGroup`` keeps only the first failure, with a stack trace in its text; here all of them are told.

    :raises NodesFailed: when it failed on any.
    """
    instances = list(instances)
    causes: dict[str, Exception] = {}

    def run(instance: Any) -> None:
        try:
            action(instance)
        except Exception as cause:
            causes[instance.instance_name] = cause

    with thread_group.ThreadGroup() as group:
        for instance in instances:
            # The new thread takes a copy of the context, whose instance id then stands in its log lines.
            with context.set_current_instance_id(instance.instance_id):
                group.spawn(f"{step} {instance.instance_name}", run, instance)
    try:
        if causes:
            raise NodesFailed(step, len(instances), causes) from next(iter(causes.values()))
    finally:
        causes.clear()  # their stack traces refer to this function's variables
