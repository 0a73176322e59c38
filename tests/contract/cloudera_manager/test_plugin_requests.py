# SPDX-License-Identifier: Apache-2.0
"""Whatever the plugin asks over a cluster's life is answered as Cloudera Manager's API says.

The requests are those that the plugins make here: stock's with the client that it bundles, and ours with its own. All
pass a proxy that compares them with the vendor's models of the version asked, and the answers also with stock's client.
"""

from __future__ import annotations

import contextlib
import copy
import os
import secrets
from typing import Any

import eventlet
import fixtures
import requests
import testtools
from sahara.plugins import health_check_base
from sahara_plugin_cdh.plugins.cdh import plugin as stock
from testtools import content

from sahara_docker.plugins.cdh_docker import provider
from tests.contract.cloudera_manager import checking_proxy, managers
from tests.contract.stock import sahara_process, stock_plugin, traces

#: Every process that the plugin knows, and two masters each of HDFS and YARN, on as few nodes as that needs.
GROUPS = {
    "manager": (["CLOUDERA_MANAGER", "KMS"], 1),
    "master": ([*traces.MASTER, "HDFS_JOURNALNODE"], 1),
    "second": (["HDFS_SECONDARYNAMENODE", "YARN_STANDBYRM", "HDFS_JOURNALNODE", "ZOOKEEPER_SERVER"], 1),
    "worker": (["HDFS_DATANODE", "YARN_NODEMANAGER", "HBASE_REGIONSERVER", "IMPALAD", "HDFS_JOURNALNODE",
                "ZOOKEEPER_SERVER"], 1),
    # Stock deletes the roles of these two processes only, and a host that has others cannot leave its cluster.
    "added": (["HDFS_DATANODE", "YARN_NODEMANAGER"], 0),
}  # fmt: skip
NODES = 5
KERBEROS = {"Kerberos": {"Enable Kerberos Security": True}}

# What a life has to have asked at least, so that a plugin that skips a part of it is noticed.
ASKED = (
    "PUT /users/{userName} v8",
    "GET /hosts v8",
    "PUT /cm/service v8",
    "POST /cm/commands/hostsStartRoles v8",
    "POST /clusters v8",
    "POST /clusters/{clusterName}/services v8",
    "PUT /clusters/{clusterName}/services/{serviceName}/config v8",
    "POST /clusters/{clusterName}/services/{serviceName}/roles v8",
    "PUT /clusters/{clusterName}/services/{serviceName}/roles/{roleName}/config v8",
    "POST /clusters/{clusterName}/commands/deployClientConfig v8",
    "POST /clusters/{clusterName}/commands/firstRun v8",
    "GET /commands/{commandId} v8",
    "POST /clusters/{clusterName}/services/{serviceName}/commands/hdfsEnableNnHa v8",
    "POST /clusters/{clusterName}/services/{serviceName}/commands/enableRmHa v8",
    "POST /clusters/{clusterName}/services/{serviceName}/commands/deployClientConfig v8",
    "POST /clusters/{clusterName}/services/{serviceName}/roleCommands/start v8",
    "POST /clusters/{clusterName}/services/{serviceName}/roleCommands/refresh v8",
    "POST /clusters/{clusterName}/services/{serviceName}/commands/decommission v8",
    "DELETE /clusters/{clusterName}/services/{serviceName}/roles/{roleName} v8",
    "DELETE /clusters/{clusterName}/hosts/{hostId} v8",
    "DELETE /hosts/{hostId} v8",
    "POST /clusters/{clusterName}/commands/restart v8",
)
ASKED_WITH_KERBEROS = (
    "PUT /cm/config v8",
    "POST /cm/commands/importAdminCredentials v8",
    "POST /clusters/{clusterName}/commands/configureForKerberos v11",
)


class LifeTestCase(testtools.TestCase):
    """A cluster of one CDH version is created, asked for its health, scaled up and scaled down."""

    def live(self, plugin: Any, version: str) -> checking_proxy.CheckingProxy:
        """Return what a plugin asked and was answered."""
        manager = self.useFixture(managers.manager(NODES))
        proxy = self.useFixture(checking_proxy.CheckingProxy(manager.url, manager.credentials))
        self.addDetail("requests", content.Content(content.UTF8_TEXT, lambda: [str(proxy).encode()]))
        process = self.useFixture(sahara_process.SaharaProcess())
        self._place_instances(manager.hosts)
        name = f"contract-{secrets.token_hex(4)}"
        self.addCleanup(manager.remove, name)
        configs = copy.deepcopy(traces.CONFIGS)
        if manager.has_kerberos:
            configs["cluster_configs"].update(KERBEROS)
        cluster = process.cluster(
            GROUPS, proxy.address, hadoop_version=version, plugin_name="cdh", name=name, **configs
        )
        # Pauses of Sahara, but long enough not to ask all the time.
        for pause in ("sahara.context.sleep", "sahara.plugins.context.sleep"):
            self.useFixture(fixtures.MonkeyPatch(pause, lambda seconds=0: eventlet.sleep(min(seconds, 0.1))))
        with stock_plugin.runnable():
            plugin.configure_cluster(process.reload(cluster))
            plugin.start_cluster(process.reload(cluster))
            self._check_health(plugin, process.reload(cluster))
            added = process.add_instance(cluster, "added", proxy.address)
            plugin.scale_cluster(process.reload(cluster), [added])
            plugin.decommission_nodes(process.reload(cluster), [added])
        asked = {exchange.operation for exchange in proxy.exchanges}
        self.assertEqual(set(), {*ASKED, *(ASKED_WITH_KERBEROS if manager.has_kerberos else ())} - asked)
        return proxy

    def _place_instances(self, hosts: list[str]) -> None:
        names: dict[str, str] = {}

        def name_of(instance: Any) -> str:
            if instance.instance_name not in names:
                names[instance.instance_name] = hosts[len(names)]
            return names[instance.instance_name]

        self.useFixture(fixtures.MonkeyPatch("sahara.conductor.objects.Instance.fqdn", name_of))

    def _check_health(self, plugin: Any, cluster: Any) -> None:
        verdicts = 0
        for check in plugin.get_health_checks(cluster):
            # Whatever the verdict is, it could be read.
            with contextlib.suppress(health_check_base.RedHealthError, health_check_base.YellowHealthError):
                check(cluster).check_health()
            verdicts += 1
        self.assertGreater(verdicts, 10)


class PluginsMixin:
    """Both plugins with one CDH version."""

    version = ""

    def test_stock(self: Any) -> None:
        # Stock sends numbers where the API has texts, which Cloudera Manager takes for what they say.
        self.assertEqual([], self.live(stock.CDHPluginProvider(), self.version).troubles(requests=False))

    def test_ours(self: Any) -> None:
        self.assertEqual([], self.live(provider.CDHDockerPluginProvider(), self.version).troubles(requests=True))


class GivenManagerTest(LifeTestCase):
    """A Cloudera Manager that is there already is the same afterwards."""

    def test_only_the_cluster_of_the_test_comes_and_goes(self) -> None:
        if managers.VARIABLE in os.environ:
            self.skipTest("the other tests of this module use it")
        given = self.useFixture(managers.StandIn([f"host-{number}.contract.test" for number in range(NODES)]))
        management = {"name": "mgmt", "roles": []}
        requests.put(f"{given.url}/api/v8/cm/service", json=management, auth=("admin", "admin"), timeout=30)
        address = given.url.replace("http://", "http://admin:admin@")
        self.useFixture(fixtures.EnvironmentVariable(managers.VARIABLE, address))

        def state() -> list[str]:
            paths = ("/hosts", "/clusters", "/users", "/cm/config", "/cm/service/roles")
            return [
                requests.get(f"{given.url}/api/v8{path}", auth=("admin", "admin"), timeout=30).text for path in paths
            ]

        before = state()
        self.addCleanup(lambda: self.assertEqual(before, state()))
        self.assertEqual([], self.live(provider.CDHDockerPluginProvider(), "5.13.0").troubles(requests=True))
        self.assertNotEqual(before, state())


class Version570Test(PluginsMixin, LifeTestCase):
    version = "5.7.0"


class Version590Test(PluginsMixin, LifeTestCase):
    version = "5.9.0"


class Version5110Test(PluginsMixin, LifeTestCase):
    version = "5.11.0"


class Version5130Test(PluginsMixin, LifeTestCase):
    version = "5.13.0"
