# SPDX-License-Identifier: Apache-2.0
"""A cluster with Hive, made by Sahara beside the demonstration's own."""

from __future__ import annotations

import collections
from typing import ClassVar

import testtools
from testtools import matchers

from lab import cluster, rest, settings
from sahara_docker import exceptions
from tests.end_to_end import demo, jobs, own_cluster
from tests.end_to_end.demo import LAB, in_container
from tests.end_to_end.servers import Servers

GROUPS = {
    "head": (
        "cdh.master",
        (
            "CLOUDERA_MANAGER",
            "HDFS_NAMENODE",
            "HDFS_SECONDARYNAMENODE",
            "YARN_RESOURCEMANAGER",
            "YARN_JOBHISTORY",
            "OOZIE_SERVER",
            "HIVE_METASTORE",
            "HIVE_SERVER2",
        ),
        1,
    ),
    "worker": ("cdh.worker", ("HDFS_DATANODE", "YARN_NODEMANAGER"), 2),
}
TEXT = (settings.CHECKOUT / "LICENSE").read_text()


class HiveTest(testtools.TestCase):
    cloud: ClassVar[rest.Cloud]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        demo.there()
        cls.cloud = rest.Cloud(LAB)

    def hive(self, node: cluster.Node, statements: str) -> list[str]:
        """The rows that Hive's command prints for *statements*."""
        return in_container(node, "su", "hdfs", "-c", f"hive -S -e '{statements}' 2>/dev/null").split()

    def test_it_runs_jobs_names_their_errors_and_keeps_its_tables(self) -> None:
        made = self.useFixture(own_cluster.OwnCluster(self.cloud, "hive", GROUPS))
        head = made.node("head")

        status, output = jobs.run_example("hive", "hive")
        self.assertEqual(0, status, output)
        counted = collections.Counter(word for word in TEXT.split() if len(word) >= 8)
        for word, count in counted.items():
            self.assertThat(output, matchers.Contains(f"\n{word}\t{count}\n"))

        queries = jobs.Jobs(self.cloud, made.found(), "hive")
        binary, _ = queries.binary(queries.stored(b"SELECT nothing FROM nowhere;"), ".q")
        places = (queries.source("/user/hdfs/nothing"), queries.source("/user/hdfs/none"))
        wrong = queries.await_status(queries.start(queries.template("Hive", (binary,)), *places), "FAILED")
        self.assertThat(str(wrong), matchers.Contains("Table not found"))

        load = 'LOAD DATA LOCAL INPATH "/etc/hostname" INTO TABLE kept'
        self.assertEqual([head.name], self.hive(head, f"CREATE TABLE kept (word STRING); {load}; SELECT * FROM kept;"))
        servers = Servers(self.cloud)
        server = next(one["id"] for one in self.cloud.get("nova", "/servers")["servers"] if one["name"] == head.name)
        servers.act(server, "reboot", {"type": "SOFT"})
        servers.settled(server, "ACTIVE")
        rest.wait_until(lambda: self.answers(head), timeout=180)
        self.assertEqual([head.name], self.hive(head, "SELECT * FROM kept;"))

    def answers(self, head: cluster.Node) -> bool:
        """Whether the metastore and HDFS are back."""
        looks = "timeout 2 bash -c ': </dev/tcp/localhost/9083' && hdfs dfsadmin -safemode get | grep -q OFF"
        try:
            in_container(head, "su", "hdfs", "-c", f"{looks} 2>/dev/null")
        except exceptions.SaharaDockerError:
            return False
        return True
