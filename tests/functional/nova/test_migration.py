# SPDX-License-Identifier: Apache-2.0
"""Instances that are resized in place and that move between two hosts, each with a Docker daemon of its own."""

from __future__ import annotations

import os
import stat
from typing import Any, ClassVar

import testtools
from nova import exception, objects
from nova.compute import power_state, task_states
from nova.network import model

from tests.functional.nova import environment, moving


class MoveTest(moving.Move):
    def test_move_brings_files_data_names_and_address_along(self) -> None:
        before = self.source.run(self.instance, "cat /etc/hosts; hostname; ip -o -4 address show eth0 | tr -s ' '")
        mac = self.source.run(self.instance, "cat /sys/class/net/eth0/address")
        self.moved()
        self.assertEqual(power_state.SHUTDOWN, self.source.driver.get_info(self.instance).state)
        run = self.target.run
        self.assertEqual("kept\nkept\n", run(self.instance, "cat /etc/kept /mnt/kept; test ! -e /etc/issue"))
        self.assertEqual("33 44 2\n", run(self.instance, "stat -c '%u %g %h' /mnt/kept"))
        after = run(self.instance, "cat /etc/hosts; hostname; ip -o -4 address show eth0 | tr -s ' '")
        self.assertEqual(before.split(" link")[0].split(), after.split(" link")[0].split())
        self.assertEqual(mac, run(self.instance, "cat /sys/class/net/eth0/address"))
        # Nothing is left in Glance, nor here after the confirmation.
        self.assertEqual({self.image.id}, set(self.source.glance.images))
        self.source.enter()
        self.source.driver.confirm_migration(self.source.context, self.migration(), self.instance, self.network)
        self.assert_nothing_is_left(self.source)
        self.target.enter()
        run(self.instance, "cat /mnt/kept")
        self.target.driver.destroy(self.target.context, self.instance, self.network)
        self.assert_nothing_is_left(self.target)

    def test_revert_brings_the_instance_back_as_it_was(self) -> None:
        self.moved(_flavor(self.instance.flavor, memory_mb=700))
        self.assertEqual(700 << 20, self.target.container(self.instance).attrs["HostConfig"]["Memory"])
        self.target.run(self.instance, "echo changed > /mnt/kept")
        self.revert()
        out = self.source.run(self.instance, "cat /mnt/kept; ip -o -4 address show eth0; grep master /etc/hosts")
        self.assertIn("kept\n", out)
        self.assertIn("10.98.0.7/24", out)

    def test_stopped_instance_arrives_stopped(self) -> None:
        self.source.driver.power_off(self.instance)
        self.moved(power_on=False)
        mode = os.stat(os.path.join(self.target.directory, self.instance.uuid)).st_mode
        self.assertEqual(0o700, stat.S_IMODE(mode), "its files are within reach of the host's users")
        self.assertEqual(power_state.SHUTDOWN, self.target.driver.get_info(self.instance).state)
        self.target.driver.power_on(self.target.context, self.instance, self.network)
        self.assertEqual("kept\n", self.target.run(self.instance, "cat /mnt/kept"))

    def test_failure_on_the_way_out_leaves_the_instance_running(self) -> None:
        self.source.glance.refuses_data = True
        error = self.assertRaises(exception.InstanceFaultRollback, self.left)
        self.assertIn("Quota exceeded", str(error.inner_exception))
        self.assertEqual("kept\n", self.source.run(self.instance, "cat /mnt/kept"))
        self.assertIn("10.98.0.7", self.source.run(self.instance, "ip address"))
        self.assertEqual({self.image.id}, set(self.source.glance.images))

    def test_failure_on_the_way_out_leaves_a_stopped_instance_stopped(self) -> None:
        self.source.driver.power_off(self.instance)
        self.source.glance.refuses_data = True
        self.assertRaises(exception.InstanceFaultRollback, self.left)
        self.assertEqual(power_state.SHUTDOWN, self.source.driver.get_info(self.instance).state)

    def test_failure_on_arrival_leaves_nothing_there_and_all_here(self) -> None:
        sent = self.left()
        self.break_what_was_sent()
        self.target.enter()
        self.assertRaises(
            exception.NovaException,
            self.target.driver.finish_migration,
            *(self.target.context, self.migration(), self.instance, sent, self.network, self.image, False, {}),
        )
        self.assert_nothing_is_left(self.target)
        self.source.enter()
        self.source.driver.finish_revert_migration(self.source.context, self.instance, self.network, self.migration())
        self.assertEqual("kept\n", self.source.run(self.instance, "cat /mnt/kept"))
        self.assertEqual({self.image.id}, set(self.source.glance.images))

    def break_what_was_sent(self) -> None:
        for content in self.source.glance.contents:
            if content != self.image.id:
                self.source.glance.contents[content] = b"broken"

    def test_hard_reboot_takes_up_a_move_that_failed_on_arrival(self) -> None:
        sent = self.left()
        contents = dict(self.source.glance.contents)
        self.break_what_was_sent()
        self.target.enter()
        self.assertRaises(
            exception.NovaException,
            self.target.driver.finish_migration,
            *(self.target.context, self.migration(), self.instance, sent, self.network, self.image, False, {}),
        )
        self.source.glance.contents.update(contents)
        self.target.driver.reboot(self.target.context, self.instance, self.network, "HARD")
        out = self.target.run(self.instance, "cat /mnt/kept /etc/kept; grep master /etc/hosts; ip address show eth0")
        for expected in ("kept\nkept\n", "10.98.0.9 master", "10.98.0.7/24"):
            self.assertIn(expected, out)
        self.assertEqual({self.image.id}, set(self.source.glance.images))

    def test_deletion_of_an_instance_whose_move_failed_leaves_nothing(self) -> None:
        self.left()
        self.target.enter()
        self.instance.task_state = task_states.DELETING
        self.target.driver.destroy(self.target.context, self.instance, self.network)
        self.assertEqual({self.image.id}, set(self.source.glance.images))

    def test_hosts_with_one_my_ip_are_told_apart_before_harm(self) -> None:
        environment.CONF.set_override("my_ip", "127.0.0.2")
        sent = self.left()
        self.target.enter()
        error = self.assertRaises(
            exception.MigrationError,
            self.target.driver.finish_migration,
            *(self.target.context, self.migration(), self.instance, sent, self.network, self.image, False, {}),
        )
        self.assertIn("my_ip", str(error))


class SizedMoveTest(moving.Move):
    """With data volumes of a size."""

    options: ClassVar[dict[str, str]] = {"data_backend": "loop"}
    extra_specs: ClassVar[dict[str, str]] = {"docker__data_gb": "1"}

    def data_mb(self, compute: environment.Compute) -> int:
        return int(compute.run(self.instance, "stat -fc '%b %S' /mnt | { read b s; echo $((b*s>>20)); }"))

    def test_data_volume_gets_the_new_flavor_s_size_and_a_revert_brings_back_the_old_one(self) -> None:
        self.moved(_flavor(self.instance.flavor, extra_specs={"docker:data_gb": "2"}))
        self.assertEqual("kept\n", self.target.run(self.instance, "cat /mnt/link"))
        self.assertGreater(self.data_mb(self.target), 1900)
        self.revert()
        self.addCleanup(self.source.driver.destroy, self.source.context, self.instance, self.network)
        self.instance.task_state = None
        self.assertEqual("kept\n", self.source.run(self.instance, "cat /mnt/link"))
        self.assertLess(self.data_mb(self.source), 1025)


def _flavor(flavor: objects.Flavor, **changes: Any) -> objects.Flavor:
    other = flavor.obj_clone()
    other.update(changes)
    return other


class ResizeInPlaceTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver, context = self.compute.driver, self.compute.context
        self.image = self.compute.small_image()
        self.instance = self.compute.instance(self.image, quota__cpu_quota="50000")
        self.compute.spawn(self.instance, self.image)
        self.compute.run(self.instance, "echo kept > /etc/kept; echo kept > /mnt/kept")
        self.migration = objects.Migration(source_compute=self.compute.host, dest_compute=self.compute.host)
        self.context, self.network = context, model.NetworkInfo([])

    def resize(self, flavor: objects.Flavor) -> None:
        sent = self.driver.migrate_disk_and_power_off(
            self.context, self.instance, self.driver.get_host_ip_addr(), flavor, self.network
        )
        self.instance.flavor = flavor
        self.driver.finish_migration(
            self.context, self.migration, self.instance, sent, self.network, self.image, False, {}
        )

    def limits(self) -> dict[str, Any]:
        return self.compute.container(self.instance).attrs["HostConfig"]

    def assert_kept(self) -> None:
        self.assertEqual("kept\nkept\n", self.compute.run(self.instance, "cat /etc/kept /mnt/kept"))

    def test_limits_change_in_the_same_container(self) -> None:
        before = self.compute.container(self.instance).id
        self.resize(_flavor(self.instance.flavor, vcpus=1, memory_mb=300, extra_specs={"docker:pids_limit": "777"}))
        limits = self.limits()
        self.assertEqual((300 << 20, 300 << 20), (limits["Memory"], limits["MemorySwap"]))
        self.assertEqual((1024, 777, -1), (limits["CpuShares"], limits["PidsLimit"], limits["CpuQuota"]))
        self.assertEqual(before, self.compute.container(self.instance).id)
        self.assert_kept()
        self.driver.confirm_migration(self.context, self.migration, self.instance, self.network)
        self.assert_kept()

    def test_what_docker_cannot_change_takes_a_new_container_with_the_same_files(self) -> None:
        before = self.compute.container(self.instance).id
        self.resize(_flavor(self.instance.flavor, extra_specs={"docker:shm_size_mb": "77"}))
        self.assertEqual(77 << 20, self.limits()["ShmSize"])
        self.assertNotEqual(before, self.compute.container(self.instance).id)
        self.assert_kept()
        self.driver.confirm_migration(self.context, self.migration, self.instance, self.network)
        self.driver.destroy(self.context, self.instance, self.network)
        self.assertEqual([], self.compute.daemon.images.list(name=f"nova-root/{self.instance.uuid}"))

    def test_revert_gives_the_old_limits_back_and_loses_nothing(self) -> None:
        old = self.instance.flavor
        self.resize(_flavor(old, memory_mb=300))
        self.instance.task_state = task_states.RESIZE_REVERTING
        self.driver.destroy(self.context, self.instance, self.network)
        self.instance.flavor = old
        self.driver.finish_revert_migration(self.context, self.instance, self.network, self.migration)
        self.assertEqual(512 << 20, self.limits()["Memory"])
        self.assert_kept()
        self.instance.task_state = task_states.DELETING
        self.driver.destroy(self.context, self.instance, self.network)
        self.assertEqual([], self.driver.list_instances())
