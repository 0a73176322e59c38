# SPDX-License-Identifier: Apache-2.0
"""Sahara's Oozie client, as the plugin sets it up, against a real server."""

from __future__ import annotations

import types
from unittest import mock

import fixtures
import requests
from sahara import exceptions as sahara_exceptions
from sahara.service.edp.oozie import oozie

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import edp, versions
from tests.unit.cdh_docker import base
from tests.unit.cdh_docker.http_server import Answer, ScriptedServer

JOB = types.SimpleNamespace(extra={}, engine_job_id="0000001-oozie-W")


class OozieClientTest(base.PluginTestCase):
    def client(self, *answers, kind=edp.OozieClient):
        self.server = self.useFixture(ScriptedServer(*answers))
        session = requests.Session()
        self.addCleanup(session.close)
        node = types.SimpleNamespace(
            fqdn=lambda: "master.novalocal",
            remote=lambda: types.SimpleNamespace(get_http_client=lambda port, info=None: session),
        )
        return kind(f"http://127.0.0.1:{self.server.port}/oozie", node)

    def test_submits_starts_and_asks(self):
        client = self.client(Answer(201, {"id": "job-1"}), Answer(), Answer(body={"status": "RUNNING"}))
        self.assertEqual("job-1", client.add_job("<configuration>ü</configuration>", JOB))
        client.run_job(JOB, "job-1")
        self.assertEqual("RUNNING", client.get_job_info(JOB, "job-1")["status"])
        self.assertEqual("<configuration>ü</configuration>", self.server.requests[0].body)
        asked = [(request.method, request.path) for request in self.server.requests]
        self.assertEqual(
            [
                ("POST", "/oozie/v2/jobs"),
                ("PUT", "/oozie/v2/job/job-1?action=start"),
                ("GET", "/oozie/v2/job/job-1?show=info"),
            ],
            asked,
        )

    def test_goes_past_the_proxy_of_the_sahara_host(self):
        self.useFixture(fixtures.EnvironmentVariable("no_proxy"))
        self.useFixture(fixtures.EnvironmentVariable("NO_PROXY"))
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", "http://127.0.0.1:9"))
        self.assertEqual({"status": "KILLED"}, self.client(Answer(body={"status": "KILLED"})).get_job_info(JOB))
        stock = self.client(Answer(body={}), kind=oozie.OozieClient)
        self.assertRaises(requests.exceptions.ProxyError, stock.get_job_info, JOB)

    def test_a_silent_oozie_ends_in_an_error(self):
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.plugins.cdh_docker.edp.READ_TIMEOUT", 0.1))
        error = self.assertRaises(exceptions.SaharaDockerError, self.client(Answer(delay=2, body={})).get_job_info, JOB)
        self.assertIn("[master.novalocal] no answer from Oozie", str(error))

    def refusal(self, answer):
        client = self.client(answer)
        return str(self.assertRaises(sahara_exceptions.OozieException, client.add_job, "<configuration/>", JOB))

    def test_a_refusal_has_oozies_own_words(self):
        headers = {"oozie-error-code": "E0504", "oozie-error-message": "App directory [/nowhere] does not exist"}
        answer = Answer(400, {"errorMessage": "in other words"}, headers=headers)
        self.assertIn("HTTP 400: E0504 App directory [/nowhere] does not exist", self.refusal(answer))
        stock = self.client(answer, kind=oozie.OozieClient)
        self.assertRaises(IndexError, stock.add_job, "<configuration/>", JOB)

    def test_a_refusal_by_something_else_has_its_page(self):
        page = Answer(502, "<html><body><h1>Bad\nGateway</h1> try later</body></html>", content_type="text/html")
        self.assertIn("HTTP 502: Bad Gateway try later", self.refusal(page))

    def test_the_engine_uses_this_client_and_our_parts(self):
        handler = versions.VersionFactory().get_version_handler("5.13.0")
        cluster = base.cluster()
        with mock.patch("sahara.service.edp.job_utils.get_plugin"):
            engine = handler.get_edp_engine(cluster, "MapReduce")
        self.assertIsInstance(engine.get_client(), edp.OozieClient)
        self.assertEqual("hdfs://master-0.novalocal:8020", engine.get_name_node_uri(cluster))
        self.assertEqual("master-0.novalocal:8032", engine.get_resource_manager_uri(cluster))
        self.assertIs(handler.cloudera_utils, engine.cloudera_utils)
