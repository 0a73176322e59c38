# SPDX-License-Identifier: Apache-2.0
"""Jobs as Sahara writes and submits them, on a real Oozie, YARN and HDFS."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import time
import urllib.request
import uuid
from typing import Any

import testtools
from sahara import exceptions as sahara_exceptions
from sahara.service.edp.oozie import oozie
from sahara.service.edp.oozie.workflow_creator import (
    hive_workflow,
    java_workflow,
    mapreduce_workflow,
    pig_workflow,
    shell_workflow,
)

from sahara_docker.plugins.cdh_docker import edp
from tests.functional.oozie import cluster

TEXT = pathlib.Path(__file__).parents[3] / "LICENSE"
JOB_TIMEOUT = 300  # seconds, on a machine that does much else
OVER = ("SUCCEEDED", "KILLED", "FAILED", "SUSPENDED")
PIG_WORD_COUNT = b"""
lines = LOAD '$INPUT' AS (line: chararray);
words = FOREACH lines GENERATE FLATTEN(TOKENIZE(line, ' ')) AS word;
some = FILTER words BY word >= '$FROM';
STORE (FOREACH (GROUP some BY word) GENERATE group, COUNT(some)) INTO '$OUTPUT';
"""
WORD_COUNT = "org.apache.hadoop.examples.WordCount"


class JobsTest(testtools.TestCase):
    """One cluster for all tests, one directory in HDFS for each."""

    hadoop: cluster.Cluster

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.hadoop = cluster.Cluster()
        cls.hadoop.setUp()
        cls.addClassCleanup(cls.hadoop.cleanUp)

    def setUp(self) -> None:
        super().setUp()
        self.directory = f"/user/hdfs/{uuid.uuid4().hex[:8]}"

    def test_mapreduce_counts_the_words_of_a_text(self) -> None:
        examples = "$(ls /opt/hadoop/lib/hadoop-mapreduce-examples-*.jar)"
        job = self._submit(self._word_count(f"{self.directory}/input"), libraries=[examples], text=TEXT.read_bytes())

        info = self._await_end(job)

        self.assertEqual("SUCCEEDED", info["status"], info)
        lines = self.hadoop.run(f"hdfs dfs -cat {self.directory}/output/part-r-*", user="hdfs").splitlines()
        counted = {word: int(count) for word, count in (line.rsplit("\t", 1) for line in lines)}
        # Java's StringTokenizer splits on these and on nothing else.
        words = TEXT.read_text().replace("\f", " ").replace("\t", " ").replace("\r", " ").replace("\n", " ").split(" ")
        self.assertEqual(dict(collections.Counter(word for word in words if word)), counted)

    def test_streaming_runs_commands_as_mapper_and_reducer(self) -> None:
        creator = mapreduce_workflow.MapReduceWorkFlowCreator()
        creator.build_workflow_xml(
            configuration={
                "mapred.input.dir": f"{cluster.NAMENODE}{self.directory}/input",
                "mapred.output.dir": f"{cluster.NAMENODE}{self.directory}/output",
            },
            streaming={"mapper": "/bin/cat", "reducer": "/usr/bin/wc -l"},
        )

        info = self._await_end(self._submit(creator.get_built_workflow_xml(), text=TEXT.read_bytes()))

        self.assertEqual("SUCCEEDED", info["status"], info)
        output = self.hadoop.run(f"hdfs dfs -cat {self.directory}/output/part-*", user="hdfs")
        self.assertEqual(TEXT.read_text().count("\n"), int(output))

    def test_pig_counts_the_words_of_a_text(self) -> None:
        creator = pig_workflow.PigWorkflowCreator()
        creator.build_workflow_xml(
            "count.pig",
            params={
                "INPUT": f"{cluster.NAMENODE}{self.directory}/input",
                "OUTPUT": f"{cluster.NAMENODE}{self.directory}/output",
            },
            arguments=["-param", "FROM=L"],
        )
        files = {"count.pig": PIG_WORD_COUNT}

        info = self._await_end(self._submit(creator.get_built_workflow_xml(), files=files, text=TEXT.read_bytes()))

        self.assertEqual("SUCCEEDED", info["status"], info)
        lines = self.hadoop.run(f"hdfs dfs -cat {self.directory}/output/part-*", user="hdfs").splitlines()
        counted = {word: int(count) for word, count in (line.split("\t") for line in lines)}
        words = (word for word in TEXT.read_text().replace("\n", " ").split(" ") if word >= "L")
        self.assertEqual(dict(collections.Counter(words)), counted)

    def test_an_action_without_its_program_is_refused_when_it_is_submitted(self) -> None:
        creator = hive_workflow.HiveWorkflowCreator()
        creator.build_workflow_xml("query.q", "/user/hdfs/conf/hive-site.xml")
        # One that Oozie has and the lab's has not: Hive by way of HiveServer2.
        workflow = creator.get_built_workflow_xml().replace("uri:oozie:hive-action:0.2", "uri:oozie:hive2-action:0.1")
        workflow = re.sub(r"(</?)hive\b", r"\1hive2", workflow)
        workflow = workflow.replace("<script>", "<jdbc-url>jdbc:hive2://nowhere:10000</jdbc-url><script>")
        client = edp.OozieClient(self.hadoop.url, self.hadoop.client.oozie_server)

        refusal = self.assertRaises(
            sahara_exceptions.OozieException,
            self._submit, workflow, files={"query.q": b"SHOW TABLES;"}, client=client,
        )  # fmt: skip

        self.assertIn("Unsupported action type", str(refusal))
        self.assertIn("[hive2]", str(refusal))

    def test_java_runs_hadoops_shell(self) -> None:
        workflow = self._java("org.apache.hadoop.fs.FsShell", ["-touchz", f"{self.directory}/touched"])

        info = self._await_end(self._submit(workflow))

        self.assertEqual("SUCCEEDED", info["status"], info)
        self.hadoop.run(f"hdfs dfs -test -e {self.directory}/touched", user="hdfs")

    def test_java_runs_a_main_class_that_exits(self) -> None:
        job = self._submit(self._java("org.apache.hadoop.hdfs.tools.DFSAdmin", ["-allowSnapshot", self.directory]))

        info = self._await_end(job)

        self.assertEqual("SUCCEEDED", info["status"], info)
        self.hadoop.run(f"hdfs dfs -createSnapshot {self.directory}", user="hdfs")

    def test_shell_gets_its_arguments_environment_and_files(self) -> None:
        creator = shell_workflow.ShellWorkflowCreator()
        creator.build_workflow_xml(
            "run.sh", env_vars={"GREETING": "good day"}, arguments=["first", "second one"], files=["words.txt"]
        )
        script = b'#!/bin/sh -e\n[ "$GREETING" = "good day" ]; [ "$2" = "second one" ]; grep -q needle words.txt\n'
        files = {"run.sh": script, "words.txt": b"hay\nneedle\n"}

        info = self._await_end(self._submit(creator.get_built_workflow_xml(), files=files))

        self.assertEqual("SUCCEEDED", info["status"], info)

    def test_a_missing_input_ends_the_job_and_is_named(self) -> None:
        examples = "$(ls /opt/hadoop/lib/hadoop-mapreduce-examples-*.jar)"
        job = self._submit(self._word_count(f"{self.directory}/nothing-here"), libraries=[examples])

        info = self._await_end(job)

        self.assertEqual("KILLED", info["status"])
        self.assertIn("nothing-here", self._action(info)["errorMessage"])
        self.assertIn("Input path does not exist", self._action(info)["errorMessage"])

    def test_a_failing_main_class_ends_the_job_with_its_exit_status(self) -> None:
        info = self._await_end(self._submit(self._java(WORD_COUNT, ["only-one-argument"])))

        self.assertEqual("KILLED", info["status"])
        self.assertIn("exit code [2]", self._action(info)["errorMessage"])

    def test_killing_a_job_ends_its_application(self) -> None:
        creator = shell_workflow.ShellWorkflowCreator()
        creator.build_workflow_xml("run.sh", arguments=["600"])
        job = self._submit(creator.get_built_workflow_xml(), files={"run.sh": b'#!/bin/sh\nexec sleep "$1"\n'})
        application = self._await_application(job)

        self.hadoop.client.kill_job(cluster.job_execution(job))

        self.assertEqual("KILLED", self._await_end(job)["status"])
        url = f"http://{self.hadoop.address}:8088/ws/v1/cluster/apps/{application}"
        self.hadoop.await_answer(url, lambda answer: answer["app"]["state"] == "KILLED")

    def test_jobs_outlive_a_killed_server(self) -> None:
        job = self._submit(self._java("org.apache.hadoop.util.VersionInfo", []))
        before = self._await_end(job)

        self.hadoop.kill_oozie()
        self.hadoop.start_oozie()

        after = self.hadoop.client.get_job_info(cluster.job_execution(job))
        self.assertEqual("SUCCEEDED", after["status"])
        self.assertEqual(self._action(before)["externalId"], self._action(after)["externalId"])

    def _word_count(self, source: str) -> str:
        creator = mapreduce_workflow.MapReduceWorkFlowCreator()
        creator.build_workflow_xml(
            configuration={
                "mapred.input.dir": f"{cluster.NAMENODE}{source}",
                "mapred.output.dir": f"{cluster.NAMENODE}{self.directory}/output",
                "mapred.mapper.new-api": "true",
                "mapred.reducer.new-api": "true",
                "mapreduce.job.map.class": f"{WORD_COUNT}$TokenizerMapper",
                "mapreduce.job.reduce.class": f"{WORD_COUNT}$IntSumReducer",
                "mapreduce.job.output.key.class": "org.apache.hadoop.io.Text",
                "mapreduce.job.output.value.class": "org.apache.hadoop.io.IntWritable",
            }
        )
        return creator.get_built_workflow_xml()

    def _java(self, main_class: str, arguments: list[str]) -> str:
        creator = java_workflow.JavaWorkflowCreator()
        creator.build_workflow_xml(main_class, arguments=arguments)
        return creator.get_built_workflow_xml()

    def _submit(
        self,
        workflow: str,
        *,
        files: dict[str, bytes] | None = None,
        libraries: list[str] | None = None,
        text: bytes | None = None,
        client: oozie.OozieClient | None = None,
    ) -> str:
        """Bring the workflow and what it needs to HDFS, submit and start it; return Oozie's identifier."""
        local = f"/tmp{self.directory}"
        self.hadoop.run(f"mkdir -p {local}/lib {local}/input && chmod -R 777 {local}")
        for name, content in {"workflow.xml": workflow.encode(), **(files or {})}.items():
            self.hadoop.write(f"{local}/{name}", content)
        if text is not None:
            self.hadoop.write(f"{local}/input/text", text)
        for library in libraries or ():
            self.hadoop.run(f"cp {library} {local}/lib/")
        self.hadoop.run(f"hdfs dfs -put {local} /user/hdfs/", user="hdfs")
        execution = cluster.job_execution()
        job = (client or self.hadoop.client).add_job(cluster.job_properties(self.directory), execution)
        self.hadoop.client.run_job(execution, job)
        return job

    def _await_end(self, job: str) -> dict[str, Any]:
        deadline = time.monotonic() + JOB_TIMEOUT
        while True:
            info = self.hadoop.client.get_job_info(cluster.job_execution(job))
            if info["status"] in OVER:
                return info
            if time.monotonic() > deadline:
                self.fail(f"{job} is still {info['status']} after {JOB_TIMEOUT} s: {json.dumps(info, indent=1)}")
            time.sleep(0.5)

    def _await_application(self, job: str) -> str:
        """Wait until YARN runs the job's application, and return its identifier."""
        deadline = time.monotonic() + JOB_TIMEOUT
        while time.monotonic() < deadline:
            info = self.hadoop.client.get_job_info(cluster.job_execution(job))
            application = (self._action(info) or {}).get("externalId")
            if application:
                url = f"http://{self.hadoop.address}:8088/ws/v1/cluster/apps/{application}"
                with urllib.request.urlopen(url, timeout=10) as response:
                    if json.load(response)["app"]["state"] == "RUNNING":
                        return application
            time.sleep(0.5)
        raise AssertionError(f"no application of {job} runs after {JOB_TIMEOUT} s")

    @staticmethod
    def _action(info: dict[str, Any]) -> dict[str, Any]:
        """The action that Sahara's workflows consist of."""
        return next((action for action in info["actions"] if action["name"] == "job-node"), {})
