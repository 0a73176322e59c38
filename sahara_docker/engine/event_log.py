# SPDX-License-Identifier: Apache-2.0
"""Sahara's event log, written at a cost that does not grow with the cluster."""

from __future__ import annotations

import functools
from typing import Any, Callable

from oslo_config import cfg
from oslo_log import log as logging
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.conductor import resource

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


def recorded(action: Callable) -> Callable:
    """Record in the present provisioning step how *action* went for the instance among its positional arguments.

    Sahara's ``event_wrapper`` does so too, but reads the whole cluster twice for each node, with all its nodes.
    """

    @functools.wraps(action)
    def recording(*args: Any, **kwargs: Any) -> Any:
        instance = next(one for one in args if isinstance(one, resource.InstanceResource))
        try:
            value = action(*args, **kwargs)
        except Exception as failure:
            _add(instance, False, str(failure))
            raise
        _add(instance, True, None)
        return value

    return recording


def _add(instance: Any, successful: bool, text: str | None) -> None:
    step = context.ctx().current_instance_info.step_id
    if CONF.disable_event_log or not step:
        return
    event = {
        "successful": successful,
        "node_group_id": instance.node_group_id,
        "instance_id": instance.instance_id,
        "instance_name": instance.instance_name,
        "event_info": text,
    }
    try:
        conductor.API.cluster_event_add(context.ctx(), step, event)
    except sahara_exceptions.NotFoundException:
        LOG.debug("[%s] the cluster is gone, and its event log with it", instance.instance_name)
