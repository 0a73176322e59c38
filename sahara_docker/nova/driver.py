# SPDX-License-Identifier: Apache-2.0
"""Nova's ``ComputeDriver`` contract for Docker.

Set ``[DEFAULT] compute_driver = docker.DockerDriver``. Written against Nova 28 to 34: arguments that only some
releases pass (``share_info`` from 31 on) are accepted and not used. What is not here, Nova's base class answers with
NotImplementedError, which its API turns into a clear refusal; ``capabilities`` says the same to the scheduler.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from typing import Any, ClassVar

import nova.conf
import os_vif
from nova import exception
from nova.compute import power_state, task_states
from nova.virt import driver
from oslo_log import log as logging

import sahara_docker.conf
from sahara_docker.nova import (
    construction,
    data,
    diagnostics,
    events,
    guest,
    hypervisor,
    image,
    inventory,
    limits,
    metadata,
    migration,
    network,
    passage,
    records,
    recovery,
    replacement,
    volumes,
    wiring,
)

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


class DockerDriver(driver.ComputeDriver):
    """Runs instances as containers of the host's Docker daemon, without privileges."""

    capabilities: ClassVar[dict[str, bool]] = {
        **driver.ComputeDriver.capabilities,
        "has_imagecache": True,
        "supports_attach_interface": True,
        "supports_evacuate": True,
        "supports_image_type_raw": True,  # the disk_format that an image of container_format docker has
    }

    def __init__(self, virtapi: Any) -> None:
        super().__init__(virtapi)
        sahara_docker.conf.register_nova_opts(CONF)
        self._daemon = hypervisor.Hypervisor(CONF.docker.host, CONF.host)
        self._images = image.ImageStore(self._daemon, CONF.instances_path)
        self._migration = migration.Migration(self._daemon, self._images)
        self._leftovers = recovery.Leftovers(self._daemon)
        self._watcher = events.Watcher(self._daemon, recovery.Watchman(self, self._leftovers))

    # Host

    def init_host(self, host: str) -> None:
        """Check at the start of the service what every spawn relies on.

        :raises sahara_docker.nova.hypervisor.DaemonError: the Docker daemon does not answer or is unfit.
        :raises ValueError: an option makes no sense.
        """
        for item in CONF.docker.ulimits:
            limits.Ulimit.parse(item)
        info = self._daemon.connect()
        os.makedirs(CONF.instances_path, exist_ok=True)
        os_vif.initialize()
        data.attach_all(CONF.instances_path)
        volumes.prepare()
        recovery.clean_up(self, self._daemon)
        records.set_in_service(self.virtapi, True)
        self._watcher.start()
        LOG.info(
            "Docker %s, %s CPUs, %s MiB, storage driver %s, cgroup v%s",
            info["ServerVersion"],
            info["NCPU"],
            info["MemTotal"] >> 20,
            info["Driver"],
            info.get("CgroupVersion", "1"),
        )

    def cleanup_host(self, host: str) -> None:
        self._watcher.stop()

    def list_instances(self) -> list[str]:
        return list(self._daemon.instances().values())

    def list_instance_uuids(self) -> list[str]:
        return list(self._daemon.instances())

    def instance_exists(self, instance: Any) -> bool:
        return self._guest(instance).exists()

    def get_available_nodes(self, refresh: bool = False) -> list[str]:
        return [CONF.host]

    def get_available_resource(self, nodename: str) -> dict[str, Any]:
        return inventory.resources(self._capacity(), nodename)

    def _capacity(self) -> hypervisor.Capacity:
        return self._daemon.capacity(CONF.instances_path, has_data=data.is_sized())

    def update_provider_tree(self, provider_tree: Any, nodename: str, allocations: Any = None) -> None:
        inventory.update(
            provider_tree,
            nodename,
            self._capacity(),
            {inventory.ROOT_QUOTA: self._daemon.root_quota, inventory.DATA_QUOTA: data.is_sized()},
            reserved_disk_gb=self._get_reserved_host_disk_gb_from_config(),
            ratios_of=self._get_allocation_ratios,
        )

    def get_host_uptime(self) -> str:
        return inventory.uptime()

    def get_host_ip_addr(self) -> str:
        return CONF.my_ip

    # Life and death

    def spawn(
        self,
        context: Any,
        instance: Any,
        image_meta: Any,
        injected_files: Any,
        admin_password: str | None,
        allocations: Any,
        network_info: Any = None,
        block_device_info: Any = None,
        power_on: bool = True,
        accel_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        """Create an instance; when that fails, everything made so far is taken away again.

        Docker's part that does not depend on the network comes first: *network_info* makes its reader wait for Neutron.
        """
        verify = CONF.glance.verify_glance_signatures
        docker_image = self._images.ensure(
            context, image_meta, trusted_certs=instance.trusted_certs if verify else None
        )
        its_guest = self._guest(instance)
        vifs: list[Any] = []
        try:
            construction.create_sandbox(its_guest, docker_image, instance)
            its_guest.start_sandbox()
            vifs = list(network_info or [])
            construction.create_workload(self._daemon, its_guest, docker_image, instance, vifs)
            read = functools.partial(self._images.file, docker_image, read=its_guest.read)
            metadata.write(its_guest, instance, injected_files, admin_password, vifs, read)
            with wiring.wired(
                self.virtapi, instance, vifs, timeout=CONF.vif_plugging_timeout, fatal=CONF.vif_plugging_is_fatal
            ):
                self.plug_vifs(instance, vifs)
            volumes.attach_all(instance, block_device_info)
            if power_on:
                its_guest.start()
                metadata.run_user_data(its_guest, instance)
        except exception.InstanceExists:
            raise  # and what is there is not this spawn's
        except BaseException:
            # Also the timeout of eventlet, which is no Exception.
            LOG.warning("Spawn failed, taking back what was made", instance=instance)
            self._leftovers.remove(
                instance, functools.partial(self.destroy, context, instance, vifs, block_device_info)
            )
            raise

    def destroy(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        its_guest = self._guest(instance)
        if instance.task_state == task_states.RESIZE_REVERTING and self._migration.is_here(instance):
            its_guest.stop(0)  # the instance before and after the resize is one; finish_revert_migration follows
            return
        if instance.host not in (None, CONF.host):
            # It was evacuated; another service on this machine may have made the same ports for it.
            network_info = network.own(network_info or [], its_guest.network_namespace_if_any())
        its_guest.remove()
        passage.remove(self._daemon, {instance.uuid})
        self.cleanup(context, instance, network_info, block_device_info, destroy_disks)
        if instance.deleted or instance.task_state == task_states.DELETING:
            self._migration.discard(context, instance)

    def cleanup(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        destroy_disks: bool = True,
        migrate_data: Any = None,
        destroy_vifs: bool = True,
        destroy_secrets: bool = True,
    ) -> None:
        if destroy_vifs:
            # A port that is half gone must not keep the instance from being deleted; its warning is in the log.
            with contextlib.suppress(exception.VirtualInterfaceUnplugException):
                self.unplug_vifs(instance, network_info)
        volumes.detach_all(instance, block_device_info)
        if destroy_disks:
            self.delete_instance_files(instance)

    def delete_instance_files(self, instance: Any) -> bool:
        self._guest(instance).remove()  # Nova calls it alone for what a failed move has left of a deleted instance
        self._guest(instance).remove_volumes()
        directory = construction.directory(instance)
        data.Disk(directory).detach()
        shutil.rmtree(directory, ignore_errors=True)
        return not os.path.exists(directory)

    # Power

    def get_info(self, instance: Any, use_cache: bool = True) -> Any:
        return self._guest(instance).info()

    def power_off(self, instance: Any, timeout: int = 0, retry_interval: int = 0) -> None:
        self._guest(instance).stop(timeout)

    def power_on(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        block_device_info: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        its_guest = self._guest(instance)
        construction.mend(self._daemon, its_guest, instance)
        if its_guest.start_sandbox():
            its_guest.stop(0)  # a workload that runs is in the network namespace that ended
        self.plug_vifs(instance, network_info)
        volumes.attach_all(instance, block_device_info)
        its_guest.start()
        metadata.run_user_data(its_guest, instance)
        self._migration.clear(context, instance)

    def reboot(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        reboot_type: str,
        block_device_info: Any = None,
        bad_volumes_callback: Any = None,
        accel_info: Any = None,
        share_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        """Stop (SOFT: with the image's signal first; HARD: at once) and start; network and files stay as they are."""
        if self._migration.is_cut_off(self._guest(instance), instance):
            LOG.warning("Taking up the move to this host again, which was cut off", instance=instance)
            self._guest(instance).remove()
            self.delete_instance_files(instance)
            self._migration.arrive(context, self._guest(instance), instance, list(network_info))
        construction.mend(self._daemon, self._guest(instance), instance)
        self.power_off(instance, timeout=CONF.shutdown_timeout if reboot_type == "SOFT" else 0)
        self.power_on(context, instance, network_info, block_device_info)

    def resume_state_on_host_boot(
        self, context: Any, instance: Any, network_info: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Bring back an instance that ran before the host went down.

        Nova calls it when ``resume_guests_state_on_host_boot`` is set; its last argument is about the volumes, and
        release 31 has put another one before that.
        """
        block_device_info = args[-1] if args else kwargs.get("block_device_info")
        if self.get_info(instance).state not in (power_state.RUNNING, power_state.PAUSED):
            self.power_on(context, instance, network_info, block_device_info)

    def pause(self, instance: Any) -> None:
        self._guest(instance).pause()

    def unpause(self, instance: Any) -> None:
        if self.get_info(instance).state == power_state.PAUSED:
            self._guest(instance).unpause()

    def poll_rebooting_instances(self, timeout: int, instances: Any) -> None:
        """Nothing to do: a reboot that Docker does not finish in time ends with a kill."""

    # Rescue

    def rescue(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        image_meta: Any,
        rescue_password: str,
        block_device_info: Any,
        share_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        """Run another image in the instance's place, with its root at /rescue and its data volume."""
        verify = CONF.glance.verify_glance_signatures
        docker_image = self._images.ensure(
            context, image_meta, trusted_certs=instance.trusted_certs if verify else None
        )
        replacement.rescue(self._daemon, self._guest(instance), docker_image)
        self.power_on(context, instance, network_info)
        try:
            self.set_admin_password(instance, rescue_password)
        except exception.NovaException as error:
            LOG.warning("The rescue has the passwords of its image: %s", error, instance=instance)

    def unrescue(self, context: Any, instance: Any) -> None:
        replacement.unrescue(self._daemon, self._guest(instance))
        self.power_on(context, instance, instance.get_network_info())

    # Resize and cold migration

    def migrate_disk_and_power_off(
        self,
        context: Any,
        instance: Any,
        dest: str,
        flavor: Any,
        network_info: Any,
        block_device_info: Any = None,
        timeout: int = 0,
        retry_interval: int = 0,
    ) -> str:
        """Stop an instance and send its files off, unless it stays; what was sent is found by the instance's metadata.

        :param dest: ``my_ip`` of the host that it goes to, by which a host knows itself.
        :raises nova.exception.InstanceFaultRollback: it could not be, and the instance is as it was.
        """
        its_guest = self._guest(instance)
        try:
            self._migration.check(instance, flavor)
        except exception.NovaException as error:
            raise exception.InstanceFaultRollback(inner_exception=error) from error
        ran = its_guest.info().state == power_state.RUNNING
        its_guest.stop(timeout)
        volumes.detach_all(instance, block_device_info)
        volumes.directory(instance)  # the container still has a mount of it
        if dest == self.get_host_ip_addr():
            self._migration.stay(instance)
            return ""
        self._migration.settle(instance)
        try:
            self._migration.leave(context, its_guest, instance)
            # The interfaces are gone here before they are made there: one address is never in two places.
            its_guest.stop_sandbox()
            self.unplug_vifs(instance, network_info)
        except Exception as error:
            self._migration.discard(context, instance)
            if ran:
                self.power_on(context, instance, network_info, block_device_info)
            raise exception.InstanceFaultRollback(inner_exception=error) from error
        return ""

    def finish_migration(
        self,
        context: Any,
        migration: Any,
        instance: Any,
        disk_info: str,
        network_info: Any,
        image_meta: Any,
        resize_instance: bool,
        allocations: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        its_guest = self._guest(instance)
        if migration.source_compute == migration.dest_compute:
            self._migration.resize(its_guest, instance)
        else:
            try:
                self._migration.arrive(context, its_guest, instance, list(network_info))
            except Exception:
                # What was sent stays in Glance: a hard reboot tries again.
                self.destroy(context, instance, network_info, block_device_info)
                raise
        if power_on:
            self.power_on(context, instance, network_info, block_device_info)

    def confirm_migration(self, context: Any, migration: Any, instance: Any, network_info: Any) -> None:
        if self._migration.is_here(instance):
            self._migration.settle(instance)
        else:
            # The interfaces went when the instance left; those of this name may be the other host's by now.
            self._guest(instance).remove()
            self.delete_instance_files(instance)

    def finish_revert_migration(
        self,
        context: Any,
        instance: Any,
        network_info: Any,
        migration: Any,
        block_device_info: Any = None,
        power_on: bool = True,
        share_info: Any = None,
        **_kwargs: Any,
    ) -> None:
        """Bring back an instance that left or was resized here; also at the start of a host that fell over it."""
        self._migration.discard(context, instance)
        if self._migration.is_here(instance):
            self._migration.resize_back(self._guest(instance), instance)
            self._migration.settle(instance)
        if power_on:
            self.power_on(context, instance, network_info, block_device_info)

    # Network

    def plug_vifs(self, instance: Any, network_info: Any) -> None:
        """Make the interfaces that are missing.

        :raises nova.exception.VirtualInterfacePlugException: and nothing else: Nova calls this for every instance
            when the
            service starts, and any other exception would end the service.
        """
        try:
            namespace = self._guest(instance).network_namespace()
        except exception.NovaException as error:
            raise exception.VirtualInterfacePlugException(str(error)) from error
        if namespace is None:
            LOG.info("The instance is down; its interfaces come with power on", instance=instance)
            return
        network.plug(instance, network_info or [], namespace)

    def unplug_vifs(self, instance: Any, network_info: Any) -> None:
        network.unplug(instance, network_info or [])

    def attach_interface(self, context: Any, instance: Any, image_meta: Any, vif: Any) -> None:
        try:
            self.plug_vifs(instance, [vif])
        except exception.VirtualInterfacePlugException as error:
            LOG.error("Cannot attach port %s: %s", vif["id"], error, instance=instance)
            raise exception.InterfaceAttachFailed(instance_uuid=instance.uuid) from error

    def detach_interface(self, context: Any, instance: Any, vif: Any) -> None:
        try:
            self.unplug_vifs(instance, [vif])
        except exception.VirtualInterfaceUnplugException as error:
            raise exception.InterfaceDetachFailed(instance_uuid=instance.uuid) from error

    # Cinder volumes

    def get_volume_connector(self, instance: Any) -> dict[str, Any]:
        return volumes.properties()

    def attach_volume(
        self,
        context: Any,
        connection_info: Any,
        instance: Any,
        mountpoint: str,
        disk_bus: Any = None,
        device_type: Any = None,
        encryption: Any = None,
    ) -> None:
        """Mount a volume in the instance: /dev/vdb as disk1 below ``[docker] volumes_path``, and so on."""
        if encryption:
            raise exception.VolumeEncryptionNotSupported(
                volume_type=connection_info["driver_volume_type"], volume_id=volumes.volume_id(connection_info)
            )
        volumes.attach(instance, connection_info, mountpoint)

    def detach_volume(
        self, context: Any, connection_info: Any, instance: Any, mountpoint: str, encryption: Any = None
    ) -> None:
        volumes.detach(instance, connection_info, mountpoint)

    # Inside and out

    def get_console_output(self, context: Any, instance: Any) -> str:
        return self._guest(instance).console()

    def get_instance_diagnostics(self, instance: Any) -> Any:
        vifs = list(instance.get_network_info() or [])
        return diagnostics.collect(self._daemon, self._guest(instance), instance, vifs)

    def get_diagnostics(self, instance: Any) -> dict[str, Any]:
        return diagnostics.as_mapping(self.get_instance_diagnostics(instance))

    def set_admin_password(self, instance: Any, new_pass: str) -> None:
        """Set the password of root, or of the user that the image's property ``os_admin_user`` names."""
        self._guest(instance).set_password(metadata.login_user(instance), new_pass)

    def snapshot(self, context: Any, instance: Any, image_id: str, update_task_state: Any) -> None:
        """Store the instance's root file system as a Glance image; the data volume is not in it."""
        try:
            if self.get_info(instance).state not in (power_state.RUNNING, power_state.PAUSED, power_state.SHUTDOWN):
                raise exception.InstanceNotRunning(instance_id=instance.uuid)
        except exception.InstanceNotFound:
            raise exception.InstanceNotRunning(instance_id=instance.uuid) from None
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        with passage.committed(self._daemon, self._guest(instance), instance.uuid) as committed:
            update_task_state(task_state=task_states.IMAGE_UPLOADING, expected_state=task_states.IMAGE_PENDING_UPLOAD)
            properties = {"image_location": "snapshot", "image_state": "available", "owner_id": instance.project_id}
            self._images.upload(context, committed, image_id, properties)

    # Images

    def cache_image(self, context: Any, image_id: str) -> bool:
        return self._images.cache(context, image_id)

    def manage_image_cache(self, context: Any, all_instances: Any) -> None:
        used = {instance.image_ref for instance in all_instances}
        if CONF.docker.image_cache_mb:
            self._images.bound(used, CONF.docker.image_cache_mb)
        if CONF.image_cache.remove_unused_base_images:
            self._images.remove_unused(used, CONF.image_cache.remove_unused_original_minimum_age_seconds)

    # Instance -> its parts

    def _guest(self, instance: Any) -> guest.Guest:
        return guest.Guest(self._daemon, instance)
