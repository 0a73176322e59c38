# SPDX-License-Identifier: Apache-2.0
"""A cluster with HBase and Kafka, made by Sahara beside the demonstration's own."""

from __future__ import annotations

from typing import ClassVar

import testtools

from lab import cluster, rest, settings
from tests.end_to_end import demo, own_cluster
from tests.end_to_end.demo import LAB, in_container
from tests.end_to_end.servers import Servers

NAME = "stores"
GROUPS = {
    "head": (
        "cdh.master",
        ("CLOUDERA_MANAGER", "ZOOKEEPER_SERVER", "HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "HBASE_MASTER"),
        1,
    ),
    "store": ("cdh.worker", ("HDFS_DATANODE", "HBASE_REGIONSERVER", "KAFKA_BROKER"), 1),
}
ROWS = 300
EXPECTED = f"{ROWS} {ROWS * (ROWS + 1) // 2}"
#: Writes and reads a table with HBase's own client.
PROGRAM = settings.CHECKOUT / "tests/functional/cloudera_manager/Rows.java"


class StoresTest(testtools.TestCase):
    cloud: ClassVar[rest.Cloud]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        demo.there()
        cls.cloud = rest.Cloud(LAB)

    def setUp(self) -> None:
        super().setUp()
        self.servers = Servers(self.cloud)

    def rows(self, node: cluster.Node, words: str) -> str:
        """How many rows the table has and the sum of their values, after what *words* say was done."""
        in_container(node, "bash", "-c", f"cat >/tmp/Rows.java <<'END'\n{PROGRAM.read_text()}END")
        java = 'java @/opt/hadoop/java.options -cp "$(hbase classpath)" /tmp/Rows.java'
        return in_container(node, "bash", "-c", f"{java} {words} 2>/tmp/log || {{ cat /tmp/log >&2; exit 1; }}").strip()

    def kafka(self, tool: str, words: str) -> str:
        return in_container(self.store, "bash", "-c", f"{tool} --bootstrap-server {self.store.fqdn}:9092 {words}")

    def messages(self, count: int) -> set[str]:
        words = f"--topic words --from-beginning --max-messages {count} --timeout-ms 60000 2>/dev/null"
        return set(self.kafka("kafka-console-consumer", words).split())

    def test_made_by_sahara_they_keep_what_they_are_given(self) -> None:
        stores = self.useFixture(own_cluster.OwnCluster(self.cloud, NAME, GROUPS))
        head, self.store = stores.node("head"), stores.node("store")
        self.assertEqual(EXPECTED, self.rows(head, f"write {ROWS}"))
        self.kafka("kafka-topics", "--create --topic words")
        self.kafka("kafka-console-producer", "--topic words <<<$'one\\ntwo'")
        self.assertEqual({"one", "two"}, self.messages(2))

        servers = self.cloud.get("nova", "/servers")["servers"]
        server = next(one["id"] for one in servers if one["name"] == self.store.name)
        self.servers.act(server, "reboot", {"type": "SOFT"})
        self.servers.settled(server, "ACTIVE")
        demo.await_health(self.cloud, stores.found().id, "GREEN")

        self.assertEqual(EXPECTED, self.rows(head, "read"))
        self.kafka("kafka-console-producer", "--topic words <<<three")
        self.assertEqual({"one", "two", "three"}, self.messages(3))
