# SPDX-License-Identifier: Apache-2.0
"""Two masters of which one may be lost: who is asked, and who is left alone."""

from __future__ import annotations

import json
import pathlib
import time

import fixtures
import testtools

from lab.cloudera_manager.faults import Faults
from lab.cloudera_manager.hadoop import render, webhdfs
from lab.cloudera_manager.server.agents import Agents
from lab.cloudera_manager.server.commands import Commands, Target
from lab.cloudera_manager.server.errors import CommandFailed
from lab.cloudera_manager.server.roles import Roles
from lab.cloudera_manager.server.store import Store
from lab.cloudera_manager.server.workflows import Workflows
from tests.unit import answering
from tests.unit.cloudera_manager import clusters

NOBODY = "127.0.0.1:1"


class ActiveNameNodeTest(testtools.TestCase):
    def name_node(self, state):
        """Serve a NameNode's status and return the address."""
        server = self.useFixture(answering.Server(json.dumps({"beans": [{"State": state}]}).encode()))
        return server.url.removeprefix("http://")

    def test_the_active_one_is_found_beside_one_that_is_lost(self):
        active, standby = self.name_node("active"), self.name_node("standby")
        for addresses in ([active, standby], [standby, active], [NOBODY, active]):
            self.assertEqual(active, webhdfs.active_name_node(addresses))

    def test_the_only_one_is_not_asked(self):
        self.assertEqual(NOBODY, webhdfs.active_name_node([NOBODY]))

    def test_none_is_active(self):
        standby = self.name_node("standby")
        error = str(self.assertRaises(CommandFailed, webhdfs.active_name_node, [NOBODY, standby]))
        self.assertIn(f"{standby} is standby", error)
        self.assertIn(NOBODY, error)


class LostMasterTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        store = self.store = Store(directory / "state.json")
        store.model, self.cluster = clusters.small()
        self.hdfs = self.cluster.services["hdfs01"]
        clusters.add(store.model, self.cluster, self.hdfs, "NAMENODE", clusters.WORKERS[0])
        self.hosts = store.model.hosts
        for role in self.hdfs.roles_of("NAMENODE"):
            host = self.hosts[role.host_id]
            lists = render.host_lists(render.role_files(self.cluster, self.hdfs, role, host))
            role.state, role.host_lists = "STARTED", str(sorted(lists.items()))
        agents = Agents(store)
        self.commands = Commands(store, Faults(directory))
        self.workflows = Workflows(self.commands, Roles(store, agents))

    def run_to_end(self, work):
        command = self.commands.start("Test", Target("c1"), work)
        return clusters.finished(self.store, command)

    def test_a_lost_one_keeps_nobody_from_refreshing(self):
        self.hosts[clusters.WORKERS[0]].last_heartbeat = time.time()
        command = self.run_to_end(self.workflows.refresh(self.cluster, (self.hdfs, self.hdfs.roles_of("DATANODE")[0])))
        self.assertEqual((True, "hdfs01_NAMENODE_w1 has the current list of hosts"), (command.success, command.message))

    def test_with_both_lost_nobody_is_taken_for_empty(self):
        leaving = self.hdfs.roles_of("DATANODE")[:1]
        command = self.run_to_end(self.workflows.decommission(self.cluster, self.hdfs, leaving))
        self.assertEqual((False, "COMMISSIONED"), (command.success, leaving[0].commission))
        self.assertIn(f"host {clusters.MASTER} does not answer", command.message)
