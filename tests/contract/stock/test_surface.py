# SPDX-License-Identifier: Apache-2.0
"""What the stock plugin answers and offers, ours answers and offers, but for what is listed here."""

from __future__ import annotations

import inspect
from typing import Any

import testtools
from sahara.plugins import base, edp
from sahara_plugin_cdh.plugins.cdh import abstractversionhandler
from sahara_plugin_cdh.plugins.cdh import plugin as stock_plugin

from sahara_docker.plugins.cdh_docker import provider
from tests.contract.stock import plugin_substitutes, recording_cm, sahara_process, traces
from tests.contract.stock import stock_plugin as stock_fixes

# Defaults of options that ours changes.
OTHER_DEFAULTS = {
    ("general", "Timeout for Cloudera Manager starting"): "containers share their host's disks with others",
    ("general", "Await Cloudera agents timeout"): "as above",
    ("general", "Enable Swift"): "nobody has asked for what every node would download",
    ("DATANODE", "dfs_datanode_du_reserved"): "10 GiB are all of a container's disk",
}
# Sections of options: the stock plugin's misspelling of one is gone.
GONE_SECTIONS = {"WEBCAT"}


class SurfaceTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.process = self.useFixture(sahara_process.SaharaProcess())
        self.ours = provider.CDHDockerPluginProvider()
        self.stock = stock_plugin.CDHPluginProvider()

    def both(self, method: str, *arguments: Any) -> tuple[Any, Any]:
        return getattr(self.ours, method)(*arguments), getattr(self.stock, method)(*arguments)

    def test_every_method_is_there_with_its_parameters(self):
        handlers = [plugin._get_version_handler("5.13.0") for plugin in (self.ours, self.stock)]
        self.assertIsInstance(handlers[0], abstractversionhandler.BaseVersionHandler)
        for mine, theirs in ((self.ours, self.stock), handlers):
            for name, method in inspect.getmembers(theirs, callable):
                if not name.startswith("_"):
                    expected = list(inspect.signature(method).parameters)
                    self.assertEqual(expected, list(inspect.signature(getattr(mine, name)).parameters), name)

    def test_versions_and_labels(self):
        for method in ("get_versions", "get_labels"):
            self.assertEqual(*self.both(method))

    def test_options(self):
        for version in plugin_substitutes.VERSIONS:
            ours, stock = (
                {(config.applicable_target, config.name): config for config in configs}
                for configs in self.both("get_configs", version)
            )
            self.assertEqual(set(), stock.keys() - ours.keys())
            for key, config in stock.items():
                for field in ("scope", "config_type", "priority"):
                    self.assertEqual(getattr(config, field), getattr(ours[key], field), (key, field))
                self.assertTrue(ours[key].is_optional or not config.is_optional, key)
                same = config.default_value == ours[key].default_value
                self.assertNotEqual(key in OTHER_DEFAULTS, same, key)

    def test_processes_and_sections(self):
        for version in plugin_substitutes.VERSIONS:
            ours, stock = self.both("get_node_processes", version)
            self.assertEqual(GONE_SECTIONS, stock.keys() - ours.keys())
            for section, processes in stock.items():
                self.assertEqual(processes, ours.get(section, []), section)

    def test_open_ports(self):
        for version in plugin_substitutes.VERSIONS:
            cluster = self.process.cluster(
                traces.HIGHLY_AVAILABLE, "10.0.0.1", plugin_name="cdh", hadoop_version=version, name=version
            )
            for group in cluster.node_groups:
                ours, stock = self.both("get_open_ports", group)
                self.assertEqual(set(), set(stock) - set(ours), group.name)

    def test_jobs(self):
        self.assertEqual(*self.both("get_edp_job_types"))
        for version, job_types in self.stock.get_edp_job_types().items():
            # For Spark stock's plugin asks Oozie's engine, which raises.
            for job_type in set(job_types) - {edp.JOB_TYPE_SPARK}:
                ours, stock = self.both("get_edp_config_hints", job_type, version)
                self.assertEqual(stock, ours, (version, job_type))

    def test_job_engines(self):
        self.process.options.config(plugins=["cdh"])
        base.setup_plugins()
        for version, job_types in self.stock.get_edp_job_types().items():
            cluster = self.process.cluster(
                traces.EVERYTHING, "10.0.0.1", plugin_name="cdh", hadoop_version=version, name=version
            )
            for job_type in job_types:
                ours, stock = self.both("get_edp_engine", cluster, job_type)
                self.assertIsInstance(ours, type(stock), job_type)
                for ask in ("get_name_node_uri", "get_resource_manager_uri", "get_oozie_server_uri"):
                    if hasattr(stock, ask):
                        self.assertEqual(getattr(stock, ask)(cluster), getattr(ours, ask)(cluster))
                self.assertEqual(getattr(stock, "plugin_params", None), getattr(ours, "plugin_params", None))

    def test_arguments_of_images(self):
        for version in plugin_substitutes.VERSIONS:
            ours, stock = self.both("get_image_arguments", version)
            self.assertNotEqual([], stock)
            self.assertEqual([vars(argument) for argument in stock], [vars(argument) for argument in ours])

    def test_what_a_cluster_s_page_shows(self):
        shown = []
        for plugin in (self.ours, self.stock):
            cm = self.useFixture(recording_cm.RecordingCM())
            values = {"plugin_name": "cdh", "hadoop_version": "5.13.0", **traces.CONFIGS, "name": type(plugin).__name__}
            cluster = self.process.cluster(traces.EVERYTHING, cm.address, **values)
            cm.hosts = [instance.fqdn() for group in cluster.node_groups for instance in group.instances]
            with stock_fixes.runnable(), sahara_process.Hurried():
                plugin.configure_cluster(cluster)
                plugin.start_cluster(cluster)
            info = self.process.reload(cluster).info
            shown.append(
                {
                    (section, name): "a password" if name == "Password" else value.replace(cm.address, "manager")
                    for section, values in info.items()
                    for name, value in values.items()
                }
            )
        self.assertIn(("Hue Dashboard", "Web UI"), shown[1])
        self.assertEqual(shown[1], shown[0])
