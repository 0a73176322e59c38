# SPDX-License-Identifier: Apache-2.0
"""What Cloudera Manager is asked for, and what happens when it says no."""

from __future__ import annotations

import types
from unittest import mock

import fixtures
from sahara.plugins import utils as plugin_utils
from sahara_plugin_cdh.plugins.cdh import cloudera_utils as stock

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import (
    availability,
    cm_commands,
    cm_session,
    managed_cluster,
    nodes,
    passwords,
    removal,
    storage,
    versions,
    waiting,
)
from tests.unit.cdh_docker import base
from tests.unit.cdh_docker.cm_records import RecordedSession

NODES = ["manager-0.novalocal", "master-0.novalocal", "worker-0.novalocal", "worker-1.novalocal"]
FAILED = {"success": False, "resultMessage": "no heap left"}


class ClusterTestCase(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.conf.config(node_domain="novalocal")
        self.handler = versions.VersionFactory().get_version_handler("5.13.0")

    def manage(self, cluster=None, hosts=NODES, **outcomes):
        self.session = RecordedSession(hosts, **outcomes)
        self.cluster = cluster or base.cluster()
        return managed_cluster.ManagedCluster(
            self.cluster, self.session.client(), self.handler.cloudera_utils, self.handler.deploy._configs
        )

    def manage_roles(self, **outcomes):
        """As :meth:`manage`, of a cluster whose roles exist."""
        managed = self.manage(**outcomes)
        managed.create_roles(self.instances(), {})
        self.session.calls.clear()
        return managed

    def instances(self, *names):
        everything = [i for group in self.cluster.node_groups for i in group.instances]
        return [i for i in everything if not names or i.instance_name in names]


class ManagedClusterTest(ClusterTestCase):
    def test_the_roles_of_a_service_are_created_in_one_call(self):
        self.manage().create_roles(self.instances(), {})
        created = dict(self.session.asked("POST", "/roles"))
        self.assertEqual(
            {f"/clusters/c1/services/{name}/roles" for name in ("hdfs01", "yarn01", "oozie01")}, set(created)
        )
        hdfs = created["/clusters/c1/services/hdfs01/roles"]["items"]
        self.assertIn({"name": "DN_worker_1", "type": "DATANODE", "hostRef": {"hostId": "id-3"}}, hdfs)
        gateways = sorted(role["name"] for role in hdfs if role["type"] == "GATEWAY")
        self.assertEqual(["HG_master_0", "HG_worker_0", "HG_worker_1"], gateways)
        self.assertEqual(1, len(self.session.asked("GET", "/hosts")))

    def test_each_data_node_reserves_by_its_own_volume(self):
        volumes = {"worker-0": 10 * storage.GIB, "worker-1": 100 * storage.GIB}
        self.manage().create_roles(self.instances("worker-0", "worker-1"), volumes)
        for name, reserved in (("DN_worker_0", storage.GIB // 2), ("DN_worker_1", 5 * storage.GIB)):
            ((_, body),) = self.session.asked("PUT", f"/roles/{name}/config")
            self.assertIn({"name": storage.RESERVED, "value": str(reserved)}, body["items"])

    def test_a_reserve_that_leaves_no_room_is_refused(self):
        worker = base.node_group("worker", base.WORKER, node_configs={"DATANODE": {storage.RESERVED: 10 * storage.GIB}})
        managed = self.manage(base.cluster(worker), hosts=["worker-0.novalocal"])
        error = self.assertRaises(
            exceptions.SaharaDockerError, managed.create_roles, self.instances(), {"worker-0": 10 * storage.GIB}
        )
        self.assertIn("[worker-0.novalocal] dfs_datanode_du_reserved leaves HDFS no room", str(error))

    def test_a_host_that_is_unknown_is_named_with_those_that_are_known(self):
        managed = self.manage(hosts=NODES[:1])
        error = self.assertRaises(exceptions.SaharaDockerError, managed.create_roles, self.instances("worker-0"), {})
        self.assertIn("[worker-0.novalocal]", str(error))
        self.assertIn("manager-0.novalocal", str(error))

    def test_roles_of_nodes_that_are_not_empty_stay(self):
        managed = self.manage_roles(decommission=FAILED)
        error = self.assertRaises(cm_commands.CMCommandFailed, managed.decommission, self.instances("worker-1"))
        self.assertIn("no heap left", str(error))
        self.assertEqual([], self.session.asked("DELETE"))

    def test_emptying_that_takes_too_long_is_aborted_before_the_nodes_work_on(self):
        limits = []

        def soon_over(probe, *, timeout, **words):
            limits.append((timeout, words.get("remedy", "")))
            return wait_for(probe, timeout=min(timeout, 0.3), **words)

        wait_for = waiting.wait_for
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.plugins.cdh_docker.waiting.wait_for", soon_over))
        managed = self.manage_roles(decommission={"active": True})
        self.assertRaises(waiting.WaitTimedOut, managed.decommission, self.instances("worker-1"))
        (limit, remedy), *_ = limits
        self.assertEqual(self.conf.conf.sahara_docker.decommission_timeout, limit)
        self.assertIn("decommission_timeout", remedy)
        given = [path.rpartition("/")[2] for path, _ in self.session.asked("POST")]
        self.assertEqual(["decommission", "abort", "recommission", "start", "recommission", "start"], given)

    def test_the_stock_plugin_deletes_roles_of_nodes_that_are_not_empty(self):
        deleted: list[str] = []
        service = types.SimpleNamespace(
            decommission=lambda *roles: types.SimpleNamespace(wait=lambda: types.SimpleNamespace(**FAILED)),
            delete_role=deleted.append,
        )
        utils = stock.ClouderaUtils()
        with mock.patch.object(utils, "get_service_by_role", return_value=service):
            utils.decommission_nodes(base.cluster(), "DATANODE", ["DN_worker_1"])
        self.assertEqual(["DN_worker_1"], deleted)

    def test_decommissioned_nodes_lose_all_their_roles(self):
        managed = self.manage_roles()
        managed.decommission(self.instances("worker-1"))
        managed.delete_roles(self.instances("worker-1"))
        self.assertEqual(
            {"DN_worker_1", "HG_worker_1", "NM_worker_1", "YG_worker_1"},
            {path.rpartition("/")[2] for path, _ in self.session.asked("DELETE")},
        )
        self.assertEqual(
            ["hdfs01", "yarn01"], [path.split("/")[4] for path, _ in self.session.asked("POST", "decommission")]
        )

    def test_only_the_leaving_hosts_are_forgotten(self):
        self.manage().remove_hosts(self.instances("worker-1"))
        self.assertEqual(["/clusters/c1/hosts/id-3", "/hosts/id-3"], [path for path, _ in self.session.asked("DELETE")])

    def test_roles_that_do_not_start_are_an_error(self):
        managed = self.manage_roles(errors=["NM_worker_1: host is in maintenance"])
        error = self.assertRaises(cm_session.CMError, managed.start_worker_roles, self.instances("worker-1"))
        self.assertIn("host is in maintenance", str(error))

    def test_all_workers_are_refreshed_at_once(self):
        managed = self.manage()
        nodes = (("NN", "NAMENODE", 1), ("D1", "DATANODE", 2), ("D2", "DATANODE", 3))
        self.session.roles = {
            "hdfs01": [{"name": name, "type": kind, "hostRef": {"hostId": f"id-{host}"}} for name, kind, host in nodes],
            "yarn01": [],
        }
        managed.refresh_workers()
        managed.refresh_workers(but=self.instances("worker-1"))
        bodies = [body for _, body in self.session.asked("POST", "roleCommands")]
        self.assertEqual([{"items": ["D1", "D2"]}, {"items": ["D1"]}], bodies)

    def test_a_command_that_fails_while_an_agent_is_silent_is_repeated_once(self):
        managed = self.manage(deployClientConfig=FAILED)
        self.assertRaises(cm_commands.CMCommandFailed, managed.deploy_client_configs)
        self.assertEqual(1, len(self.session.asked("POST", "deployClientConfig")))

        class Watch:
            silences = 0

            def __call__(self):
                self.silences += 1
                return "no heartbeat of worker-1"

        managed._watch = Watch()
        answers = iter([{"active": True}, FAILED, {"active": True}, {"success": True}])
        self.session._outcomes["deployClientConfig"] = {}
        original = self.session.request

        def request(method, path, **content):
            answer = original(method, path, **content)
            return {**answer, "active": False, **next(answers)} if path.startswith("/commands/") else answer

        managed.client._request = request
        managed.deploy_client_configs()
        self.assertEqual(3, len(self.session.asked("POST", "deployClientConfig")))

    def test_standby_masters_are_named_by_cloudera_manager_s_identifiers(self):
        groups = [
            base.node_group("manager", base.MANAGER),
            base.node_group("master", ["HDFS_NAMENODE", "YARN_RESOURCEMANAGER", "HDFS_JOURNALNODE"]),
            base.node_group("worker", ["HDFS_SECONDARYNAMENODE", "YARN_STANDBYRM", "HDFS_JOURNALNODE"]),
        ]
        managed = self.manage(base.cluster(*groups))
        availability.add_standby_masters(managed, self.handler.cloudera_utils)
        ((_, name_node),) = self.session.asked("POST", "hdfsEnableNnHa")
        self.assertEqual(("NN_master_0", "id-2"), (name_node["activeNnName"], name_node["standbyNnHostId"]))
        self.assertEqual(["id-1", "id-2"], [node["jnHostId"] for node in name_node["jns"]])
        self.assertEqual([{"newRmHostId": "id-2"}], [body for _, body in self.session.asked("POST", "enableRmHa")])


class DeploymentTest(ClusterTestCase):
    def configure(self, **outcomes):
        self.manage(**outcomes)
        deployment, access = self.handler.deploy, self.handler.cloudera_utils
        for owner, name, result in (
            (deployment, "_start_nodes", {}),
            (access, "await_manager", self.session.client()),
        ):
            patcher = mock.patch.object(owner, name, return_value=result)
            patcher.start()
            self.addCleanup(patcher.stop)
        patcher = mock.patch.object(passwords, "prepare")
        patcher.start()
        self.addCleanup(patcher.stop)
        patcher = mock.patch("sahara_plugin_cdh.plugins.cdh.db_helper.get_password_from_db", return_value="secret")
        patcher.start()
        self.addCleanup(patcher.stop)
        deployment.configure_cluster(self.cluster)

    def test_the_order_of_a_creation(self):
        self.configure()
        order = [path.rpartition("/")[2] for method, path, _ in self.session.calls if method == "POST"]
        expected = ["hostsStartRoles", "clusters", "services", "roles", "roles", "roles", "deployClientConfig"]
        self.assertEqual(expected, order)

    def test_monitoring_that_does_not_start_is_an_error(self):
        error = self.assertRaises(cm_commands.CMCommandFailed, self.configure, hostsStartRoles=FAILED)
        self.assertIn("command hostsStartRoles failed: no heap left", str(error))


class GrowingTest(ClusterTestCase):
    def grow(self, dead=(), **outcomes):
        """Take worker-1 in, with the nodes *dead* in the cluster."""
        managed, self.notes = self.manage_roles(**outcomes), []
        deployment = self.handler.deploy
        absence = lambda node: f"no route to {node.instance_name}" if node.instance_name in dead else ""  # noqa: E731
        for owner, name, behaviour in (
            (deployment, "_managed", {"return_value": managed}),
            (deployment, "_bring_proxy", {}),
            (deployment, "_bring_proxy_to_jobs", {}),
            (deployment._images, "validate", {}),
            (deployment, "_start_nodes", {"return_value": {}}),
            (nodes, "absence", {"side_effect": absence}),
            (plugin_utils, "add_fail_event", {"side_effect": lambda _, note: self.notes.append(str(note))}),
        ):
            self.useFixture(fixtures.MockPatchObject(owner, name, **behaviour))
        deployment._take_in(self.cluster, self.instances("worker-1"))

    def test_a_dead_node_keeps_nobody_from_growing_and_is_named(self):
        self.grow(dead=["worker-0"], restart=FAILED)
        (note,) = self.notes
        for part in ("worker-0.novalocal", "a dead node", "no route to worker-0", "no heap left", "remove it"):
            self.assertIn(part, note)

    def test_what_fails_for_another_reason_is_a_failure(self):
        self.assertRaises(cm_commands.CMCommandFailed, self.grow, restart=FAILED)
        self.assertEqual([], self.notes)

    def test_a_new_node_that_is_dead_is_a_failure(self):
        self.assertRaises(cm_commands.CMCommandFailed, self.grow, dead=["worker-1"], restart=FAILED)


class ShrinkingTest(ClusterTestCase):
    def test_nodes_that_are_out_of_cloudera_manager_go_whatever_the_others_are_told(self):
        managed, notes = self.manage_roles(refresh=FAILED, restart=FAILED), []
        deployment = self.handler.deploy
        for owner, name, behaviour in (
            (deployment, "_managed", {"return_value": managed}),
            (deployment, "_bring_proxy", {"side_effect": RuntimeError("disk full")}),
            (removal, "remove_workers", {}),
            (plugin_utils, "add_fail_event", {"side_effect": lambda _, note: notes.append(str(note))}),
        ):
            self.useFixture(fixtures.MockPatchObject(owner, name, **behaviour))
        deployment.decommission_cluster(self.cluster, self.instances("worker-1"))
        told = [note for note in notes if "nodes were removed" in note]
        self.assertEqual(3, len(told), notes)
        self.assertIn("disk full", told[0])
        for note in told[1:]:
            self.assertIn("no heap left", note)

    def test_nodes_that_are_not_empty_stay(self):
        managed = self.manage_roles()
        deployment = self.handler.deploy
        self.useFixture(fixtures.MockPatchObject(deployment, "_managed", return_value=managed))
        full = exceptions.SaharaDockerError("not empty")
        self.useFixture(fixtures.MockPatchObject(removal, "remove_workers", side_effect=full))
        error = self.assertRaises(
            exceptions.SaharaDockerError, deployment.decommission_cluster, self.cluster, self.instances("worker-1")
        )
        self.assertIs(full, error)
        self.assertEqual([], self.session.calls)
