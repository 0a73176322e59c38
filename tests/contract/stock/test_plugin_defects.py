# SPDX-License-Identifier: Apache-2.0
"""Defects in what the stock plugin makes of a cluster, proven in it and proven mended in ours."""

from __future__ import annotations

import types
from unittest import mock

import requests
from sahara import exceptions as sahara_exceptions
from sahara.plugins import kerberos
from sahara_plugin_cdh.plugins.cdh import db_helper

from tests.contract.stock import defects, plugins, sahara_process, traces
from tests.contract.stock.plugins import Ours, Stock
from tests.unit.cdh_docker import http_server


@defects.proven(Ours, Stock)
class ConfigurationTest(plugins.DefectCase):
    """What a cluster's configuration comes to."""

    @defects.defect("RuntimeError: dictionary keys changed during iteration")
    def node_config_ends_every_creation(self, implementation):
        plugin = implementation.plugin()
        plugin.configure_cluster(self.cluster(node_configs={"master": {"HUE": {"hue_http_port": 8889}}}))

    @defects.defect("MismatchError: .*99.* != .*30")
    def plugin_overrides_the_user(self, implementation):
        configs = {"worker": {"DATANODE": {"dfs_datanode_handler_count": 99}}}
        self.create(implementation, self.cluster(node_configs=configs))
        self.assertEqual("99", str(self.setting("DN_c1_worker_0", "dfs_datanode_handler_count")))

    @defects.defect("10737418240 is not less than")
    def reserved_space_is_all_of_a_small_volume(self, implementation):
        self.process.nodes.outcomes[" df "] = (0, f"x 1-blocks\n/dev/v {10 * plugins.GIB} 0 0 0% /v\n")
        self.create(implementation)
        reserved = int(self.setting("DN_c1_worker_0", "dfs_datanode_du_reserved") or 10 * plugins.GIB)
        if not reserved < 10 * plugins.GIB:
            raise AssertionError(f"{reserved} is not less than {10 * plugins.GIB}")

    @defects.defect("InvalidVolumeSize")
    def small_volume_is_refused(self, implementation):
        with mock.patch.object(sahara_process, "VOLUME_GIB", 2):
            cluster = self.cluster(cluster_configs={"HDFS": {"dfs_replication": 2}})
        implementation.plugin().validate(cluster)

    @defects.defect("2048 is not less than 2048")
    def all_memory_of_a_small_node_goes_to_yarn(self, implementation):
        flavor = types.SimpleNamespace(ram=2048, vcpus=1)
        cluster = self.cluster()
        group = next(group for group in cluster.node_groups if group.name == "worker")
        with mock.patch("sahara.utils.openstack.nova.get_flavor", return_value=flavor):
            recommended = implementation.sizing([], cluster, False)._get_recommended_node_configs(group)
        memory = recommended["yarn.nodemanager.resource.memory-mb"]
        if not memory < 2048:
            raise AssertionError(f"{memory} is not less than 2048")

    @defects.defect("TypeError: .* not supported between instances of 'int' and 'str'")
    def copies_of_a_block_are_recommended_by_comparing_text(self, implementation):
        cluster = self.cluster(cluster_configs={})
        plugin = implementation.plugin()
        provider = implementation.sizing(plugin.get_configs(plugins.VERSION), cluster, False)
        workers = sum(group.count for group in cluster.node_groups if "HDFS_DATANODE" in group.node_processes)
        recommended = provider._get_recommended_cluster_configs()
        self.assertEqual(min(3, workers), recommended["dfs.replication"])

    @defects.defect("MismatchError: .*300")
    def waits_end_before_many_containers_have_started(self, implementation):
        waits = {"Timeout for Cloudera Manager starting", "Await Cloudera agents timeout"}
        limits = [
            config.default_value
            for config in implementation.plugin().get_configs(plugins.VERSION)
            if config.name in waits
        ]
        self.assertEqual([True, True], [limit >= 900 for limit in limits], limits)

    @defects.defect("is not an instance of")
    def options_are_a_singleton_that_subclasses_share(self, implementation):
        options, own = implementation.own_options()
        self.assertIsInstance(options, own)

    @defects.defect("WEBHCAT")
    def section_of_options_cannot_be_shown(self, implementation):
        plugin = implementation.plugin()
        targets = {c.applicable_target for c in plugin.get_configs(plugins.VERSION)} - {"general"}
        self.assertEqual(set(), targets - set(plugin.get_node_processes(plugins.VERSION)))

    @defects.defect("8485 not in")
    def port_of_the_journal_stays_closed(self, implementation):
        (group,) = (g for g in self.cluster(traces.HIGHLY_AVAILABLE).node_groups if g.name == "journal")
        self.assertIn(8485, implementation.plugin().get_open_ports(group))


@defects.proven(Ours, Stock)
class LifeTest(plugins.DefectCase):
    """A cluster's other days."""

    @defects.defect("False is not true")
    def health_is_not_checked_under_another_name(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        checks = [check(cluster) for check in plugin.get_health_checks(cluster)]
        self.assertGreater(len(checks), 2)
        for check in checks:
            self.assertTrue(check.is_available())

    @defects.defect("MismatchError: .*1 != 0")
    def passwords_stay_when_the_cluster_goes(self, implementation):
        cluster = self.cluster()
        db_helper.get_cm_password(cluster)
        with mock.patch("sahara.service.castellan.utils.delete_secret") as delete:
            implementation.plugin().on_terminate_cluster(self.process.reload(cluster))
        self.assertEqual(1, len(delete.mock_calls))

    @defects.defect("AttributeError: 'NoneType' object has no attribute")
    def kerberos_needs_a_spark_server(self, implementation):
        kerberized = {"Kerberos": {kerberos.enable_kerberos.name: True}}
        cluster = self.cluster(cluster_configs=kerberized)
        self.create(implementation, cluster).start_cluster(cluster)

    @defects.defect("'hadoop-mapreduce' not in")
    def names_of_packages_run_into_each_other(self, implementation):
        bare = self.process.nodes.outcomes
        bare["ls /etc/init.d/cloudera-scm-server"] = (2, "")
        bare["needs_command hdfs"] = (0, "the command hdfs\n")
        self.process.nodes.failing_once.append("dpkg -s")
        plugin, cluster = implementation.plugin(), self.cluster()
        if isinstance(implementation, Ours):
            plugin.validate_images(cluster)
        else:
            plugin.configure_cluster(cluster)
        installed = {
            word for asked in self.process.nodes.asked if "install" in asked.what for word in asked.what.split()
        }
        for package in ("hadoop-mapreduce", "hadoop-kms", "hive-metastore"):
            self.assertIn(package, installed)

    @defects.defect("(TypeError|ValidationError|AttributeError)")
    def images_cannot_be_tested_only(self, implementation):
        implementation.plugin().validate_images(self.cluster(), test_only=True)

    @defects.defect("IndexError: list index out of range")
    def refusal_of_oozie_becomes_an_index_error(self, implementation):
        server = self.useFixture(http_server.ScriptedServer(http_server.Answer(400, "<p>E0504: no application</p>")))
        remote = types.SimpleNamespace(get_http_client=lambda port, info=None: requests.Session())
        node = types.SimpleNamespace(fqdn=lambda: "master", remote=lambda: remote)
        client = implementation.oozie_client(f"http://127.0.0.1:{server.port}/oozie", node)
        failure = self.error_of(client.get_job_info, types.SimpleNamespace(extra={}, engine_job_id="1"))
        if isinstance(failure, IndexError):
            raise failure
        self.assertIsInstance(failure, sahara_exceptions.OozieException)
        self.assertIn("E0504: no application", str(failure))
