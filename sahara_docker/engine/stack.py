# SPDX-License-Identifier: Apache-2.0
"""The Heat stack of a cluster: create, update, delete, each followed to its end within a limit of time."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable

from heatclient import exc as heat_exceptions
from oslo_config import cfg
from oslo_log import log as logging
from sahara import context
from sahara import exceptions as sahara_exceptions
from sahara.utils.openstack import base, heat

from sahara_docker.engine import template

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_FIRST_POLL, _LONGEST_POLL = 0.5, 1.0
_REPORT_EVERY, _SHOWN = 10.0, 3

Report = Callable[[str], None]


def submit(cluster: Any, flat: template.FlatTemplate, update: bool, report: Report) -> dict[str, str]:
    """Create or update the stack and wait until Heat has done it.

    :param report: told now and then what Heat is still at, and an empty text at the end.
    :returns: Nova's server ids by resource name.
    :raises HeatStackException: Heat failed, with its reason; or the limit of time passed.
    """
    arguments: dict[str, Any] = {
        "stack_name": cluster.stack_name,
        "template": flat.text(),
        "files": flat.files,
        "timeout_mins": -(-CONF.sahara_docker.stack_timeout // 60),
        # Heat's own rollback puts its outcome in the place of the reason; the engine undoes a scaling itself.
        "disable_rollback": True,
        "parameters": {},
    }
    if CONF.heat_stack_tags:
        arguments["tags"] = ",".join(CONF.heat_stack_tags)
    if update:
        stack = heat.get_stack(cluster.stack_name)
        LOG.info("Updating Heat stack %s", stack.identifier)
        before = stack.updated_time
        base.execute_with_retries(stack.update, **arguments)
        identifier = stack.identifier
        _follow(identifier, "UPDATE", lambda now: now.updated_time != before, report)
    else:
        LOG.info("Creating Heat stack %s", cluster.stack_name)
        created = base.execute_with_retries(heat.client().stacks.create, **arguments)
        identifier = f"{cluster.stack_name}/{created['stack']['id']}"
        _follow(identifier, "CREATE", lambda now: True, report)
    resources = base.execute_with_retries(heat.client().resources.list, identifier)
    return {resource.resource_name: resource.physical_resource_id for resource in resources}


def delete(cluster: Any, report: Report, wait: bool = True, coming: float = 0) -> None:
    """Delete the stack; one that is gone already is fine.

    :param report: as for :func:`submit`.
    :param wait: until it is gone; else leave the rest to Heat.
    :param coming: seconds to look for one that somebody may just be creating.
    :raises HeatStackException: Heat failed twice, with its reason; or the limit of time passed.
    """
    end = time.monotonic() + coming
    while (stack := heat.get_stack(cluster.stack_name, raise_on_missing=False)) is None and time.monotonic() < end:
        context.sleep(_LONGEST_POLL)
    if stack is None:
        LOG.warning("Heat has no stack %s to delete", cluster.stack_name)
        return
    with contextlib.suppress(heat_exceptions.HTTPNotFound):
        try:
            _delete_once(stack.identifier, report, wait)
        except sahara_exceptions.HeatStackException as failure:
            # What failed for lack of time or order usually succeeds when the rest is gone.
            LOG.warning("Deleting Heat stack %s again: %s", stack.identifier, failure)
            _delete_once(stack.identifier, report, wait)


def _delete_once(identifier: str, report: Report, wait: bool) -> None:
    base.execute_with_retries(heat.client().stacks.delete, identifier)
    if wait:
        _follow(identifier, "DELETE", lambda now: now.action == "DELETE", report)


def _follow(identifier: str, action: str, begun: Callable[[Any], bool], report: Report) -> None:
    """Poll until *action* is complete. The state counts from the moment that *begun* says so."""
    limit = CONF.sahara_docker.stack_timeout
    start = time.monotonic()
    end, due = start + limit, start + _REPORT_EVERY
    pause = _FIRST_POLL
    while True:
        context.sleep(pause)
        now = base.execute_with_retries(heat.client().stacks.get, identifier, resolve_outputs=False)
        if begun(now) and now.status not in ("IN_PROGRESS", ""):
            if (now.action, now.status) == (action, "COMPLETE"):
                if due > start + _REPORT_EVERY:
                    report("")
                return
            raise sahara_exceptions.HeatStackException(
                message=f"Heat stack {now.stack_name} is {now.stack_status}: {now.stack_status_reason}"
            )
        if time.monotonic() > end:
            raise sahara_exceptions.HeatStackException(
                message=f"Heat stack {now.stack_name} is still {now.stack_status} after {limit} s "
                "([sahara_docker] stack_timeout); see 'openstack stack event list' for what it waits for"
            )
        if time.monotonic() >= due:
            due = time.monotonic() + _REPORT_EVERY
            report(f"Waiting for Heat, {time.monotonic() - start:.0f} of {limit} s: {_under_way(identifier, now)}")
        pause = min(pause * 1.5, _LONGEST_POLL)


def _under_way(identifier: str, now: Any) -> str:
    """What Heat is at: the resources that it has begun and not ended."""
    resources = base.execute_with_retries(heat.client().resources.list, identifier)
    names = sorted(one.resource_name for one in resources if one.resource_status.endswith("IN_PROGRESS"))
    others = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{now.stack_status}, at {', '.join(names[:_SHOWN]) or 'nothing yet'}{others}"
