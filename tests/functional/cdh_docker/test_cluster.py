# SPDX-License-Identifier: Apache-2.0
"""A whole cluster's life: the plugin, a real sshd, the stand-in for Cloudera Manager and real Hadoop in containers."""

from __future__ import annotations

import types
from unittest import mock

import fixtures
import testtools
from sahara import conductor, context
from sahara.plugins import utils as plugin_utils

from sahara_docker.plugins.cdh_docker import cm_session, passwords, provider, storage
from tests.functional.cdh_docker import node, sahara_parts

MASTERS = [
    "CLOUDERA_MANAGER",
    "HDFS_NAMENODE",
    "HDFS_SECONDARYNAMENODE",
    "YARN_RESOURCEMANAGER",
    "YARN_JOBHISTORY",
]
WORKERS = ["HDFS_DATANODE", "YARN_NODEMANAGER"]
HEAP = "134217728"
WORKER_CONFIGS = {
    "DATANODE": {"datanode_java_heapsize": HEAP, "dfs_datanode_handler_count": "7"},
    "NODEMANAGER": {"node_manager_java_heapsize": HEAP, "yarn_nodemanager_resource_memory_mb": "1024"},
}
MASTER_CONFIGS = {
    "NAMENODE": {"namenode_java_heapsize": HEAP},
    "SECONDARYNAMENODE": {"secondary_namenode_java_heapsize": HEAP},
    "RESOURCEMANAGER": {"resource_manager_java_heapsize": HEAP},
    "JOBHISTORY": {"mr2_jobhistory_java_heapsize": HEAP},
}
DISK = 8


class ClusterTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")
        self.plugin = provider.CDHDockerPluginProvider()
        self.plugin.name = "cdh_docker"
        # The flavor is Nova's to tell.
        flavor = types.SimpleNamespace(disk=DISK, ram=6144, vcpus=2)
        self.useFixture(fixtures.MonkeyPatch("sahara.plugins.utils.get_flavor", mock.Mock(return_value=flavor)))
        network = self.useFixture(node.Network())
        self.first = self.useFixture(node.Node(network, "c1-all-0.novalocal"))
        self.second = self.useFixture(node.Node(network, "c1-more-0.novalocal"))
        for each in (self.first, self.second):
            each.know(self.first, self.second)
        groups = [
            {"name": "all", "node_processes": MASTERS + WORKERS, "node_configs": {**MASTER_CONFIGS, **WORKER_CONFIGS}},
            {"name": "more", "node_processes": WORKERS, "node_configs": WORKER_CONFIGS},
        ]
        self.cluster = self.sahara.cluster("c1", groups, cluster_configs={"HDFS": {"dfs_replication": 1}})
        self.sahara.add_instance(self.cluster, "all", self.first.address)
        self.reload("create")

    def reload(self, step_type):
        self.cluster = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id)
        context.current().current_instance_info = context.InstanceInfo(self.cluster.id, step_type=step_type)

    def hdfs(self, command):
        return self.first.run(f"su - -c 'hdfs {command}' hdfs")

    def live_workers(self):
        report = self.hdfs("dfsadmin -report -live")
        nodes = self.first.run("su - -c 'yarn node -list' yarn 2>/dev/null")
        return sorted(name for name in ("c1-all-0", "c1-more-0") if f"{name}.novalocal" in report and name in nodes)

    def test_create_grow_and_shrink(self):
        self.plugin.validate(self.cluster)
        self.plugin.validate_images(self.cluster)
        self.plugin.configure_cluster(self.cluster)
        self.plugin.start_cluster(self.cluster)

        self.hdfs("dfs -mkdir -p /user/hdfs")
        self.hdfs("dfs -put /etc/hosts /user/hdfs/hosts")
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))
        self.check_settings()
        self.check_password()
        self.check_health()

        self.sahara.add_instance(self.cluster, "more", self.second.address)
        self.reload("scale")
        added = [i for i in plugin_utils.get_instances(self.cluster) if i.instance_name == "c1-more-0"]
        self.plugin.scale_cluster(self.cluster, added)
        self.assertEqual(["c1-all-0", "c1-more-0"], self.live_workers())

        self.hdfs("dfs -setrep -w 2 /user/hdfs/hosts")
        self.reload("decommission")
        self.plugin.decommission_nodes(self.cluster, added)
        self.assertEqual(["c1-all-0"], self.live_workers())
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))
        session = cm_session.CMSession(self.first.address, "admin", passwords.of_cloudera_manager(self.cluster))
        hosts = session.request("GET", "/hosts")["items"]
        self.assertEqual(["c1-all-0.novalocal"], [host["hostname"] for host in hosts])

        self.check_event_log()
        self.plugin.on_terminate_cluster(self.cluster)

    def check_settings(self):
        """The user's and the computed settings have reached the daemon."""
        site = "".join(self.first.run("cat /run/cloudera-scm-agent/process/*-DATANODE/hdfs-site.xml").split())
        self.assertIn("dfs.datanode.handler.count</name><value>7<", site)
        self.assertIn(f"dfs.datanode.du.reserved</name><value>{storage.reserved_for(DISK * storage.GIB)}<", site)

    def check_password(self):
        """Cloudera Manager has the cluster's own password."""
        session = cm_session.CMSession(self.first.address, "admin", "admin")
        self.assertEqual(401, self.assertRaises(cm_session.CMError, session.request, "GET", "/hosts").status)
        info = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id).info["Cloudera Manager"]
        self.assertEqual(passwords.of_cloudera_manager(self.cluster), info["Password"])

    def check_health(self):
        """Cloudera Manager's verdicts are Sahara's health checks."""
        checks = [check(self.cluster) for check in self.plugin.get_health_checks(self.cluster)]
        self.assertTrue(all(check.is_available() for check in checks))
        self.assertIn("CDH hdfs01 health check", [check.get_health_check_name() for check in checks])

    def check_event_log(self):
        """Every step is over and had no failure."""
        cluster = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id, show_progress=True)
        names = [step.step_name for step in cluster.provision_progress]
        for name in ("Start Cloudera Manager and agents", "First run cluster", "Decommission nodes"):
            self.assertIn(name, names)
        events = [event for step in cluster.provision_progress for event in step.events]
        self.assertEqual([], [event.event_info for event in events if not event.successful])
