# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from typing import Any, Iterator

import testtools
from nova import exception

from sahara_docker.nova import wiring

INSTANCE = type("Instance", (), {"uuid": "u"})()


def timeout_of_this_nova() -> BaseException:
    if hasattr(exception, "InstanceEventTimeout"):
        return exception.InstanceEventTimeout()
    from eventlet import timeout

    return timeout.Timeout(None)


class VirtAPI:
    """Nova's side: notes what is awaited, and then does what the test wants."""

    def __init__(self, error: BaseException | None = None, report_failure: bool = False) -> None:
        self.error, self.report_failure = error, report_failure
        self.awaited: Any = None

    @contextlib.contextmanager
    def wait_for_instance_event(self, instance: Any, event_names: Any, *arguments: Any) -> Iterator[None]:
        self.awaited = event_names
        yield
        if self.error:
            raise self.error
        if self.report_failure:
            arguments[1]("network-vif-plugged-1", instance)


class WiredTest(testtools.TestCase):
    def run_block(self, virtapi: VirtAPI, timeout: int = 300, fatal: bool = True) -> list[str]:
        done = []
        vifs = [{"id": "1", "active": False}, {"id": "2", "active": True}, {"id": "3"}]
        with wiring.wired(virtapi, INSTANCE, vifs, timeout=timeout, fatal=fatal):
            done.append("plugged")
        return done

    def test_awaits_ports_that_are_known_not_to_be_active(self) -> None:
        virtapi = VirtAPI()
        self.assertEqual(["plugged"], self.run_block(virtapi))
        self.assertEqual([("network-vif-plugged", "1")], virtapi.awaited)

    def test_timeout_of_zero_awaits_nothing(self) -> None:
        virtapi = VirtAPI()
        self.run_block(virtapi, timeout=0)
        self.assertEqual([], virtapi.awaited)

    def test_silence_and_failure_are_fatal_when_they_shall_be(self) -> None:
        for virtapi in (VirtAPI(timeout_of_this_nova()), VirtAPI(report_failure=True)):
            self.assertRaises(exception.VirtualInterfaceCreateException, self.run_block, virtapi)
            self.assertEqual(["plugged"], self.run_block(virtapi, fatal=False))

    def test_errors_of_the_block_pass(self) -> None:
        def fail() -> None:
            with wiring.wired(VirtAPI(), INSTANCE, [], timeout=1, fatal=False):
                raise exception.VirtualInterfacePlugException("bridge is gone")

        self.assertRaises(exception.VirtualInterfacePlugException, fail)
