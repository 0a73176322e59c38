# SPDX-License-Identifier: Apache-2.0
"""The same work on many nodes at once, with every node's failure named."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sahara.plugins import context
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions, thread_group


class NodesFailed(exceptions.SaharaDockerError):
    """More than one node failed; the text names each of them."""


def on_each(instances: Iterable[Any], step: str, work: Callable[[Any], None]) -> None:
    """Run *work* on all *instances* in parallel as one provisioning step of the cluster's event log.

    Sahara's own thread group keeps the first failure only, with a stack trace in its text, which then becomes the
    cluster's status; here every failed node is reported, without a trace.

    :param step: the step's name as the user sees it.
    :raises NodesFailed: after all nodes are through, when *work* raised on more than one of them; a single failure
        is raised as it is.
    """
    instances = list(instances)
    if not instances:
        return
    plugin_utils.add_provisioning_step(instances[0].cluster_id, step, len(instances))
    failures: dict[str, Exception] = {}

    def attempt(instance: Any) -> None:
        with context.set_current_instance_id(instance.instance_id):
            try:
                work(instance)
            except Exception as failure:
                failures[instance.instance_name] = failure
                plugin_utils.add_fail_event(instance, failure)
            else:
                plugin_utils.add_successful_event(instance)

    with thread_group.ThreadGroup() as group:
        for instance in instances:
            group.spawn(f"{step} {instance.instance_name}", attempt, instance)

    try:
        if len(failures) == 1:
            raise next(iter(failures.values()))
        if failures:
            raise NodesFailed(
                f"{step} failed on {len(failures)} of {len(instances)} nodes", observed=_summary(failures)
            )
    finally:
        failures.clear()  # their stack traces refer to this function's variables


def _summary(failures: dict[str, Exception]) -> str:
    """Return what failed, with the nodes that failed in the same way taken together."""
    nodes_by_text: dict[str, list[str]] = {}
    for name, failure in sorted(failures.items()):
        if isinstance(failure, exceptions.SaharaDockerError):  # its place is in the name already
            failure = exceptions.SaharaDockerError(failure.what, observed=failure.observed, remedy=failure.remedy)
        nodes_by_text.setdefault(str(failure), []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in nodes_by_text.items())
