# SPDX-License-Identifier: Apache-2.0
"""Sahara's Oozie client, as the plugin sets it up, against a real server."""

from __future__ import annotations

import shlex
import types
from unittest import mock

import fixtures
import requests
from sahara import exceptions as sahara_exceptions
from sahara.service.edp.oozie import oozie

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import edp, job_cause, versions
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


class OozieEngineTest(base.PluginTestCase):
    """What the engine adds to stock's, over a stock engine that does as the test says."""

    class Stock:
        def __init__(self, cluster):
            self.cluster = cluster

        def run_job(self, job_execution):
            return self.started(job_execution)

        def get_job_status(self, job_execution):
            return dict(self.info)

        def validate_job_execution(self, cluster, job, data):
            pass

    def setUp(self):
        super().setUp()
        kind = type("Engine", (edp.OozieEngineMixin, self.Stock), {"cloudera": None})
        self.engine = kind(base.cluster())
        self.job = types.SimpleNamespace(id="job", engine_job_id=None)
        self.conductor = mock.Mock(job_execution_get=lambda ctx, identifier: self.job)
        self.useFixture(fixtures.MonkeyPatch("sahara.conductor.API", self.conductor))
        self.useFixture(fixtures.MonkeyPatch("sahara.context.ctx", lambda: None))

    def written(self):
        (call,) = self.conductor.job_execution_update.call_args_list
        return call.args[2]

    def test_a_job_that_cannot_be_started_has_its_cause(self):
        self.engine.started = mock.Mock(side_effect=exceptions.SaharaDockerError("no answer from Oozie"))
        self.assertEqual((None, None, None), self.engine.run_job(self.job))
        self.assertEqual({"status": "FAILED", "error": "no answer from Oozie"}, self.written()["info"])
        self.assertIn("end_time", self.written())

    def test_a_job_that_oozie_knows_but_cannot_start_is_killed(self):
        self.job.engine_job_id = "0000001-W"
        self.engine.started = mock.Mock(side_effect=exceptions.SaharaDockerError("no answer from Oozie"))
        self.engine.get_client = mock.Mock()
        self.assertEqual(("0000001-W", None, None), self.engine.run_job(self.job))
        self.engine.get_client().kill_job.assert_called_once_with(self.job)
        self.assertEqual("no answer from Oozie", self.written()["info"]["error"])

    def test_oozie_may_not_answer_to_that_either(self):
        self.job.engine_job_id = "0000001-W"
        self.engine.started = mock.Mock(side_effect=exceptions.SaharaDockerError("no answer from Oozie"))
        self.engine.get_client = mock.Mock(side_effect=exceptions.SaharaDockerError("still none"))
        self.engine.run_job(self.job)
        self.assertEqual("no answer from Oozie", self.written()["info"]["error"])

    def test_a_job_that_is_cancelled_before_its_start_has_ended(self):
        self.engine.started = lambda job: (None, "KILLED", None)
        self.assertEqual((None, "KILLED", None), self.engine.run_job(self.job))
        self.assertEqual(["end_time"], list(self.written()))

    def test_a_job_that_starts_is_left_alone(self):
        self.engine.started = lambda job: ("0000001-W", "RUNNING", None)
        self.assertEqual(("0000001-W", "RUNNING", None), self.engine.run_job(self.job))
        self.conductor.job_execution_update.assert_not_called()

    def test_failed_and_cancelled_are_told_apart(self):
        self.engine._job_sources = lambda: job_cause.Sources(mock.Mock(), [], "history")
        self.engine.info = {"status": "KILLED", "actions": [{"status": "KILLED"}]}
        self.assertEqual(self.engine.info, self.engine.get_job_status(self.job))
        failed = {"status": "ERROR", "errorCode": "JA018", "errorMessage": "no such class"}
        self.engine.info = {"status": "KILLED", "actions": [{"status": "OK"}, failed]}
        found = self.engine.get_job_status(self.job)
        self.assertEqual(("FAILED", "JA018 no such class"), (found["status"], found["error"]))

    def test_what_would_not_arrive_is_refused(self):
        job = types.SimpleNamespace(type="Java")
        data = {"job_configs": {"args": ["fine", " not"]}}
        refused = self.assertRaises(
            sahara_exceptions.InvalidDataException, self.engine.validate_job_execution, None, job, data
        )
        self.assertIn("argument 2 begins or ends with white space", str(refused))


class SparkEngineTest(base.PluginTestCase):
    def test_names_and_arguments_of_a_job_stay_single_words_of_the_shell(self):
        cluster = base.cluster(base.node_group("master", [*base.MASTER, "SPARK_YARN_HISTORY_SERVER"]))
        handler = versions.VersionFactory().get_version_handler("5.13.0")
        with mock.patch("sahara.plugins.utils.get_config_value_or_default"):
            engine = handler.get_edp_engine(cluster, "Spark")
        arguments = ["two words", "it's; $(id) > x", "", "swift://container.sahara/path"]
        configs = {"configs": {"edp.java.main_class": "Main"}, "args": arguments}
        command = engine._build_command("/tmp/spark-edp/job", ["/tmp/the program.py"], [], configs)
        words = shlex.split(command)
        self.assertEqual(["sudo", "-u", "spark", "spark-submit", "--class", "Main"], words[:6])
        self.assertEqual(["/tmp/the program.py", *arguments], words[-5:])
