# SPDX-License-Identifier: Apache-2.0
"""Spark jobs from Sahara's job manager to the result in HDFS: the plugin, sshd, YARN and Spark on a real node."""

from __future__ import annotations

import base64
import collections
import json
import pathlib
import time
import types
import uuid
from typing import Any, ClassVar
from unittest import mock

import fixtures
import pytest
import testtools
from sahara import conductor
from sahara.service.edp import job_manager
from sahara.service.edp.data_sources import manager as data_sources
from sahara.service.edp.job_binaries import manager as job_binaries
from sahara.utils import edp

from sahara_docker.plugins.cdh_docker import provider
from tests.functional.cdh_docker import node, sahara_parts

PROCESSES = [
    "CLOUDERA_MANAGER",
    "HDFS_NAMENODE",
    "HDFS_SECONDARYNAMENODE",
    "HDFS_DATANODE",
    "YARN_RESOURCEMANAGER",
    "YARN_NODEMANAGER",
    "YARN_JOBHISTORY",
    "SPARK_YARN_HISTORY_SERVER",
]
ROOT = pathlib.Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "jobs"
TEXT = (ROOT / "LICENSE").read_text()
TIMEOUT = 600  # seconds for a job, on a machine that does much else

#: Java's compiler comes with the node's Java; its command, which would know what "*" is in a class path, does not.
COMPILE = """
set -e
mkdir /tmp/compiled && cd /tmp/compiled
jars=$(printf '%s:' /opt/spark/jars/*.jar)
java -m jdk.compiler/com.sun.tools.javac.Main -proc:none -cp $jars -d . ../WordCount.java
python3 -m zipfile -c word-count.jar *.class
base64 word-count.jar
"""

pytestmark = pytest.mark.timeout(1500)


class SparkTest(testtools.TestCase):
    """One cluster of one node for all tests."""

    sahara: ClassVar[sahara_parts.SaharaParts]
    node: ClassVar[node.Node]
    cluster: ClassVar[Any]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        parts = fixtures.Fixture()
        parts.setUp()
        cls.addClassCleanup(parts.cleanUp)
        cls.sahara = parts.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        cls.sahara.options.config(node_domain="novalocal")
        plugin = provider.CDHDockerPluginProvider()
        plugin.name = "cdh_docker"
        # The flavor is Nova's to tell.
        flavor = types.SimpleNamespace(disk=8, ram=6144, vcpus=2)
        for name in ("sahara.plugins.utils.get_flavor", "sahara.utils.openstack.nova.get_flavor"):
            parts.useFixture(fixtures.MonkeyPatch(name, mock.Mock(return_value=flavor)))
        plugins = types.SimpleNamespace(get_plugin=lambda name: plugin)
        parts.useFixture(fixtures.MonkeyPatch("sahara.plugins.base.PLUGINS", plugins))
        job_binaries.setup_job_binaries()
        data_sources.setup_data_sources()
        cls.node = parts.useFixture(node.Node(parts.useFixture(node.Network()), "c1-all-0.novalocal"))
        groups = [{"name": "all", "node_processes": PROCESSES, "node_configs": {}}]
        cluster = cls.sahara.cluster("c1", groups, cluster_configs={"HDFS": {"dfs_replication": 1}})
        cls.sahara.add_instance(cluster, "all", cls.node.address)
        cluster = conductor.API.cluster_get(cls.sahara.ctx, cluster.id)
        plugin.validate(cluster)
        plugin.configure_cluster(cluster)
        plugin.start_cluster(cluster)
        cls.cluster = conductor.API.cluster_update(cls.sahara.ctx, cluster, {"status": "Active"})
        cls.node.run(f"cat >/tmp/text <<'EOF'\n{TEXT}\nEOF")
        cls.hdfs("dfs -put /tmp/text /user/spark/text")

    @classmethod
    def hdfs(cls, command: str) -> str:
        return cls.node.run(f"su - -c 'hdfs {command}' spark")

    def start(self, name: str, program: bytes, *arguments: str, main_class: str = "none") -> Any:
        """Have Sahara start a Spark job of one program; return the job's execution."""
        ctx, api = self.sahara.ctx, conductor.API
        stored = api.job_binary_internal_create(ctx, {"name": uuid.uuid4().hex, "data": program})
        name = f"{uuid.uuid4().hex}-{name}"
        binary = api.job_binary_create(ctx, {"name": name, "url": f"internal-db://{stored.id}"})
        template = {"name": uuid.uuid4().hex, "type": edp.JOB_TYPE_SPARK, "mains": [binary.id], "libs": []}
        configs = {"configs": {"edp.java.main_class": main_class}, "args": list(arguments), "job_execution_info": {}}
        values = {"job_id": api.job_create(ctx, template).id, "cluster_id": self.cluster.id, "job_configs": configs}
        execution = api.job_execution_create(
            ctx, {**values, "extra": {}, "info": {"status": edp.JOB_STATUS_PENDING}, "interface": []}
        )
        job_manager._run_job(execution.id)
        return api.job_execution_get(ctx, execution.id)

    def await_end(self, execution: Any) -> Any:
        def over() -> bool:
            self.last = job_manager.get_job_status(execution.id)
            return self.last.info["status"] in edp.JOB_STATUSES_TERMINATED

        self.await_(execution, over)
        return self.last

    def await_(self, execution: Any, condition: Any) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                self.fail(f"not after {TIMEOUT} s:\n{self.output(execution)}")
            time.sleep(0.5)

    def output(self, execution: Any) -> str:
        """What ``spark-submit`` wrote, and what started it."""
        return self.node.run(f"cd {execution.extra['spark-path']} && tail -n 80 launch_command.log stdout stderr || :")

    def get(self, port: int, path: str) -> Any:
        return json.loads(self.node.run(f"curl -fsS http://$(hostname -f):{port}{path}"))

    def state_on_yarn(self, name: str) -> str:
        """State of the application with a name; YARN calls it like its main class."""
        found = (self.get(8088, "/ws/v1/cluster/apps?user=spark")["apps"] or {"app": []})["app"]
        return next((application["state"] for application in found if application["name"] == name), "")

    def finished(self, execution: Any) -> list[Any]:
        """What the history server shows of a job's application, once that has ended."""
        identifier = self.node.run(f"grep -m 1 -o 'application_[0-9_]*' {execution.extra['spark-path']}/stderr").strip()
        shown = self.get(18088, "/api/v1/applications?status=completed")
        return [application for application in shown if application["id"] == identifier]

    def check_count(self, execution: Any, directory: str) -> None:
        self.assertEqual("SUCCEEDED", execution.info["status"], self.output(execution))
        lines = self.hdfs(f"dfs -cat /user/spark/{directory}/part-*").splitlines()
        counted = {word: int(count) for word, count in (line.rsplit("\t", 1) for line in lines)}
        self.assertEqual(dict(collections.Counter(TEXT.split())), counted)

    def test_a_python_program_counts_words_and_leaves_a_history(self) -> None:
        program = (EXAMPLES / "spark-python" / "word_count.py").read_bytes()
        execution = self.await_end(self.start("word_count.py", program, "text", "from-python"))
        self.check_count(execution, "from-python")
        self.await_(execution, lambda: self.finished(execution))
        (application,) = self.finished(execution)
        self.assertEqual("word count in Python", application["name"])
        executors = self.get(18088, f"/api/v1/applications/{application['id']}/1/allexecutors")
        self.assertNotEqual(0, sum(executor["completedTasks"] for executor in executors))

    def test_a_main_class_counts_words(self) -> None:
        source = (EXAMPLES / "spark-java" / "WordCount.java").read_text()
        self.node.run(f"cat >/tmp/WordCount.java <<'EOF'\n{source}\nEOF")
        program = base64.b64decode(self.node.run(COMPILE))
        execution = self.await_end(self.start("word-count.jar", program, "text", "from-java", main_class="WordCount"))
        self.check_count(execution, "from-java")

    def test_a_job_that_fails_tells_why(self) -> None:
        program = (EXAMPLES / "spark-python" / "word_count.py").read_bytes()
        odd = "it's not there; $(id)"
        execution = self.await_end(self.start("word_count.py", program, odd, "from-nothing"))
        self.assertEqual("DONEWITHERROR", execution.info["status"], self.output(execution))
        self.assertIn("Input path does not exist", execution.info["error"], self.output(execution))
        self.assertIn(f"/user/spark/{odd}\n", execution.info["error"])

    def test_a_cancelled_job_ends_on_yarn(self) -> None:
        program = b"import time\nfrom pyspark import SparkContext\nSparkContext()\ntime.sleep(3600)\n"
        execution = self.start("endless.py", program, main_class="endless")
        self.await_(execution, lambda: self.state_on_yarn("endless") == "RUNNING")
        execution = job_manager.cancel_job(execution.id)
        self.assertEqual("KILLED", execution.info["status"], self.output(execution))
        self.assertEqual("KILLED", self.state_on_yarn("endless"))
        self.assertEqual("", self.node.run("pgrep -u spark -f deploy.SparkSubmit || :"))
