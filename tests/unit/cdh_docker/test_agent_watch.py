# SPDX-License-Identifier: Apache-2.0
"""Noticing agents that fall silent during a command."""

from __future__ import annotations

from sahara_docker.plugins.cdh_docker import agent_watch, cm_session
from tests.unit.cdh_docker import base


class AgentWatchTest(base.PluginTestCase):
    def setUp(self):
        super().setUp()
        self.conf.config(node_domain="novalocal")
        instances = [i for group in base.cluster().node_groups for i in group.instances]
        self.now = 0.0
        self.heartbeats = {instance.fqdn(): 0 for instance in instances}
        self.revived = []
        self.watch = agent_watch.AgentWatch(
            instances, self.hosts, self.revive, silence=30, every=5, clock=lambda: self.now
        )

    def hosts(self):
        return [{"hostname": name, "lastHeartbeat": f"at {beat}"} for name, beat in self.heartbeats.items()]

    def revive(self, instance):
        self.revived.append(instance.instance_name)
        return "(restarted)"

    def pass_time(self, seconds, *silent):
        for _ in range(seconds):
            self.now += 1
            for name in self.heartbeats:
                if name.partition(".")[0] not in silent:
                    self.heartbeats[name] += 1
            said = self.watch()
        return said

    def test_agents_that_are_heard_are_left_alone(self):
        self.assertEqual("", self.pass_time(200))
        self.assertEqual([], self.revived)

    def test_a_silent_agent_is_looked_at_whatever_cloudera_manager_s_clock_says(self):
        self.pass_time(10)
        said = self.pass_time(36, "worker-0")
        self.assertEqual("no heartbeat of worker-0.novalocal (restarted)", said)
        self.assertEqual({"worker-0"}, set(self.revived))
        self.assertEqual("", self.pass_time(10))

    def test_nobody_is_blamed_while_cloudera_manager_is_away(self):
        self.pass_time(10)
        self.watch._hosts = lambda: (_ for _ in ()).throw(cm_session.CMError("no answer"))
        self.pass_time(60, *(name.partition(".")[0] for name in self.heartbeats))
        self.watch._hosts = self.hosts
        self.pass_time(20, *(name.partition(".")[0] for name in self.heartbeats))
        self.assertEqual([], self.revived)
