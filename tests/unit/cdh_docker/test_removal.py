# SPDX-License-Identifier: Apache-2.0
"""Workers that leave: emptied when they answer, written off when they do not."""

from __future__ import annotations

from unittest import mock

from sahara.plugins import utils as plugin_utils

from sahara_docker.plugins.cdh_docker import cm_commands, nodes, removal
from tests.unit.cdh_docker import test_managed_cluster

FAILED = test_managed_cluster.FAILED


class RemovalTest(test_managed_cluster.ClusterTestCase):
    def remove(self, *names, gone=(), **outcomes):
        managed = self.manage(**outcomes)
        self.notes = []
        for owner, name, behaviour in (
            (nodes, "answers", {"side_effect": lambda instance: instance.instance_name not in gone}),
            (nodes, "stop_agent", {}),
            (plugin_utils, "add_fail_event", {"side_effect": lambda instance, note: self.notes.append(str(note))}),
        ):
            patcher = mock.patch.object(owner, name, **behaviour)
            patcher.start()
            self.addCleanup(patcher.stop)
        removal.remove_workers(managed, self.instances(*names))

    def deleted(self):
        return {path.rpartition("/")[2] for path, _ in self.session.asked("DELETE")}

    def test_nodes_that_answer_are_emptied_first(self):
        self.remove("worker-1")
        methods = [(method, path.rpartition("/")[2]) for method, path, _ in self.session.calls if method != "GET"]
        self.assertEqual([("POST", "decommission")] * 2, methods[:2])
        self.assertEqual({"DN_worker_1", "HG_worker_1", "NM_worker_1", "YG_worker_1", "id-3"}, self.deleted())
        self.assertEqual([], self.notes)

    def test_nodes_that_are_gone_are_removed_all_the_same_and_named(self):
        self.remove("worker-1", gone=["worker-1"], stop=FAILED)
        self.assertEqual([], self.session.asked("POST", "decommission"))
        self.assertEqual({"DN_worker_1", "HG_worker_1", "NM_worker_1", "YG_worker_1", "id-3"}, self.deleted())
        # One that cannot be stopped does not keep the others.
        stopped = [body["items"] for _, body in self.session.asked("POST", "roleCommands/stop")]
        self.assertEqual([["DN_worker_1"], ["NM_worker_1"]], stopped)
        (note,) = self.notes
        for part in ("worker-1.novalocal", "without being emptied", "no heap left", "missing blocks"):
            self.assertIn(part, note)

    def test_those_that_cannot_be_emptied_work_on(self):
        self.assertRaises(
            cm_commands.CMCommandFailed, self.remove, "worker-0", "worker-1", gone=["worker-0"], decommission=FAILED
        )
        self.assertEqual(set(), self.deleted())
        for service, role in (("hdfs01", "DN_worker_1"), ("yarn01", "NM_worker_1")):
            for command in (f"{service}/commands/recommission", f"{service}/roleCommands/start"):
                ((_, body),) = self.session.asked("POST", command)
                self.assertEqual([role], body["items"])
