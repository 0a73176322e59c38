# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import types
from typing import Any

import fixtures
import testtools

from sahara_docker.engine import access
from sahara_docker.ssh import errors


class _Node:
    """An instance whose logins fail in turn with the given causes, the last one for ever."""

    instance_name = "demo-worker-0"

    def __init__(self, *causes: Exception | None) -> None:
        self._causes = list(causes)
        self.tries = 0

    def remote(self) -> Any:
        return types.SimpleNamespace(check_login=self._login)

    def _login(self, timeout: float) -> None:
        self.tries += 1
        cause = self._causes.pop(0) if len(self._causes) > 1 else self._causes[0]
        if cause is not None:
            raise cause


class WaitForLoginTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 0.0
        self.slept: list[float] = []
        self.reported: list[str] = []
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.engine.access.time.monotonic", lambda: self.now))
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.engine.access.context.sleep", self._sleep))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def wait(self, node: _Node, timeout: float = 60, abandoned: bool = False) -> None:
        access.wait_for_login(
            node, timeout, lambda instance, cause: self.reported.append(str(cause)), lambda: abandoned
        )

    def test_polls_start_short_and_back_off(self) -> None:
        self.wait(_Node(*[errors.NodeNotUp("refused")] * 10, None))
        self.assertEqual(0.2, self.slept[0])
        self.assertEqual(sorted(self.slept), self.slept)
        self.assertEqual(3.0, self.slept[-1])
        self.assertEqual(["refused"] * 10, self.reported)

    def test_the_wait_ends_with_the_last_cause(self) -> None:
        failure = self.assertRaises(
            access.NodeNotAccessible, self.wait, _Node(errors.NodeNotUp("refused"), errors.NoRoute("no route"))
        )
        self.assertEqual("[demo-worker-0] no login within 60 s: no route", str(failure))
        self.assertEqual(60, self.now)

    def test_a_changed_host_key_ends_it_at_once(self) -> None:
        node = _Node(errors.HostKeyChanged("changed"))
        self.assertRaises(errors.HostKeyChanged, self.wait, node)
        self.assertEqual(1, node.tries)

    def test_a_refused_password_gets_the_time_that_booting_takes(self) -> None:
        self.assertRaises(errors.PasswordRefused, self.wait, _Node(errors.PasswordRefused("refused")))
        self.assertGreaterEqual(self.now, 10)
        self.assertLess(self.now, 15)

    def test_a_password_that_works_after_booting_is_fine(self) -> None:
        self.wait(_Node(errors.PasswordRefused("refused"), errors.PasswordRefused("refused"), None))

    def test_others_failures_end_it(self) -> None:
        self.assertRaises(access.NodeNotAccessible, self.wait, _Node(errors.NodeNotUp("refused")), abandoned=True)
        self.assertEqual([], self.slept)


class ReporterTest(testtools.TestCase):
    def test_one_line_now_and_then(self) -> None:
        now = [0.0]
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.engine.access.time.monotonic", lambda: now[0]))
        lines: list[str] = []
        reporter = access.Reporter(lines.append, total=3)
        nodes = [types.SimpleNamespace(instance_name=f"node-{number}") for number in range(3)]
        for node in nodes:
            reporter.waiting(node, errors.NodeNotUp("refused", where=node.instance_name))
        self.assertEqual([], lines)
        now[0] = 5.0
        reporter.done(nodes[0])
        reporter.waiting(nodes[1], errors.NodeNotUp("timed out", where="node-1"))
        reporter.waiting(nodes[2], errors.NodeNotUp("timed out", where="node-2"))
        self.assertEqual(["Waiting for the login to node-1 and 1 more of 3 nodes: [node-1] timed out"], lines)
        self.assertTrue(reporter.published)
