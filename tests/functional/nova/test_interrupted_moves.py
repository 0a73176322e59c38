# SPDX-License-Identifier: Apache-2.0
"""nova-compute killed in the middle of a snapshot or a move, and what is there when it is back."""

from __future__ import annotations

import json
import os
from typing import Any, Callable

from nova import context as nova_context
from nova import objects
from nova.compute import power_state, task_states, vm_states

from sahara_docker.nova import guest, image, network
from tests.functional.nova import environment, killing, moving

_LEAVING: tuple[tuple[Any, str], ...] = (
    (guest.Guest, "commit"),
    (image.ImageStore, "create"),
    (image.ImageStore, "write"),
    (network, "unplug"),
)
_ARRIVING: tuple[tuple[Any, str], ...] = (
    (image.ImageStore, "load"),
    (guest.Guest, "create_workload"),
    (guest.Guest, "unpack"),
    (image.ImageStore, "delete"),
    (guest.Guest, "start"),
)


class InterruptedMoveTest(moving.Move):
    def killed_after(self, compute: environment.Compute, place: Any, step: str, work: Callable[[], Any]) -> None:
        """Do *work* in a process that is killed; what it has saved of the instance is kept, as in Nova's database."""
        database = os.path.join(self.source.directory, "system_metadata")

        def saving() -> None:
            objects.Instance.save = self.save_to(database)
            work()

        self.save_to(database)(self.instance)
        killing.killed_after(compute, place, step, saving)
        with open(database, encoding="utf-8") as file:
            self.instance.system_metadata = json.load(file)

    @staticmethod
    def save_to(path: str) -> Callable[..., None]:
        def save(instance: objects.Instance, *_args: Any, **_kwargs: Any) -> None:
            with open(path, "w", encoding="utf-8") as file:
                json.dump(instance.system_metadata, file)

        return save

    def assert_whole(self, compute: environment.Compute, step: str) -> None:
        self.assertEqual(power_state.RUNNING, compute.driver.get_info(self.instance).state, step)
        out = compute.run(self.instance, "cat /mnt/kept /etc/kept; grep master /etc/hosts; ip address show eth0")
        for expected in ("kept\nkept\n", "10.98.0.9 master", "10.98.0.7/24"):
            self.assertIn(expected, out, step)
        self.assertEqual([], compute.daemon.images.list(name=f"nova-passing/{self.instance.uuid}"), step)

    def assert_glance_is_clean(self, step: str) -> None:
        self.assertEqual({self.image.id}, set(self.source.glance.images), step)
        self.assertEqual({}, self.instance.system_metadata, step)

    def test_kill_at_any_step_of_leaving_ends_with_the_instance_where_it_was(self) -> None:
        source = self.source
        for place, step in _LEAVING:
            self.killed_after(source, place, step, self.left)
            source.restart()
            # What Nova does at its start for an instance in RESIZE_MIGRATING, in nobody's name; then a user's request.
            admin = nova_context.get_admin_context()
            source.driver.finish_revert_migration(admin, self.instance, self.network, self.migration())
            self.assert_whole(source, step)
            source.driver.reboot(source.context, self.instance, self.network, "SOFT")
            self.assert_glance_is_clean(step)

    def test_kill_at_any_step_of_arriving_ends_with_a_hard_reboot_there(self) -> None:
        target = self.target
        for place, step in _ARRIVING:
            sent = self.left()
            target.enter()
            arguments = (target.context, self.migration(), self.instance, sent, self.network, self.image, False, {})
            self.killed_after(target, place, step, lambda: target.driver.finish_migration(*arguments))  # noqa: B023
            self.instance.host, self.instance.task_state = target.host, task_states.RESIZE_FINISH
            target.restart()
            self.assertEqual((vm_states.ERROR, None), (self.instance.vm_state, self.instance.task_state), step)
            self.instance.vm_state = vm_states.ACTIVE
            target.driver.reboot(target.context, self.instance, self.network, "HARD")
            self.assert_whole(target, step)
            self.assert_glance_is_clean(step)
            self.instance.task_state = task_states.RESIZE_REVERTING
            target.driver.destroy(target.context, self.instance, self.network)
            self.assert_nothing_is_left(target)
            self.source.enter()
            self.instance.host, self.instance.task_state = self.source.host, None
            self.source.driver.finish_revert_migration(
                self.source.context, self.instance, self.network, self.migration()
            )

    def test_kill_in_a_snapshot_leaves_no_image(self) -> None:
        source, snapshot = self.source, self.source.glance.add(b"")
        self.killed_after(
            source,
            guest.Guest,
            "commit",
            lambda: source.driver.snapshot(source.context, self.instance, snapshot.id, lambda **_: None),
        )
        self.assertEqual(1, len(source.daemon.images.list(name=f"nova-passing/{self.instance.uuid}")))
        self.target.restart()  # another host's start leaves it alone
        self.assertEqual(1, len(source.daemon.images.list(name=f"nova-passing/{self.instance.uuid}")))
        source.restart()
        self.assertEqual([], source.daemon.images.list(name=f"nova-passing/{self.instance.uuid}"))
        self.assert_whole(source, "snapshot")
