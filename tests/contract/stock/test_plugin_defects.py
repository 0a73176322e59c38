# SPDX-License-Identifier: Apache-2.0
"""Defects of the stock CDH plugin, proven in it and proven mended in ours, against a Cloudera Manager over HTTP."""

from __future__ import annotations

import contextlib
import json
import types
from typing import Any
from unittest import mock

import fixtures
import requests
import testtools
from sahara import exceptions as sahara_exceptions
from sahara.plugins import kerberos
from sahara.service.edp.oozie import oozie as stock_oozie
from sahara_plugin_cdh.plugins.cdh import db_helper
from sahara_plugin_cdh.plugins.cdh import plugin as stock_plugin
from sahara_plugin_cdh.plugins.cdh import plugin_utils as stock_plugin_utils
from sahara_plugin_cdh.plugins.cdh.client import api_client
from sahara_plugin_cdh.plugins.cdh.v5_13_0 import config_helper as stock_options

from sahara_docker.plugins.cdh_docker import cm_client, cm_session, edp, options, provider, sizing
from tests.contract.stock import defects, recording_cm, sahara_process, traces
from tests.contract.stock import stock_plugin as stock_fixes
from tests.unit.cdh_docker import http_server

VERSION = "5.13.0"
GIB = 1 << 30


class Ours:
    """Our plugin and its parts."""

    runnable = contextlib.nullcontext
    oozie_client = edp.OozieClient
    sizing = sizing.AutoConfiguration

    def plugin(self) -> Any:
        return provider.CDHDockerPluginProvider()

    def install(self, cluster: Any) -> None:
        """Have CDH installed on nodes without it."""
        self.plugin().validate_images(cluster)

    def own_options(self) -> tuple[Any, type]:
        options = self.plugin()._get_version_handler(VERSION).config_helper
        return options, type(options)

    def hosts(self, cm: recording_cm.RecordingCM) -> list[str]:
        """Ask Cloudera Manager for its hosts with a client that waits half a second for an answer."""
        session = cm_session.CMSession(cm.address, "admin", cm.password, read_timeout=0.5, retry_pauses=())
        return [host["hostname"] for host in cm_client.CMClient(session).hosts()]


class Stock:
    """The stock plugin and its parts."""

    runnable = staticmethod(stock_fixes.runnable)
    oozie_client = stock_oozie.OozieClient

    def plugin(self) -> Any:
        return stock_plugin.CDHPluginProvider()

    def sizing(self, *arguments: Any) -> Any:
        schema = stock_plugin_utils.AUTO_CONFIGURATION_SCHEMA
        return stock_plugin_utils.CDHPluginAutoConfigsProvider(schema, *arguments)

    def install(self, cluster: Any) -> None:
        self.plugin().configure_cluster(cluster)

    def own_options(self) -> tuple[Any, type]:
        stock_options.ConfigHelperV5130()
        own = type("Own", (stock_options.ConfigHelperV5130,), {})
        return own(), own

    def hosts(self, cm: recording_cm.RecordingCM) -> list[str]:
        client = api_client.ApiResource(cm.address, username="admin", password=cm.password)
        return [host.hostname for host in client.get_all_hosts(view="full")]


class DefectCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.process = self.useFixture(sahara_process.SaharaProcess())
        self.cm = self.useFixture(recording_cm.RecordingCM())
        self.useFixture(sahara_process.Hurried())

    def cluster(self, groups=traces.SMALLEST, cluster_configs=None, **values):
        configs = {**traces.NO_SWIFT, **(cluster_configs or {})}
        row = {"plugin_name": "cdh_docker", "hadoop_version": VERSION, "cluster_configs": configs, **values}
        cluster = self.process.cluster(groups, self.cm.address, **row)
        self.cm.hosts = [instance.fqdn() for group in cluster.node_groups for instance in group.instances]
        return cluster

    def create(self, implementation, cluster=None):
        """Create a cluster up to its start; the plugin."""
        plugin = implementation.plugin()
        cluster = cluster or self.cluster()
        with implementation.runnable():
            plugin.configure_cluster(cluster)
        return plugin

    def setting(self, role: str, name: str) -> Any:
        for call in self.cm.calls:
            if call.method == "PUT" and f"/roles/{role}" in call.path:
                for item in call.body["items"]:
                    if item["name"] == name:
                        return item["value"]
        return None

    def error_of(self, action, *arguments):
        try:
            action(*arguments)
        except Exception as failure:
            return failure
        raise AssertionError("nothing was raised")


@defects.proven(Ours, Stock)
class CommandTest(DefectCase):
    """Ends of Cloudera Manager's commands."""

    def end(self, name, **outcome):
        self.cm.outcomes[name] = {"success": False, "resultMessage": f"{name} came to nothing", **outcome}

    def assert_told(self, name, action, *arguments):
        self.assertIn(f"{name} came to nothing", str(self.error_of(action, *arguments)))

    @defects.defect("AssertionError: nothing was raised")
    def failed_command_without_children(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        self.end("firstRun")
        self.assert_told("firstRun", plugin.start_cluster, cluster)

    @defects.defect("AssertionError: nothing was raised")
    def failed_command_of_successful_children(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        child = {"id": 999, "name": "part", "active": False, "success": True, "startTime": "2023-10-04T12:00:00.000Z"}
        self.end("firstRun", children={"items": [child]})
        self.assert_told("firstRun", plugin.start_cluster, cluster)

    @defects.defect("AssertionError: nothing was raised")
    def failed_start_of_management_roles(self, implementation):
        self.end("hostsStartRoles")
        self.assert_told("hostsStartRoles", self.create, implementation)

    @defects.defect("AssertionError: nothing was raised")
    def failed_decommissioning(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        self.end("decommission")
        leaving = [i for group in cluster.node_groups if group.name == "worker" for i in group.instances][-1:]
        self.assert_told("decommission", plugin.decommission_nodes, cluster, leaving)
        self.assertEqual([], [call for call in self.cm.calls if call.method == "DELETE"])

    @defects.defect("AssertionError: nothing was raised")
    def role_that_a_bulk_command_leaves_out(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        self.cm.bulk_errors = ["Role 'DN_c1_worker_0' is busy."]
        leaving = [i for group in cluster.node_groups if group.name == "worker" for i in group.instances][-1:]
        failure = self.error_of(plugin.decommission_nodes, cluster, leaving)
        self.assertIn("Role 'DN_c1_worker_0' is busy.", str(failure))

    @defects.defect("StillWaiting: not done after 8 s")
    def command_that_never_ends(self, implementation):
        limit = {options.COMMAND_TIMEOUT.name: 1}
        cluster = self.cluster(cluster_configs={"general": {**traces.NO_SWIFT["general"], **limit}})
        plugin = self.create(implementation, cluster)
        self.cm.outcomes["firstRun"] = {"active": True}
        failure = self.error_of(defects.within, 8, plugin.start_cluster, cluster)
        if isinstance(failure, defects.StillWaiting):
            raise failure
        self.assertIn("firstRun", str(failure))


@defects.proven(Ours, Stock)
class ClientTest(DefectCase):
    """HTTP to Cloudera Manager."""

    @defects.defect("'the database is locked' not in 'CM API error: HTTP Error 500")
    def body_of_an_error_is_lost(self, implementation):
        self.cm.faults["PUT", "hdfs01/config"] = recording_cm.Fault(
            500, json.dumps({"message": "the database is locked"})
        )
        self.assertIn("the database is locked", str(self.error_of(self.create, implementation)))

    @defects.defect("AttributeError")
    def broken_answer_becomes_an_attribute_error(self, implementation):
        self.cm.faults["GET", "/hosts"] = recording_cm.Fault(body='{"items": [', cut=True)
        failure = self.error_of(implementation.hosts, self.cm)
        if isinstance(failure, AttributeError):
            raise failure
        self.assertIn(self.cm.address, str(failure))

    @defects.defect("StillWaiting")
    def silent_manager_is_waited_for_without_end(self, implementation):
        self.cm.faults["GET", "/hosts"] = recording_cm.Fault(silent=True)
        failure = self.error_of(defects.within, 5, implementation.hosts, self.cm)
        if isinstance(failure, defects.StillWaiting):
            raise failure
        self.assertIn(self.cm.address, str(failure))

    @defects.defect("(URLError|Connection refused|CMApiException)")
    def proxy_of_the_sahara_host_is_asked_for_a_node(self, implementation):
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", None))
        self.useFixture(fixtures.EnvironmentVariable("NO_PROXY", None))
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", "http://127.0.0.1:9"))
        self.cm.hosts = ["node"]
        self.assertEqual(["node"], implementation.hosts(self.cm))

    @defects.defect("MismatchError: .*1 != 2")
    def every_request_is_made_twice(self, implementation):
        implementation.hosts(self.cm)
        self.assertEqual(len(self.cm.calls), self.cm.requests)

    @defects.defect("CMApiException: .*503")
    def open_port_is_taken_for_readiness(self, implementation):
        for path in ("/users/admin", "/tools/echo"):
            self.cm.faults["GET", path] = recording_cm.Fault(503, "starting", times=1)
        self.create(implementation)


@defects.proven(Ours, Stock)
class ConfigurationTest(DefectCase):
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
        self.process.nodes.outcomes[" df "] = (0, f"x 1-blocks\n/dev/v {10 * GIB} 0 0 0% /v\n")
        self.create(implementation)
        reserved = int(self.setting("DN_c1_worker_0", "dfs_datanode_du_reserved") or 10 * GIB)
        if not reserved < 10 * GIB:
            raise AssertionError(f"{reserved} is not less than {10 * GIB}")

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

    @defects.defect("MismatchError: .*300")
    def waits_end_before_many_containers_have_started(self, implementation):
        waits = {"Timeout for Cloudera Manager starting", "Await Cloudera agents timeout"}
        limits = [
            config.default_value for config in implementation.plugin().get_configs(VERSION) if config.name in waits
        ]
        self.assertEqual([True, True], [limit >= 900 for limit in limits], limits)

    @defects.defect("is not an instance of")
    def options_are_a_singleton_that_subclasses_share(self, implementation):
        options, own = implementation.own_options()
        self.assertIsInstance(options, own)

    @defects.defect("WEBHCAT")
    def section_of_options_cannot_be_shown(self, implementation):
        plugin = implementation.plugin()
        targets = {c.applicable_target for c in plugin.get_configs(VERSION)} - {"general"}
        self.assertEqual(set(), targets - set(plugin.get_node_processes(VERSION)))

    @defects.defect("8485 not in")
    def port_of_the_journal_stays_closed(self, implementation):
        (group,) = (g for g in self.cluster(traces.HIGHLY_AVAILABLE).node_groups if g.name == "journal")
        self.assertIn(8485, implementation.plugin().get_open_ports(group))


@defects.proven(Ours, Stock)
class LifeTest(DefectCase):
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
