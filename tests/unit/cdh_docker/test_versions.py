# SPDX-License-Identifier: Apache-2.0
"""The rows of versions and the provider, as Sahara asks them."""

from __future__ import annotations

import json
import pathlib

from sahara.plugins import provisioning
from sahara_plugin_cdh.plugins.cdh import plugin as stock_plugin
from sahara_plugin_cdh.plugins.cdh.v5_13_0 import config_helper as stock_options

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import option_texts, options, provider, storage, topology
from tests.unit.cdh_docker import base

EXAMPLES = pathlib.Path(__file__).parents[3] / "examples"


class ProviderTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.plugin = provider.CDHDockerPluginProvider()
        self.plugin.name = "cdh_docker"  # Sahara names a plugin after its entry point

    def defaults(self, version):
        return {
            (config.applicable_target, config.name): config.default_value for config in self.plugin.get_configs(version)
        }

    def test_has_the_stock_versions(self):
        self.assertEqual(["5.7.0", "5.9.0", "5.11.0", "5.13.0"], self.plugin.get_versions())
        self.assertEqual(stock_plugin.CDHPluginProvider().get_versions(), self.plugin.get_versions())

    def test_images_need_the_plugin_and_the_version_as_tags(self):
        self.assertEqual(["cdh_docker", "5.9.0"], self.plugin.get_required_image_tags("5.9.0"))

    def test_labels_are_those_of_the_stock_plugin(self):
        self.assertEqual(stock_plugin.CDHPluginProvider().get_labels(), self.plugin.get_labels())

    def test_waits_for_cloudera_manager_at_least_900_seconds(self):
        for version in self.plugin.get_versions():
            defaults = self.defaults(version)
            for config in (
                options.AWAIT_MANAGER_STARTING_TIMEOUT,
                options.AWAIT_AGENTS_TIMEOUT,
                options.COMMAND_TIMEOUT,
            ):
                self.assertGreaterEqual(defaults["general", config.name], 900)

    def test_every_stock_option_is_there_once_more_than_never(self):
        for version in self.plugin.get_versions():
            stock = stock_plugin.CDHPluginProvider().get_configs(version)
            ours = self.defaults(version)
            self.assertEqual(set(), {(config.applicable_target, config.name) for config in stock} - set(ours))

    def test_reserves_far_less_than_a_small_disk(self):
        for version in self.plugin.get_versions():
            shown = int(self.defaults(version)["DATANODE", storage.RESERVED])
            self.assertLess(shown, storage.GIB)
            described = [c.description for c in self.plugin.get_configs(version) if c.name == storage.RESERVED]
            self.assertIn("5% of its own data volume", described[0])

    def test_the_stock_options_stay_as_they_are(self):
        self.defaults("5.13.0")
        stock = stock_options.ConfigHelperV5130()
        self.assertEqual(300, stock.AWAIT_MANAGER_STARTING_TIMEOUT.default_value)
        reserved = [config for config in stock.get_plugin_configs() if config.name == storage.RESERVED]
        self.assertEqual(["10737418240"], [config.default_value for config in reserved])

    def test_every_option_says_what_it_is(self):
        for version in self.plugin.get_versions():
            for config in self.plugin.get_all_configs(version):
                self.assertNotIn(config.description, (None, ""), (config.applicable_target, config.name))

    def test_texts_are_of_options_that_exist_and_leave_the_stock_ones_alone(self):
        for version in self.plugin.get_versions():
            shown = {(one.applicable_target, one.name): one.description for one in self.plugin.get_all_configs(version)}
            for target, texts in option_texts.TEXTS.items():
                for name, text in texts.items():
                    self.assertEqual(text, shown[target, name])
        self.assertIn("Enables NTP service", provisioning.NTP_ENABLED.description)

    def test_a_form_gives_the_defaults_back_as_they_are(self):
        for version in self.plugin.get_versions():
            for config in self.plugin.get_all_configs(version):
                if isinstance(config.default_value, str):
                    self.assertEqual(config.default_value.strip(), config.default_value, config.name)

    def test_a_form_shows_what_a_cluster_gets_that_says_nothing_of_its_clock(self):
        shown = [one for one in self.plugin.get_all_configs("5.13.0") if one.name == provisioning.NTP_ENABLED.name]
        self.assertEqual([False], [one.default_value for one in shown])

    def test_a_small_volume_passes_validation(self):
        worker = base.node_group("worker", base.WORKER, 3, volumes_per_node=1, volumes_size=2)
        cluster = base.cluster(base.node_group("manager", base.MANAGER), base.node_group("master", base.MASTER), worker)
        for version in self.plugin.get_versions():
            dict.__setitem__(cluster, "hadoop_version", version)
            self.plugin.validate(cluster)

    def test_a_wrong_proxy_is_refused_before_anything_is_created(self):
        cluster = base.cluster(cluster_configs={"HDFS": {"dfs_replication": 2}, "general": {"HTTP proxy": "proxy"}})
        self.assertRaises(exceptions.SaharaDockerError, self.plugin.validate, cluster)
        dict.__setitem__(cluster, "cluster_configs", {"HDFS": {"dfs_replication": 2}})
        self.plugin.validate(cluster)

    def test_open_ports_have_what_the_stock_list_lacks(self):
        cluster = base.cluster(base.node_group("jn", ["HDFS_JOURNALNODE"]), base.node_group("worker", base.WORKER))
        journal, worker = (self.plugin.get_open_ports(group) for group in cluster.node_groups)
        self.assertIn(8485, journal)
        self.assertIn(13562, worker)
        self.assertIn(50010, worker)
        self.assertNotIn(8485, worker)

    def test_every_section_of_options_is_shown(self):
        sections = self.plugin.get_node_processes("5.13.0")
        targets = {target for target, _ in self.defaults("5.13.0")} - {"general"}
        self.assertEqual(set(), targets - set(sections))
        self.assertEqual(set(), set(topology.ROLE_OF_PROCESS) - {p for each in sections.values() for p in each})

    def test_offers_the_job_types_of_oozie_and_spark(self):
        types = self.plugin.get_edp_job_types(["5.13.0"])["5.13.0"]
        expected = {"MapReduce", "MapReduce.Streaming", "Java", "Shell", "Hive", "Pig", "Spark"}
        self.assertEqual(expected, set(types))
        for job_type in ("MapReduce", "Java", "Shell", "Hive"):
            self.assertIn("job_config", self.plugin.get_edp_config_hints(job_type, "5.13.0"))

    def test_the_examples_set_options_that_exist(self):
        known = set(self.defaults("5.13.0")) | {("general", c.name) for c in provisioning.list_of_common_configs()}
        files = sorted(EXAMPLES.glob("*-configs.json"))
        self.assertNotEqual([], files)
        for file in files:
            for target, values in json.loads(file.read_text()).items():
                for name in values:
                    self.assertIn((target, name), known, file.name)
