# SPDX-License-Identifier: Apache-2.0
"""Services and roles, compared with the stock plugin's methods where these are right."""

from __future__ import annotations

import testtools
from sahara_plugin_cdh.plugins.cdh import abstractversionhandler, cloudera_utils, plugin_utils

from sahara_docker.plugins.cdh_docker import topology
from tests.unit.cdh_docker import base


def all_processes():
    handler = type("Handler", (abstractversionhandler.BaseVersionHandler,), {"__abstractmethods__": frozenset()})()
    return sorted({process for processes in handler.get_node_processes().values() for process in processes})


class TopologyTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.stock = cloudera_utils.ClouderaUtils()

    def test_every_process_has_the_role_that_the_stock_plugin_gives_it(self):
        for process in all_processes():
            expected = plugin_utils.AbstractPluginUtils().convert_role_showname(process)
            ours = {**topology.ROLE_OF_PROCESS, "CLOUDERA_MANAGER": "MANAGER"}.get(process, process)
            self.assertEqual(expected, ours)

    def test_every_process_that_becomes_a_role_belongs_to_a_service(self):
        for process in set(all_processes()) - topology.NOT_CREATED:
            for role in topology.roles_of([process]):
                self.assertIn(topology.service_of(role).type, topology.SERVICE_NAME)

    def test_services_have_the_stock_names(self):
        names = {value for name, value in vars(cloudera_utils.ClouderaUtils).items() if name.endswith("_SERVICE_NAME")}
        self.assertEqual(names, set(topology.SERVICE_NAME.values()))

    def test_a_role_is_in_the_service_that_the_stock_plugin_puts_it_in(self):
        class Cluster:
            def get_service(self, name):
                return name

        self.stock.get_cloudera_cluster = lambda cluster: Cluster()
        for service in topology.SERVICES:
            for role in service.roles:
                self.assertEqual(self.stock.get_service_by_role(role, cluster="c"), service.name)

    def test_a_node_gets_the_gateways_that_the_stock_plugin_gives_it(self):
        for processes in (base.MANAGER, base.MASTER, base.WORKER, ["HDFS_DATANODE"], ["YARN_NODEMANAGER"]):
            stock_roles = {
                plugin_utils.AbstractPluginUtils().convert_role_showname(process)
                for process in self.stock.get_roles_list(processes)
                if process not in topology.NOT_CREATED
            }
            self.assertEqual(stock_roles, set(topology.roles_of(processes)))
            self.assertEqual(
                {self.stock.get_role_type(role) for role in stock_roles},
                {topology.api_type(role) for role in topology.roles_of(processes)},
            )

    def test_only_the_services_whose_process_is_there(self):
        names = [service.name for service in topology.services_of(base.MANAGER + base.MASTER + base.WORKER)]
        self.assertEqual(["hdfs01", "yarn01", "oozie01"], names)
        self.assertNotIn("oozie01", [service.name for service in topology.services_of(base.WORKER)])
        self.assertIn("zookeeper01", [service.name for service in topology.services_of(["ZOOKEEPER_SERVER"])])

    def test_an_unknown_role_is_named(self):
        self.assertIn("LIGHTHOUSE", str(self.assertRaises(ValueError, topology.service_of, "LIGHTHOUSE")))
