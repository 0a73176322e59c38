# SPDX-License-Identifier: Apache-2.0
"""After nova-compute or the Docker daemon went down in the middle of something.

What is on the daemon with this host's label is compared with what Nova knows. Only what Nova positively knows to be
gone, or to have never become an instance, is removed; of anything else the files may be somebody's last copy.
"""

from __future__ import annotations

import os
from typing import Any, Callable

import nova.conf
from nova import context as nova_context
from nova import objects
from nova.compute import power_state, task_states, vm_states
from nova.objects import fields
from nova.virt import driver as virt_driver
from nova.virt import event as virtevent
from oslo_log import log as logging
from oslo_utils import uuidutils

from sahara_docker.nova import events, hypervisor, passage, records

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

_EVENT_OF = {
    power_state.RUNNING: virtevent.EVENT_LIFECYCLE_STARTED,
    power_state.PAUSED: virtevent.EVENT_LIFECYCLE_PAUSED,
    power_state.SHUTDOWN: virtevent.EVENT_LIFECYCLE_STOPPED,
}


def clean_up(driver: virt_driver.ComputeDriver, daemon: hypervisor.Hypervisor) -> None:
    """At the start of nova-compute, remove what the last one left half made or half removed."""
    here = daemon.instances().keys() | _directories()
    if not here:
        return
    context = nova_context.get_admin_context()
    for instance in _known(context, here, deleted=True):
        LOG.warning("Removing what is left here of an instance that was deleted", instance=instance)
        _destroy(driver, context, instance)
    passage.remove(daemon, here)
    for instance in _known(context, here, deleted=False):
        if instance.vm_state == vm_states.BUILDING:
            LOG.warning("Removing what an interrupted spawn has made", instance=instance)
            _destroy(driver, context, instance)
        elif instance.host != CONF.host and _evacuation_was_cut_off(context, instance):
            LOG.warning("Removing what an interrupted evacuation has made", instance=instance)
            _destroy(driver, context, instance)
        elif instance.host == CONF.host and instance.task_state == task_states.RESIZE_FINISH:
            _give_up_arrival(instance)


def _give_up_arrival(instance: Any) -> None:
    """Let its user do something with an instance that Nova believes to be arriving; nobody works on that any more."""
    try:
        instance.vm_state, instance.task_state = vm_states.ERROR, None
        instance.save()
        what = "nova-compute ended while the instance arrived from another host; a hard reboot takes that up again"
        records.trouble(instance.uuid, "arrival", what)
    except Exception:  # as above
        LOG.exception("Cannot note that the move of the instance was cut off", instance=instance)


def _evacuation_was_cut_off(context: Any, instance: Any) -> bool:
    """Return whether the last that this host had to do with an instance was an evacuation that did not end."""
    moves = objects.MigrationList.get_by_filters(context, {"instance_uuid": instance.uuid, "host": CONF.host})
    last = max(moves, key=lambda move: move.id, default=None)
    return bool(
        last
        and last.migration_type == fields.MigrationType.EVACUATION
        and last.dest_compute == CONF.host
        and last.status in ("accepted", "pre-migrating")
    )


def _directories() -> set[str]:
    return {name for name in os.listdir(CONF.instances_path) if uuidutils.is_uuid_like(name)}


def _known(context: Any, uuids: set[str], *, deleted: bool) -> Any:
    filters = {"uuid": sorted(uuids), "deleted": deleted, **({"soft_deleted": False} if deleted else {})}
    reader = context.elevated(read_deleted="yes") if deleted else context
    return objects.InstanceList.get_by_filters(reader, filters, expected_attrs=["info_cache", "system_metadata"])


def _destroy(driver: virt_driver.ComputeDriver, context: Any, instance: Any) -> None:
    try:
        driver.destroy(context, instance, instance.get_network_info() if instance.info_cache else [])
    except Exception:  # one instance's failure must not keep the host from starting
        LOG.exception("Cannot remove it; Nova's own clean-up tries again", instance=instance)


class Leftovers:
    """What failed spawns have left because the daemon was down.

    Nova gives up the host of such an instance, so that its deletion asks no host to remove anything.
    """

    def __init__(self, daemon: hypervisor.Hypervisor) -> None:
        self._daemon = daemon
        self._waiting: dict[str, tuple[Any, Callable[[], None]]] = {}

    def remove(self, instance: Any, destroy: Callable[[], None]) -> None:
        """Call *destroy*, and when it fails again as soon as the daemon is back."""
        self._waiting[instance.uuid] = instance, destroy
        self.remove_all()

    def remove_all(self) -> None:
        """Try all that waits, each once more when the daemon has come back meanwhile."""
        for uuid, (instance, destroy) in list(self._waiting.items()):
            for _ in range(2):
                try:
                    destroy()
                    self._waiting.pop(uuid, None)
                    break
                except Exception:
                    LOG.exception("What a failed spawn has made cannot be taken back now", instance=instance)
                if not self._daemon.answers():
                    break  # it is tried again when the daemon is back


class Watchman(events.Listener):
    """Passes on to Nova what the daemon says, and brings the instances back after it was down."""

    def __init__(self, driver: virt_driver.ComputeDriver, leftovers: Leftovers) -> None:
        self._driver = driver
        self._leftovers = leftovers

    def transition(self, uuid: str, transition: int) -> None:
        self._driver.emit_event(virtevent.LifecycleEvent(uuid, transition))

    def trouble(self, uuid: str, kind: str, what: str) -> None:
        records.trouble(uuid, kind, what)

    def daemon_lost(self) -> None:
        records.set_in_service(self._driver.virtapi, False, "the Docker daemon does not answer")

    def daemon_back(self) -> None:
        """Start what ran before, when Nova is set to do so after a boot of the host; report the state of the rest."""
        self._leftovers.remove_all()
        context = nova_context.get_admin_context()
        for instance in _known(context, set(self._driver.list_instance_uuids()), deleted=False):
            try:
                self._bring_back(context, instance)
            except Exception:
                LOG.exception("Cannot bring the instance back", instance=instance)
        records.set_in_service(self._driver.virtapi, True)

    def _bring_back(self, context: Any, instance: Any) -> None:
        if instance.host != CONF.host or instance.task_state is not None:
            return
        state = self._driver.get_info(instance).state
        ran = instance.vm_state == vm_states.ACTIVE and instance.power_state == power_state.RUNNING
        if ran and state == power_state.SHUTDOWN and CONF.resume_guests_state_on_host_boot:
            LOG.info("Starting the instance again after the Docker daemon was down", instance=instance)
            volumes = objects.BlockDeviceMappingList.get_by_instance_uuid(context, instance.uuid)
            devices = virt_driver.get_block_device_info(instance, volumes)
            self._driver.resume_state_on_host_boot(context, instance, instance.get_network_info(), devices)
            state = self._driver.get_info(instance).state
        self.transition(instance.uuid, _EVENT_OF[state])
