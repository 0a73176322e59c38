# SPDX-License-Identifier: Apache-2.0
"""An instance on one of two hosts, each with a Docker daemon of its own."""

from __future__ import annotations

import os
from typing import Any, ClassVar

import docker.errors
import testtools
from nova import objects
from nova.compute import task_states
from nova.network import model

from tests.functional.nova import docker_daemon, environment
from tests.unit.nova import neutron

_BRIDGE = f"nova-mig{os.getpid()}"


class Move(testtools.TestCase):
    """A running instance with files to take along, and another host for it."""

    options: ClassVar[dict[str, str]] = {}
    extra_specs: ClassVar[dict[str, str]] = {}

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(environment.Bridge(_BRIDGE, ("10.98.0.1/24",)))
        other_daemon = self.useFixture(docker_daemon.DockerDaemon())
        self.source = self.useFixture(environment.Compute(**self.options))
        other = environment.Compute(self.source.glance, "127.0.0.2", **{**self.options, "host": other_daemon.url})
        self.target = self.useFixture(other)
        # One database for both.
        self.target.instances, self.target.migrations = self.source.instances, self.source.migrations
        self.source.enter()
        self.image = self.source.small_image()
        subnet = neutron.subnet("10.98.0.0/24", "10.98.0.7", gateway="10.98.0.1")
        self.network = model.NetworkInfo([neutron.port(_BRIDGE, subnet, mac="fa:16:3e:bb:00:07")])
        self.instance = self.source.instance(self.image, **self.extra_specs)
        self.addCleanup(self.target.driver.unplug_vifs, self.instance, self.network)
        self.source.spawn(self.instance, self.image, self.network)
        self.source.run(
            self.instance,
            "echo kept > /etc/kept; rm /etc/issue; echo kept > /mnt/kept; chown 33:44 /mnt/kept;"
            "ln /mnt/kept /mnt/link; echo 10.98.0.9 master >> /etc/hosts",
        )

    def migration(self) -> objects.Migration:
        return objects.Migration(source_compute=self.source.host, dest_compute=self.target.host)

    def left(self, flavor: objects.Flavor | None = None) -> Any:
        return self.source.driver.migrate_disk_and_power_off(
            self.source.context, self.instance, "127.0.0.2", flavor or self.instance.flavor, self.network, timeout=10
        )

    def moved(self, flavor: objects.Flavor | None = None, **arguments: Any) -> None:
        sent = self.left(flavor)
        self.instance.old_flavor, self.instance.flavor = self.instance.flavor, flavor or self.instance.flavor
        self.target.enter()
        self.target.driver.finish_migration(
            self.target.context, self.migration(), self.instance, sent, self.network, self.image, False, {}, **arguments
        )

    def revert(self) -> None:
        self.instance.task_state = task_states.RESIZE_REVERTING
        self.target.driver.destroy(self.target.context, self.instance, self.network)
        self.assert_nothing_is_left(self.target)
        self.source.enter()
        self.instance.flavor = self.instance.old_flavor
        self.source.driver.finish_revert_migration(self.source.context, self.instance, self.network, self.migration())

    def assert_nothing_is_left(self, compute: environment.Compute) -> None:
        self.assertEqual([], compute.driver.list_instances())
        self.assertRaises(docker.errors.NotFound, compute.daemon.volumes.get, f"nova-{self.instance.uuid}-data")
        for name in ("nova-root", "nova-passing"):
            self.assertEqual([], compute.daemon.images.list(name=f"{name}/{self.instance.uuid}"))
        self.assertNotIn(self.instance.uuid, os.listdir(compute.directory))
