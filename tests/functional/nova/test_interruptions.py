# SPDX-License-Identifier: Apache-2.0
"""nova-compute killed in the middle of a spawn, and containers that somebody removed by hand."""

from __future__ import annotations

import os
from typing import Any

import docker.errors
import testtools
from nova.compute import power_state, vm_states
from nova.network import model
from testtools import matchers

from sahara_docker.nova import construction, guest, hypervisor, image, metadata, network, privileged
from tests.functional.nova import environment, killing
from tests.unit.nova import neutron

_BRIDGE = "nova-test-kill"
# Each step of a spawn, in order: the kill comes right after it.
_STEPS: tuple[tuple[Any, str], ...] = (
    (image.ImageStore, "download"),
    (image.ImageStore, "load"),
    (guest.Guest, "create_sandbox"),
    (guest.Guest, "start_sandbox"),
    (construction.identity, "write"),
    (guest.Guest, "create_workload"),
    (metadata, "write"),
    (network, "plug"),
    (guest.Guest, "start"),
)


class InterruptionTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.useFixture(environment.Bridge(_BRIDGE, ()))
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver

    def port(self, last: int) -> model.VIF:
        subnet = neutron.subnet("10.95.0.0/24", f"10.95.0.{last}")
        return neutron.port(_BRIDGE, subnet, mac=f"fa:16:3e:dd:00:{last:02x}")

    def spawn_killed_after(self, place: Any, step: str, instance: Any, image_meta: Any, ports: list[model.VIF]) -> None:
        killing.killed_after(
            self.compute, place, step, lambda: self.compute.spawn(instance, image_meta, model.NetworkInfo(ports))
        )

    def restart(self) -> None:
        self.compute.restart()
        self.driver = self.compute.driver

    def test_kill_at_any_step_of_a_spawn_leaves_nothing_behind(self) -> None:
        kept_image = self.compute.small_image()
        kept = self.compute.instance(kept_image)
        self.compute.spawn(kept, kept_image, model.NetworkInfo([self.port(99)]))
        _, *before = self.everything()
        for number, (place, step) in enumerate(_STEPS):
            image_meta = self.compute.small_image(f"LABEL step={step}")
            instance, port = self.compute.instance(image_meta), self.port(10 + number)
            instance.vm_state = vm_states.BUILDING
            instance.info_cache.network_info = model.NetworkInfo([port])
            self.spawn_killed_after(place, step, instance, image_meta, [port])
            self.restart()
            images, *rest = self.everything()
            self.assertEqual(before, rest, f"after {place.__name__}.{step}")
            # An image that came whole is in the cache for the next instance; nothing else of it is left.
            for name in images:
                self.assertThat(name, matchers.StartsWith("nova/"), f"after {place.__name__}.{step}")
        self.assertEqual(power_state.RUNNING, self.driver.get_info(kept).state)
        self.assertIn("10.95.0.99", self.compute.run(kept, "ip address"))

    def everything(self) -> tuple[Any, ...]:
        """Return all that a spawn can leave: images, containers, volumes, files, interfaces, network namespaces."""
        label = {"label": f"nova.host={self.compute.host}"}
        return (
            sorted((i.tags or [i.id])[0] for i in self.compute.daemon.images.list() if "step" in (i.labels or {})),
            sorted(c.name for c in self.compute.daemon.containers.list(all=True, filters=label)),
            sorted(v.name for v in self.compute.daemon.volumes.list(filters=label)),
            sorted(os.listdir(self.compute.directory)),
            sorted(link["ifname"] for link in privileged.links() if link.get("master") == _BRIDGE),
        )

    def test_instance_that_was_deleted_meanwhile_is_removed_at_the_start(self) -> None:
        image_meta = self.compute.small_image()
        instance = self.compute.instance(image_meta)
        self.compute.spawn(instance, image_meta)
        self.compute.container(instance).remove(force=True)
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").remove(force=True)
        instance.deleted = True
        self.restart()
        self.assertEqual([], self.driver.list_instance_uuids())
        self.assertNotIn(instance.uuid, os.listdir(self.compute.directory))

    def test_instance_that_nova_does_not_know_is_left_alone(self) -> None:
        image_meta = self.compute.small_image()
        instance = self.compute.instance(image_meta)
        self.compute.spawn(instance, image_meta)
        self.compute.instances.clear()
        self.restart()
        self.assertEqual(power_state.RUNNING, self.driver.get_info(instance).state)

    def test_sandbox_that_was_removed_by_hand_is_put_back_and_nothing_lost(self) -> None:
        image_meta = self.compute.small_image("VOLUME /var/anonymous")
        instance, port = self.compute.instance(image_meta), self.port(7)
        self.compute.spawn(instance, image_meta, model.NetworkInfo([port]))
        self.compute.run(instance, "for where in /etc /mnt /var/anonymous; do echo kept > $where/file; done")
        before = self.compute.container(instance).attrs
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").remove(force=True)
        self.driver.reboot(self.compute.context, instance, [port], "HARD")
        out = self.compute.run(instance, "cat /etc/file /mnt/file /var/anonymous/file; hostname")
        self.assertEqual("kept\nkept\nkept\nnode-1\n", out)
        self.assertIn("10.95.0.7/24", self.compute.run(instance, "ip address show eth0"))
        after = self.compute.container(instance).attrs
        for part in ("Memory", "Ulimits", "PidsLimit", "Mounts", "CapAdd", "Privileged", "ShmSize", "LogConfig"):
            self.assertEqual(before["HostConfig"][part], after["HostConfig"][part], part)
        self.assertEqual(before["Config"]["Labels"], after["Config"]["Labels"])
        self.driver.destroy(self.compute.context, instance, [port])
        self.assertEqual([], self.driver.list_instance_uuids())

    def test_workload_that_was_removed_by_hand_is_an_honest_error(self) -> None:
        image_meta = self.compute.small_image()
        instance = self.compute.instance(image_meta)
        self.compute.spawn(instance, image_meta)
        self.compute.container(instance).remove(force=True)
        error = self.assertRaises(
            hypervisor.DaemonError, self.driver.reboot, self.compute.context, instance, [], "HARD"
        )
        self.assertIn("rebuild", str(error))
        self.assertIsNotNone(self.compute.daemon.volumes.get(f"nova-{instance.uuid}-data"))
        self.driver.destroy(self.compute.context, instance, [])
        self.assertRaises(docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{instance.uuid}-data")
