# SPDX-License-Identifier: Apache-2.0
"""What is kept with a cluster, under several writers on a real MariaDB."""

from __future__ import annotations

import uuid

from sahara import conductor, context
from sahara import exceptions as sahara_exceptions

from sahara_docker import cluster_extra
from tests.functional.engine import shared_database


class ClusterExtraTest(shared_database.SharedDatabaseTestCase):
    def test_two_processes_at_once_lose_nothing(self) -> None:
        cluster = self.cluster()
        writers = [
            self.useFixture(shared_database.Program("add", self.url, key, 60, cluster.id))
            for key in ("shared", "shared", "own")
        ]
        for writer in writers:
            writer.expect("done")
        self.assertEqual(120, cluster_extra.read(self.read(cluster), "shared"))
        self.assertEqual(60, cluster_extra.read(self.read(cluster), "own"))

    def test_the_stock_way_loses_what_another_wrote_meanwhile(self) -> None:
        cluster = self.cluster()
        stale = self.read(cluster)
        cluster_extra.change(cluster.id, "key", lambda now: "kept")
        extra = {**(stale.extra or {}), "heat_stack_name": "demo"}
        conductor.API.cluster_update(context.ctx(), cluster, {"extra": extra})
        self.assertIsNone(cluster_extra.read(self.read(cluster), "key"))

    def test_a_refusal_leaves_everything_as_it_was(self) -> None:
        cluster = self.cluster()
        cluster_extra.change(cluster.id, "key", lambda now: 1)
        self.assertRaises(ZeroDivisionError, cluster_extra.change, cluster.id, "key", lambda now: 1 // 0)
        self.assertEqual(1, cluster_extra.current(cluster.id, "key"))
        cluster_extra.change(cluster.id, "key", lambda now: None)
        self.assertEqual({}, dict(self.read(cluster).extra))
        self.assertRaises(sahara_exceptions.NotFoundException, cluster_extra.change, "no-such", "key", lambda now: 1)

    def test_users_see_no_change(self) -> None:
        cluster = self.cluster(status="Active")
        with_time = {"updated_at": "2001-01-01T00:00:00"}
        conductor.API.cluster_update(context.ctx(), cluster, {"status_description": "seen"})
        before = self.read(cluster).updated_at
        shared_database.wait_for(lambda: self._now() > before, "the clock's next second")
        cluster_extra.change(cluster.id, "key", lambda now: 1)
        self.assertEqual(before, self.read(cluster).updated_at, with_time)

    def _now(self) -> str:
        return self.cluster(name=f"clock-{uuid.uuid4()}", status="Error").updated_at

    def test_a_survey_passes_over_what_it_is_told(self) -> None:
        active, waiting = self.cluster("a", status="Active"), self.cluster("b", status="Waiting")
        cluster_extra.change(waiting.id, "key", lambda now: [1])
        rows = cluster_extra.survey("key", ("Active", "Error"))
        self.assertEqual([cluster_extra.Row(waiting.id, "Waiting", [1])], rows)
        self.assertEqual({active.id, waiting.id}, {row.id for row in cluster_extra.survey("key")})
