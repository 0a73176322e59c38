# SPDX-License-Identifier: Apache-2.0
"""An instance that does not start any more, mended from another image."""

from __future__ import annotations

import docker.errors
import testtools
from nova.compute import power_state

from tests.functional.nova import environment


class RescueTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver, self.context = self.compute.driver, self.compute.context
        self.image, self.rescue_image = self.compute.small_image(), self.compute.node_image()
        self.instance = self.compute.instance(self.image)
        self.compute.spawn(self.instance, self.image)
        self.compute.run(self.instance, "echo root > /etc/mine; echo data > /mnt/mine; rm /usr/bin/tini")
        self.driver.power_off(self.instance)

    def rescue(self) -> None:
        arguments = (self.context, self.instance, [], self.rescue_image, "pass:word", None)
        self.driver.rescue(*arguments)

    def test_rescue_mends_the_old_root_and_unrescue_runs_it(self) -> None:
        self.rescue()
        out = self.compute.run(self.instance, "cat /rescue/etc/mine /mnt/mine; hostname; test -x /usr/sbin/sshd")
        self.assertEqual("root\ndata\nnode-1\n", out)
        self.assertEqual([self.instance.uuid], self.driver.list_instance_uuids())
        self.compute.run(self.instance, "cp /usr/bin/tini /rescue/usr/bin/; echo mended > /rescue/etc/mended")
        self.driver.unrescue(self.context, self.instance)
        self.assertEqual(power_state.RUNNING, self.driver.get_info(self.instance).state)
        self.assertEqual(
            "root\nmended\n", self.compute.run(self.instance, "cat /etc/mine /etc/mended; test ! -e /rescue")
        )
        self.assertRaises(docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{self.instance.uuid}-rescue")
        self.driver.unrescue(self.context, self.instance)
        self.compute.run(self.instance, "cat /etc/mended")

    def test_rescue_has_the_password_that_nova_gave(self) -> None:
        self.rescue()
        entry = self.compute.run(self.instance, "grep ^root: /etc/shadow").split(":")[1]
        program = "exit(crypt($ARGV[0], $ARGV[1]) ne $ARGV[1])"
        status, _ = self.compute.container(self.instance).exec_run(["perl", "-e", program, "pass:word", entry])
        self.assertEqual(0, status)

    def test_rescued_instance_can_be_deleted(self) -> None:
        self.rescue()
        self.driver.destroy(self.context, self.instance, [])
        self.assertEqual([], self.driver.list_instances())
        for name in ("data", "rescue"):
            self.assertRaises(
                docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{self.instance.uuid}-{name}"
            )
