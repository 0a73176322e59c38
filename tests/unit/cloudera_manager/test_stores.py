# SPDX-License-Identifier: Apache-2.0
"""HBase and Kafka: what is sent lands in their files, and their daemons find their software."""

from __future__ import annotations

import re

import testtools

from lab.cloudera_manager.hadoop import launch, render, sizing
from lab.cloudera_manager.server import resources
from tests.unit.cloudera_manager import clusters
from tests.unit.cloudera_manager.test_render import values

FIRST, SECOND = clusters.WORKERS


class StoresTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.model, self.cluster = clusters.small()
        self.zookeeper, self.hbase, self.kafka = (
            resources.new_service(self.cluster, {"name": f"{kind.lower()}01", "type": kind})
            for kind in ("ZOOKEEPER", "HBASE", "KAFKA")
        )
        clusters.add(self.model, self.cluster, self.zookeeper, "SERVER", clusters.MASTER)
        clusters.add(self.model, self.cluster, self.hbase, "MASTER", clusters.MASTER)
        for worker in clusters.WORKERS:
            clusters.add(self.model, self.cluster, self.hbase, "REGIONSERVER", worker)
            clusters.add(self.model, self.cluster, self.kafka, "KAFKA_BROKER", worker)

    def spec(self, role_type, host=""):
        service, role = clusters.role(self.cluster, role_type, host)
        return launch.daemon(self.cluster, service, role, self.model.hosts[role.host_id], 1)

    def broker_file(self, host=FIRST):
        text = self.spec("KAFKA_BROKER", host)["files"]["kafka.properties"]
        return dict(line.split("=", 1) for line in text.splitlines() if line)

    def test_servers_and_clients_of_hbase_meet_in_zookeeper_and_hdfs(self):
        client = values(render.client_files(self.cluster, FIRST)["hbase-site.xml"])
        for site in (
            client,
            *(values(self.spec(kind)["files"]["hbase-site.xml"]) for kind in ("MASTER", "REGIONSERVER")),
        ):
            self.assertEqual("master.novalocal:2181", site["hbase.zookeeper.quorum"])
            self.assertEqual("hdfs://master.novalocal:8020/hbase", site["hbase.rootdir"])

    def test_what_is_sent_to_a_regionserver(self):
        _, role = clusters.role(self.cluster, "REGIONSERVER")
        role.config.update(
            hbase_regionserver_port="60021", hbase_regionserver_handler_count="7",
            hbase_regionserver_config_safety_valve="<property><name>a</name><value>b</value></property>",
        )  # fmt: skip
        site = values(self.spec("REGIONSERVER")["files"]["hbase-site.xml"])
        found = [site[name] for name in ("hbase.regionserver.port", "hbase.regionserver.handler.count", "a")]
        self.assertEqual(["60021", "7", "b"], found)
        other = values(self.spec("REGIONSERVER", SECOND)["files"]["hbase-site.xml"])
        self.assertEqual(
            ("60020", "60030"), tuple(other[f"hbase.regionserver.{name}"] for name in ("port", "info.port"))
        )

    def test_a_regionserver_has_started_when_an_initialized_master_knows_it(self):
        service, role = clusters.role(self.cluster, "REGIONSERVER")
        pattern = launch.probes(self.cluster, service, role)[-1]["any"][0]["pattern"]
        bean = '"tag.liveRegionServers" : "w2.novalocal,60020,5;w1.novalocal,60020,9",\n'
        bean += '"masterFinishedInitializationTime" : {}'
        self.assertTrue(re.search(pattern, bean.format("1795372118424")))
        self.assertFalse(re.search(pattern, bean.format("0")))
        self.assertFalse(re.search(pattern, bean.format("1795372118424").replace("w1", "w3")))

    def test_a_broker_s_file(self):
        self.kafka.config.update({"num.partitions": "4", "zookeeper.chroot": "/kafka"})
        _, role = clusters.role(self.cluster, "KAFKA_BROKER")
        role.config.update(
            {"port": "9095", "kafka.properties_role_safety_valve": "log.message.timestamp.type=LogAppendTime"}
        )
        file = self.broker_file()
        self.assertEqual("PLAINTEXT://w1.novalocal:9095", file["advertised.listeners"])
        self.assertEqual("master.novalocal:2181/kafka", file["zookeeper.connect"])
        self.assertEqual(("4", "LogAppendTime"), (file["num.partitions"], file["log.message.timestamp.type"]))
        # As many copies as there are brokers to hold them.
        self.assertEqual("2", file["offsets.topic.replication.factor"])
        self.assertEqual("PLAINTEXT://w2.novalocal:9092", self.broker_file(SECOND)["advertised.listeners"])

    def test_a_broker_s_heap_is_in_mebibytes(self):
        _, role = clusters.role(self.cluster, "KAFKA_BROKER")
        self.assertEqual(192 * 2**20, sizing.heap_bytes(self.cluster, "KAFKA", role.name))
        role.config["broker_max_heap_size"] = "300"
        self.assertEqual(300 * 2**20, sizing.heap_bytes(self.cluster, "KAFKA", role.name))

    def test_daemons_find_their_software_data_and_users(self):
        for kind, user, home in (("MASTER", "hbase", "hbase"), ("KAFKA_BROKER", "kafka", "kafka")):
            spec = self.spec(kind)
            self.assertEqual(user, spec["user"])
            self.assertIn(f"/opt/{home}/lib/*", spec["env"]["HADOOP_CLASSPATH"])
        directories = [entry["path"] for entry in self.spec("KAFKA_BROKER")["directories"]]
        self.assertEqual(["/var/log/kafka", "/var/local/kafka/data"], directories)
