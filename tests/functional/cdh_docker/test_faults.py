# SPDX-License-Identifier: Apache-2.0
"""Cloudera Manager and agents that fail, on real nodes: what the plugin sits out, and what it says when it cannot."""

from __future__ import annotations

import json
import threading
import time

import fixtures
import testtools
from sahara import conductor, context
from sahara.plugins import utils as plugin_utils

from sahara_docker.plugins.cdh_docker import (
    agent_watch,
    cm_commands,
    cm_session,
    managed_cluster,
    nodes,
    options,
    passwords,
    versions,
)
from tests.functional.cdh_docker import node, sahara_parts

MASTERS = ["CLOUDERA_MANAGER", "HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "HDFS_DATANODE"]
SERVER = "/etc/init.d/cloudera-scm-server"
AGENT = "/etc/init.d/cloudera-scm-agent"
KILL_AGENT = "kill -9 $(cat /run/cloudera-scm-agent/cloudera-scm-agent.pid)"


class FaultsTest(testtools.TestCase):
    """Two nodes for all tests, with a new Cloudera Manager for each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        network = node.Network()
        cls.first, cls.second = (node.Node(network, f"c1-{name}-0.novalocal") for name in ("all", "more"))
        for fixture in (network, cls.first, cls.second):
            fixture.setUp()
            cls.addClassCleanup(fixture.cleanUp)
        for each in (cls.first, cls.second):
            each.know(cls.first, cls.second)

    def setUp(self):
        super().setUp()
        for each in (self.first, self.second):
            each.run(f"{AGENT} clean_restart_confirmed; {AGENT} stop; rm -rf /var/lib/cloudera-scm-agent/*")
        self.first.run(f"{SERVER} stop; rm -rf /var/lib/cloudera-scm-server/*")
        self.sahara = self.useFixture(sahara_parts.SaharaParts(node.required("SAHARA_DOCKER_TEST_PASSWORD")))
        self.sahara.options.config(node_domain="novalocal")
        groups = [
            {"name": "all", "node_processes": MASTERS, "node_configs": {}},
            {"name": "more", "node_processes": ["HDFS_DATANODE"], "node_configs": {}},
        ]
        limits = {options.COMMAND_TIMEOUT.name: 120, options.AWAIT_AGENTS_TIMEOUT.name: 120}
        cluster = self.sahara.cluster("c1", groups, cluster_configs={"general": limits})
        self.sahara.add_instance(cluster, "all", self.first.address)
        self.sahara.add_instance(cluster, "more", self.second.address)
        self.cluster = conductor.API.cluster_get(self.sahara.ctx, cluster.id)
        context.current().current_instance_info = context.InstanceInfo(cluster.id, step_type="test")
        by_name = {instance.fqdn(): instance for instance in plugin_utils.get_instances(self.cluster)}
        self.instances = [by_name[self.first.fqdn], by_name[self.second.fqdn]]
        self.handler = versions.VersionFactory().get_version_handler("5.13.0")
        passwords.prepare(self.cluster)

    def break_at_start(self, where, service, **faults):
        """Have the stand-in's server or agent on a node fail at its next start."""
        where.run(f"printf '%s' '{json.dumps(faults)}' >/var/lib/cloudera-scm-{service}/faults.json")

    def manage(self, *, agents=True):
        """Start Cloudera Manager and the agents, and describe the cluster to it."""
        nodes.start_manager(self.instances[0])
        client = self.handler.cloudera_utils.await_manager(self.cluster)
        reviver = agent_watch.Reviver(self.first.fqdn, 2, every=3, patience=0)
        # Longer than the lab's agents' heartbeat, which is quicker than a real one's.
        watch = agent_watch.AgentWatch(self.instances, client.hosts, reviver, silence=8, every=1)
        managed = managed_cluster.ManagedCluster(
            self.cluster, client, self.handler.cloudera_utils, self.handler.deploy._configs, watch
        )
        if agents:
            for instance in self.instances:
                nodes.start_agent(instance, self.first.fqdn, 1)
            managed.await_agents(self.instances, reviver)
            managed.create_services()
            managed.configure_services()
            managed.create_roles(self.instances, {})
        return managed

    def test_a_manager_that_is_slow_and_stumbles_at_its_first_start(self):
        self.break_at_start(self.first, "server", start_delay=3, error_seconds=6)
        statuses = []
        request = cm_session.CMSession.request

        def recorded(session, *arguments, **keywords):
            try:
                return request(session, *arguments, **keywords)
            except cm_session.CMError as error:
                statuses.append(error.status)
                raise

        self.useFixture(fixtures.MonkeyPatch("sahara_docker.plugins.cdh_docker.cm_session.CMSession.request", recorded))
        client = self.manage(agents=False).client
        self.assertEqual([], client.hosts())
        self.assertTrue({None, 500} <= set(statuses), statuses)

    def test_a_manager_that_restarts_while_agents_are_awaited(self):
        managed = self.manage(agents=False)

        def restart():
            time.sleep(1)
            self.first.run(f"{SERVER} stop; sleep 5; {SERVER} start")
            for each in (self.first, self.second):
                each.run(
                    f"sed -i 's/^server_host=.*/server_host={self.first.fqdn}/' /etc/cloudera-scm-agent/config.ini"
                )
                each.run(f"{AGENT} start")

        thread = threading.Thread(target=restart)
        thread.start()
        self.addCleanup(thread.join, 60)
        managed.await_agents(self.instances, lambda instance: "")
        self.assertEqual({self.first.fqdn, self.second.fqdn}, {host["hostname"] for host in managed.client.hosts()})

    def test_an_agent_that_dies_during_a_command_is_started_again(self):
        managed = self.manage()
        self.second.run(KILL_AGENT)
        managed.deploy_client_configs()
        self.assertEqual("", nodes.agent_trouble(self.instances[1]))
        self.second.run("grep -q c1-all-0 /etc/hadoop/conf/core-site.xml")

    def test_an_agent_that_does_not_come_up_again_ends_the_command_with_its_log(self):
        managed = self.manage()
        self.second.run(KILL_AGENT)
        self.break_at_start(self.second, "agent", failing_starts=100, message="No space left on device")
        error = str(self.assertRaises(nodes.AgentFailed, managed.deploy_client_configs))
        for part in (self.second.fqdn, self.second.address, "No space left on device"):
            self.assertIn(part, error)

    def test_a_command_that_fails_names_role_host_and_cause(self):
        managed = self.manage()
        self.first.run("setsid python3 -m http.server 50070 </dev/null >/dev/null 2>&1 & echo $! >/tmp/taken; sleep 1")
        self.addCleanup(self.first.run, "kill $(cat /tmp/taken)")
        error = str(self.assertRaises(cm_commands.CMCommandFailed, managed.first_run))
        for part in ("command FirstRun failed", "NAMENODE", self.first.fqdn, "Port in use"):
            self.assertIn(part, error)
