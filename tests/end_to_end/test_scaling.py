# SPDX-License-Identifier: Apache-2.0
"""A cluster that grows and shrinks with work and data in it, and nodes that die or start again.

The tests go through the life of one cluster: their names give the order, and the first failure ends the run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from typing import Any, ClassVar

import testtools
from testtools import matchers

from lab import cluster, docker_engine, installation, rest, settings, wordcount
from tests.end_to_end import demo, hadoop
from tests.end_to_end.demo import LAB, await_demo, demo_cluster, in_container, make
from tests.end_to_end.servers import Servers

MIB, GIB = 2**20, 2**30
#: The flavor of another group of workers: YARN gets 1536 MB and one core of it, HDFS the data disk of 4 GiB.
DATA_FLAVOR = {"name": "cdh.data", "ram": 3072, "vcpus": 1, "disk": 2, "OS-FLV-EXT-DATA:ephemeral": 4}
DATA_NODE = "demo-cdh-data-0"
INPUT, OUTPUT, KEPT = "/user/hdfs/many", "/user/hdfs/counted-many", "/user/hdfs/kept"
#: As many map tasks, each of a file of its own, last longer than the cluster takes to grow.
MAPS = 60
NAME_NODE = "Hadoop:service=NameNode,name=NameNodeInfo"
LINE = b"who comes while the job runs takes some of its work\n"


class ScalingTest(testtools.TestCase):
    cloud: ClassVar[rest.Cloud]
    job: ClassVar[str]
    sums: ClassVar[dict[str, str]] = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.addClassCleanup(make, "demo-down")  # nobody else has a use for what the cluster becomes
        demo.there()
        cls.cloud = rest.Cloud(LAB)

    def setUp(self):
        super().setUp()
        self.made = demo_cluster()
        self.servers = Servers(self.cloud)

    def node(self, name: str) -> cluster.Node:
        return next(node for node in self.made.nodes if node.name == name)

    def server(self, name: str) -> str:
        """Nova's id of a node."""
        return next(one["id"] for one in self.cloud.get("nova", "/servers")["servers"] if one["name"] == name)

    def scale(self, **change: Any) -> None:
        """Have Sahara change the cluster, and wait until it is Active again."""
        self.cloud.request("PUT", "sahara", f"/clusters/{self.made.id}", change)
        await_demo(lambda one: one is not None and one.status != "Active", "scaling")
        await_demo(lambda one: one is not None and one.status in ("Active", "Error"), "scaled", timeout=900)
        self.made = demo_cluster()
        self.assertEqual("Active", self.made.status, self.made.reason)

    def resize(self, workers: int) -> None:
        self.scale(resize_node_groups=[{"name": "cdh-worker", "count": workers}])

    def steps(self) -> dict[str, dict[str, Any]]:
        """Sahara's steps of the cluster by name, of several of a name the last one."""
        found = cluster.find(self.cloud, progress=True)
        assert found is not None
        return {step["step_name"]: step for step in sorted(found.steps, key=lambda step: step["created_at"])}

    def until(self, check: Any, timeout: float = 300) -> None:
        rest.wait_until(check, timeout=timeout)

    def assert_kept(self) -> None:
        """Every block is there, and every file is what was written."""
        self.assertThat(hadoop.fsck(self.made), matchers.Contains("The filesystem under path '/' is HEALTHY"))
        hdfs = self.made.hdfs()
        now = {name: hashlib.sha256(hdfs.read(f"{KEPT}/{name}")).hexdigest() for name in hdfs.list(KEPT)}
        self.assertEqual(self.sums, now)

    def test_1_nodes_are_what_their_flavors_say(self):
        data_nodes, node_managers = hadoop.data_nodes(self.made), hadoop.node_managers(self.made)
        workers = {f"demo-cdh-worker-{number}" for number in range(2)}
        self.assertEqual((workers, workers), (set(data_nodes), set(node_managers)))
        for name in workers:
            # The flavor's disk of 10 GiB less what ext4 and the reserve of 5 % take, and not the machine's.
            self.assertThat(data_nodes[name]["capacity"], matchers.GreaterThan(9 * GIB))
            self.assertThat(data_nodes[name]["capacity"], matchers.LessThan(10 * GIB))
            self.assertEqual((1024, 2), hadoop.resources(node_managers[name]))
        master = self.made.node("master")
        check = "dfs.namenode.datanode.registration.ip-hostname-check"
        self.assertEqual("true", hadoop.configured(master, 50070, check))
        for node in self.made.nodes:
            line = in_container(master, "getent", "hosts", node.address).split()
            self.assertEqual([node.address, node.fqdn], line[:2])

    def test_2_the_cluster_grows_while_a_job_runs(self):
        hdfs = self.made.hdfs()
        content = LINE * 100
        for number in range(MAPS):
            hdfs.write(f"{INPUT}/{number:02}.txt", content)
        type(self).job = self.start_job()
        self.until(lambda: self.containers() > 2)  # the job's master and tasks
        self.resize(5)
        new = [node for node in self.made.nodes if node.name in {f"demo-cdh-worker-{number}" for number in (2, 3, 4)}]
        self.assertThat(hadoop.data_nodes(self.made), matchers.HasLength(5))
        self.assertThat(hadoop.node_managers(self.made), matchers.HasLength(5))
        ended: list[str] = []

        def has_ended() -> bool:
            answer = self.cloud.get("sahara", f"/job-executions/{self.job}/refresh-status")
            ended[:] = [answer["job_execution"]["info"]["status"]]
            return ended[0] in ("SUCCEEDED", "FAILED", "KILLED", "DONEWITHERROR")

        self.until(has_ended, timeout=900)
        self.assertEqual(["SUCCEEDED"], ended)
        hdfs = self.made.hdfs()  # which now knows the new nodes
        parts = [hdfs.read(f"{OUTPUT}/{name}").decode() for name in hdfs.list(OUTPUT) if name.startswith("part-")]
        counted = dict(line.split("\t") for part in parts for line in part.splitlines())
        expected = wordcount.count(content * MAPS)
        self.assertEqual(expected, {word: int(number) for word, number in counted.items()})
        metrics = "Hadoop:service=NodeManager,name=NodeManagerMetrics"
        launched = {node.name: hadoop.bean(node, 8042, metrics)["ContainersLaunched"] for node in new}
        self.assertThat(sum(launched.values()), matchers.GreaterThan(0), f"no new worker took work: {launched}")

    def containers(self) -> int:
        """How many containers YARN runs."""
        return sum(one["numContainers"] for one in hadoop.node_managers(self.made).values())

    def start_job(self) -> str:
        """Start the demonstration's job on many files; return its id."""
        ids = {}
        for name, url in (("many", INPUT), ("counted-many", OUTPUT)):
            source = {"name": name, "type": "hdfs", "url": url}
            ids[name] = self.cloud.post("sahara", "/data-sources", source)["data_source"]["id"]
        words = (settings.CHECKOUT / "examples/jobs/mapreduce/configs").read_text().split()
        body = {
            "cluster_id": self.made.id,
            "input_id": ids["many"],
            "output_id": ids["counted-many"],
            "job_configs": {"configs": dict(word.split(":", 1) for word in words), "args": [], "params": {}},
        }
        job = next(one["id"] for one in self.cloud.get("sahara", "/jobs")["jobs"] if one["name"] == "word-count")
        return self.cloud.post("sahara", f"/jobs/{job}/execute", body)["job_execution"]["id"]

    def test_3_nodes_whose_data_has_no_room_elsewhere_stay(self):
        hdfs = self.made.hdfs()
        for number in (2, 3, 4):
            node, content = self.node(f"demo-cdh-worker-{number}"), os.urandom(70 * MIB)
            hdfs.write(f"{KEPT}/{node.name}", content, only_on=node.address)
            self.sums[node.name] = hashlib.sha256(content).hexdigest()
            self.assertThat(hadoop.fsck(self.made, f"{KEPT}/{node.name}"), matchers.Contains(f"[{node.address}:"))
        staying = [self.node(f"demo-cdh-worker-{number}") for number in (0, 1)]
        free = "$(df -B1 --output=avail /mnt | tail -n 1)"
        for node in staying:
            # HDFS counts it against its reserve, so that the little that is left is free for blocks.
            in_container(node, "sh", "-c", f"fallocate -l $(({free} - {40 * MIB})) /mnt/filler")
        self.until(lambda: sum(hadoop.data_nodes(self.made)[node.name]["remaining"] for node in staying) < 100 * MIB)
        self.resize(2)
        for words in ("no room", r"demo-cdh-worker-4\.novalocal [1-9][0-9]* MiB", "lower their replication"):
            self.assertThat(self.made.reason, matchers.MatchesRegex(f".*{words}", re.DOTALL))
        states = [data_node["adminState"] for data_node in hadoop.data_nodes(self.made).values()]
        self.assertEqual(["In Service"] * 5, states)
        for node in staying:
            in_container(node, "rm", "/mnt/filler")
        self.until(lambda: min(hadoop.data_nodes(self.made)[node.name]["remaining"] for node in staying) > GIB)
        self.assert_kept()

    def test_4_the_cluster_shrinks_only_when_the_data_has_moved(self):
        leaving = {f"demo-cdh-worker-{number}" for number in (2, 3, 4)}
        servers = [self.server(name) for name in leaving]
        self.resize(2)
        self.assertEqual("", self.made.reason)
        self.assertEqual(set(), leaving & {node.name for node in self.made.nodes})
        self.assert_kept()
        emptied = self.steps()["Decommission nodes"]
        self.assertTrue(emptied["successful"])
        for server in servers:
            version = {"X-OpenStack-Nova-API-Version": "2.58"}
            actions = self.cloud.request("GET", "nova", f"/servers/{server}/os-instance-actions", headers=version)
            deleted = [one["start_time"] for one in actions["instanceActions"] if one["action"] == "delete"]
            self.assertGreaterEqual(min(deleted)[:19], emptied["updated_at"][:19], "deleted before it was empty")
        for name in self.sums:  # for a node that dies
            self.made.hdfs().replicate(f"{KEPT}/{name}", 2)
        self.until(self.has_two_of_each)

    def has_two_of_each(self) -> bool:
        """Whether two DataNodes have each block: fsck's sum of what is under-replicated counts those that have left."""
        return hadoop.fsck(self.made, KEPT).count("Live_repl=2") == len(self.sums)

    def test_5_a_dead_node_does_not_keep_the_cluster_from_growing(self):
        docker_engine.client(docker_engine.host(LAB), "kill", f"nova-{self.server('demo-cdh-worker-1')}")
        flavor = self.cloud.post("nova", "/flavors", {"flavor": DATA_FLAVOR})["flavor"]["id"]
        template = {
            "name": "cdh-data",
            "plugin_name": cluster.PLUGIN,
            "hadoop_version": cluster.VERSION,
            "flavor_id": flavor,
            "node_processes": cluster.PROCESSES["worker"],
            # Clients elsewhere get what all workers have in common: with other values the masters would be stale.
            "node_configs": json.loads((settings.CHECKOUT / "examples/worker-configs.json").read_text()),
        }
        made = self.cloud.post("sahara", "/node-group-templates", template)["node_group_template"]["id"]
        self.scale(add_node_groups=[{"name": "cdh-data", "count": 1, "node_group_template_id": made}])
        self.assertEqual("", self.made.reason)
        self.assertEqual({"demo-cdh-worker-1"}, self.told_of("Pass over dead nodes"))
        self.assertThat(hadoop.data_nodes(self.made)[DATA_NODE]["capacity"], matchers.GreaterThan(int(3.5 * GIB)))
        self.assertThat(hadoop.data_nodes(self.made)[DATA_NODE]["capacity"], matchers.LessThan(4 * GIB))
        self.assertEqual((1536, 1), hadoop.resources(hadoop.node_managers(self.made)[DATA_NODE]))

    def told_of(self, step: str) -> set[str]:
        return {event["instance_name"] for event in self.steps()[step]["events"] if not event["successful"]}

    def test_6_a_node_that_is_gone_can_be_removed(self):
        self.await_health("RED")
        self.servers.delete(self.server("demo-cdh-worker-1"))
        self.resize(1)
        self.assertEqual("", self.made.reason)
        self.assertEqual({"demo-cdh-worker-1"}, self.told_of("Remove nodes that are gone"))
        self.assertEqual({"demo-cdh-worker-0", DATA_NODE}, set(hadoop.data_nodes(self.made)))
        self.until(self.has_two_of_each)
        self.assert_kept()
        self.await_health("GREEN")

    def test_7_a_worker_that_starts_again_has_its_data(self):
        server = self.server(DATA_NODE)
        before = self.started(DATA_NODE, 50075)
        self.servers.act(server, "reboot", {"type": "SOFT"})
        self.servers.settled(server, "ACTIVE")
        self.until(lambda: self.started(DATA_NODE, 50075) > before)
        self.await_health("GREEN")
        self.assertThat(int(hadoop.data_nodes(self.made)[DATA_NODE]["numBlocks"]), matchers.GreaterThan(2))
        self.assert_kept()

    def started(self, node: str, port: int) -> int:
        """When a daemon's JVM started, in milliseconds."""
        return hadoop.bean(self.node(node), port, "java.lang:type=Runtime")["StartTime"]

    def await_health(self, wanted: str) -> None:
        demo.await_health(self.cloud, self.made.id, wanted)

    def test_8_the_cluster_comes_back_when_all_its_nodes_start_again_at_once(self):
        name_space = hadoop.bean(self.made.node("master"), 50070, NAME_NODE)["ClusterId"]
        with tempfile.TemporaryFile("w+") as said:
            watching = self.watch(said)
            servers = [self.server(node.name) for node in self.made.nodes]
            for server in servers:
                self.servers.act(server, "reboot", {"type": "HARD"})
            self.await_health("RED")
            for server in servers:
                self.servers.settled(server, "ACTIVE")
            self.await_health("GREEN")
            watching.terminate()
            watching.wait(30)
            said.seek(0)
            story = said.read()
        troubles = ("HARD_REBOOT", "Cloudera Manager does not answer", "health CONCERNING", "health BAD")
        self.assertThat(story, matchers.MatchesAny(*map(matchers.Contains, troubles)))
        self.assertThat(story, matchers.Not(matchers.Contains("waiting for")))
        now = hadoop.bean(self.made.node("master"), 50070, NAME_NODE)["ClusterId"]
        self.assertEqual(name_space, now)
        self.assert_kept()

    def watch(self, said: Any) -> subprocess.Popen:
        """Start ``sahara-docker watch``."""
        words = [sys.executable, "-m", "sahara_docker.cli", "watch", cluster.NAME, "--follow"]
        environment = {**os.environ, **installation.client_environment(LAB)}
        watching = subprocess.Popen(words, env=environment, stdout=said, stderr=subprocess.STDOUT)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        return watching
