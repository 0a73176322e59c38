# SPDX-License-Identifier: Apache-2.0
"""Health checks, of a cluster that is not called ``cdh``."""

from __future__ import annotations

import types

import fixtures
from sahara.plugins import health_check_base
from sahara_plugin_cdh.plugins.cdh import health as stock

from sahara_docker.plugins.cdh_docker import cloudera, cm_client, cm_session, health
from tests.unit.cdh_docker import base
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer


class HealthTest(base.PluginTestCase):
    def checks(self, answer, *groups):
        server = self.useFixture(ScriptedServer(answer))
        session = cm_session.CMSession("127.0.0.1", "admin", "admin", port=server.port, retry_pauses=())
        self.addCleanup(session.close)
        access = cloudera.Cloudera(types.SimpleNamespace())
        self.useFixture(fixtures.MockPatchObject(access, "get_api_client", return_value=cm_client.CMClient(session)))
        self.cluster, self.access = base.cluster(*groups), access
        return {
            check.get_health_check_name(): check
            for check in (c(self.cluster) for c in health.checks_of(self.cluster, access))
        }

    def test_every_service_is_checked(self):
        services = [
            {"name": "hdfs01", "healthSummary": "GOOD", "healthChecks": [{"name": "DN", "summary": "GOOD"}]},
            {"name": "yarn01", "healthSummary": "BAD", "healthChecks": [{"name": "NM", "summary": "BAD"}]},
            {"name": "hue01", "healthSummary": "CONCERNING"},
        ]
        processes = [*base.MANAGER, *base.MASTER, *base.WORKER, "HUE_SERVER"]
        checks = self.checks(Answer(body={"items": services}), base.node_group("all", processes))
        self.assertTrue(all(check.is_available() for check in checks.values()))
        self.assertIn("GOOD", checks["CDH hdfs01 health check"].check_health())
        error = self.assertRaises(health_check_base.RedHealthError, checks["CDH yarn01 health check"].check_health)
        self.assertIn("NM - BAD state", str(error))
        self.assertRaises(health_check_base.YellowHealthError, checks["CDH hue01 health check"].check_health)
        checks["Cloudera Manager health check"].check_health()

    def test_a_service_without_a_role_is_none_of_the_cluster_s_health(self):
        services = [
            {"name": "hdfs01", "healthSummary": "GOOD"},
            {"name": "yarn01", "healthSummary": "NOT_AVAILABLE"},
            {"name": "made_by_hand", "healthSummary": "GOOD"},
        ]
        processes = [*base.MANAGER, "HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "HDFS_DATANODE"]
        checks = self.checks(Answer(body={"items": services}), base.node_group("all", processes))
        names = ["CDH hdfs01 health check", "CDH made_by_hand health check", "Cloudera Manager health check"]
        self.assertEqual(names, sorted(checks))

    def test_a_cloudera_manager_that_does_not_answer_is_red(self):
        checks = self.checks(Answer(500, {"message": "out of memory"}))
        check = checks["Cloudera Manager health check"]
        self.assertTrue(check.is_available())
        self.assertIn("out of memory", str(self.assertRaises(health_check_base.RedHealthError, check.check_health)))

    def test_the_stock_checks_vanish_under_another_name(self):
        self.checks(Answer(body={"items": []}))
        for check in stock.get_health_checks(self.cluster, self.access):
            self.assertFalse(check(self.cluster).is_available())
