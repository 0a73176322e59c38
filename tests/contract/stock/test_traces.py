# SPDX-License-Identifier: Apache-2.0
"""What our plugin asks of Cloudera Manager is what the stock plugin asks, but for what is intended and listed here."""

from __future__ import annotations

import copy
import functools
import re
from typing import Any

import testtools
from sahara_plugin_cdh.plugins.cdh import plugin as stock
from testtools import content

from sahara_docker.plugins.cdh_docker import provider
from tests.contract.stock import plugin_substitutes, sahara_process, stock_plugin, traces

# Every pattern has to match a difference in some scenario.
INTENDED = {
    "HDFS keeps a share of the volume free, where CDH's own 10 GiB are all of a small one": (
        r"(create|scale): services/hdfs01/roles/DN_\S+ configured dfs_datanode_du_reserved: ours \d+, stock None"
    ),
    "YARN hands out what the flavor has, and not CDH's own 8 GiB and 8 cores of every node": (
        r"(create|scale): services/yarn01/roles/NM_\S+ configured yarn_nodemanager_resource_(memory_mb|cpu_vcores): "
        r"ours \d+, stock None"
    ),
    "a new node's client configuration is deployed to its gateways, whose it is": (
        r"scale: services/\S+/roles/[HY]G_\S+: ours \[.*'deployClientConfig', 'restart'\], stock \[.*\]"
    ),
    "a leaving node's other roles are deleted as well, since a host with roles cannot leave its cluster": (
        r"decommission: services/(hbase|impala)01/roles/\S+: ours \['removed', 'restart'\], stock None"
    ),
    "there is no Oozie service without an Oozie server, which would have nothing to start": (
        r"create: services/oozie01.*: ours None, stock .*"
    ),
    "masters read their lists before new nodes start too, since one may have the name of a decommissioned node": (
        r"scale: services/\S+/roles/(DN|NM)_\S+: ours \['refresh', 'refresh', 'restart'\], stock \['refresh', .*\]"
        r"|scale: steps: ours \[.*'refresh', 'start', 'refresh', 'restart'\], stock \[.*'start', 'refresh', 'restart'\]"
    ),
    "options of a standby are its own daemon's, for which the others of its service need not be restarted": (
        r"start: services/(hdfs|yarn)01: ours \['\w+Ha'\], stock \['\w+Ha', 'restart'\]"
        r"|start: services/hdfs01/roles/NAMENODE-standby: ours \['configured', 'restart'\], stock \['configured'\]"
        r"|start: steps: ours \[.*'enableRmHa', 'start'\], stock \[.*'enableRmHa', 'restart', 'start'\]"
    ),
}
KERBERIZED = {**traces.CONFIGS["cluster_configs"], "Kerberos": {"Enable Kerberos Security": True}}
ALL = plugin_substitutes.VERSIONS
# Node groups, configs, versions: the versions differ in settings of roles, of which the small clusters have few.
SCENARIOS = {
    "smallest": (traces.SMALLEST, {"cluster_configs": traces.NO_SWIFT}, ALL[-1:]),
    "everything": (traces.EVERYTHING, traces.CONFIGS, ALL),
    "highly available": (traces.HIGHLY_AVAILABLE, traces.CONFIGS, ALL),
    "kerberized": (traces.EVERYTHING, {**traces.CONFIGS, "cluster_configs": KERBERIZED}, (ALL[0], ALL[-1])),
}


@functools.lru_cache(maxsize=None)
def both(scenario: str, version: str) -> tuple[dict[str, traces.Trace], dict[str, traces.Trace]]:
    """Traces of ours and of stock, which nothing changes afterwards."""
    groups, values, _ = SCENARIOS[scenario]
    found = []
    for plugin in (provider.CDHDockerPluginProvider(), stock.CDHPluginProvider()):
        with sahara_process.SaharaProcess() as process, stock_plugin.runnable():
            found.append(traces.run(plugin, process, groups, version, **copy.deepcopy(dict(values))))
    return found[0], found[1]


class TraceTest(testtools.TestCase):
    def compare(self, scenario: str) -> None:
        for version in SCENARIOS[scenario][2]:
            ours, theirs = both(scenario, version)
            self.assertGreater(len(theirs["create"].facts), 40, "stock did nothing")
            unintended = [
                difference
                for difference in traces.differences(ours, theirs)
                if not any(re.fullmatch(pattern, difference) for pattern in INTENDED.values())
            ]
            self.addDetail(version, content.text_content("\n".join(unintended)))
            self.assertEqual([], unintended, f"{scenario} {version}")

    def test_the_smallest_cluster(self):
        self.compare("smallest")

    def test_every_service_and_role(self):
        self.compare("everything")

    def test_standby_masters(self):
        self.compare("highly available")

    def test_a_kerberized_cluster(self):
        self.compare("kerberized")

    def test_every_intended_difference_is_there(self):
        found = [
            difference
            for scenario, (_, _, versions) in SCENARIOS.items()
            for version in versions
            for difference in traces.differences(*both(scenario, version))
        ]
        for reason, pattern in INTENDED.items():
            self.assertTrue(any(re.fullmatch(pattern, difference) for difference in found), f"never seen: {reason}")

    def test_a_difference_is_seen(self):
        ours, theirs = both("smallest", "5.13.0")
        changed: Any = copy.deepcopy(ours)
        changed["start"].steps.remove("firstRun")
        facts = theirs["create"].facts
        del changed["create"].facts[
            next(name for name, value in ours["create"].facts.items() if facts.get(name) == value)
        ]
        changed["scale"].histories.popitem()
        self.assertEqual(3, len(set(traces.differences(changed, theirs)) - set(traces.differences(ours, theirs))))
