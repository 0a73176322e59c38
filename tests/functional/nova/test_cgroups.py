# SPDX-License-Identifier: Apache-2.0
"""A daemon that sees control groups of version 2 only, on a machine that may have its controllers on version 1."""

from __future__ import annotations

import testtools
from nova.compute import power_state
from testtools import matchers

from tests.functional.nova import docker_daemon, environment


class UnifiedTest(testtools.TestCase):
    def test_life_of_an_instance(self) -> None:
        daemon = self.useFixture(docker_daemon.DockerDaemon(unified_cgroups=True))
        compute = self.useFixture(environment.Compute(host=daemon.url, volumes_path=""))
        info = compute.daemon.info()
        self.assertEqual("2", info["CgroupVersion"])
        driver, image = compute.driver, compute.small_image()
        instance = compute.instance(image)
        compute.spawn(instance, image)
        held = compute.run(instance, "cat /sys/fs/cgroup/memory.max 2>/dev/null; true").strip()
        self.assertEqual(str(512 << 20) if info["MemoryLimit"] else "", held)
        driver.pause(instance)
        self.assertEqual(power_state.PAUSED, driver.get_info(instance).state)
        driver.unpause(instance)
        found = driver.get_instance_diagnostics(instance)
        self.assertThat(found.memory_details.used, matchers.LessThan(512))
        self.assertIsNone(found.disk_details[0].read_requests)
        driver.reboot(compute.context, instance, [], "HARD")
        self.assertEqual(power_state.RUNNING, driver.get_info(instance).state)
        driver.destroy(compute.context, instance, [])
        self.assertEqual([], driver.list_instances())
