# SPDX-License-Identifier: Apache-2.0
"""One step on many nodes, and its threads."""

from __future__ import annotations

import gc
import types
import weakref

import eventlet
import fixtures
from sahara.tests.unit import base

from sahara_docker import thread_group
from sahara_docker.engine import fan_out, lease
from tests.unit.engine import clusters


class Odd(Exception):
    """Built-in exceptions have no weak references."""


class FanOutTest(base.SaharaTestCase):
    def setUp(self):
        super().setUp()
        self.setup_context()
        self.instances = [i for group in clusters.cluster().node_groups for i in group.instances]

    def test_failures_leave_nothing_that_refers_to_itself(self):
        seen = []

        def fail(instance):
            failure = Odd(instance.instance_name)
            seen.append(weakref.ref(failure))
            try:
                raise failure
            finally:
                del failure

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        try:
            fan_out.each(self.instances, "work", fail)
        except fan_out.NodesFailed as failure:
            self.assertEqual(3, len(failure.causes))
        self.assertEqual([None] * 3, [reference() for reference in seen])

    def test_nothing_goes_on_when_the_operation_is_stopped(self):
        begun, ended, done = [], [], []
        self.useFixture(fixtures.Timeout(30, gentle=True))

        def inner(name):
            begun.append(name)
            try:
                eventlet.sleep(60)
                done.append(name)
            finally:
                ended.append(name)

        def work(instance):
            part = types.SimpleNamespace(instance_id="part", instance_name=instance.instance_name)
            fan_out.each([part], "inner", lambda one: inner(one.instance_name))

        stopped = []

        def operation():
            self.setup_context()
            try:
                fan_out.each(self.instances, "work", work)
            except lease.OperationLost as loss:
                stopped.append(str(loss))

        thread = eventlet.spawn(operation)
        while len(begun) < len(self.instances):
            eventlet.sleep(0)
        eventlet.kill(thread, lease.OperationLost("deleted"))
        thread.wait()
        self.assertEqual(["deleted"], stopped)
        while len(ended) < len(self.instances):
            eventlet.sleep(0)
        self.assertEqual([], done)

    def test_threads_that_have_not_begun_never_do(self):
        begun = []

        def operation():
            with thread_group.ThreadGroup() as group:
                group.spawn("work", begun.append, 1)
                raise lease.OperationLost("deleted")

        self.assertRaises(lease.OperationLost, operation)
        eventlet.sleep(0)
        self.assertEqual([], begun)
