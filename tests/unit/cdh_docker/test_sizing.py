# SPDX-License-Identifier: Apache-2.0
"""Memory and cores for YARN."""

from __future__ import annotations

import types
from unittest import mock

from sahara.plugins import utils as plugin_utils
from sahara.utils.openstack import nova
from sahara_plugin_cdh.plugins.cdh import plugin_utils as stock

from sahara_docker.plugins.cdh_docker import heaps, sizing, versions
from tests.unit.cdh_docker import base

FLAVORS = {"manager": (2048, 1), "master": (4096, 2), "worker": (2048, 2), "own": (2048, 2), "large": (65536, 16)}


def flavor(id):
    return types.SimpleNamespace(ram=FLAVORS[id][0], vcpus=FLAVORS[id][1])


class SizingTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        for module in (plugin_utils, nova):
            patcher = mock.patch.object(module, "get_flavor", side_effect=flavor)
            patcher.start()
            self.addCleanup(patcher.stop)

    def recommended(self, name, *extra_groups, provider=None):
        groups = [
            base.node_group("manager", base.MANAGER),
            base.node_group("master", base.MASTER),
            base.node_group("worker", base.WORKER, 2),
            *extra_groups,
        ]
        cluster = base.cluster(*groups)
        group = next(group for group in cluster.node_groups if group.name == name)
        provider = provider or sizing.AutoConfiguration([], cluster, False)
        provider.cluster = cluster
        return provider._get_recommended_node_configs(group)

    def test_yarn_never_gets_all_of_a_node(self):
        for ram in (1024, 2048, 3072, 4096, 8192, 16384, 65536, 262144):
            memory = sizing.yarn_memory(ram)
            self.assertLess(memory, ram)
            self.assertEqual(0, memory % sizing.SMALLEST_CONTAINER)
            self.assertGreaterEqual(memory, sizing.SMALLEST_CONTAINER)
            self.assertLessEqual(ram - memory, 8192 + sizing.SMALLEST_CONTAINER)

    def test_a_small_worker_keeps_half_and_runs_tasks_that_fit(self):
        configs = self.recommended("worker")
        self.assertEqual(1024, configs["yarn.nodemanager.resource.memory-mb"])
        self.assertEqual(2, configs["yarn.nodemanager.resource.cpu-vcores"])
        self.assertEqual(512, configs["mapreduce.map.memory.mb"])
        self.assertLessEqual(configs["mapreduce.reduce.memory.mb"], 1024)

    def test_the_scheduler_s_limits_are_the_workers(self):
        self.assertEqual(1024, self.recommended("master")["yarn.scheduler.maximum-allocation-mb"])
        self.assertEqual(512, self.recommended("master")["yarn.scheduler.minimum-allocation-mb"])
        large = base.node_group("large", ["YARN_NODEMANAGER"])
        limit = self.recommended("master", large)["yarn.scheduler.maximum-allocation-mb"]
        self.assertEqual(sizing.yarn_memory(65536), limit)

    def test_what_a_user_sets_is_left_alone(self):
        group = base.node_group(
            "own", base.WORKER, node_configs={"NODEMANAGER": {"yarn_nodemanager_resource_memory_mb": 1}}
        )
        self.assertEqual({}, {name: value for name, value in self.recommended("own", group).items() if "." in name})

    def test_every_recommendation_has_a_name_in_cloudera_manager(self):
        known = sizing.SCHEMA["node_configs"]
        recommended = {name for name in self.recommended("worker") if "." in name}
        self.assertEqual({"yarn.nodemanager.vmem-check-enabled"}, recommended - set(known))

    def recommended_heaps(self, name, *groups):
        cluster = base.cluster(*groups)
        plugin_configs = versions.VersionFactory().get_version_handler("5.13.0").config_helper.get_plugin_configs()
        provider = sizing.AutoConfiguration(plugin_configs, cluster, False)
        (group,) = [group for group in cluster.node_groups if group.name == name]
        configs = provider._get_recommended_node_configs(group)
        schema = provider.node_configs_to_update
        return {schema[name][0]: int(value) // heaps.MIB for name, value in configs.items() if "heap" in name}

    def test_a_small_worker_s_daemons_fit_beside_yarn(self):
        shares = self.recommended_heaps("worker")
        self.assertEqual({"DATANODE", "NODEMANAGER"}, set(shares))
        taken = sum(shares.values()) + 2 * heaps.OVERHEAD + heaps.SYSTEM + sizing.yarn_memory(2048)
        self.assertLessEqual(taken, 2048)
        self.assertGreaterEqual(min(shares.values()), 256)

    def test_a_secondary_name_node_that_becomes_a_name_node_has_that_heap(self):
        journal = base.node_group("large", ["HDFS_JOURNALNODE"])
        master = base.node_group("master", ["HDFS_SECONDARYNAMENODE"])
        self.assertEqual({"SECONDARYNAMENODE"}, set(self.recommended_heaps("master", master)))
        shares = self.recommended_heaps("master", master, journal)
        self.assertEqual({"SECONDARYNAMENODE", "NAMENODE"}, set(shares))
        self.assertEqual(shares["SECONDARYNAMENODE"], shares["NAMENODE"])

    def test_a_user_s_heap_leaves_the_rest_to_the_plugin(self):
        own = {"DATANODE": {"datanode_java_heapsize": "134217728"}}
        worker = base.node_group("own", base.WORKER, node_configs=own)
        self.assertEqual({"NODEMANAGER"}, set(self.recommended_heaps("own", worker)))

    def test_the_stock_plugin_gives_all_of_a_small_node_to_yarn(self):
        provider = stock.CDHPluginAutoConfigsProvider(stock.AUTO_CONFIGURATION_SCHEMA, [], base.cluster(), False)
        self.assertEqual(2048, self.recommended("worker", provider=provider)["yarn.nodemanager.resource.memory-mb"])
