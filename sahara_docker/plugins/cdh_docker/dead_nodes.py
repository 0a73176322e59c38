# SPDX-License-Identifier: Apache-2.0
"""Dead nodes in a cluster that is scaled: what all nodes are to be told does not reach them, and need not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import nodes

LOG = logging.getLogger(__name__)


class DeadNode(exceptions.SaharaDockerError):
    """Nothing is there any more where a node was, while a step was to reach all nodes of its cluster."""


def passed_over(others: list[Any], step: Callable[[], object]) -> None:
    """Do a *step*; when it fails and some of *others* are dead, the event log names these and that is all.

    :param others: nodes that the step reaches, but is not for.
    :raises Exception: the step's, when none of them is dead.
    """
    try:
        step()
    except Exception as failure:
        dead = [(instance, text) for instance in others if (text := _absence(instance))]
        if not dead:
            raise
        plugin_utils.add_provisioning_step(dead[0][0].cluster_id, "Pass over dead nodes", len(dead))
        for instance, text in dead:
            note = DeadNode(
                "a dead node keeps the cluster from being told everything",
                where=nodes.where(instance),
                observed=f"{text}; {failure}",
                remedy="remove it from the cluster, or start it and restart the stale services in Cloudera Manager",
            )
            LOG.warning("%s", note)
            plugin_utils.add_fail_event(instance, note)


def _absence(instance: Any) -> str:
    try:
        return nodes.absence(instance)
    except exceptions.SaharaDockerError:  # it may live
        return ""
