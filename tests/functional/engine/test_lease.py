# SPDX-License-Identifier: Apache-2.0
"""Clusters of engines that are killed, stopped and paused: real processes on a real MariaDB."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from sahara import conductor, context

from sahara_docker import cluster_extra
from sahara_docker.engine import lease
from tests.functional.engine import shared_database

#: Time of a lease where no process may be taken for dead by the time alone.
LONG = 600


class LeaseTest(shared_database.SharedDatabaseTestCase):
    def program(self, *words: object) -> shared_database.Program:
        return self.useFixture(shared_database.Program(*words))

    def holder(self, seconds: float, *clusters: Any, operation: str = lease.CREATE) -> shared_database.Program:
        program = self.program("hold", self.url, seconds, operation, *(cluster.id for cluster in clusters))
        for cluster in clusters:
            program.expect(f"holds {cluster.id}")
        return program

    def watcher(self, seconds: float = LONG) -> shared_database.Program:
        program = self.program("watch", self.url, seconds)
        program.expect("watches")
        return program

    def await_status(self, cluster: Any, status: str) -> Any:
        shared_database.wait_for(lambda: self.read(cluster).status == status, f"{cluster.name} is {status}")
        return self.read(cluster)

    def test_of_racing_engines_exactly_one_takes_each_cluster_of_a_killed_one(self) -> None:
        clusters = [self.cluster(f"demo-{number}", status="Waiting") for number in range(12)]
        holder = self.holder(30, *clusters)
        watchers = [self.watcher(30) for _ in range(2)]
        for watcher in watchers:
            self.assertEqual(["watches"], watcher.said)

        os.kill(holder.process.pid, signal.SIGKILL)

        for cluster in clusters:
            settled = self.await_status(cluster, "Error")
            self.assertIn(
                f"(process {holder.process.pid}) ended while the cluster was Waiting", settled.status_description
            )
            self.assertIn("delete the cluster", settled.status_description)
        shared_database.wait_for(
            lambda: all(self.lease(cluster)["state"] == lease.OVER for cluster in clusters), "all leases are over"
        )
        taken = sorted(line for watcher in watchers for line in watcher.said if line.startswith("takes"))
        self.assertEqual(sorted(f"takes {cluster.id}" for cluster in clusters), taken)

    def test_a_living_engine_keeps_its_cluster(self) -> None:
        cluster = self.cluster(status="Spawning")
        self.holder(5, cluster)
        watcher = self.watcher(5)
        first = self.lease(cluster)["beat"]
        # Several times as long as a lease that is not renewed would last.
        shared_database.wait_for(lambda: self.lease(cluster)["beat"] > first + 15, "the lease is renewed")
        self.assertEqual(["watches"], watcher.said)
        self.assertEqual("Spawning", self.read(cluster).status)

    def test_an_engine_that_stood_still_for_too_long_stops_its_operation(self) -> None:
        cluster = self.cluster(status="Spawning")
        holder = self.holder(5, cluster)
        self.watcher(5)
        os.kill(holder.process.pid, signal.SIGSTOP)
        self.await_status(cluster, "Error")
        self.assertEqual([f"holds {cluster.id}"], holder.said)
        os.kill(holder.process.pid, signal.SIGCONT)
        holder.expect(f"lost {cluster.id}")

    def test_a_stopped_engine_gives_its_clusters_up(self) -> None:
        cluster = self.cluster(status="Spawning")
        holder = self.holder(LONG, cluster)
        os.kill(holder.process.pid, signal.SIGTERM)
        self.assertEqual(0, holder.process.wait(30))
        self.assertEqual(lease.GIVEN_UP, self.lease(cluster)["state"])

    def test_a_deletion_takes_the_cluster_away_from_its_creation(self) -> None:
        cluster = self.cluster(status="Spawning")
        creator = self.holder(5, cluster)
        conductor.API.cluster_update(context.ctx(), cluster, {"status": "Deleting"})
        self.holder(5, cluster, operation=lease.DELETE)
        creator.expect(f"lost {cluster.id}")
        self.assertEqual("delete", self.lease(cluster)["operation"])

    def test_a_lease_that_an_ignorant_writer_has_lost_is_put_back(self) -> None:
        cluster = self.cluster(status="Spawning")
        holder = self.holder(5, cluster)
        conductor.API.cluster_update(context.ctx(), cluster, {"extra": {"heat_stack_name": "demo"}})
        shared_database.wait_for(lambda: self.lease(cluster) is not None, "the lease is back")
        self.assertEqual([f"holds {cluster.id}"], holder.said)
        self.assertEqual("demo", self.read(cluster).extra["heat_stack_name"])

    def test_a_request_whose_message_was_lost_ends_in_error_after_the_time_of_a_lease(self) -> None:
        cluster = self.cluster(status="Validating")
        began = time.monotonic()
        self.watcher(5)
        settled = self.await_status(cluster, "Error")
        self.assertGreater(time.monotonic() - began, 5)
        self.assertIn("No engine works on the request to create the cluster", settled.status_description)

    def test_settled_clusters_are_left_alone(self) -> None:
        clusters = [self.cluster(status, status=status) for status in lease.SETTLED]
        watcher = self.watcher(5)
        self.await_status(self.cluster("lost", status="Validating"), "Error")
        self.assertEqual(list(lease.SETTLED), [self.read(cluster).status for cluster in clusters])
        self.assertEqual(2, len(watcher.said))
        self.assertEqual({None}, {cluster_extra.read(self.read(cluster), lease.KEY) for cluster in clusters})
