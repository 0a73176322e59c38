# SPDX-License-Identifier: Apache-2.0
"""Removing a cluster's passwords."""

from __future__ import annotations

from unittest import mock

from sahara.plugins import castellan_utils, conductor
from sahara_plugin_cdh.plugins.cdh import db_helper as stock

from sahara_docker.plugins.cdh_docker import provider
from tests.unit.cdh_docker import base


class RemovalTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.cluster = base.cluster(extra={"cm_password": "ref-1", "hive_db_password": "ref-2", "other": "ref-3"})
        self.patch(conductor, "cluster_get", return_value=self.cluster)

    def patch(self, owner, name, **behaviour):
        patcher = mock.patch.object(owner, name, **behaviour)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def test_the_plugin_removes_its_own_passwords_at_the_end(self):
        delete = self.patch(castellan_utils, "delete_secret")
        provider.CDHDockerPluginProvider().on_terminate_cluster(self.cluster)
        self.assertEqual(["ref-1", "ref-2"], [call.args[0] for call in delete.call_args_list])

    def test_a_key_manager_that_fails_does_not_keep_the_cluster_alive(self):
        delete = self.patch(castellan_utils, "delete_secret", side_effect=OSError("barbican is away"))
        provider.CDHDockerPluginProvider().on_terminate_cluster(self.cluster)
        self.assertEqual(2, delete.call_count)

    def test_the_stock_function_calls_what_sahara_does_not_have(self):
        error = self.assertRaises(AttributeError, stock.delete_passwords_from_keymanager, self.cluster)
        self.assertIn("delete_key", str(error))
