# SPDX-License-Identifier: Apache-2.0
"""What the driver tells users and operators through Nova's own records, outside of any request."""

from __future__ import annotations

import nova.conf
from nova import context as nova_context
from nova import exception, objects
from nova.compute import utils as compute_utils
from oslo_log import log as logging

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

# By which Nova's own drivers know that it was no operator who took a host out of service.
_AUTOMATIC = "AUTO: "


class GuestTrouble(exception.NovaException):
    """Something went wrong inside an instance, without anybody having asked for it."""

    msg_fmt = "%(what)s"


def trouble(uuid: str, kind: str, what: str) -> None:
    """Record trouble as an instance's fault and in its list of events (``openstack server event list``).

    The fault is shown while the instance is in ERROR, the event always; both only while Nova itself does nothing with
    the instance.
    """
    context = nova_context.get_admin_context()
    try:
        instance = objects.Instance.get_by_uuid(context, uuid, expected_attrs=[])
    except exception.InstanceNotFound:
        return
    if instance.task_state is not None:
        return
    LOG.warning("Trouble (%s): %s", kind, what, instance=instance)
    error = GuestTrouble(what=what)
    compute_utils.add_instance_fault_from_exc(context, instance, error)
    objects.InstanceAction.action_start(context, uuid, kind)
    objects.InstanceActionEvent.event_start(context, uuid, kind, host=CONF.host)
    # A failure needs the text of a traceback, which is for administrators; there is none.
    objects.InstanceActionEvent.event_finish_with_failure(context, uuid, kind, exc_val=what, exc_tb="")
    objects.InstanceAction.action_finish(context, uuid)


def set_in_service(virtapi: object, in_service: bool, reason: str = "") -> None:
    """Take this host in or out of the scheduler's choice; what an operator has decided stays.

    :param virtapi: nova.virt.virtapi.VirtAPI of the driver.
    """
    context = nova_context.get_admin_context()
    try:
        service = objects.Service.get_by_compute_host(context, CONF.host)
        node = objects.ComputeNode.get_by_host_and_nodename(context, CONF.host, CONF.host)
    except (exception.ComputeHostNotFound, exception.ServiceNotFound):
        return  # its first start
    own = (service.disabled_reason or "").startswith(_AUTOMATIC)
    if service.disabled == in_service and (own or not service.disabled):
        service.disabled = not in_service
        service.disabled_reason = None if in_service else _AUTOMATIC + reason
        service.save()
        virtapi.update_compute_provider_status(context, node.uuid, in_service)  # type: ignore[attr-defined]
