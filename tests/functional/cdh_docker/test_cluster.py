# SPDX-License-Identifier: Apache-2.0
"""A whole cluster on one container: the plugin, a real sshd, the stand-in for Cloudera Manager and real Hadoop."""

from __future__ import annotations

import types
from unittest import mock

import fixtures
import testtools
from sahara import conductor, context
from sahara.plugins import utils as plugin_utils

from sahara_docker.plugins.cdh_docker import cm_session, passwords, provider, storage
from tests.functional.cdh_docker import node, sahara_parts

PROCESSES = [
    "CLOUDERA_MANAGER",
    "HDFS_NAMENODE",
    "HDFS_SECONDARYNAMENODE",
    "HDFS_DATANODE",
    "YARN_RESOURCEMANAGER",
    "YARN_NODEMANAGER",
    "YARN_JOBHISTORY",
]
HEAP = "134217728"
NODE_CONFIGS = {
    "NAMENODE": {"namenode_java_heapsize": HEAP},
    "SECONDARYNAMENODE": {"secondary_namenode_java_heapsize": HEAP},
    "DATANODE": {"datanode_java_heapsize": HEAP, "dfs_datanode_handler_count": "7"},
    "RESOURCEMANAGER": {"resource_manager_java_heapsize": HEAP},
    "NODEMANAGER": {"node_manager_java_heapsize": HEAP, "yarn_nodemanager_resource_memory_mb": "1024"},
    "JOBHISTORY": {"mr2_jobhistory_java_heapsize": HEAP},
}


class ClusterTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.node = self.useFixture(node.Node("c1-all-0.novalocal"))
        self.sahara.options.config(node_domain="novalocal")
        self.plugin = provider.CDHDockerPluginProvider()
        self.plugin.name = "cdh_docker"
        # The flavor is Nova's to tell.
        flavor = types.SimpleNamespace(disk=8, ram=6144, vcpus=2)
        self.useFixture(fixtures.MonkeyPatch("sahara.plugins.utils.get_flavor", mock.Mock(return_value=flavor)))
        self.cluster = self.sahara.cluster(
            "c1",
            [{"name": "all", "node_processes": PROCESSES, "node_configs": NODE_CONFIGS}],
            {"all": [self.node.address]},
            cluster_configs={"HDFS": {"dfs_replication": 1}},
        )
        context.current().current_instance_info = context.InstanceInfo(self.cluster.id, step_type="test")

    def hdfs(self, command):
        return self.node.run(f"su - -c 'hdfs dfs {command}' hdfs")

    def test_a_cluster_is_created_and_stores_files(self):
        self.plugin.validate(self.cluster)
        self.plugin.validate_images(self.cluster)
        self.plugin.configure_cluster(self.cluster)
        self.plugin.start_cluster(self.cluster)

        with self.subTest("files go in and come out"):
            self.hdfs("-mkdir -p /user/hdfs")
            self.hdfs("-put /etc/hosts /user/hdfs/hosts")
            self.assertIn("c1-all-0", self.hdfs("-cat /user/hdfs/hosts"))

        with self.subTest("the user's and the computed settings reach the daemon"):
            site = self.node.run("cat /run/cloudera-scm-agent/process/*-DATANODE/hdfs-site.xml")
            expected = storage.reserved_for(8 * storage.GIB)
            self.assertIn(f"<value>{expected}</value>", site)
            self.assertIn("dfs.datanode.handler.count</name><value>7<", site.replace("\n", "").replace(" ", ""))

        with self.subTest("Cloudera Manager has a password of its own"):
            session = cm_session.CMSession(self.node.address, "admin", "admin")
            self.assertEqual(401, self.assertRaises(cm_session.CMError, session.request, "GET", "/hosts").status)
            info = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id).info["Cloudera Manager"]
            self.assertEqual(passwords.of_cloudera_manager(self.cluster), info["Password"])

        with self.subTest("health is told"):
            checks = [check(self.cluster) for check in self.plugin.get_health_checks(self.cluster)]
            self.assertTrue(all(check.is_available() for check in checks))
            names = [check.get_health_check_name() for check in checks]
            self.assertIn("CDH hdfs01 health check", names)

        with self.subTest("every step is in the event log and succeeded"):
            steps = (
                conductor.API.cluster_provision_progress_get_all(self.sahara.ctx, self.cluster.id)
                if hasattr(conductor.API, "cluster_provision_progress_get_all")
                else []
            )
            self.assertEqual([], [step.step_name for step in steps if step.successful is False])

        with self.subTest("the passwords go with the cluster"):
            self.plugin.on_terminate_cluster(self.cluster)
        self.assertEqual(1, len(plugin_utils.get_instances(self.cluster)))
