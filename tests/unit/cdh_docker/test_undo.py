# SPDX-License-Identifier: Apache-2.0
"""A scaling that the plugin cannot finish."""

from __future__ import annotations

import types

import fixtures

from sahara_docker.plugins.cdh_docker import cm_commands, cm_session, proxy_on_nodes, undo
from tests.unit.cdh_docker import base, test_managed_cluster

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
        self.assertEqual("/hosts/id-3", self.session.asked("DELETE")[-1][0])

    def test_one_that_cannot_be_emptied_stays_and_works_on(self):
        managed = self.manage(decommission=FAILED)
        self.roles("STARTED")
        error = self.assertRaises(cm_commands.CMCommandFailed, undo.forget, managed, self.instances("worker-1"))
        self.assertIn("no heap left", str(error))
        self.assertEqual([], self.session.asked("DELETE"))
        given = [path.rpartition("/")[2] for path, _ in self.session.asked("POST")]
        self.assertEqual(["decommission", "recommission", "start"], given)

    def test_without_knowing_what_has_started_nothing_goes(self):
        managed = self.manage()
        away = cm_session.CMError("no answer")
        self.useFixture(fixtures.MockPatchObject(managed.client, "roles", side_effect=away))
        self.assertRaises(cm_session.CMError, undo.forget, managed, self.instances("worker-1"))
        self.assertEqual([], self.session.asked("DELETE"))

    def test_a_node_manager_that_cannot_be_stopped_does_not_keep_the_rest(self):
        managed = self.manage(decommission=FAILED)
        role = {"name": "NM", "type": "NODEMANAGER", "hostRef": {"hostId": "id-3"}, "roleState": "STARTED"}
        self.session.roles = {"yarn01": [role]}
        undo.forget(managed, self.instances("worker-1"))
        self.assertEqual(1, len(self.session.asked("POST", "decommission")))
        self.assertEqual("/hosts/id-3", self.session.asked("DELETE")[-1][0])


class ScalingFailedTest(test_managed_cluster.ClusterTestCase):
    def scale(self, engine: object, cluster: object = None, **outcomes: object) -> Exception:
        self.useFixture(fixtures.MonkeyPatch("sahara.service.ops.INFRA", engine))
        managed = self.manage(cluster, **outcomes)
        role = {"name": "DN", "type": "DATANODE", "hostRef": {"hostId": "id-3"}, "roleState": "STARTED"}
        self.session.roles = {"hdfs01": [role]}
        deploy = self.handler.deploy
        cause = RuntimeError("no agent")
        self.useFixture(fixtures.MockPatchObject(deploy, "_take_in", side_effect=cause))
        self.useFixture(fixtures.MockPatchObject(deploy, "_managed", return_value=managed))
        instances = self.instances("worker-1")
        return self.assertRaises(
            (RuntimeError, ValueError, undo.NodesStay), deploy.scale_cluster, self.cluster, instances
        )

    def test_the_engine_removes_the_nodes_and_says_what_sahara_shall_tell(self):
        asked = []
        outcome = ValueError("undone")
        engine = types.SimpleNamespace(undo_scaling=lambda *words: asked.append(words) or outcome)
        failure = self.scale(engine)
        self.assertIs(outcome, failure)
        self.assertEqual([(self.cluster.id, failure.__cause__)], asked)
        self.assertEqual(3, len(self.session.asked("DELETE")))

    def test_under_another_engine_the_failure_is_told(self):
        self.assertEqual("no agent", str(self.scale(object())))

    def test_nodes_that_may_hold_data_are_not_given_to_the_engine(self):
        asked = []
        engine = types.SimpleNamespace(undo_scaling=lambda *words: asked.append(words))
        failure = self.scale(engine, decommission=FAILED)
        self.assertEqual([], asked)
        for part in ("no agent; then: ", "no heap left", "scale the cluster down"):
            self.assertIn(part, str(failure))

    def test_the_old_nodes_forget_that_the_new_ones_need_no_proxy(self):
        told = {}
        for name, answer in (("change", None), ("read", True)):
            self.useFixture(fixtures.MockPatch(f"sahara_docker.cluster_extra.{name}", return_value=answer))
        keep = lambda instance, settings: told.update({instance.instance_name: settings.nodes})  # noqa: E731
        self.useFixture(fixtures.MockPatchObject(proxy_on_nodes, "bring", side_effect=keep))
        cluster = base.cluster(cluster_configs={"general": {"HTTP proxy": "http://proxy:3128"}})
        self.scale(object(), cluster)
        self.assertEqual({"manager-0", "master-0", "worker-0"}, set(told))
        for names in told.values():
            self.assertIn("worker-0.novalocal", names)
            self.assertNotIn("worker-1.novalocal", names)
