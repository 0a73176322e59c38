# SPDX-License-Identifier: Apache-2.0
"""Where the cause of a failed job is looked for; tests/end_to_end/test_jobs.py has it from a real cluster."""

from __future__ import annotations

import types

import fixtures
import requests
import testtools

from sahara_docker.plugins.cdh_docker import job_cause

ACTION = {"status": "ERROR", "errorCode": "1", "errorMessage": "exit code [1]"}
APPLICATION = "/ws/v1/cluster/apps/application_1_0003"
TASKS = "/ws/v1/history/mapreduce/jobs/job_1_0004/tasks"


def answer(status: int = 200, text: str = "", json: object = None) -> types.SimpleNamespace:
    def raise_for_status() -> None:
        if status >= 400:
            raise requests.HTTPError(f"HTTP {status}")

    return types.SimpleNamespace(status_code=status, text=text, json=lambda: json, raise_for_status=raise_for_status)


class SourcesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.plugins.cdh_docker.job_cause.LOG_TIMEOUT", 0))
        self.pages = {}

    def cause(self, *actions):
        def get(node, port, path):
            found = self.pages.get((node, port, path.partition("?")[0]), answer(404))
            if isinstance(found, Exception):
                raise found
            return found

        return job_cause.Sources(get, ["rm-1", "rm-2"], "history").cause(list(actions))

    def application(self, node="rm-1"):
        logs = "http://worker:8042/node/containerlogs/container_1/hdfs"
        self.pages[node, 8088, APPLICATION] = answer(json={"app": {"amContainerLogs": logs}})

    def test_the_end_of_a_launchers_log_without_what_every_log_has(self):
        self.application()
        page = "<html><pre>WARNING: old Java\n\nmkdir: &quot;x&quot;: Permission denied\n</pre></html>"
        self.pages["worker", 8042, "/node/containerlogs/container_1/hdfs/stderr/"] = answer(text=page)
        found = self.cause({"status": "OK"}, {**ACTION, "externalId": "application_1_0003"})
        self.assertEqual('1 exit code [1]\nmkdir: "x": Permission denied', found)

    def test_logs_that_have_left_the_node_and_a_manager_that_stands_by(self):
        self.pages["rm-1", 8088, APPLICATION] = answer(307)
        self.application("rm-2")
        place = "/jobhistory/logs/worker:8041/container_1/container_1/hdfs/stderr/"
        self.pages["history", 19888, place] = answer(text="<pre>no milk</pre>")
        self.assertEqual("1 exit code [1]\nno milk", self.cause({**ACTION, "externalId": "application_1_0003"}))

    def test_the_task_of_mapreduce_that_failed(self):
        tasks = [{"id": f"t{number}", "state": state} for number, state in enumerate(("SUCCEEDED", "FAILED", "FAILED"))]
        attempt = {
            "state": "FAILED",
            "diagnostics": "Error: subprocess failed with code 1",
            "nodeHttpAddress": "worker:8042",
            "assignedContainerId": "container_1",
        }
        self.pages["history", 19888, TASKS] = answer(json={"tasks": {"task": tasks}})
        attempts = {"taskAttempts": {"taskAttempt": attempt}}
        self.pages["history", 19888, f"{TASKS}/t1/attempts"] = answer(json={"taskAttempts": ""})
        self.pages["history", 19888, f"{TASKS}/t2/attempts"] = answer(json=attempts)
        page = answer(text="<pre>ValueError: no such letter</pre>")
        self.pages["worker", 8042, "/node/containerlogs/container_1/hdfs/stderr/"] = page
        action = {"name": "job-node", "status": "ERROR", "externalId": "application_1_0003"}
        found = self.cause({**action, "externalChildIDs": "job_1_0004"})
        expected = ["action job-node failed", "Error: subprocess failed with code 1", "ValueError: no such letter"]
        self.assertEqual(expected, found.splitlines())

    def test_what_cannot_be_had_takes_nothing_from_the_rest(self):
        self.pages["rm-1", 8088, APPLICATION] = requests.ConnectionError("no route")
        found = self.cause({**ACTION, "externalId": "application_1_0003"})
        self.assertEqual("1 exit code [1]\n(its logs were not to be had: no route)", found)
        self.application()
        self.assertIn("(its log is not there)", self.cause({**ACTION, "externalId": "application_1_0003"}))

    def test_a_job_without_a_failure_has_no_cause(self):
        self.assertEqual("", self.cause({"status": "KILLED", "externalId": "application_1_0003"}))
