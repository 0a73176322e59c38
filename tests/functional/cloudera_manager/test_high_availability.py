# SPDX-License-Identifier: Apache-2.0
"""HDFS and YARN that lose a whole node with the active masters on it, and go on."""

from __future__ import annotations

import pytest
import testtools

from tests.functional.cloudera_manager.nodes import Finished, Nodes, client, wait_for

FIRST, SECOND, THIRD = "one-0", "two-0", "three-0"
NAME_SERVICE = "nameservice01"

#: The first node has a third of ZooKeeper and of the journal, and no data: what is lost with it is the active masters.
_BEFORE = {
    "zookeeper01": {"SERVER": (FIRST, SECOND, THIRD)},
    "hdfs01": {"NAMENODE": (FIRST,), "SECONDARYNAMENODE": (SECOND,), "DATANODE": (SECOND, THIRD)},
}
_YARN = {"yarn01": {"RESOURCEMANAGER": (FIRST,), "JOBHISTORY": (THIRD,), "NODEMANAGER": (SECOND, THIRD)}}

# A map task that says that it has begun, and goes on when it is told to.
_MAPPER = "echo begun >>/tmp/begun; while [ ! -e /tmp/go ]; do sleep 0.2; done; cat"

pytestmark = pytest.mark.timeout(600)


class HighAvailabilityTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        # The bridge is the first one's, and the stand-in's server runs there: on the node that stays.
        self.nodes = self.useFixture(Nodes(THIRD, FIRST, SECOND, memory="4g"))
        self.survivor = self.nodes[THIRD]
        self.survivor.run("service cloudera-scm-server start")
        for name in (FIRST, SECOND, THIRD):
            self.nodes.start_agent(name, THIRD)
        self.api = client(self.survivor)
        wait_for(lambda: len(self.api.get_all_hosts()) == 3, what="all hosts")

    def create(self, services):
        cluster = self.api.get_cluster("c1")
        for name, roles in services.items():
            service = cluster.create_service(name, name.removesuffix("01").upper())
            for role_type, places in roles.items():
                for place in places:
                    service.create_role(f"{role_type}_{place.replace('-', '_')}", role_type, self.nodes[place].fqdn)
        return service

    def hdfs(self, script):
        return self.survivor.run(script, user="hdfs")

    def states(self, command):
        """The states of both masters, by node."""
        return {line.split(":")[0].split(".")[0]: line.split()[-1] for line in self.hdfs(command).splitlines()}

    def make_cluster(self):
        """The plugin's own order for HDFS; YARN comes when HDFS is highly available, to spare its restarts."""
        self.api.create_cluster("c1", fullVersion="5.13.0")
        hdfs = self.create(_BEFORE)
        Finished.well(self.api.get_cluster("c1").first_run())
        self.hdfs("hdfs dfs -put /etc/services before")
        # What the plugin sends.
        journals = [
            {"jnHostId": self.nodes[name].fqdn, "jnName": f"JN{number}", "jnEditsDir": "/dfs/jn"}
            for number, name in enumerate((FIRST, SECOND, THIRD))
        ]
        active = hdfs.get_roles_by_type("NAMENODE")[0].name
        Finished.well(hdfs.enable_nn_ha(active, self.nodes[SECOND].fqdn, NAME_SERVICE, journals))
        yarn = self.create(_YARN)
        for command in ("yarnCreateJobHistoryDirCommand", "yarnNodeManagerRemoteAppLogDirCommand"):
            Finished.well(yarn._cmd(command))
        Finished.well(yarn.enable_rm_ha(self.nodes[SECOND].fqdn))

    def health(self):
        return {name: found["summary"] for name, found in self.api.get_service_health_status("c1").items()}

    def test_a_node_with_the_active_masters_is_lost(self):
        self.make_cluster()
        self.assertEqual({"zookeeper01": "GOOD", "hdfs01": "GOOD", "yarn01": "GOOD"}, self.health())
        self.assertEqual([], self.api.get_cluster("c1").get_service("hdfs01").get_roles_by_type("SECONDARYNAMENODE"))
        self.assertEqual({"one-0": "active", "two-0": "standby"}, self.states("hdfs haadmin -getAllServiceState"))
        self.assertEqual({"one-0": "active", "two-0": "standby"}, self.states("yarn rmadmin -getAllServiceState"))

        self.survivor.run(f"printf '{_MAPPER}\\n' >/tmp/mapper", user="hdfs")
        self.hdfs(
            "{ hadoop jar /opt/hadoop/lib/hadoop-streaming-*.jar -D mapreduce.job.reduces=0 "
            "-D mapreduce.job.maps=1 -files /tmp/mapper -input before -output after -mapper 'sh mapper'; "
            "echo $? >/tmp/job.status; } >/tmp/job 2>&1 &"
        )
        workers = [self.nodes[SECOND], self.nodes[THIRD]]

        def begun():
            return "".join(node.run("cat /tmp/begun 2>/dev/null || :") for node in workers).split()

        wait_for(begun, what="a map task")
        self.nodes[FIRST].container.kill()

        # The client itself waits for the other NameNode, as every program that uses HDFS.
        self.assertEqual(
            self.survivor.run("md5sum </etc/services"), self.hdfs("hdfs dfs -cat before 2>/dev/null | md5sum")
        )
        manager = next(
            role.name
            for role in self.api.get_cluster("c1").get_service("yarn01").get_roles_by_type("RESOURCEMANAGER")
            if role.hostRef.hostId == self.nodes[SECOND].fqdn
        )
        state = f"yarn rmadmin -getServiceState {manager} 2>/dev/null || :"
        wait_for(lambda: self.hdfs(state).strip() == "active", what="the other ResourceManager")
        for node in workers:
            node.run("touch /tmp/go")
        wait_for(lambda: self.survivor.run("cat /tmp/job.status 2>/dev/null || :"), what="the job's end")
        self.assertEqual(
            "0", self.survivor.run("cat /tmp/job.status").strip(), self.survivor.run("tail -n 20 /tmp/job")
        )
        content = "tr -d ' \\t' | LC_ALL=C sort | md5sum"  # a line without a tab is a key without a value
        self.assertEqual(
            self.survivor.run(f"cat /etc/services | {content}"),
            self.hdfs(f"hdfs dfs -cat 'after/part*' 2>/dev/null | {content}"),
        )
        # It went on; it was not done once more.
        self.assertEqual(["begun"], begun())
