# SPDX-License-Identifier: Apache-2.0
"""The check of Docker's firewall, in a network namespace whose rules are the test's own."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

from sahara_docker.cli.doctor import check, runner
from tests.unit.cli import doctoring


class BridgeFilterTest(doctoring.DoctorTest):
    def setUp(self):
        super().setUp()
        self.namespace = f"doctor-{uuid.uuid4().hex[:6]}"
        self.run_here("ip", "netns", "add", self.namespace)
        self.addCleanup(self.run_here, "ip", "netns", "delete", self.namespace)
        self.inside("ip", "link", "add", "br-test", "type", "bridge")
        self.inside("ip", "link", "add", "tap-test", "type", "veth", "peer", "name", "eth-test")
        self.inside("ip", "link", "set", "tap-test", "master", "br-test")

    def run_here(self, *words):
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, f"{words}: {done.stderr}")
        return done.stdout

    def inside(self, *words):
        return self.run_here("ip", "netns", "exec", self.namespace, *words)

    def examine(self, name, place):
        words = [sys.executable, "-m", "sahara_docker.cli", "doctor", name, "--format", "json"]
        done = subprocess.run(["ip", "netns", "exec", self.namespace, *words], capture_output=True, text=True)
        found = json.loads(done.stdout)["checks"][0]
        result = check.Result(found["status"], found["looked_at"], found["saw"])
        remedy = found["remedy"] if found["status"] in (check.WARN, check.FAIL) else ""
        return runner.Finding(check.CHECKS[name], check.Result(result.status, result.looked_at, result.saw, remedy), 0)

    def test_policy_that_drops_and_a_rule_that_lets_through(self):
        self.inside("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=1")
        self.assert_well("network.bridge-filter", None)
        self.inside("iptables", "-P", "FORWARD", "DROP")
        self.assert_named(
            "network.bridge-filter", None, "br-test", "iptables -I FORWARD -i br-test -o br-test -j ACCEPT"
        )
        self.inside("iptables", "-I", "FORWARD", "-i", "br-test", "-o", "br-test", "-j", "ACCEPT")
        self.assert_well("network.bridge-filter", None)
        self.inside("iptables", "-F", "FORWARD")
        self.inside("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=0")
        self.assert_well("network.bridge-filter", None)
