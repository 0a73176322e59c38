# SPDX-License-Identifier: Apache-2.0
"""The event log, in Sahara's own database code."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy
from sahara import conductor, context
from sahara.db.sqlalchemy import api as database
from sahara.tests.unit import base
from sahara.utils import cluster as sahara_cluster
from sahara.utils import cluster_progress_ops as progress

from sahara_docker.engine import event_log


@event_log.recorded
def succeed(instance: Any) -> str:
    return "done"


@event_log.recorded
def fail(instance: Any) -> None:
    raise ValueError("no such thing")


class EventLogTest(base.SaharaWithDbTestCase):
    def cluster(self, nodes: int) -> Any:
        """A cluster in the middle of a provisioning step."""
        ctx = context.ctx()
        groups = [{"name": "worker", "flavor_id": "1", "count": nodes, "node_processes": ["datanode"]}]
        values = {"name": f"demo-{nodes}", "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": groups}
        cluster = conductor.API.cluster_create(ctx, values)
        for number in range(nodes):
            row = {"instance_id": str(uuid.uuid4()), "instance_name": f"demo-worker-{number}"}
            conductor.API.instance_add(ctx, cluster.node_groups[0], row)
        progress.add_provisioning_step(cluster.id, "Configure instances", nodes)
        return conductor.API.cluster_get(ctx, cluster)

    def step(self, cluster: Any) -> Any:
        (step,) = conductor.API.cluster_get(context.ctx(), cluster, show_progress=True).provision_progress
        return step

    def test_a_success_counts_for_its_step(self) -> None:
        cluster = self.cluster(2)
        first, second = sahara_cluster.get_instances(cluster)
        self.assertEqual("done", succeed(first))
        self.assertIsNone(self.step(cluster).successful)
        self.assertEqual([first.instance_id], [event.instance_id for event in self.step(cluster).events])
        succeed(second)
        self.assertIs(True, self.step(cluster).successful)

    def test_a_failure_is_recorded_in_its_own_words_and_raised(self) -> None:
        cluster = self.cluster(1)
        (instance,) = sahara_cluster.get_instances(cluster)
        self.assertRaises(ValueError, fail, instance)
        self.assertIs(False, self.step(cluster).successful)
        (event,) = self.step(cluster).events
        self.assertEqual(
            (False, "no such thing", "demo-worker-0"), (event.successful, event.event_info, event.instance_name)
        )

    def test_work_goes_on_when_the_cluster_was_deleted_meanwhile(self) -> None:
        cluster = self.cluster(1)
        (instance,) = sahara_cluster.get_instances(cluster)
        conductor.API.cluster_destroy(context.ctx(), cluster)
        self.assertEqual("done", succeed(instance))
        self.assertRaises(ValueError, fail, instance)

    def test_nothing_is_written_where_the_operator_has_no_event_log(self) -> None:
        cluster = self.cluster(1)
        self.override_config("disable_event_log", True)
        self.assertEqual("done", succeed(sahara_cluster.get_instances(cluster)[0]))
        self.override_config("disable_event_log", False)
        self.assertEqual([], self.step(cluster).events)

    def test_a_node_of_many_costs_the_database_as_much_as_one_of_few(self) -> None:
        statements: list[str] = []
        engine = database.get_engine()

        def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
            statements.append(statement)

        few, many = (sahara_cluster.get_instances(self.cluster(nodes))[0] for nodes in (2, 20))
        seen = []
        for instance in (few, many):
            statements.clear()
            sqlalchemy.event.listen(engine, "before_cursor_execute", note)
            succeed(instance)
            sqlalchemy.event.remove(engine, "before_cursor_execute", note)
            seen.append(list(statements))
        self.assertEqual(seen[0], seen[1])
        self.assertEqual([], [statement for statement in seen[1] if "FROM instances" in statement])
