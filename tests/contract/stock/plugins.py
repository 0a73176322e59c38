# SPDX-License-Identifier: Apache-2.0
"""The stock CDH plugin and ours, in one shape, and a cluster to drive them with."""

from __future__ import annotations

import contextlib
from typing import Any

import testtools
from sahara.service.edp.oozie import oozie as stock_oozie
from sahara_plugin_cdh.plugins.cdh import plugin as stock_plugin
from sahara_plugin_cdh.plugins.cdh import plugin_utils as stock_plugin_utils
from sahara_plugin_cdh.plugins.cdh.client import api_client
from sahara_plugin_cdh.plugins.cdh.v5_13_0 import config_helper as stock_options

from sahara_docker.plugins.cdh_docker import cm_client, cm_session, edp, provider, sizing
from tests.contract.stock import recording_cm, sahara_process, traces
from tests.contract.stock import stock_plugin as stock_fixes

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
