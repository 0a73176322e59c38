# SPDX-License-Identifier: Apache-2.0
"""A highly available cluster of the plugin's loses the node with both active masters, and a job on it goes on."""

from __future__ import annotations

import contextlib
import shlex
import time

import pytest
import testtools
from testtools import content

from sahara_docker.plugins.cdh_docker import cm_session, passwords
from tests.functional.cdh_docker import node, sahara_parts

QUORUM = ["ZOOKEEPER_SERVER", "HDFS_JOURNALNODE"]
WORKER = ["HDFS_DATANODE", "YARN_NODEMANAGER"]
# With the first node a third of ZooKeeper and of the journal is lost, no data, and no task of a job.
PROCESSES = {
    "keep": ["CLOUDERA_MANAGER", "YARN_JOBHISTORY", *QUORUM, *WORKER],
    "first": ["HDFS_NAMENODE", "YARN_RESOURCEMANAGER", *QUORUM],
    "second": ["HDFS_SECONDARYNAMENODE", "YARN_STANDBYRM", *QUORUM, *WORKER],
}
APART = ["HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "YARN_RESOURCEMANAGER", "YARN_STANDBYRM"]
MASTERS = {"hdfs01": "NAMENODE", "yarn01": "RESOURCEMANAGER"}
FIRST, SECOND = "c1-first-0.novalocal", "c1-second-0.novalocal"

# A map task that says that it has begun, and goes on when it is told to.
MAPPER = "echo begun >>/tmp/begun; while [ ! -e /tmp/go ]; do sleep 0.2; done; cat"
PATIENCE = 400.0

pytestmark = pytest.mark.timeout(1500)


def wait_for(condition, what):
    """Wait until a condition holds, and return what it returns."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} not in {PATIENCE:.0f} s")
        time.sleep(0.3)
    return found


class HighAvailabilityTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")
        self.plugin = self.sahara.plugin(disk=8)
        network = self.useFixture(node.Network())
        nodes = {name: self.useFixture(node.Node(network, f"c1-{name}-0.novalocal")) for name in PROCESSES}
        self.keep, self.first, self.second = nodes.values()
        groups = [{"name": name, "node_processes": work, "node_configs": {}} for name, work in PROCESSES.items()]
        self.cluster = self.sahara.cluster("c1", groups, cluster_configs={}, anti_affinity=APART)
        for name, each in nodes.items():
            each.know(*nodes.values())
            self.sahara.add_instance(self.cluster, name, each.address)
            self.reload()
        self.addOnException(self.keep_logs)

    def keep_logs(self, _):
        """Show with a failure what the masters wrote last."""
        for each in (self.first, self.second):
            for kind in ("NAMENODE", "FAILOVERCONTROLLER", "RESOURCEMANAGER"):
                with contextlib.suppress(AssertionError):  # the node may be dead
                    text = each.run(f"grep -hv http.requests /var/log/hadoop-*/*-{kind}-*.log.out | tail -n 25")
                    self.addDetail(f"{kind} on {each.fqdn}", content.text_content(text))

    def reload(self):
        self.cluster = self.sahara.reload(self.cluster, "create")

    def hdfs(self, script):
        return self.keep.run(f"su - hdfs -c {shlex.quote(script)}")

    def ha_statuses(self):
        """What Cloudera Manager says of the masters, by service and host."""
        session = cm_session.CMSession(self.keep.address, "admin", passwords.of_cloudera_manager(self.cluster))
        return {
            (service, role["hostRef"]["hostId"]): role["haStatus"]
            for service, kind in MASTERS.items()
            for role in session.request("GET", f"/clusters/c1/services/{service}/roles")["items"]
            if role["type"] == kind
        }

    def await_ha_statuses(self, first, second):
        expected = {(service, host): state for service in MASTERS for host, state in ((FIRST, first), (SECOND, second))}
        wait_for(lambda: self.ha_statuses() == expected, f"{first} on {FIRST} and {second} on {SECOND}")

    def start_job(self):
        """Start a job of one task, and return when the task has begun."""
        self.keep.run(f"printf '{MAPPER}\\n' >/tmp/mapper; chmod a+r /tmp/mapper")
        self.hdfs(
            "{ hadoop jar /opt/hadoop/lib/hadoop-streaming-*.jar -D mapreduce.job.reduces=0 "
            "-D mapreduce.job.maps=1 -files /tmp/mapper -input before -output after -mapper 'sh mapper'; "
            "echo $? >/tmp/job.status; } >/tmp/job 2>&1 &"
        )
        wait_for(self.begun, "a map task")

    def begun(self):
        return "".join(each.run("cat /tmp/begun 2>/dev/null || :") for each in (self.keep, self.second)).split()

    def test_the_node_with_the_active_masters_is_lost_while_a_job_runs(self):
        self.plugin.recommend_configs(self.cluster)
        self.reload()
        self.plugin.validate(self.cluster)
        self.plugin.validate_images(self.cluster)
        self.plugin.configure_cluster(self.cluster)
        self.plugin.start_cluster(self.cluster)
        self.await_ha_statuses("ACTIVE", "STANDBY")
        for check in self.plugin.get_health_checks(self.cluster):
            check(self.cluster).check_health()

        self.hdfs("hdfs dfs -mkdir -p /user/hdfs; hdfs dfs -put /etc/services before")
        self.start_job()
        self.first.container.kill()

        # The client itself waits for the other NameNode, as every program that uses HDFS.
        original = self.keep.run("md5sum </etc/services")
        self.assertEqual(original, self.hdfs("hdfs dfs -cat before 2>/dev/null | md5sum"))
        self.await_ha_statuses("UNKNOWN", "ACTIVE")
        for each in (self.keep, self.second):
            each.run("touch /tmp/go")
        status = wait_for(lambda: self.keep.run("cat /tmp/job.status 2>/dev/null || :"), "the job's end")
        self.assertEqual("0", status.strip(), self.keep.run("tail -n 20 /tmp/job"))
        in_order = "tr -d ' \\t' | LC_ALL=C sort | md5sum"  # a line without a tab is a key without a value
        self.assertEqual(
            self.keep.run(f"cat /etc/services | {in_order}"),
            self.hdfs(f"hdfs dfs -cat 'after/part*' 2>/dev/null | {in_order}"),
        )
        # It went on; it was not done once more.
        self.assertEqual(["begun"], self.begun())
