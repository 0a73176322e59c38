# SPDX-License-Identifier: Apache-2.0
"""Node configs by role type."""

from __future__ import annotations

from sahara.conductor import resource
from sahara_plugin_cdh.plugins.cdh import plugin_utils as stock

from sahara_docker.plugins.cdh_docker import plugin_utils, topology
from tests.unit.cdh_docker import base

CONFIGS = {
    "OOZIE": {"oozie_java_heapsize": 1},
    "DATANODE": {"dfs_datanode_du_reserved": 2},
    "ZOOKEEPER": {"dataDir": "/zk"},
    "YARN_GATEWAY": {"io_sort_mb": 3},
}


class ConvertProcessConfigsTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.utils = plugin_utils.PluginUtilsMixin(options=None)

    def test_renames_sections_to_role_types(self):
        converted = self.utils.convert_process_configs(CONFIGS)
        self.assertEqual({"OOZIE_SERVER", "DATANODE", "SERVER", "YARN_GATEWAY"}, set(converted))
        self.assertEqual(1, converted["OOZIE_SERVER"]["oozie_java_heapsize"])
        self.assertIsInstance(converted, resource.Resource)

    def test_takes_what_the_conductor_returns(self):
        self.assertEqual(
            self.utils.convert_process_configs(CONFIGS),
            self.utils.convert_process_configs(resource.Resource(CONFIGS)),
        )

    def test_the_stock_method_fails(self):
        stock_utils = stock.AbstractPluginUtils()
        error = self.assertRaises(RuntimeError, stock_utils.convert_process_configs, dict(CONFIGS))
        self.assertIn("changed during iteration", str(error))

    def test_knows_every_section_of_the_stock_table(self):
        # Two entries at most: the stock method survives one, renamed to the end.
        for section in topology.ROLE_OF_CONFIG_SECTION:
            try:
                expected = stock.AbstractPluginUtils().convert_process_configs({section: {"a": 1}})
            except RuntimeError:
                continue
            self.assertEqual(expected, self.utils.convert_process_configs({section: {"a": 1}}))
