# SPDX-License-Identifier: Apache-2.0
"""Data volumes of the flavor's size: real loop devices, real file systems, filled to the last byte."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import Any

import docker.errors
import testtools
from nova import exception, objects
from nova.compute import provider_tree, task_states
from testtools import matchers

from sahara_docker.nova import data
from tests.functional.nova import environment

_FILL = "dd if=/dev/zero of=/mnt/fill bs=1M count={} 2>&1; stat --format %s /mnt/fill"


def loop_devices(path: str) -> list[str]:
    command = ["losetup", "--noheadings", "--output", "NAME", "--associated", path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


class DataDiskTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute(data_backend="loop"))
        self.driver = self.compute.driver
        self.image = self.compute.small_image()

    def spawned(self, **extra_specs: str) -> Any:
        instance = self.compute.instance(self.image, **{"docker__data_gb": "1", **extra_specs})
        self.addCleanup(self.driver.destroy, self.compute.context, instance, [])
        self.compute.spawn(instance, self.image)
        return instance

    def file(self, instance: Any) -> str:
        return os.path.join(self.compute.directory, instance.uuid, "data.ext4")

    def size_mb(self, instance: Any) -> int:
        return int(
            self.compute.run(instance, "stat --file-system --format '%b %S' /mnt | { read b s; echo $((b*s>>20)); }")
        )

    def test_full_disk_is_full_for_its_instance_only(self) -> None:
        full, other = self.spawned(), self.spawned()
        self.assertThat(self.size_mb(full), matchers.MatchesAll(matchers.GreaterThan(900), matchers.LessThan(1025)))
        out = self.compute.run(full, _FILL.format(1100))
        self.assertIn("No space left on device", out)
        self.assertThat(int(out.split()[-1]), matchers.LessThan(1 << 30))
        self.assertNotIn("No space", self.compute.run(other, _FILL.format(5)))
        self.compute.run(full, "rm /mnt/fill")
        self.assertNotIn("No space", self.compute.run(full, _FILL.format(5)))

    def test_neither_programs_of_root_nor_devices_work_on_it(self) -> None:
        """What the instance's root puts there, a user of the host could run."""
        options = self.compute.run(self.spawned(), "grep ' /mnt ' /proc/mounts").split()[3].split(",")
        self.assertThat(options, matchers.ContainsAll(["nosuid", "nodev"]))

    def test_data_stays_through_reboots_and_a_boot_of_the_host(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo kept > /mnt/file")
        self.driver.reboot(self.compute.context, instance, [], "HARD")
        self.driver.power_off(instance)
        (device,) = loop_devices(self.file(instance))
        subprocess.run(["losetup", "--detach", device], check=True)
        taken = subprocess.run(
            ["losetup", "--find", "--show", "/bin/true"], check=True, capture_output=True, text=True
        ).stdout.strip()  # so that the disk gets another number than it had
        self.addCleanup(subprocess.run, ["losetup", "--detach", taken], check=True)
        self.driver.init_host(self.compute.host)
        self.driver.power_on(self.compute.context, instance, [])
        self.assertEqual("kept\n", self.compute.run(instance, "cat /mnt/file"))

    def test_destroy_leaves_no_loop_device_and_no_file(self) -> None:
        instance = self.spawned()
        path = self.file(instance)
        self.assertEqual(1, len(loop_devices(path)))
        self.driver.destroy(self.compute.context, instance, [])
        self.assertEqual([], loop_devices(path))
        self.assertThat(os.path.dirname(path), matchers.Not(matchers.PathExists()))
        self.assertRaises(docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{instance.uuid}-data")
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(instance.uuid, mounts.read())

    def test_disk_grows_with_its_data(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo kept > /mnt/file")
        self.driver.power_off(instance)
        disk = data.Disk(os.path.dirname(self.file(instance)))
        disk.grow(2)
        self.driver.power_on(self.compute.context, instance, [])
        self.assertThat(self.size_mb(instance), matchers.GreaterThan(1900))
        self.assertEqual("kept\n", self.compute.run(instance, "cat /mnt/file"))
        disk.grow(1)
        self.assertEqual(2, disk.size_gb())

    def resize(self, instance: Any, **extra_specs: str) -> Any:
        """Resize in place, and return Nova's record of it."""
        flavor = instance.flavor.obj_clone()
        flavor.extra_specs = {name.replace("__", ":"): value for name, value in extra_specs.items()}
        here, context = self.driver.get_host_ip_addr(), self.compute.context
        sent = self.driver.migrate_disk_and_power_off(context, instance, here, flavor, [])
        instance.old_flavor, instance.flavor = instance.flavor, flavor
        migration = objects.Migration(source_compute=self.compute.host, dest_compute=self.compute.host)
        self.driver.finish_migration(context, migration, instance, sent, [], self.image, True, {})
        return migration

    def revert(self, instance: Any, migration: Any) -> None:
        instance.task_state = task_states.RESIZE_REVERTING
        self.driver.destroy(self.compute.context, instance, [])
        instance.flavor, instance.task_state = instance.old_flavor, None
        self.driver.finish_revert_migration(self.compute.context, instance, [], migration)

    def test_resize_gives_the_flavor_s_size_and_its_revert_the_old_one(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo kept > /mnt/file")
        migration = self.resize(instance, docker__data_gb="2")
        self.assertThat(self.size_mb(instance), matchers.GreaterThan(1900))
        self.compute.run(instance, "echo kept > /mnt/since")
        self.revert(instance, migration)
        self.assertThat(self.size_mb(instance), matchers.MatchesAll(matchers.GreaterThan(900), matchers.LessThan(1025)))
        self.assertEqual("kept\nkept\n", self.compute.run(instance, "cat /mnt/file /mnt/since"))
        self.assertEqual(1 << 30, os.path.getsize(self.file(instance)))

    def test_revert_of_a_disk_that_is_too_full_for_it_loses_nothing(self) -> None:
        instance = self.spawned()
        migration = self.resize(instance, docker__data_gb="2")
        self.compute.run(instance, "dd if=/dev/zero of=/mnt/fill bs=1M count=1200")
        self.revert(instance, migration)
        self.assertThat(self.size_mb(instance), matchers.GreaterThan(1900))
        self.assertEqual(f"{1200 << 20}\n", self.compute.run(instance, "stat --format %s /mnt/fill"))

    def test_smaller_flavor_is_refused_before_anything_happens(self) -> None:
        instance = self.spawned(docker__data_gb="2")
        before = self.compute.container(instance).attrs["State"]["Pid"]
        error = self.assertRaises(exception.InstanceFaultRollback, self.resize, instance, docker__data_gb="1")
        self.assertIsInstance(error.inner_exception, exception.ResizeError)
        self.assertIn("has 2 GiB and cannot get smaller; flavor small gives it 1", str(error.inner_exception))
        self.assertEqual(before, self.compute.container(instance).attrs["State"]["Pid"])

    def test_disk_in_placement_is_the_file_system_of_the_data(self) -> None:
        where = self.compute.directory
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g", "tmpfs", where], check=True)
        self.addCleanup(subprocess.run, ["umount", where], check=True)
        disk, traits = self.in_placement()
        self.assertEqual((3, 1), (disk["total"], disk["reserved"]))
        self.assertIn("CUSTOM_DOCKER_DATA_QUOTA", traits)
        self.assertNotIn("CUSTOM_DOCKER_ROOT_QUOTA", traits)
        environment.CONF.set_override("data_backend", "docker", group="docker")
        disk, traits = self.in_placement(*traits)
        docker_s = os.statvfs(self.compute.daemon.info()["DockerRootDir"])
        self.assertEqual(docker_s.f_blocks * docker_s.f_frsize >> 30, disk["total"])
        self.assertNotIn("CUSTOM_DOCKER_DATA_QUOTA", traits)

    def in_placement(self, *traits: str) -> tuple[dict[str, Any], set[str]]:
        """Return the inventory of the disk and the traits of a host that had these before."""
        environment.CONF.set_override("reserved_host_disk_mb", 1000)
        tree = provider_tree.ProviderTree()
        tree.new_root("node", str(uuid.uuid4()))
        tree.update_traits("node", traits)
        self.driver.update_provider_tree(tree, "node")
        return tree.data("node").inventory["DISK_GB"], tree.data("node").traits

    def test_more_than_the_flavor_has_leaves_nothing(self) -> None:
        instance = self.compute.instance(self.image, docker__data_gb="11")  # of 10
        self.assertRaises(exception.InvalidInput, self.compute.spawn, instance, self.image)
        self.assertEqual([], self.driver.list_instances())
        self.assertNotIn(instance.uuid, os.listdir(self.compute.directory))
