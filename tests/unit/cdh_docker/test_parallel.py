# SPDX-License-Identifier: Apache-2.0
"""The same work on many nodes."""

from __future__ import annotations

import contextlib
import gc
import weakref

from sahara import context
from sahara import exceptions as sahara_exceptions

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import parallel
from tests.unit.cdh_docker import base


class Odd(Exception):
    """Built-in exceptions have no weak references."""


class OnEachTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.instances = [i for group in base.cluster().node_groups for i in group.instances]

    def fail(self, instance):
        raise exceptions.SaharaDockerError("no disk", where=instance.fqdn(), observed="0 bytes", remedy="add one")

    def test_every_node_is_worked_on(self):
        names = []
        parallel.on_each(self.instances, "Work", lambda instance: names.append(instance.instance_name))
        self.assertEqual(["manager-0", "master-0", "worker-0", "worker-1"], sorted(names))

    def test_no_nodes_are_no_work(self):
        parallel.on_each([], "Work", self.fail)

    def test_one_failure_is_raised_as_it_is_after_the_others_are_through(self):
        done = []

        def work(instance):
            if instance.instance_name == "manager-0":
                self.fail(instance)
            done.append(instance)

        error = self.assertRaises(exceptions.SaharaDockerError, parallel.on_each, self.instances, "Work", work)
        self.assertEqual("[manager-0.novalocal] no disk: 0 bytes; add one", str(error))
        self.assertEqual(3, len(done))

    def test_nodes_that_fail_alike_are_told_together(self):
        def work(instance):
            if instance.instance_name == "master-0":
                raise ValueError("odd")
            self.fail(instance)

        error = self.assertRaises(parallel.NodesFailed, parallel.on_each, self.instances, "Work", work)
        expected = (
            "Work failed on 4 of 4 nodes: manager-0, worker-0, worker-1: no disk: 0 bytes; add one; master-0: odd"
        )
        self.assertEqual(expected, str(error))

    def test_a_failure_leaves_nothing_that_refers_to_itself(self):
        seen = []

        def work(instance):
            failure = Odd("odd")
            seen.append(weakref.ref(failure))
            try:
                raise failure
            finally:
                del failure

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        for instances in (self.instances[:1], self.instances):
            with contextlib.suppress(Odd, parallel.NodesFailed):
                parallel.on_each(instances, "Work", work)
        self.assertEqual([None] * 5, [reference() for reference in seen])

    def test_sahara_s_own_group_puts_a_stack_trace_into_the_cluster_s_status(self):
        group = context.ThreadGroup()
        group.spawn("work", self.fail, self.instances[0])
        self.assertIn("Traceback", str(self.assertRaises(sahara_exceptions.ThreadException, group.__exit__)))
