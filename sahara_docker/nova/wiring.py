# SPDX-License-Identifier: Apache-2.0
"""Waiting for Neutron to say that it has wired a port."""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Iterable, Iterator

from nova import exception
from oslo_log import log as logging

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def wired(virtapi: Any, instance: Any, vifs: Iterable[Any], *, timeout: int, fatal: bool) -> Iterator[None]:
    """Wait after the block until Neutron has wired the ports that were not active before it.

    :param virtapi: nova.virt.virtapi.VirtAPI of the driver.
    :param timeout: longest wait in seconds; 0 for none at all (``vif_plugging_timeout``).
    :param fatal: raise when it does not happen (``vif_plugging_is_fatal``), and not only warn.
    :raises nova.exception.VirtualInterfaceCreateException: Neutron reports a failure, or nothing in time.
    """
    awaited = [("network-vif-plugged", vif["id"]) for vif in vifs if vif.get("active") is False] if timeout else []

    def failed(event_name: str, _instance: Any) -> None:
        LOG.error("Neutron reports a failure: %s", event_name, instance=instance)
        if fatal:
            raise exception.VirtualInterfaceCreateException

    try:
        # Positional: the third argument is called deadline up to Nova 32 and timeout from 33 on.
        with virtapi.wait_for_instance_event(instance, awaited, timeout, failed):
            yield
    except _event_timeout():
        ports = [vif_id for _, vif_id in awaited]
        LOG.warning("Neutron has not wired %s within %s s", ports, timeout, instance=instance)
        if fatal:
            raise exception.VirtualInterfaceCreateException from None


def _event_timeout() -> type[BaseException] | tuple[type[BaseException], ...]:
    """Return what Nova raises when an event does not come: its own exception from 32 on, eventlet's timeout before.

    eventlet is looked up and never imported: importing it in a Nova that runs on native threads is an error.
    """
    own = getattr(exception, "InstanceEventTimeout", None)
    if own is not None:
        return own
    eventlet_timeout = sys.modules.get("eventlet.timeout")
    return eventlet_timeout.Timeout if eventlet_timeout else ()
