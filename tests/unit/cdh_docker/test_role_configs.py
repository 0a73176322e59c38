# SPDX-License-Identifier: Apache-2.0
"""Which of several values of a setting is sent to Cloudera Manager."""

from __future__ import annotations

from unittest import mock

from sahara_plugin_cdh.plugins.cdh import db_helper
from sahara_plugin_cdh.plugins.cdh.v5_13_0 import cloudera_utils as stock

from sahara_docker.plugins.cdh_docker import storage, topology, versions
from tests.unit.cdh_docker import base

MEMORY, CORES = "yarn_nodemanager_resource_memory_mb", "yarn_nodemanager_resource_cpu_vcores"


class RoleConfigsTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.configs = versions.VersionFactory().get_version_handler("5.13.0").deploy._configs

    def worker(self, node_configs=None, cluster_configs=None, **fields):
        group = base.node_group("worker", base.WORKER, node_configs=node_configs or {}, **fields)
        return base.cluster(group, cluster_configs=cluster_configs or {}).node_groups[0].instances[0]

    def test_the_plugin_sets_the_data_directories(self):
        settings = self.configs.of_role("DATANODE", self.worker())
        self.assertEqual("/mnt/fs/dn", settings["dfs_data_dir_list"])

    def test_the_reserved_space_is_sent(self):
        self.assertEqual(77, self.configs.of_role("DATANODE", self.worker(), reserved=77)[storage.RESERVED])
        self.assertNotIn(storage.RESERVED, self.configs.of_role("NODEMANAGER", self.worker(), reserved=77))

    def test_the_user_goes_before_the_computed_reserve(self):
        for where in ("node_configs", "cluster_configs"):
            instance = self.worker(**{where: {"DATANODE": {storage.RESERVED: 5}}})
            self.assertEqual(5, self.configs.of_role("DATANODE", instance, reserved=77)[storage.RESERVED])

    def test_yarn_hands_out_what_the_flavor_has_with_and_without_auto_configuration(self):
        for use_autoconfig in (True, False):
            settings = self.configs.of_role("NODEMANAGER", self.worker(use_autoconfig=use_autoconfig))
            self.assertEqual((2048, 2), (settings[MEMORY], settings[CORES]))

    def test_the_user_goes_before_the_flavor(self):
        instance = self.worker({"NODEMANAGER": {MEMORY: 512}}, {"NODEMANAGER": {CORES: 1}})
        settings = self.configs.of_role("NODEMANAGER", instance)
        self.assertEqual((512, 1), (settings[MEMORY], settings[CORES]))

    def test_the_node_group_goes_before_the_cluster_and_both_before_the_plugin(self):
        instance = self.worker(
            node_configs={"DATANODE": {"dfs_datanode_handler_count": 7}},
            cluster_configs={"DATANODE": {"dfs_datanode_handler_count": 6, "dfs_datanode_data_dir_perm": 700}},
        )
        settings = self.configs.of_role("DATANODE", instance)
        self.assertEqual(7, settings["dfs_datanode_handler_count"])
        self.assertEqual(700, settings["dfs_datanode_data_dir_perm"])

    def test_the_stock_plugin_overrides_the_user(self):
        instance = self.worker(node_configs={"DATANODE": {"dfs_datanode_handler_count": 7}})
        stock_utils = stock.ClouderaUtilsV5130()
        stock_utils.pu = versions.VersionFactory().get_version_handler("5.13.0").plugin_utils  # its own would fail
        settings = stock_utils._get_configs("DATANODE", instance=instance)
        self.assertEqual(30, settings["dfs_datanode_handler_count"])

    def test_a_role_of_a_renamed_section(self):
        group = base.node_group("master", base.MASTER, node_configs={"OOZIE": {"oozie_java_heapsize": 9}})
        instance = base.cluster(group).node_groups[0].instances[0]
        self.assertEqual({"oozie_java_heapsize": 9}, self.configs.of_role("OOZIE_SERVER", instance))

    def test_cluster_configs_of_kms_are_the_service_s(self):
        group = base.node_group("kms", ["KMS"])
        instance = base.cluster(group, cluster_configs={"KMS": {"a": 1}}).node_groups[0].instances[0]
        self.assertEqual({}, self.configs.of_role("KMS", instance))

    def test_only_5_13_sets_db_notification(self):
        for number in ("5.7.0", "5.9.0", "5.11.0", "5.13.0"):
            configs = versions.VersionFactory().get_version_handler(number).deploy._configs
            group = base.node_group("hive", ["HIVE_METASTORE"])
            instance = base.cluster(group).node_groups[0].instances[0]
            settings = configs.of_role("HIVEMETASTORE", instance)
            self.assertEqual(number == "5.13.0", "hive_enable_db_notification" in settings)

    def test_a_service_gets_its_dependencies_and_the_user_s_settings(self):
        # Passwords come from Sahara's key manager, which this test does not have.
        self.provide_passwords()
        cluster = base.cluster(cluster_configs={"HDFS": {"dfs_replication": 2}})
        by_type = {service.type: service for service in topology.SERVICES}
        self.assertEqual(2, self.configs.of_service(by_type["HDFS"], cluster)["dfs_replication"])
        self.assertEqual("hdfs01", self.configs.of_service(by_type["YARN"], cluster)["hdfs_service"])
        self.assertEqual("yarn01", self.configs.of_service(by_type["OOZIE"], cluster)["mapreduce_yarn_service"])

    def provide_passwords(self):
        patcher = mock.patch.object(db_helper, "get_password_from_db", return_value="secret")
        patcher.start()
        self.addCleanup(patcher.stop)
