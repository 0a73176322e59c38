# SPDX-License-Identifier: Apache-2.0
"""Spark's history server and client configuration, as the stand-in renders them."""

from __future__ import annotations

import testtools

from lab.cloudera_manager.hadoop import launch, render, spark
from lab.cloudera_manager.server import resources
from tests.unit.cloudera_manager import clusters

HISTORY = "SPARK_YARN_HISTORY_SERVER"


class SparkTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.model, self.cluster = clusters.small()

    def add(self):
        service = resources.new_service(self.cluster, {"name": "spark_on_yarn01", "type": "SPARK_ON_YARN"})
        return service, clusters.add(self.model, self.cluster, service, HISTORY, clusters.MASTER)

    def values(self, text):
        return dict(line.split(" ", 1) for line in text.splitlines())

    def client(self, host=clusters.WORKERS[0]):
        return self.values(
            render.client_configuration(self.cluster, host)[spark.CLIENT_DIRECTORY]["spark-defaults.conf"]
        )

    def daemon(self, service, role):
        return launch.daemon(self.cluster, service, role, self.model.hosts[role.host_id], 1)

    def test_a_cluster_without_spark_has_hadoop_s_configuration_only(self):
        found = render.client_configuration(self.cluster, clusters.MASTER)
        self.assertEqual([render.CLIENT_DIRECTORY], list(found))

    def test_server_and_clients_agree_about_the_directory_and_the_address(self):
        service, role = self.add()
        service.config["spark_history_log_dir"] = "/user/spark/elsewhere"
        role.config["history_server_web_port"] = "18099"
        spec = self.daemon(service, role)
        server = self.values(spec["files"]["spark-history-server.conf"])
        self.assertEqual("hdfs:///user/spark/elsewhere", server["spark.history.fs.logDirectory"])
        self.assertEqual("18099", server["spark.history.ui.port"])
        self.assertIn(":18099/", spec["probes"][0]["url"])
        self.assertEqual("hdfs:///user/spark/elsewhere", self.client()["spark.eventLog.dir"])
        self.assertEqual("http://master.novalocal:18099", self.client()["spark.yarn.historyServer.address"])

    def test_the_server_runs_on_spark_s_class_path_with_its_own_file(self):
        spec = self.daemon(*self.add())
        self.assertEqual("/opt/spark/classpath", spec["class_path_file"])
        self.assertEqual(["--properties-file", "{process_dir}/spark-history-server.conf"], spec["argv"][-2:])
        self.assertEqual("spark", spec["user"])

    def test_a_safety_valve_comes_last(self):
        service, role = self.add()
        group = next(group for group in service.groups.values() if group.role_type == "GATEWAY")
        group.config["spark-conf/spark-defaults.conf_client_config_safety_valve"] = "spark.executor.memory 1g"
        self.assertEqual("1g", self.client()["spark.executor.memory"])
        role.config["spark-conf/spark-history-server.conf_role_safety_valve"] = "spark.history.ui.port 1"
        server = self.values(self.daemon(service, role)["files"]["spark-history-server.conf"])
        self.assertEqual("1", server["spark.history.ui.port"])
