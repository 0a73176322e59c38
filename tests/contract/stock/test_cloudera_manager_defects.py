# SPDX-License-Identifier: Apache-2.0
"""Defects of the stock plugin towards Cloudera Manager, proven in it and proven mended in ours, over HTTP."""

from __future__ import annotations

import json

import fixtures

from sahara_docker.plugins.cdh_docker import options
from tests.contract.stock import defects, plugins, recording_cm, traces
from tests.contract.stock.plugins import Ours, Stock


@defects.proven(Ours, Stock)
class CommandTest(plugins.DefectCase):
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

    @defects.defect("is busy.* not in")
    def role_that_a_bulk_command_leaves_out(self, implementation):
        cluster = self.cluster()
        plugin = self.create(implementation, cluster)
        self.cm.bulk_errors = ["Role 'DN_c1_worker_0' is busy."]
        leaving = [i for group in cluster.node_groups if group.name == "worker" for i in group.instances][-1:]
        log = self.useFixture(fixtures.FakeLogger())
        plugin.decommission_nodes(cluster, leaving)  # the nodes are out already: what comes after does not keep them
        self.assertIn("Role 'DN_c1_worker_0' is busy.", log.output)

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
class ClientTest(plugins.DefectCase):
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
