# SPDX-License-Identifier: Apache-2.0
"""Instances of a host that is down, made anew on another one from their image.

The calls are those of Nova's ``ComputeManager``: on the new host ``_do_rebuild_instance``, on the old one, when it is
back, ``_destroy_evacuated_instances``.
"""

from __future__ import annotations

from nova import exception, objects
from nova.compute import power_state, task_states

from sahara_docker.nova import guest
from tests.functional.nova import environment, killing, moving


class EvacuationTest(moving.Move):
    def evacuation(self, status: str) -> None:
        """Let Nova have a record of the evacuation."""
        self.migrated(self.source.host, self.target.host, migration_type="evacuation", status=status)

    def migrated(self, source: str, target: str, **attributes: str) -> None:
        migrations = self.source.migrations
        migrations.append(
            objects.Migration(
                id=len(migrations),
                instance_uuid=self.instance.uuid,
                source_compute=source,
                dest_compute=target,
                **attributes,
            )
        )

    def evacuate(self) -> None:
        self.source.driver.cleanup_host(self.source.host)
        self.target.enter()
        driver = self.target.driver
        self.assertTrue(driver.capabilities["supports_evacuate"])
        self.assertFalse(driver.instance_exists(self.instance))
        self.assertFalse(driver.instance_on_disk(self.instance))  # so there is no shared storage
        self.instance.task_state = task_states.REBUILD_SPAWNING
        self.target.spawn(self.instance, self.image, self.network)

    def done(self) -> None:
        self.instance.host, self.instance.task_state = self.target.host, None
        for migration in self.source.migrations:
            migration.status = "done"

    def source_comes_back(self) -> None:
        self.source.restart()
        driver, context = self.source.driver, self.source.context
        for uuid in driver.list_instance_uuids():
            self.assertEqual(self.instance.uuid, uuid)
            driver.destroy(context, self.instance, self.network, {}, True)

    def test_instance_runs_anew_and_the_old_host_removes_its_own(self) -> None:
        self.evacuation("accepted")
        self.evacuate()
        self.done()
        run = self.target.run
        self.assertEqual("", run(self.instance, "ls /mnt; test ! -e /etc/kept"))
        self.assertIn("10.98.0.7/24", run(self.instance, "ip address show eth0"))
        self.source_comes_back()
        self.assert_nothing_is_left(self.source)
        # The hosts of this test share their interfaces: those are the new host's now.
        self.assertEqual(power_state.RUNNING, self.target.driver.get_info(self.instance).state)
        with open(f"/sys/class/net/tap{self.network[0]['id'][:11]}/operstate", encoding="ascii") as state:
            self.assertEqual("up\n", state.read())

    def test_nova_compute_killed_in_an_evacuation_leaves_room_for_the_next_one(self) -> None:
        self.evacuation("pre-migrating")
        killing.killed_after(self.target, guest.Guest, "create_workload", self.evacuate)
        self.target.restart()
        self.assert_nothing_is_left(self.target)
        self.evacuate()
        self.assertEqual(power_state.RUNNING, self.target.driver.get_info(self.instance).state)

    def test_files_for_a_revert_stay_whatever_evacuation_there_was_before(self) -> None:
        """An old record of an evacuation to this host; since then the instance has moved on, and may come back."""
        self.instance.host, here = "elsewhere", self.source.host
        self.migrated("elsewhere", here, migration_type="evacuation", status="accepted")
        self.migrated(here, "elsewhere", migration_type="resize", status="finished")
        self.source.restart()
        self.assertEqual("kept\n", self.source.run(self.instance, "cat /mnt/kept"))
        self.source.migrations.pop()
        self.source.restart()
        self.assert_nothing_is_left(self.source)

    def test_two_services_on_one_daemon_are_told_apart_before_harm(self) -> None:
        other = self.useFixture(environment.Compute(self.source.glance, "127.0.0.3"))
        error = self.assertRaises(exception.InstanceExists, other.spawn, self.instance, self.image, self.network)
        self.assertIn(self.instance.name, str(error))
        self.assertEqual("kept\n", self.source.run(self.instance, "cat /mnt/kept; ls /sys/class/net/eth0 >/dev/null"))
