# SPDX-License-Identifier: Apache-2.0
"""Heaps that fit a flavor."""

from __future__ import annotations

from sahara_docker.plugins.cdh_docker import heaps, user_values, versions
from tests.unit.cdh_docker import base

MASTER = {"NAMENODE": 4096, "SECONDARYNAMENODE": 4096, "RESOURCEMANAGER": 1024, "JOBHISTORY": 1024, "OOZIE": 1024}


class HeapsTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.factory = versions.VersionFactory()

    def heaps(self, processes, version="5.13.0"):
        handler = self.factory.get_version_handler(version)
        return heaps.heaps_of(processes, handler.config_helper.get_plugin_configs())

    def recommend(self, processes, memory, given=()):
        shares = heaps.recommend(self.heaps(processes), dict(given), memory)
        return {heap.section: share for heap, share in shares.items()}

    def test_every_daemon_s_heap_has_a_setting_in_every_version(self):
        without = {"CLOUDERA_MANAGER", "HUE_SERVER", "IMPALAD", "IMPALA_STATESTORE"}  # no Java, or CM's own
        for version in self.factory.get_versions():
            sections = self.factory.get_version_handler(version).get_node_processes().values()
            for process in {process for processes in sections for process in processes} - without:
                self.assertEqual(1, len(self.heaps([process], version)), f"{version} {process}")

    def test_cdh_s_defaults_are_known(self):
        self.assertEqual(MASTER, {heap.section: heap.default for heap in self.heaps(base.MASTER)})
        (kafka,) = self.heaps(["KAFKA_BROKER"])
        self.assertEqual((1024, "300"), (kafka.default, kafka.value(300)))

    def test_small_nodes_are_divided_evenly_and_not_overcommitted(self):
        for memory in (1400, 1856, 3000):
            shares = self.recommend(base.MASTER, memory)
            self.assertEqual(set(MASTER), set(shares))
            self.assertLessEqual(sum(shares.values()) + heaps.OVERHEAD * 5, memory)
            self.assertLessEqual(max(shares.values()) - min(shares.values()), 1)

    def test_large_nodes_have_cdh_s_defaults(self):
        self.assertEqual(MASTER, self.recommend(base.MASTER, 32768))

    def test_what_small_daemons_cannot_use_goes_to_the_large_ones(self):
        shares = self.recommend(base.MASTER, 8192)
        self.assertEqual(1024, shares["OOZIE"])
        self.assertGreater(shares["NAMENODE"], 2000)
        self.assertLessEqual(sum(shares.values()) + heaps.OVERHEAD * 5, 8192)

    def test_no_heap_is_too_small_to_start(self):
        self.assertEqual({heaps.SMALLEST}, set(self.recommend(base.MASTER, 300).values()))

    def test_what_the_user_gives_is_left_alone_and_taken_into_account(self):
        given = {("NAMENODE", "namenode_java_heapsize"): str(900 * heaps.MIB)}
        shares = self.recommend(base.MASTER, 2500, given)
        self.assertEqual({"SECONDARYNAMENODE", "RESOURCEMANAGER", "JOBHISTORY", "OOZIE"}, set(shares))
        self.assertLessEqual(sum(shares.values()) + 900 + heaps.OVERHEAD * 5, 2500)

    def test_a_value_that_is_no_number_is_named(self):
        given = {("NAMENODE", "namenode_java_heapsize"): "1 GB"}
        error = self.assertRaises(user_values.InvalidConfig, self.recommend, base.MASTER, 1856, given)
        self.assertIn("namenode_java_heapsize of NAMENODE", str(error))
