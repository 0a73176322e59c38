# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools

from sahara_docker.engine import scaling
from tests.unit.engine import clusters


class MembersTest(testtools.TestCase):
    def members(self, cluster, workers: int, *gone: str, known: dict | None = None) -> tuple[list[int], int]:
        counts = {"master-group-id": 1, "worker-group-id": workers}
        members, following = scaling.members(cluster, counts, set(gone), known or {})
        self.assertEqual([0], members["master-group-id"])
        return members["worker-group-id"], following["worker-group-id"]

    def test_growing_keeps_the_old_and_counts_on(self) -> None:
        self.assertEqual(([0, 1, 2, 3], 4), self.members(clusters.cluster(2), 4))

    def test_named_nodes_go(self) -> None:
        self.assertEqual(([0, 2], 3), self.members(clusters.cluster(3), 2, "server-worker-1"))

    def test_the_youngest_go_when_none_is_named(self) -> None:
        self.assertEqual(([0], 3), self.members(clusters.cluster(3), 1))

    def test_a_number_is_never_used_twice(self) -> None:
        known = {"worker-group-id": 7}
        self.assertEqual(([0, 1, 7], 8), self.members(clusters.cluster(2), 3, known=known))

    def test_all_at_once(self) -> None:
        self.assertEqual(([2, 3], 4), self.members(clusters.cluster(3), 2, "server-worker-0", "server-worker-1"))
