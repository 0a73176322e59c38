# SPDX-License-Identifier: Apache-2.0
"""Checks of a cluster: its ports, Cloudera Manager, HDFS and YARN of a real cluster of the lab, broken and mended.

Cloudera Manager is the lab's stand-in; Hadoop is real.
"""

from __future__ import annotations

import time
from typing import ClassVar

import fixtures

from sahara_docker.cli import cloudera, cluster
from sahara_docker.cli.doctor import check, manager
from tests.functional.cli_cloud import lab_cloud
from tests.unit.cli import doctoring

_PATIENCE = 120  # seconds until daemons of a loaded machine have noticed


class ClusterTest(doctoring.DoctorTest):
    cluster: ClassVar[cluster.Cluster]
    name: ClassVar[str]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        fixture = lab_cloud.Cluster()
        fixture.setUp()
        cls.addClassCleanup(fixture.cleanUp)
        cls.name = fixture.name
        cls.cluster = cluster.find(lab_cloud.connect(), cls.name)

    def setUp(self):
        super().setUp()
        self.worker = self.cluster.with_process("HDFS_DATANODE")[0]
        self.manager = cloudera.of_cluster(self.cluster)

    def site(self):
        return lab_cloud.place(cluster_name=self.name)

    def in_time(self, name, status):
        """A site in which the check has the status, as soon as the daemons have noticed."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            place = self.site()
            finding = self.examine(name, place)
            if finding.result.status == status or time.monotonic() > deadline:
                return place
            time.sleep(1)

    def role(self, kind, node):
        """Service and name of a node's role of that type."""
        for service in self.manager.items("clusters", self.name, "services"):
            for role in self.manager.items("clusters", self.name, "services", service["name"], "roles"):
                if role["type"] == kind and role["hostRef"]["hostId"].startswith(node.name):
                    return service["name"], role["name"]
        raise AssertionError(f"{node} has no {kind}")

    def post(self, path, document):
        import requests

        session = requests.Session()
        session.trust_env = False
        answer = session.post(f"{self.manager.url}/{path}", json=document, auth=self.manager._login, timeout=60)
        answer.raise_for_status()

    def put(self, path, document):
        import requests

        session = requests.Session()
        session.trust_env = False
        answer = session.put(f"{self.manager.url}/{path}", json=document, auth=self.manager._login, timeout=60)
        answer.raise_for_status()

    def command(self, name, service, role):
        self.post(f"clusters/{self.name}/services/{service}/roleCommands/{name}", {"items": [role]})

    def stopped(self, kind, node):
        service, role = self.role(kind, node)
        self.addCleanup(self.in_time, "manager.services", check.OK)
        self.addCleanup(self.command, "start", service, role)
        self.command("stop", service, role)

    def test_1_cluster_that_is_well(self):
        place = self.in_time("manager.services", check.OK)
        self.assert_well("sahara.cluster", place)
        self.assert_well("manager.port", place)
        self.assert_well("manager.echo", place)
        self.assert_well("manager.agents", place)
        self.assert_well("manager.services", place)
        self.assert_well("manager.commands", place)
        self.assert_well("manager.datanodes", place)
        self.assert_well("manager.reserved", place)
        self.assert_well("manager.nodemanagers", place)
        self.assert_well("network.ports", place)
        self.assert_well("network.datanode-address", place)

    def test_2_datanode_that_is_stopped(self):
        self.stopped("DATANODE", self.worker)
        place = self.in_time("network.ports", check.FAIL)
        self.assert_named("network.ports", place, str(self.worker), "50010 refused", "HDFS_DATANODE does not run")
        self.assert_named("network.datanode-address", place, f"{self.worker.address}:50010: refused")
        self.assert_named("manager.services", self.in_time("manager.services", check.WARN), "STOPPED")

    def test_2_datanode_that_the_namenode_does_not_have(self):
        site = self.site()
        other = site.cluster.document["node_groups"]
        for group in other:
            for instance in group["instances"]:
                if instance["instance_name"] == self.worker.name:
                    instance["instance_name"] = "another-name"
        site.known["cluster"] = (cluster.Cluster(site.cluster.document), None)
        self.assert_named("manager.datanodes", site, "another-name: the NameNode does not have it")
        self.assert_named("manager.nodemanagers", site, "another-name: the ResourceManager does not have it")

    def test_3_agent_that_does_not_report(self):
        self.addCleanup(self.in_time, "manager.agents", check.OK)
        self.addCleanup(lab_cloud.run_in, self.worker, "service cloudera-scm-agent start")
        lab_cloud.run_in(self.worker, "service cloudera-scm-agent stop")
        # A minute in the field; here the test's time counts.
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.cli.doctor.manager._OLDEST_HEARTBEAT", 10))
        self.assertEqual(10, manager._OLDEST_HEARTBEAT)
        place = self.in_time("manager.agents", check.FAIL)
        self.assert_named("manager.agents", place, self.worker.name, "last heard of", "cloudera-scm-agent restart")

    def test_4_reserved_space(self):
        service, role = self.role("DATANODE", self.worker)
        path = f"clusters/{self.name}/services/{service}/roles/{role}/config"
        kept = [one for one in self.manager.get(path)["items"] if one["name"] == "dfs_datanode_du_reserved"]
        self.addCleanup(self.put, path, {"items": kept})
        self.put(path, {"items": [{"name": "dfs_datanode_du_reserved", "value": str(10 << 30)}]})
        self.assert_named("manager.reserved", self.site(), role, "10.0 GiB of 10 GiB")

    def test_4_capacity(self):
        # Docker's volumes have no size of their own in the lab, so its DataNodes promise the host's disk.
        flavors = self.site().flavors
        place = self.site()
        place.flavors[self.worker.flavor_id]["disk"] = 100_000
        self.assertNotEqual({}, flavors)
        self.assert_well("manager.capacity", place)
        place.flavors[self.worker.flavor_id]["disk"] = 1
        self.assert_named("manager.capacity", place, self.worker.name, "it was promised 1")

    def test_5_command_that_does_not_end(self):
        """Cloudera Manager waits for an agent that takes orders no more."""
        service, role = self.role("DATANODE", self.worker)
        self.addCleanup(self.in_time, "manager.services", check.OK)
        self.addCleanup(lab_cloud.run_in, self.worker, "pkill -CONT -f cloudera_manager.agent")
        lab_cloud.run_in(self.worker, "pkill -STOP -f cloudera_manager.agent")
        self.command("restart", service, role)
        # Half an hour in the field; here the test's time counts.
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.cli.doctor.manager._LONGEST_COMMAND", 2))
        self.assert_named("manager.commands", self.in_time("manager.commands", check.WARN), "in work for")

    def test_6_node_that_cannot_be_reached(self):
        self.addCleanup(self.in_time, "network.ports", check.OK)
        self.addCleanup(lab_cloud.network_of, self.worker, "ip", "link", "set", "eth0", "up")
        lab_cloud.network_of(self.worker, "ip", "link", "set", "eth0", "down")
        self.assert_named("network.ports", self.site(), str(self.worker), "22 ", "does not answer at all")

    def test_7_cloudera_manager_that_is_down(self):
        node = self.cluster.manager
        self.addCleanup(self.in_time, "manager.echo", check.OK)
        self.addCleanup(lab_cloud.run_in, node, "service cloudera-scm-server start")
        lab_cloud.run_in(node, "service cloudera-scm-server stop")
        self.assert_named("manager.port", self.site(), "refused", f"on {node.name}", "cloudera-scm-server start")
        self.assert_named("manager.echo", self.site(), "does not answer", "Connection refused")
        self.assert_not_here("manager.agents", self.site(), "see the check manager.echo")
