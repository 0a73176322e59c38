# SPDX-License-Identifier: Apache-2.0
"""A whole cluster's life: the plugin, a real sshd, the stand-in for Cloudera Manager and real Hadoop in containers."""

from __future__ import annotations

import testtools
from sahara import conductor
from sahara.plugins import utils as plugin_utils

from sahara_docker import exceptions
from sahara_docker.plugins.cdh_docker import cm_session, heaps, options, passwords, storage
from tests.functional.cdh_docker import http_proxy, node, sahara_parts

MASTERS = [
    "CLOUDERA_MANAGER",
    "HDFS_NAMENODE",
    "HDFS_SECONDARYNAMENODE",
    "YARN_RESOURCEMANAGER",
    "YARN_JOBHISTORY",
]
WORKERS = ["HDFS_DATANODE", "YARN_NODEMANAGER"]
# The heaps come from the flavor.
WORKER_CONFIGS = {"DATANODE": {"dfs_datanode_handler_count": "7"}}
DISK = 8
PAGE = "http://outside.example/page"


class ClusterTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")
        self.plugin = self.sahara.plugin(DISK)
        network = self.useFixture(node.Network())
        self.proxy = self.useFixture(http_proxy.Proxy(network.host, {PAGE: b"from outside"}))
        self.first = self.useFixture(node.Node(network, "c1-all-0.novalocal"))
        self.second = self.useFixture(node.Node(network, "c1-more-0.novalocal"))
        for each in (self.first, self.second):
            each.know(self.first, self.second)
        groups = [
            {"name": "all", "node_processes": MASTERS + WORKERS, "node_configs": WORKER_CONFIGS},
            {"name": "more", "node_processes": WORKERS, "node_configs": WORKER_CONFIGS},
        ]
        configs = {"HDFS": {"dfs_replication": 1}, "general": {options.HTTP_PROXY.name: self.proxy.url}}
        self.cluster = self.sahara.cluster("c1", groups, cluster_configs=configs)
        self.sahara.add_instance(self.cluster, "all", self.first.address)
        self.reload("create")

    def reload(self, step_type):
        self.cluster = self.sahara.reload(self.cluster, step_type)

    def hdfs(self, command):
        return self.first.run(f"su - -c 'hdfs {command}' hdfs")

    def live_workers(self):
        report = self.hdfs("dfsadmin -report -live")
        nodes = self.first.run("su - -c 'yarn node -list' yarn 2>/dev/null")
        return sorted(name for name in ("c1-all-0", "c1-more-0") if f"{name}.novalocal" in report and name in nodes)

    def test_create_grow_and_shrink(self):
        self.plugin.recommend_configs(self.cluster)
        self.reload("create")
        self.plugin.validate(self.cluster)
        self.plugin.validate_images(self.cluster)
        self.plugin.configure_cluster(self.cluster)
        self.plugin.start_cluster(self.cluster)

        self.hdfs("dfs -mkdir -p /user/hdfs")
        self.hdfs("dfs -put /etc/hosts /user/hdfs/hosts")
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))
        self.check_settings()
        self.check_password()
        self.check_health()
        self.check_job()

        self.sahara.add_instance(self.cluster, "more", self.second.address)
        self.reload("scale")
        everyone = plugin_utils.get_instances(self.cluster)
        added = [instance for instance in everyone if instance.instance_name == "c1-more-0"]
        self.plugin.scale_cluster(self.cluster, added)
        self.assertEqual(["c1-all-0", "c1-more-0"], self.live_workers())
        self.assertIn("c1-more-0.novalocal", self.direct())
        self.check_workers_that_cannot_be_emptied_work_on(everyone)

        self.hdfs("dfs -setrep -w 2 /user/hdfs/hosts")
        self.reload("decommission")
        self.plugin.decommission_nodes(self.cluster, added)
        self.assertEqual(["c1-all-0"], self.live_workers())
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))
        self.assertEqual(["c1-all-0.novalocal"], self.known_hosts())
        self.assertNotIn("c1-more-0.novalocal", self.direct())
        self.check_event_log()

        self.reload("scale")
        self.plugin.scale_cluster(self.cluster, added)
        self.second.container.kill()
        self.reload("decommission")
        self.plugin.decommission_nodes(self.cluster, added)
        self.assertEqual(["c1-all-0.novalocal"], self.known_hosts())
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))
        notes = [event for event in self.failed_events() if "removed without being emptied" in event]
        self.assertEqual(1, len(notes), self.failed_events())
        self.assertIn("c1-more-0.novalocal", notes[0])
        self.plugin.on_terminate_cluster(self.cluster)

    def known_hosts(self):
        session = cm_session.CMSession(self.first.address, "admin", passwords.of_cloudera_manager(self.cluster))
        return [host["hostname"] for host in session.request("GET", "/hosts")["items"]]

    def direct(self):
        """What the first node reaches without the proxy."""
        return self.first.run("sed -n 's/^no_proxy=//p' /etc/environment").strip().strip('"').split(",")

    def check_workers_that_cannot_be_emptied_work_on(self, instances):
        error = self.assertRaises(exceptions.SaharaDockerError, self.plugin.decommission_nodes, self.cluster, instances)
        self.assertIn("no DataNode stays", str(error))
        self.assertEqual(["c1-all-0", "c1-more-0"], self.live_workers())
        self.assertIn("c1-all-0", self.hdfs("dfs -cat /user/hdfs/hosts"))

    def check_job(self):
        """A job's Java processes know the proxy, what they reach without it, and the job's own options."""
        self.first.run(r"""printf 'tr "\\0" "\\n" </proc/$PPID/cmdline; cat >/dev/null\n' >/tmp/mapper""")
        self.first.run(
            "su - -c 'hadoop jar /opt/hadoop/lib/hadoop-streaming-*.jar -D mapreduce.job.reduces=0 "
            "-D mapreduce.map.java.opts=-Xmx201m -D mapreduce.job.maps=1 "
            '-input /user/hdfs/hosts -output /user/hdfs/out -mapper "sh /tmp/mapper"\' hdfs'
        )
        words = [line.strip() for line in self.hdfs("dfs -cat /user/hdfs/out/part-*").splitlines()]
        for word in (f"-Dhttp.proxyHost={self.proxy.host}", f"-Dhttp.proxyPort={self.proxy.port}", "-Xmx201m"):
            self.assertIn(word, words)
        (direct,) = [word for word in words if word.startswith("-Dhttp.nonProxyHosts=")]
        self.assertIn("*.novalocal", direct.partition("=")[2].split("|"))

    def check_settings(self):
        """The user's and the computed settings have reached the daemon."""
        site = "".join(self.first.run("cat /run/cloudera-scm-agent/process/*-DATANODE/hdfs-site.xml").split())
        self.assertIn("dfs.datanode.handler.count</name><value>7<", site)
        command = self.first.run("tr '\\0' ' ' </proc/$(pgrep -f datanode.DataNode | head -n 1)/cmdline")
        self.assertIn(f" -Xmx{heaps.SMALLEST * heaps.MIB} ", command)
        self.assertIn(f"dfs.datanode.du.reserved</name><value>{storage.reserved_for(DISK * storage.GIB)}<", site)

    def check_password(self):
        """Cloudera Manager has the cluster's own password."""
        session = cm_session.CMSession(self.first.address, "admin", "admin")
        self.assertEqual(401, self.assertRaises(cm_session.CMError, session.request, "GET", "/hosts").status)
        info = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id).info["Cloudera Manager"]
        self.assertEqual(passwords.of_cloudera_manager(self.cluster), info["Password"])

    def check_health(self):
        """Cloudera Manager's verdicts are Sahara's health checks."""
        checks = [check(self.cluster) for check in self.plugin.get_health_checks(self.cluster)]
        self.assertTrue(all(check.is_available() for check in checks))
        self.assertIn("CDH hdfs01 health check", [check.get_health_check_name() for check in checks])

    def check_event_log(self):
        """Every step is over and had no failure."""
        cluster = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id, show_progress=True)
        names = [step.step_name for step in cluster.provision_progress]
        for name in ("Start Cloudera Manager and agents", "First run cluster", "Decommission nodes"):
            self.assertIn(name, names)
        self.assertEqual([], self.failed_events())

    def failed_events(self):
        cluster = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id, show_progress=True)
        events = [event for step in cluster.provision_progress for event in step.events]
        return [event.event_info for event in events if not event.successful]
