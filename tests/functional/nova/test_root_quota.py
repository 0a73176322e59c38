# SPDX-License-Identifier: Apache-2.0
"""Root file systems of the flavor's size, where the daemon's storage driver can: btrfs and XFS on loop devices."""

from __future__ import annotations

import os
import subprocess
import uuid
from typing import Any

import docker.errors
import testtools
from nova import exception, objects
from nova.compute import provider_tree, task_states

from tests.functional.nova import docker_daemon, environment

_FILL = "dd if=/dev/zero of=/fill bs=1M count={} conv=fsync 2>&1; stat --format %s /fill"


class RootQuotaTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.useFixture(docker_daemon.DockerDaemon("btrfs"))
        self.compute = self.useFixture(environment.Compute(host=self.daemon.url))
        self.driver, self.context = self.compute.driver, self.compute.context
        self.image = self.compute.small_image()
        self.instance = self.compute.instance(self.image)
        self.instance.flavor.root_gb = 1
        self.compute.spawn(self.instance, self.image)

    def resize(self, root_gb: int) -> Any:
        """Resize in place, and return Nova's record of it."""
        flavor = self.instance.flavor.obj_clone()
        flavor.root_gb = root_gb
        here = self.driver.get_host_ip_addr()
        sent = self.driver.migrate_disk_and_power_off(self.context, self.instance, here, flavor, [])
        self.instance.old_flavor, self.instance.flavor = self.instance.flavor, flavor
        migration = objects.Migration(source_compute=self.compute.host, dest_compute=self.compute.host)
        self.driver.finish_migration(self.context, migration, self.instance, sent, [], self.image, True, {})
        return migration

    def assert_holds_less_than(self, root_gb: int) -> None:
        out = self.compute.run(self.instance, _FILL.format((root_gb << 10) + 100))
        self.assertIn("quota exceeded", out)
        self.assertGreater(root_gb << 30, int(out.split()[-1]))
        self.compute.run(self.instance, "rm /fill")
        subprocess.run(["btrfs", "filesystem", "sync", os.path.join(self.daemon.directory, "data")], check=True)

    def test_root_has_the_flavor_s_size_also_after_a_resize_and_its_revert(self) -> None:
        self.assert_holds_less_than(1)
        self.compute.run(self.instance, "echo kept > /etc/kept")
        migration = self.resize(2)
        out = self.compute.run(self.instance, _FILL.format(1200))
        self.assertEqual(f"{1200 << 20}", out.split()[-1], out)
        self.compute.run(self.instance, "rm /fill")
        self.instance.task_state = task_states.RESIZE_REVERTING
        self.driver.destroy(self.context, self.instance, [])
        self.instance.flavor = self.instance.old_flavor
        self.driver.finish_revert_migration(self.context, self.instance, [], migration)
        self.assert_holds_less_than(1)
        self.assertEqual("kept\n", self.compute.run(self.instance, "cat /etc/kept"))

    def test_trait_tells_the_scheduler(self) -> None:
        tree = provider_tree.ProviderTree()
        tree.new_root("node", str(uuid.uuid4()))
        self.driver.update_provider_tree(tree, "node")
        self.assertIn("CUSTOM_DOCKER_ROOT_QUOTA", tree.data("node").traits)

    def test_smaller_root_is_refused_before_anything_happens(self) -> None:
        self.instance.flavor.root_gb = 2
        before = self.compute.container(self.instance).attrs["State"]["Pid"]
        error = self.assertRaises(exception.InstanceFaultRollback, self.resize, 1)
        self.assertIn("root disk has 2 GiB and cannot get smaller", str(error.inner_exception))
        self.assertEqual(before, self.compute.container(self.instance).attrs["State"]["Pid"])


class XfsTest(testtools.TestCase):
    """Not every kernel has XFS's quotas, so the daemon is asked; the driver has to know what it will say."""

    def test_root_has_a_size_if_the_daemon_takes_one(self) -> None:
        daemon = self.useFixture(docker_daemon.DockerDaemon("xfs"))
        compute = self.useFixture(environment.Compute(host=daemon.url))
        image = compute.small_image()
        instance = compute.instance(image)
        instance.flavor.root_gb = 1
        compute.spawn(instance, image)
        out = compute.run(instance, _FILL.format(1100))
        self.assertEqual(self.takes_size(compute), "No space left on device" in out, out)

    def takes_size(self, compute: environment.Compute) -> bool:
        api: Any = compute.daemon.api
        (image,) = api.images()
        config = api.create_host_config(storage_opt={"size": "1G"}, network_mode="none")
        try:
            api.remove_container(api.create_container(image["Id"], "true", host_config=config)["Id"])
        except docker.errors.APIError as error:
            self.assertIn("pquota", str(error.explanation))
            return False
        return True
