# SPDX-License-Identifier: Apache-2.0
"""What the plugin does on a node, on a real one."""

from __future__ import annotations

import testtools
from sahara import conductor

from sahara_docker import cluster_extra, exceptions
from sahara_docker.plugins.cdh_docker import (
    agent_watch,
    databases,
    hbase_lib,
    images,
    nodes,
    passwords,
    proxy,
    proxy_on_nodes,
)
from tests.functional.cdh_docker import node, sahara_parts

AGENT_CONFIG = "/etc/cloudera-scm-agent/config.ini"
AGENT_SERVICE = "/etc/init.d/cloudera-scm-agent"
AGENT_LOG = "/var/log/cloudera-scm-agent/cloudera-scm-agent.log"
HBA = "/var/lib/cloudera-scm-server-db/data/pg_hba.conf"
PROXY = "http://user:s3cret@proxy.example.org:3128"


class NodeTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")
        self.node = self.useFixture(node.Node(self.useFixture(node.Network()), "c1-all-0.novalocal"))
        groups = [{"name": "all", "node_processes": ["CLOUDERA_MANAGER", "HIVE_METASTORE"], "node_configs": {}}]
        self.cluster = self.sahara.cluster("c1", groups, cluster_configs={"general": {"HTTP proxy": PROXY}})
        self.sahara.add_instance(self.cluster, "all", self.node.address)
        self.cluster = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id)
        self.instance = self.cluster.node_groups[0].instances[0]
        self.pauses = []

    def login(self, command):
        with self.instance.remote() as remote:
            return remote.execute_command(command)[1].strip()

    def replace_agent(self, script):
        """Put a service script in place of the agent's."""
        self.node.run(f"mkdir -p {AGENT_LOG.rpartition('/')[0]}; echo 'java.lang.OutOfMemoryError' >>{AGENT_LOG}")
        self.node.run(f"cat >{AGENT_SERVICE} <<'E'\n#!/bin/sh\n{script}\nE\nchmod +x {AGENT_SERVICE}")

    def start_agent(self, attempts=3):
        nodes.start_agent(self.instance, "manager.novalocal", attempts, sleep=self.pauses.append)

    def test_an_image_that_lacks_something_is_told(self):
        with self.instance.remote() as remote:
            self.assertEqual([], images.missing_parts(remote, manager=True))
            self.node.run(f"rm {AGENT_SERVICE} /etc/init.d/cloudera-scm-server")
            self.assertEqual([AGENT_SERVICE], images.missing_parts(remote, manager=False))
            self.assertIn("/etc/init.d/cloudera-scm-server", images.missing_parts(remote, manager=True))

    def test_hbase_s_jars_are_brought_to_hadoop_s_file_system(self):
        # The node's own disk, which Hadoop's client takes without a cluster.
        self.node.run("install -d -o hdfs /user")
        for _ in range(2):
            hbase_lib.bring(self.instance)
            expected = self.node.run("cd /opt/hbase/lib && ls *.jar")
            self.assertEqual(expected, self.node.run(f"cd {hbase_lib.DIRECTORY} && ls *.jar"))
        self.node.run("rm /usr/bin/hbase")
        error = self.assertRaises(exceptions.SaharaDockerError, hbase_lib.bring, self.instance)
        self.assertIn("hbase: not found", str(error))

    def test_the_agent_is_pointed_at_its_manager_in_place(self):
        self.node.run(f"printf '[General]\\nserver_host=localhost\\n# reported_hostname=\\nother=1\\n' >{AGENT_CONFIG}")
        inode = self.node.run(f"stat -c %i {AGENT_CONFIG}")
        self.replace_agent("exit 0")
        for _ in range(2):
            self.start_agent()
            expected = "[General]\nserver_host=manager.novalocal\nreported_hostname=c1-all-0.novalocal\nother=1\n"
            self.assertEqual(expected, self.node.run(f"cat {AGENT_CONFIG}"))
        self.assertEqual(inode, self.node.run(f"stat -c %i {AGENT_CONFIG}"))

    def test_the_agent_starts_and_runs(self):
        self.start_agent()
        self.assertEqual("", nodes.agent_trouble(self.instance))
        self.assertEqual([], self.pauses)
        nodes.stop_agent(self.instance)
        self.assertNotEqual("", nodes.agent_trouble(self.instance))

    def test_an_agent_that_fails_at_first_is_started_again(self):
        self.replace_agent("echo $1 >>/tmp/asked; [ $(grep -c start /tmp/asked) -gt 3 ]")
        self.start_agent()
        self.assertEqual([1.0, 2.0], self.pauses)
        self.assertEqual("start", self.node.run("head -n 1 /tmp/asked").strip())

    def test_an_agent_that_never_starts_is_told_with_its_log(self):
        self.replace_agent("echo 'no such host'; exit 1")
        error = str(self.assertRaises(nodes.AgentFailed, self.start_agent))
        for part in ("c1-all-0.novalocal", self.node.address, "3 attempts", "no such host", "OutOfMemoryError"):
            self.assertIn(part, error)

    def test_an_agent_that_leaves_a_child_behind_does_not_hold_the_plugin_up(self):
        self.replace_agent("[ $1 = status ] || sleep 600 &")
        self.start_agent()

    def test_an_agent_that_dies_while_it_is_awaited_is_restarted_and_given_up_at_last(self):
        now = [0.0]
        reviver = agent_watch.Reviver("manager.novalocal", attempts=2, every=15, clock=lambda: now[0])
        # Runs while the file is there; every start brings the file.
        self.replace_agent("case $1 in status) [ -e /tmp/up ];; *) touch /tmp/up;; esac")
        self.start_agent()
        self.assertEqual("", reviver(self.instance))  # too early to look
        now[0] += 20
        self.assertEqual("(its agent runs)", reviver(self.instance))
        for restart in (1, 2):
            self.node.run("rm /tmp/up")
            now[0] += 20
            self.assertIn(f"restarted {restart} times", reviver(self.instance))
        self.node.run("rm /tmp/up")
        now[0] += 20
        error = str(self.assertRaises(nodes.AgentFailed, reviver, self.instance))
        self.assertIn("2 restarts", error)
        self.assertIn("OutOfMemoryError", error)

    def test_the_manager_starts_and_may_be_started_again(self):
        for _ in range(2):
            nodes.start_manager(self.instance)
        for database in ("metastore hive", "sentry sentry"):
            self.assertEqual("1", self.node.run(f"grep -cxF 'host {database} 0.0.0.0/0 md5' {HBA}").strip())

    def test_a_manager_that_does_not_start_is_told(self):
        self.node.run("printf '#!/bin/sh\\necho port 7180 is taken; exit 1\\n' >/etc/init.d/cloudera-scm-server")
        error = self.assertRaises(exceptions.SaharaDockerError, nodes.start_manager, self.instance)
        self.assertIn("port 7180 is taken", str(error))

    def test_hive_can_log_in_to_its_database(self):
        nodes.start_manager(self.instance)
        for _ in range(2):
            databases.create_for_hive(self.instance, self.cluster)
        password = databases.db_helper.get_hive_db_password(self.cluster)
        self.assertNotEqual(password, passwords.of_cloudera_manager(self.cluster))
        query = "psql -h 127.0.0.1 -p 7432 -U hive -d metastore -Atc 'SELECT current_user'"
        self.assertEqual("hive", self.node.run(f"PGPASSWORD={password} {query}").strip())
        self.assertEqual("", self.node.run("ls /run/sahara-docker-* 2>/dev/null || true"))

    def test_passwords_and_what_others_keep_with_the_cluster_are_both_there(self):
        passwords.prepare(self.cluster)
        cluster_extra.change(self.cluster.id, "lease", lambda _: "held")
        # As the cluster was before any of this.
        first = [passwords.of_cloudera_manager(self.cluster), databases.db_helper.get_hive_db_password(self.cluster)]
        passwords.prepare(self.cluster)
        self.assertEqual(first[0], passwords.of_cloudera_manager(self.cluster))
        now = conductor.API.cluster_get(self.sahara.ctx, self.cluster.id)
        self.assertEqual("held", cluster_extra.read(now, "lease"))
        self.assertEqual(2, len(set(first)))

    def test_the_proxy_reaches_logins_sudo_and_services(self):
        inode = self.node.run("touch /etc/environment; stat -c %i /etc/environment")
        settings = proxy.settings_of(self.cluster)
        assert settings is not None
        for _ in range(2):
            proxy_on_nodes.bring(self.instance, settings)
        self.sahara.remotes.forget(self.instance)  # a login keeps the environment that it began with
        for command in ("printenv http_proxy", "sudo printenv http_proxy", "sudo su - -c 'printenv http_proxy' hdfs"):
            self.assertEqual(PROXY, self.login(command), command)
        direct = self.login("sudo bash -c 'printenv no_proxy'").split(",")
        for name in (self.node.address, "c1-all-0.novalocal", "c1-all-0"):
            self.assertIn(name, direct)
        self.assertEqual(inode, self.node.run("stat -c %i /etc/environment"))
        self.assertEqual("1", self.node.run("grep -c ^http_proxy= /etc/environment").strip())
        self.assertEqual(PROXY, self.node.run(". /etc/default/cloudera-scm-agent; printenv http_proxy").strip())
        self.check_secret()
        self.node.run("visudo -c; ! ls /run/sahara-docker-*")

    def check_secret(self):
        """Only root reads files with a password, and everyone's programs still read their own configuration."""
        found = self.node.run("grep -rlsF s3cret /etc /run /tmp /var/log /home /root; true").split()
        self.assertIn("/etc/environment", found)
        for path in found:
            self.assertEqual("600", self.node.run(f"stat -c %a {path}").strip(), path)
        self.assertEqual("", self.login("apt-config dump Acquire::http::Proxy"))

    def test_what_the_proxy_brought_is_taken_away(self):
        files = "/etc/environment /etc/default /etc/sudoers.d /etc/apt/apt.conf.d /etc/yum.conf /etc/dnf"
        self.node.run("touch /etc/environment; echo '[main]' >/etc/yum.conf; mkdir -p /etc/dnf")
        self.node.run("printf '[main]\ngpgcheck=1\n[other]\nx=1\n' >/etc/dnf/dnf.conf")
        self.node.run("touch /etc/default/cloudera-scm-agent /etc/default/cloudera-scm-server")
        listing = f"find {files} -type f | sort | xargs md5sum"
        before = self.node.run(listing)
        for url in ("http://one.example.org:3128", "http://two.example.org:3128"):
            settings = proxy.ProxySettings(url, url, ("localhost", "10.0.0.0/8", ".corp", "c1-all-0"))
            proxy_on_nodes.bring(self.instance, settings)
            self.assertIn(f'Acquire::http::Proxy "{url}"', self.node.run("apt-config dump"))
            self.assertIn('Acquire::https::Proxy::c1-all-0 "DIRECT"', self.node.run("apt-config dump"))
            main = self.node.run("cat /etc/dnf/dnf.conf").partition("[other]")[0]
            self.assertIn(f"proxy={url}\n", main)
            self.assertIn(f"proxy={url}\n", self.node.run("cat /etc/yum.conf"))
        self.assertEqual(url, self.login("printenv http_proxy"))
        proxy_on_nodes.remove(self.instance)
        self.assertEqual(before, self.node.run(listing))
        self.assertEqual("", self.login("printenv http_proxy; true"))
