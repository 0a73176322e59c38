# SPDX-License-Identifier: Apache-2.0
"""Operations of one process that take a cluster from one another."""

from __future__ import annotations

import gc
from unittest import mock

import eventlet
import oslo_messaging
from eventlet import event
from sahara import conductor, context
from sahara.tests.unit import base

from sahara_docker import cluster_extra
from sahara_docker.engine import lease, takeover


class LeaseTest(base.SaharaWithDbTestCase):
    def setUp(self):
        super().setUp()
        values = {"name": "demo", "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": []}
        self.cluster = conductor.API.cluster_create(context.ctx(), values)
        self.keeper = lease.Keeper(600)
        self.lost = []

        self.addCleanup(self.keeper._held.clear)  # nothing is renewed when the database is gone

    def new_request(self):
        context.set_ctx(context.get_admin_context())

    def operation(self, after):
        """Begin to create the cluster in a thread of its own, and go on with *after*, given what to call then."""

        began = event.Event()

        def run():
            self.new_request()
            try:
                self.keeper.begin(self.cluster.id, lease.CREATE)
                after(began.send)
            except lease.OperationLost as loss:
                self.lost.append(str(loss))

        thread = eventlet.spawn(run)
        with eventlet.Timeout(30):
            began.wait()
        return thread

    def test_the_lease_that_was_there_is_told(self):
        self.assertIsNone(self.keeper.begin(self.cluster.id, lease.CREATE))
        self.assertIsNone(self.keeper.begin(self.cluster.id, lease.DELETE))
        self.new_request()
        before = self.keeper.begin(self.cluster.id, lease.DELETE)
        self.assertEqual((lease.CREATE, lease.HELD), (before["operation"], before["state"]))

    def test_a_deletion_stops_the_creation(self):
        def work(begun):
            begun()
            eventlet.sleep(30)

        self.operation(work)
        self.keeper.begin(self.cluster.id, lease.DELETE)
        self.assertEqual(["delete has begun"], self.lost)

    def test_a_thread_never_stops_itself(self):
        old = context.ctx()  # whatever holds it
        self.keeper.begin(self.cluster.id, lease.CREATE)
        self.new_request()
        self.assertIsNot(old, context.ctx())
        self.keeper.begin(self.cluster.id, lease.DELETE)

    def test_a_request_that_a_stack_trace_keeps_does_not_stop_the_next_one_of_its_thread(self):
        def next_request(begun):
            cycle = [context.ctx()]
            cycle.append(cycle)
            del cycle
            self.new_request()
            begun()
            eventlet.sleep(30)

        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        thread = self.operation(next_request)
        self.addCleanup(eventlet.kill, thread)
        self.keeper.begin(self.cluster.id, lease.DELETE)
        self.assertEqual([], self.lost)
        self.assertFalse(thread.dead)


class TakeOverTest(base.SaharaWithDbTestCase):
    def take(self, recover):
        values = {"name": "demo", "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": []}
        cluster = conductor.API.cluster_create(context.ctx(), values)
        conductor.API.cluster_update(context.ctx(), cluster, {"status": "Validating"})
        watch = takeover.Watch(lease.Keeper(600), 600, recover)
        with mock.patch.object(takeover, "LOG") as log:
            eventlet.spawn(watch._take, cluster_extra.survey(lease.KEY)[0]).wait()
        self.assertEqual(set(), watch._taking)
        return log

    def test_a_queue_that_has_not_answered_is_nothing_to_log(self):
        late = mock.Mock(side_effect=oslo_messaging.MessagingTimeout)
        with mock.patch.object(takeover, "_await_queue", late):
            log = self.take(self.fail)
        self.assertEqual(["debug"], [call[0] for call in log.method_calls])

    def test_a_cluster_that_is_lost_again_is_somebody_elses(self):
        with mock.patch.object(takeover, "_await_queue"):
            log = self.take(mock.Mock(side_effect=lease.OperationLost("deleted")))
        self.assertEqual(["warning", "info"], [call[0] for call in log.method_calls])
