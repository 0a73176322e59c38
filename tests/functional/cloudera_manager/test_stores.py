# SPDX-License-Identifier: Apache-2.0
"""HBase and Kafka in real nodes, beside services that the lab does not have, driven by the plugin's own client.

One cluster is made once and the tests go through its life in the order of their names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
import testtools

from tests.functional.cloudera_manager.nodes import Finished, Nodes, client, wait_for

MASTER, FIRST, SECOND = "master-0", "worker-0", "worker-1"
ROWS = 300
SUM = ROWS * (ROWS + 1) // 2

#: In the order and with the settings of the plugin: settings and roles of each service, by its name.
_SERVICES = {
    "zookeeper01": ("ZOOKEEPER", {}, {"SERVER": [MASTER]}),
    "hdfs01": ("HDFS", {}, {"NAMENODE": [MASTER], "DATANODE": [FIRST, SECOND], "GATEWAY": [MASTER]}),
    "hbase01": (
        "HBASE",
        {"hdfs_service": "hdfs01", "zookeeper_service": "zookeeper01", "hbase_enable_indexing": "true"},
        {"MASTER": [MASTER], "REGIONSERVER": [FIRST, SECOND]},
    ),
    "flume01": ("FLUME", {"hdfs_service": "hdfs01", "hbase_service": "hbase01"}, {"AGENT": [MASTER]}),
    "solr01": ("SOLR", {"hdfs_service": "hdfs01", "zookeeper_service": "zookeeper01"}, {"SOLR_SERVER": [MASTER]}),
    "kms01": ("KMS", {}, {"KMS": [MASTER]}),
    "kafka01": ("KAFKA", {"zookeeper_service": "zookeeper01"}, {"KAFKA_BROKER": [FIRST]}),
}  # fmt: skip
_THERE = ("zookeeper01", "hdfs01", "hbase01", "kafka01")
_NOT_THERE = {"flume01": "AGENT", "solr01": "SOLR_SERVER", "kms01": "KMS"}
_CONFIG = {
    "REGIONSERVER": {"hbase_regionserver_handler_count": 12, "hbase_regionserver_java_heapsize": 201326592},
    "KAFKA_BROKER": {"num.io.threads": 3, "broker_max_heap_size": 160},
}

pytestmark = pytest.mark.timeout(900)


class StoresTest(testtools.TestCase):
    nodes: ClassVar[Nodes]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.nodes = Nodes(MASTER, FIRST, SECOND)
        cls.nodes.setUp()
        cls.addClassCleanup(cls.nodes.cleanUp)
        cls.nodes[MASTER].run("service cloudera-scm-server start")
        for name in (MASTER, FIRST, SECOND):
            cls.nodes.start_agent(name, MASTER)

    def setUp(self):
        super().setUp()
        self.api = client(self.nodes[MASTER])
        self.broker = f"{self.nodes[FIRST].fqdn}:9092"

    def service(self, name):
        return self.api.get_cluster("c1").get_service(name)

    def health(self):
        return {name: found["summary"] for name, found in self.api.get_service_health_status("c1").items()}

    def rows(self, words):
        source = (Path(__file__).with_name("Rows.java")).read_text()
        self.nodes[SECOND].run(f"cat >Rows.java <<'END'\n{source}END")
        java = 'java @/opt/hadoop/java.options -cp "$(hbase classpath)" Rows.java'
        return self.nodes[SECOND].run(f"{java} {words} 2>log || {{ cat log; exit 1; }}").split()

    def produce(self, text):
        self.nodes[SECOND].run(
            f"printf '{text}\\n' | kafka-console-producer --bootstrap-server {self.broker} --topic words"
        )

    def consume(self, count):
        return self.nodes[SECOND].run(
            f"kafka-console-consumer --bootstrap-server {self.broker} --topic words --from-beginning"
            f" --max-messages {count} --timeout-ms 60000 2>/dev/null"
        )

    def regions(self):
        """How many regions each RegionServer says that it has, by node; for some seconds it may say nothing."""
        ask = "curl -fsS http://$(hostname -f):60030'/jmx?qry=Hadoop:service=HBase,name=RegionServer,sub=Server'"
        found = {name: json.loads(self.nodes[name].run(ask)) for name in (FIRST, SECOND)}
        return {name: sum(bean["regionCount"] for bean in answer["beans"]) for name, answer in found.items()}

    def test_1_create(self):
        wait_for(lambda: len(self.api.get_all_hosts()) == 3, what="all hosts")
        cluster = self.api.create_cluster("c1", fullVersion="5.13.0")
        for name, (kind, config, roles) in _SERVICES.items():
            service = cluster.create_service(name, kind)
            service.update_config(config)
            for role_type, places in roles.items():
                for place in places:
                    role = service.create_role(f"{role_type}_{place}", role_type, self.nodes[place].fqdn)
                    role.update_config(_CONFIG.get(role_type, {}))
        command = Finished.well(cluster.first_run())
        for role_type in _NOT_THERE.values():
            self.assertIn(f"the stand-in has no {role_type} of", command.resultMessage)
        self.assertEqual({**dict.fromkeys(_THERE, "GOOD"), **dict.fromkeys(_NOT_THERE, "BAD")}, self.health())

    def test_2_what_was_sent_is_what_the_daemons_have(self):
        conf = self.nodes[FIRST].run("curl -fsS http://$(hostname -f):60030/conf")
        self.assertIn("<name>hbase.regionserver.handler.count</name><value>12</value>", conf.replace("\n", ""))
        processes = self.nodes[FIRST].run("ps ax -o user:10,args | grep [D]proc_")
        self.assertRegex(processes, r"(?m)^hbase .*-Xmx201326592 .*HRegionServer start")
        self.assertRegex(processes, rf"(?m)^kafka .*-Xmx{160 * 2**20} .*kafka\.Kafka ")
        self.nodes[FIRST].run(
            "grep -x num.io.threads=3 /run/cloudera-scm-agent/process/*-KAFKA_BROKER/kafka.properties"
        )

    def test_3_data_outlives_its_container(self):
        self.assertEqual([str(ROWS), str(SUM)], self.rows(f"write {ROWS}"))
        # A RegionServer counts them now and then; one that came late gets its share by the balancer in five minutes.
        wait_for(lambda: all(self.regions().values()), 420, "a region to lose on each RegionServer")
        self.nodes[SECOND].run(f"kafka-topics --bootstrap-server {self.broker} --create --topic words --partitions 2")
        self.produce("one\\ntwo\\nthree")
        self.assertEqual({"one", "two", "three"}, set(self.consume(3).split()))

        self.nodes.restart(FIRST)

        wait_for(lambda: not {"BAD", "CONCERNING"} & {self.health()[name] for name in _THERE}, what="everyone's health")
        self.assertEqual([str(ROWS), str(SUM)], self.rows("read"))
        self.produce("four")
        self.assertEqual({"one", "two", "three", "four"}, set(self.consume(4).split()))

    def test_4_a_regionserver_leaves_and_its_regions_stay(self):
        hbase = self.service("hbase01")
        Finished.well(hbase.decommission(f"REGIONSERVER_{FIRST}"))
        states = {role.name: role.roleState for role in hbase.get_roles_by_type("REGIONSERVER")}
        self.assertEqual({f"REGIONSERVER_{FIRST}": "STOPPED", f"REGIONSERVER_{SECOND}": "STARTED"}, states)
        self.assertEqual([str(ROWS), str(SUM)], self.rows("read"))
        last = Finished.anyhow(hbase.decommission(f"REGIONSERVER_{SECOND}"))
        self.assertFalse(last.success)
        Finished.well(hbase._cmd("recommission", data=[f"REGIONSERVER_{FIRST}"]))
        (start,) = hbase.start_roles(f"REGIONSERVER_{FIRST}")
        Finished.well(start)
        self.assertEqual("GOOD", self.health()["hbase01"])

    def test_5_what_the_lab_does_not_have_says_so(self):
        for name, role_type in _NOT_THERE.items():
            service = self.service(name)
            (role,) = service.get_roles_by_type(role_type)
            self.assertEqual("STOPPED", role.roleState)
            said = [(check["name"], check["summary"]) for check in role.healthChecks]
            self.assertEqual([(f"{role_type}_NOT_AVAILABLE_IN_THE_LAB", "BAD")], said)
            why = f"not available in the lab: the stand-in has no {role_type} of {service.type} to start"
            (alone,) = service.start_roles(role.name)
            self.assertIn(why, Finished.anyhow(alone).resultMessage)
            self.assertIn(why, Finished.well(service.start()).resultMessage)
            self.assertEqual(["STOPPED"], [role.roleState for role in service.get_roles_by_type(role_type)])
