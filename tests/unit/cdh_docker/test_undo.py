# SPDX-License-Identifier: Apache-2.0
"""A scaling that the plugin cannot finish."""

from __future__ import annotations

import types

import fixtures

from sahara_docker.plugins.cdh_docker import undo
from tests.unit.cdh_docker import test_managed_cluster

FAILED = test_managed_cluster.FAILED


class UndoTest(test_managed_cluster.ClusterTestCase):
    def roles(self, *states: str) -> None:
        self.session.roles = {
            "hdfs01": [
                {"name": "DN_worker_0", "type": "DATANODE", "hostRef": {"hostId": "id-2"}, "roleState": "STARTED"},
                *(
                    {"name": f"DN_worker_1_{state}", "type": kind, "hostRef": {"hostId": "id-3"}, "roleState": state}
                    for state, kind in zip(states, ("DATANODE", "GATEWAY"))
                ),
            ]
        }

    def test_only_what_is_known_of_the_new_nodes_goes(self):
        managed = self.manage()
        self.roles("STOPPED", "NA")
        undo.forget(managed, self.instances("worker-1"))
        self.assertEqual([], self.session.asked("POST"))
        deleted = [path for path, _ in self.session.asked("DELETE")]
        self.assertEqual(
            [
                "/clusters/c1/services/hdfs01/roles/DN_worker_1_STOPPED",
                "/clusters/c1/services/hdfs01/roles/DN_worker_1_NA",
                "/clusters/c1/hosts/id-3",
                "/hosts/id-3",
            ],
            deleted,
        )

    def test_a_data_node_that_has_started_is_emptied_first(self):
        managed = self.manage()
        self.roles("STARTED")
        undo.forget(managed, self.instances("worker-1"))
        ((_, body),) = self.session.asked("POST", "/commands/decommission")
        self.assertEqual({"items": ["DN_worker_1_STARTED"]}, body)

    def test_a_step_that_fails_does_not_keep_the_rest(self):
        managed = self.manage(decommission=FAILED)
        self.roles("STARTED")
        undo.forget(managed, self.instances("worker-1"))
        self.assertEqual("/hosts/id-3", self.session.asked("DELETE")[-1][0])


class ScalingFailedTest(test_managed_cluster.ClusterTestCase):
    def scale(self, engine: object) -> Exception:
        self.useFixture(fixtures.MonkeyPatch("sahara.service.ops.INFRA", engine))
        managed = self.manage()
        deploy = self.handler.deploy
        cause = RuntimeError("no agent")
        self.useFixture(fixtures.MockPatchObject(deploy, "_take_in", side_effect=cause))
        self.useFixture(fixtures.MockPatchObject(deploy, "_managed", return_value=managed))
        instances = self.instances("worker-1")
        return self.assertRaises((RuntimeError, ValueError), deploy.scale_cluster, self.cluster, instances)

    def test_the_engine_removes_the_nodes_and_says_what_sahara_shall_tell(self):
        asked = []
        outcome = ValueError("undone")
        engine = types.SimpleNamespace(undo_scaling=lambda *words: asked.append(words) or outcome)
        failure = self.scale(engine)
        self.assertIs(outcome, failure)
        self.assertEqual([(self.cluster.id, failure.__cause__)], asked)
        self.assertEqual(2, len(self.session.asked("DELETE")))

    def test_under_another_engine_the_failure_is_told(self):
        self.assertEqual("no agent", str(self.scale(object())))
