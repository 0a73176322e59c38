# SPDX-License-Identifier: Apache-2.0
"""The user's guide, from its first command to its last, and what operators type for a cluster that runs."""

from __future__ import annotations

import json
import re

import testtools

from lab import cluster, control, rest, wordcount
from tests import documents, follower
from tests.end_to_end import jobs
from tests.end_to_end.demo import LAB, await_demo, demo_cluster, make

TEXT = (documents.ROOT / "LICENSE").read_bytes()
#: What the guide makes besides a cluster, in the order in which it can be deleted.
KINDS = (
    "job-executions",
    "jobs",
    "job-binaries",
    "job-binary-internals",
    "data-sources",
    "cluster-templates",
    "node-group-templates",
)
BRIDGE = "documents0"


class UserGuideTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        if not control.is_up(LAB):
            status, output = make("demo-up")
            self.assertEqual(0, status, output)
        self.cloud = rest.Cloud(LAB)
        self.begin_anew()
        self.desk = self.useFixture(follower.Desk(LAB))

    def begin_anew(self) -> None:
        """Delete what a demonstration has made, for it has the names of the guide."""
        cluster.delete(LAB, self.cloud)
        for kind in KINDS:
            (found,) = self.cloud.get("sahara", f"/{kind}").values()
            for one in found:
                self.cloud.request("DELETE", "sahara", f"/{kind}/{one['id']}")

    def test_guide(self) -> None:
        with follower.Page(self.desk, "docs/user-guide.md") as page:
            self.make_cluster(page)
            self.look_at_network()
            self.run_job(page)
            self.run_spark(page)
            self.scale_and_delete(page)

    def make_cluster(self, page: follower.Page) -> None:
        page.follow("openstack dataprocessing plugin configs get")
        (written,) = self.desk.place.glob("cdh_docker-5.13.0*")
        self.assertIn("Timeout for Cloudera Manager commands", json.dumps(json.loads(written.read_text())))
        page.follow("openstack dataprocessing cluster create")
        self.assertIn("demo is Active; 4 nodes", page.follow("sahara-docker watch demo"))
        page.follow("openstack dataprocessing cluster show")
        self.assertRegex(page.follow("sahara-docker doctor --cluster demo"), "ok +manager.services ")

    def look_at_network(self) -> None:
        with follower.Page(self.desk, "docs/network.md", {"BRIDGE": BRIDGE, "NAME": "demo"}) as page:
            page.follow("iptables -I")
            self.desk.type(f"iptables -D FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT")
            page.follow("openstack security group rule create")
            groups = self.cloud.get("neutron", "/security-groups?name=hadoop-manager")["security_groups"]
            self.addCleanup(self.cloud.request, "DELETE", "neutron", f"/security-groups/{groups[0]['id']}")
            self.assertRegex(page.follow("sahara-docker doctor network"), "ok +network.ports ")

    def run_job(self, page: follower.Page) -> None:
        made = demo_cluster()
        hdfs = made.hdfs()
        hdfs.write("/user/hdfs/text/text", TEXT)
        hdfs.write("/user/hdfs/hadoop-examples.jar", wordcount.examples_jar(LAB).read_bytes())
        job = self.started(page)
        page.stand_ins["JOB"] = job
        self.assertIn(job, page.follow("openstack dataprocessing job show"))
        jobs.Jobs(self.cloud, made, "guide").await_status(job, "SUCCEEDED")
        self.assertEqual(wordcount.count(TEXT), wordcount.output(hdfs, "/user/hdfs/counted-words"))
        self.assertRegex(page.follow("sahara-docker watch demo"), f"job +{job[:8]}: SUCCEEDED")
        self.assertRegex(page.follow("sahara-docker doctor sahara.jobs"), "ok +sahara.jobs ")

    def run_spark(self, page: follower.Page) -> None:
        made = demo_cluster()
        hdfs = made.hdfs()
        hdfs.write("/user/spark/text", TEXT)
        jobs.Jobs(self.cloud, made, "guide").await_status(self.started(page), "SUCCEEDED")
        self.assertEqual(wordcount.count(TEXT), wordcount.output(hdfs, "/user/spark/counted-words"))

    def started(self, page: follower.Page) -> str:
        """Follow the page until it has started its next job; the id of that."""
        printed = page.follow("openstack dataprocessing job execute")
        found = re.search(r'Job "([^"]+)" has been started', printed)
        assert found, printed
        return found[1]

    def scale_and_delete(self, page: follower.Page) -> None:
        page.follow("openstack ec2 credentials create")
        for one in self.cloud.get("keystone", "/credentials?type=ec2")["credentials"]:
            self.addCleanup(self.cloud.request, "DELETE", "keystone", f"/credentials/{one['id']}")
        page.follow("openstack dataprocessing cluster scale")
        await_demo(lambda one: one is not None and (one.status, len(one.nodes)) == ("Active", 5), "larger", timeout=600)
        page.follow("openstack dataprocessing cluster delete")
        await_demo(lambda one: one is None, "deleted", timeout=300)
        page.follow()
