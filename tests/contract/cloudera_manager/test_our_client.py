# SPDX-License-Identifier: Apache-2.0
"""Every request that our client can make, also those that it makes in trouble only, held to the vendor's models."""

from __future__ import annotations

import inspect
import time
from typing import Any

import testtools

from sahara_docker.plugins.cdh_docker import cm_client, cm_session
from tests.contract.cloudera_manager import checking_proxy, managers

CLUSTER, HDFS = "c1", "hdfs01"


class _Noted:
    """A client whose methods are noted when they are called."""

    def __init__(self, client: cm_client.CMClient) -> None:
        self._client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.called.add(name)
        return getattr(self._client, name)


class OurClientTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.hosts = ["master.contract.test", "worker.contract.test"]
        stand_in = self.useFixture(managers.StandIn(self.hosts))
        self.proxy = self.useFixture(checking_proxy.CheckingProxy(stand_in.url))
        self.client = _Noted(cm_client.CMClient(cm_session.CMSession(self.proxy.address, "admin", "admin")))

    def finish(self, *commands: Any) -> None:
        deadline = time.monotonic() + 120
        for command in commands:
            while command["active"]:
                self.assertLess(time.monotonic(), deadline, command)
                time.sleep(0.05)
                command = self.client.command(command["id"])
            self.assertTrue(command["success"], command)

    def test_every_method(self) -> None:
        client, (master, worker) = self.client, self.hosts
        client.echo()
        client.configure_manager({"KDC_TYPE": "MIT KDC"})
        client.create_management_service([cm_client.role("SM", "SERVICEMONITOR", master)])
        self.finish(client.management_command("start"), client.start_roles_on_hosts([master]))
        self.finish(client.import_admin_credentials("admin@REALM", "secret"))
        client.set_rack(client.hosts()[0], "/rack-1")
        client.create_cluster(CLUSTER, "5.13.0")
        client.create_services(CLUSTER, [(HDFS, "HDFS")])
        client.configure_service(CLUSTER, HDFS, {"dfs_replication": 1})
        self.assertEqual({"dfs_replication": "1"}, client.service_config(CLUSTER, HDFS))
        group = client.role_group(CLUSTER, HDFS, "DATANODE")
        client.configure_group(CLUSTER, HDFS, group, {"dfs_datanode_du_reserved": 5})
        self.assertEqual({"dfs_datanode_du_reserved": "5"}, client.group_config(CLUSTER, HDFS, group))
        client.create_roles(CLUSTER, HDFS, [cm_client.role("NN", "NAMENODE", master)])
        client.create_roles(CLUSTER, HDFS, [cm_client.role("DN", "DATANODE", worker)])
        client.configure_role(CLUSTER, HDFS, "DN", {"dfs_data_dir_list": "/data"})
        self.finish(client.cluster_command(CLUSTER, "firstRun"))
        self.assertEqual({"GOOD"}, {one["summary"] for one in client.get_service_health_status(CLUSTER).values()})
        self.finish(client.named_roles_command(CLUSTER, HDFS, "decommission", ["DN"]))
        self.finish(client.named_roles_command(CLUSTER, HDFS, "recommission", ["DN"]))
        self.assertEqual(["COMMISSIONED"], [role["commissionState"] for role in client.roles(CLUSTER, HDFS)][1:])
        for name in ("start", "stop"):
            self.finish(*client.each_role_command(CLUSTER, HDFS, name, ["DN"]))
        refused = self.assertRaises(
            cm_session.CMError, client.each_role_command, CLUSTER, HDFS, "start", ["DN", "gone"]
        )
        self.assertIn("gone", str(refused))
        command = client.service_command(CLUSTER, HDFS, "restart")
        client.abort(command["id"])
        client.delete_role(CLUSTER, HDFS, "gone")
        self.await_end(command)
        self.finish(client.service_command(CLUSTER, HDFS, "stop"))
        client.delete_role(CLUSTER, HDFS, "DN")
        self.assertEqual([HDFS], [service["name"] for service in client.services(CLUSTER)])
        client.remove_host(CLUSTER, worker)
        client.delete_host(worker)
        client.change_password("admin", "another")
        methods = {name for name, _ in inspect.getmembers(cm_client.CMClient, inspect.isfunction) if name[0] != "_"}
        self.assertEqual(methods, client.called & methods)
        self.assertEqual([], self.proxy.troubles(requests=True))

    def await_end(self, command: Any) -> None:
        deadline = time.monotonic() + 60
        while self.client.command(command["id"])["active"]:
            self.assertLess(time.monotonic(), deadline, command)
            time.sleep(0.05)
