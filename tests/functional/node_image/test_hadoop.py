# SPDX-License-Identifier: Apache-2.0
"""Hadoop's real daemons on two nodes, started with the image's own commands, and a word count on them."""

from __future__ import annotations

import collections
import time

import testtools

from tests.functional.cdh_docker import node

TEXT = "the quick brown fox jumps over the lazy dog and the dog sleeps\n" * 500
COUNTS = collections.Counter(TEXT.split())


def _xml(properties: dict[str, str]) -> str:
    lines = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in properties.items())
    return f"<configuration>{''.join(lines)}</configuration>"


LIBRARIES = "/opt/hadoop/lib/*"
CONFIGURATION = {
    "core-site.xml": {"fs.defaultFS": "hdfs://master.novalocal:8020", "hadoop.tmp.dir": "/var/lib/hadoop-test"},
    "hdfs-site.xml": {"dfs.replication": "1", "dfs.namenode.rpc-bind-host": "0.0.0.0"},
    "yarn-site.xml": {
        "yarn.resourcemanager.hostname": "master.novalocal",
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.nodemanager.resource.memory-mb": "2048",
        "yarn.scheduler.minimum-allocation-mb": "256",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.application.classpath": LIBRARIES,
    },
    "mapred-site.xml": {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": LIBRARIES,
        "yarn.app.mapreduce.am.resource.mb": "512",
        "yarn.app.mapreduce.am.command-opts": "-Xmx256m",
        "mapreduce.map.memory.mb": "512",
        "mapreduce.map.java.opts": "-Xmx256m",
        "mapreduce.reduce.memory.mb": "512",
        "mapreduce.reduce.java.opts": "-Xmx256m",
    },
}


class HadoopTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        network = self.useFixture(node.Network())
        names = ("master", "worker")
        self.master, self.worker = (
            self.useFixture(node.Node(network, f"{name}.novalocal", memory="3g")) for name in names
        )
        for one in (self.master, self.worker):
            one.know(self.master, self.worker)
            for file, properties in CONFIGURATION.items():
                one.run(f"echo '{_xml(properties)}' >/etc/hadoop/conf/{file}")
            one.run("install -d -g hadoop -m 0775 /var/lib/hadoop-test")

    def start(self, where: node.Node, user: str, command: str, url: str) -> None:
        """Start a daemon as *user* and wait until it answers at *url*."""
        log = f"/tmp/{command.split()[-1]}.log"
        # By Docker, which puts it into the container's control group: Java does not start its metrics elsewhere.
        options = "-Xmx256m -Dyarn.log.dir=/tmp"
        words = f'HADOOP_OPTS="{options}" exec {command} >{log} 2>&1'
        where.container.exec_run(["su", "-", user, "-c", words], detach=True)
        deadline = time.monotonic() + 180
        while where.container.exec_run(["curl", "-fsS", "-o", "/dev/null", url])[0]:
            if time.monotonic() > deadline:
                self.fail(f"{command} does not answer at {url}: {where.run(f'tail -20 {log}')}")
            time.sleep(0.5)

    def hdfs(self, arguments: str) -> str:
        return self.master.run(f"su - hdfs -c 'hdfs dfs {arguments}'")

    def test_word_count(self) -> None:
        self.master.run("su - hdfs -c 'hdfs namenode -format -nonInteractive' 2>&1")
        self.start(self.master, "hdfs", "hdfs namenode", "http://master.novalocal:9870/jmx")
        self.start(self.worker, "hdfs", "hdfs datanode", "http://worker.novalocal:9864/jmx")
        self.start(self.master, "yarn", "yarn resourcemanager", "http://master.novalocal:8088/ws/v1/cluster/info")
        self.start(self.worker, "yarn", "yarn nodemanager", "http://worker.novalocal:8042/ws/v1/node/info")
        self.master.run(f"printf '%s' '{TEXT}' >/tmp/text && chmod 0644 /tmp/text")
        self.hdfs("-mkdir -p /tmp /user/hdfs && hdfs dfs -chmod 1777 /tmp && hdfs dfs -put /tmp/text /user/hdfs/text")
        jar = "/opt/hadoop/lib/hadoop-mapreduce-examples-*.jar"
        self.master.run(f"su - hdfs -c 'timeout 300 hadoop jar {jar} wordcount text counts' 2>&1")
        lines = self.hdfs("-cat counts/part-r-00000").splitlines()
        self.assertEqual(COUNTS, collections.Counter({word: int(count) for word, count in map(str.split, lines)}))
        listed = self.master.run("su - hdfs -c 'yarn application -list -appStates FINISHED' 2>/dev/null")
        self.assertIn("word count", listed)
