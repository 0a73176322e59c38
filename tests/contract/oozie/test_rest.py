# SPDX-License-Identifier: Apache-2.0
"""What Sahara's own client and status bookkeeping expect of Oozie's REST API, against the node image's Oozie."""

from __future__ import annotations

from typing import Any

import requests
import testtools
from sahara.service.edp.oozie.workflow_creator import java_workflow
from sahara.utils import edp

from tests.functional.oozie import cluster

DIRECTORY = "/user/hdfs/contract"


class RestTest(testtools.TestCase):
    """Everything up to a job's first action, so without YARN."""

    hadoop: cluster.Cluster

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.hadoop = cluster.Cluster(yarn=False)
        cls.hadoop.setUp()
        cls.addClassCleanup(cls.hadoop.cleanUp)
        creator = java_workflow.JavaWorkflowCreator()
        creator.build_workflow_xml("org.example.Main", arguments=["1"])
        cls.hadoop.run("mkdir -p /tmp/contract")
        cls.hadoop.write("/tmp/contract/workflow.xml", creator.get_built_workflow_xml().encode())
        cls.hadoop.write("/tmp/contract/broken.xml", b"<workflow-app")
        cls.hadoop.run("hdfs dfs -put /tmp/contract /user/hdfs/", user="hdfs")

    def submit(self, directory: str = DIRECTORY) -> str:
        return self.hadoop.client.add_job(cluster.job_properties(directory), cluster.job_execution())

    def ask(self, method: str, path: str, **content: Any) -> requests.Response:
        session = self.hadoop.get_http_client(11000)
        return session.request(method, f"{self.hadoop.url}{path}", timeout=60, **content)

    def test_a_submitted_job_waits_for_its_start(self) -> None:
        job = self.submit()

        info = self.hadoop.client.get_job_info(cluster.job_execution(job))

        self.assertEqual(job, info["id"])
        self.assertEqual(edp.JOB_STATUS_PREP, info["status"])
        self.assertEqual("hdfs", info["user"])

    def test_a_job_is_killed_before_it_started(self) -> None:
        job = self.submit()

        self.hadoop.client.kill_job(cluster.job_execution(job))

        info = self.hadoop.client.get_job_info(cluster.job_execution(job))
        self.assertEqual(edp.JOB_STATUS_KILLED, info["status"])

    def test_identifiers_are_not_used_twice(self) -> None:
        self.assertNotEqual(self.submit(), self.submit())

    def test_a_missing_workflow_is_refused_by_name(self) -> None:
        headers = {"Content-Type": "application/xml;charset=UTF-8"}
        properties = cluster.job_properties("/user/hdfs/nowhere")

        response = self.ask("POST", "/v2/jobs", data=properties, headers=headers)

        self.assertEqual(400, response.status_code)
        self.assertIn("/user/hdfs/nowhere/workflow.xml", response.headers["oozie-error-message"])
        self.assertEqual(response.headers["oozie-error-message"], response.json()["errorMessage"])

    def test_a_workflow_that_is_no_xml_is_refused(self) -> None:
        properties = cluster.job_properties(DIRECTORY).replace("workflow.xml", "broken.xml")

        response = self.ask("POST", "/v2/jobs", data=properties, headers={"Content-Type": "application/xml"})

        self.assertEqual(400, response.status_code)
        self.assertEqual("E0701", response.headers["oozie-error-code"])

    def test_an_unknown_job_is_refused(self) -> None:
        for method, query, code in (("GET", "show=info", "E0604"), ("PUT", "action=kill", "E0605")):
            response = self.ask(method, f"/v2/job/0000999-000000000000000-oozie-oozi-W?{query}")

            self.assertEqual((400, code), (response.status_code, response.headers["oozie-error-code"]))

    def test_saharas_client_loses_the_cause_of_a_refusal(self) -> None:
        """It looks for a mark in Tomcat's error pages, and Oozie 5 has no Tomcat."""
        self.assertRaises(IndexError, self.submit, "/user/hdfs/nowhere")

    def test_the_share_lib_has_what_saharas_jobs_need(self) -> None:
        listed = self.ask("GET", "/v2/admin/list_sharelib").json()["sharelib"]

        self.assertEqual({"oozie", "mapreduce-streaming", "hive", "pig"}, {entry["name"] for entry in listed})
