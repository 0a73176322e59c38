# SPDX-License-Identifier: Apache-2.0
"""Workers that leave: emptied when they answer, written off when they do not."""

from __future__ import annotations

import itertools

import fixtures
import requests
from sahara import exceptions as sahara_exceptions
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_commands, cm_session, parallel, removal
from sahara_docker.ssh import errors
from tests.unit.cdh_docker import test_managed_cluster

FAILED = test_managed_cluster.FAILED


class _Remote:
    """A node's remote whose commands end in *failure*, if there is one."""

    def __init__(self, failure):
        self._failure = failure

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def execute_command(self, cmd, **_):
        if self._failure:
            raise self._failure
        return 0, ""

    def get_http_client(self, port):
        raise requests.ConnectionError("no NameNode here")


def unreachable(name, kind=errors.NoRoute):
    return kind("no route from the Sahara host", where=f"{name} 10.9.9.9")


class RemovalTest(test_managed_cluster.ClusterTestCase):
    def setUp(self):
        super().setUp()
        self.failures, self.notes = {}, []
        remotes = lambda instance: _Remote(self.failures.get(instance.instance_name))  # noqa: E731
        note = lambda instance, text: self.notes.append(str(text))  # noqa: E731
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.remote.get_remote", remotes))
        self.useFixture(fixtures.MockPatchObject(plugin_utils, "add_fail_event", side_effect=note))

    def remove(self, *names, gone=(), **outcomes):
        managed = self.manage_roles(**outcomes)
        self.failures.update({name: unreachable(name) for name in gone})
        removal.remove_workers(managed, self.instances(*names), silence=0.05)
        return managed

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

    def test_an_interrupted_removal_can_be_repeated(self):
        managed = self.manage_roles()
        broken = fixtures.MockPatchObject(managed, "remove_hosts", side_effect=cm_session.CMError("no answer"))
        with broken:
            self.assertRaises(cm_session.CMError, removal.remove_workers, managed, self.instances("worker-1"))
        self.session.calls.clear()
        removal.remove_workers(managed, self.instances("worker-1"))
        self.assertEqual([], self.session.asked("POST"))
        self.assertEqual("/hosts/id-3", self.session.asked("DELETE")[-1][0])

    def test_a_node_that_may_be_there_is_not_written_off(self):
        for failure in (
            sahara_exceptions.TimeoutException(30),
            errors.HostKeyChanged("another host key", where="worker-1 10.9.9.9"),
            errors.PasswordRefused("password refused", where="worker-1 10.9.9.9"),
            errors.ConnectionLost("connection lost", where="worker-1 10.9.9.9"),
            unreachable("gateway-0", errors.NodeNotUp),
            RuntimeError("no key manager"),
        ):
            self.failures["worker-1"] = failure
            error = self.assertRaises(exceptions.SaharaDockerError, self.remove, "worker-0", "worker-1")
            self.assertIn("cannot tell whether the node is still there", str(error))
            self.assertIn(str(failure), str(error))
            self.assertEqual([], [call for call in self.session.calls if call[0] != "GET"])

    def test_all_nodes_that_may_be_there_are_named(self):
        self.failures.update({name: RuntimeError("no key manager") for name in ("worker-0", "worker-1")})
        error = self.assertRaises(parallel.NodesFailed, self.remove, "worker-0", "worker-1")
        self.assertIn("worker-0, worker-1", str(error))

    def test_a_node_that_cloudera_manager_hears_is_not_written_off(self):
        managed = self.manage_roles()
        self.failures["worker-1"] = unreachable("worker-1", errors.NodeNotUp)
        beats = itertools.count()
        hosts = lambda: [{**host, "lastHeartbeat": next(beats)} for host in self.session.hosts]  # noqa: E731
        self.useFixture(fixtures.MockPatchObject(managed.client, "hosts", side_effect=hosts))
        error = self.assertRaises(
            exceptions.SaharaDockerError, removal.remove_workers, managed, self.instances("worker-1"), silence=0.05
        )
        self.assertIn("[worker-1.novalocal] nodes cannot be reached", str(error))
        self.assertEqual([], self.session.asked("DELETE"))

    def test_a_node_that_cloudera_manager_does_not_know_is_not_listened_for(self):
        managed = self.manage_roles()
        self.failures["worker-1"] = unreachable("worker-1")
        self.session.hosts = self.session.hosts[:3]
        removal.remove_workers(managed, self.instances("worker-1"), silence=3600)
        self.assertEqual(1, len(self.notes))
