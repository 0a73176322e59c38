# SPDX-License-Identifier: Apache-2.0
"""What Nova hears from the daemon without asking, also across the daemon's restarts."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Callable

import fixtures
import testtools
from nova.compute import power_state
from nova.network import model
from nova.virt import event as virtevent

from tests.functional.nova import docker_daemon, environment
from tests.unit.nova import neutron

_SICK = 'HEALTHCHECK --interval=1s --timeout=5s --retries=1 CMD ["sh", "-c", "test ! -e /etc/sick"]'


class EventTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.useFixture(docker_daemon.DockerDaemon())
        self.troubles: list[tuple[str, str, str]] = []
        self.in_service: list[bool] = []
        self.heard: list[tuple[str, int]] = []
        self.changed = threading.Condition()
        record = self._recorded(lambda *trouble: self.troubles.append(trouble))
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.records.trouble", record))
        service = self._recorded(lambda _virtapi, value, _reason="": self.in_service.append(value))
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.records.set_in_service", service))
        self.compute = self.useFixture(environment.Compute(host=self.daemon.url))
        self.driver = self.compute.driver
        self.driver.register_event_listener(
            self._recorded(lambda event: self.heard.append((event.get_instance_uuid(), event.get_transition())))
        )
        self.image = self.compute.small_image(_SICK)

    def _recorded(self, record: Callable[..., None]) -> Callable[..., None]:
        def recorded(*arguments: Any) -> None:
            with self.changed:
                record(*arguments)
                self.changed.notify_all()

        return recorded

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            if not self.changed.wait_for(condition, timeout=60):
                self.fail(f"heard only {self.heard}, {self.troubles}, {self.in_service}")

    def spawned(self, *ports: model.VIF) -> Any:
        instance = self.compute.instance(self.image)
        instance.info_cache.network_info = model.NetworkInfo(ports)
        self.compute.spawn(instance, self.image, model.NetworkInfo(ports))
        self.wait_for(lambda: (instance.uuid, virtevent.EVENT_LIFECYCLE_STARTED) in self.heard)
        return instance

    def test_end_of_the_first_process_is_told_with_its_status(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "kill -KILL $(cat /proc/1/task/1/children)")
        self.wait_for(lambda: (instance.uuid, virtevent.EVENT_LIFECYCLE_STOPPED) in self.heard)
        self.assertEqual([(instance.uuid, "exit", "the first process ended with status 137")], self.troubles)

    def test_pause_and_resume(self) -> None:
        instance = self.spawned()
        self.driver.pause(instance)
        self.driver.unpause(instance)
        self.wait_for(lambda: (instance.uuid, virtevent.EVENT_LIFECYCLE_RESUMED) in self.heard)
        self.assertIn((instance.uuid, virtevent.EVENT_LIFECYCLE_PAUSED), self.heard)

    def test_reboot_is_not_told_as_a_stop(self) -> None:
        instance = self.spawned()
        self.heard.clear()
        self.driver.reboot(self.compute.context, instance, [], "HARD")
        self.wait_for(lambda: bool(self.heard))
        self.assertEqual([(instance.uuid, virtevent.EVENT_LIFECYCLE_STARTED)], self.heard)

    def test_memory_that_is_used_up(self) -> None:
        instance = self.spawned()
        self.compute.container(instance).exec_run(["dd", "if=/dev/zero", "of=/dev/null", "bs=600M", "count=1"])
        self.wait_for(lambda: bool(self.troubles))
        self.assertEqual((instance.uuid, "oom"), self.troubles[0][:2])
        self.assertEqual(power_state.RUNNING, self.driver.get_info(instance).state)

    def test_health_check_that_fails(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "echo > /etc/sick")
        self.wait_for(lambda: bool(self.troubles))
        self.assertEqual((instance.uuid, "health check"), self.troubles[0][:2])

    def test_sandbox_that_ends_under_its_workload(self) -> None:
        instance = self.spawned()
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.events._DAEMON_ENDS_WITHIN", 1))
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").kill()
        self.wait_for(lambda: bool(self.troubles))
        self.assertEqual((instance.uuid, "sandbox"), self.troubles[0][:2])

    def test_sandbox_that_is_back_before_it_is_told(self) -> None:
        instance = self.spawned()
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.events._DAEMON_ENDS_WITHIN", 3))
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").kill()
        self.driver.reboot(self.compute.context, instance, [], "HARD")
        time.sleep(5)
        self.assertEqual([], self.troubles)

    def restarted(self, number: int) -> None:
        self.daemon.stop(number)
        self.wait_for(lambda: self.in_service[-1:] == [False])
        self.daemon.start()
        self.wait_for(lambda: self.in_service[-1:] == [True])

    def test_restart_of_the_daemon_brings_the_instances_back_with_their_network(self) -> None:
        environment.CONF.set_override("resume_guests_state_on_host_boot", True)
        self.useFixture(fixtures.MonkeyPatch("nova.objects.BlockDeviceMappingList.get_by_instance_uuid", _no_volumes))
        self.useFixture(environment.Bridge("nova-test-evt", ()))
        subnet = neutron.subnet("10.96.0.0/24", "10.96.0.7")
        instance = self.spawned(neutron.port("nova-test-evt", subnet, mac="fa:16:3e:cc:00:07"))
        off = self.spawned()
        self.driver.power_off(off)
        off.power_state = power_state.SHUTDOWN
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.heard.clear()
            self.restarted(number)
            self.assertEqual(power_state.RUNNING, self.driver.get_info(instance).state)
            self.assertIn("10.96.0.7/24", self.compute.run(instance, "ip address show eth0"))
            self.assertEqual(power_state.SHUTDOWN, self.driver.get_info(off).state)
            # Nova must not take the daemon's end for a stop of the instance, which it would make last.
            self.assertNotIn((instance.uuid, virtevent.EVENT_LIFECYCLE_STOPPED), self.heard)

    def test_stops_that_a_new_daemon_makes_before_it_answers_are_not_told(self) -> None:
        # Asked often, it is asked while it stops the sandbox that its killed predecessor has left, which takes seconds.
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.events._LONGEST_PAUSE", 0.01))
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.nova.events._DAEMON_ENDS_WITHIN", 1))
        environment.CONF.set_override("resume_guests_state_on_host_boot", True)
        self.useFixture(fixtures.MonkeyPatch("nova.objects.BlockDeviceMappingList.get_by_instance_uuid", _no_volumes))
        instance = self.spawned()
        self.restarted(signal.SIGKILL)
        time.sleep(3)
        self.assertEqual([], self.troubles)
        self.assertNotIn((instance.uuid, virtevent.EVENT_LIFECYCLE_STOPPED), self.heard)

    def test_without_the_option_the_stop_is_told(self) -> None:
        instance = self.spawned()
        self.restarted(signal.SIGKILL)
        self.wait_for(lambda: (instance.uuid, virtevent.EVENT_LIFECYCLE_STOPPED) in self.heard)

    def test_end_of_the_service_ends_the_thread(self) -> None:
        time.sleep(0.5)
        self.driver.cleanup_host(self.compute.host)
        self.driver._watcher._thread.join(timeout=30)
        self.assertFalse(self.driver._watcher._thread.is_alive())


def _no_volumes(_cls: Any, _context: Any, _uuid: str) -> Any:
    return environment.objects.BlockDeviceMappingList(objects=[])
