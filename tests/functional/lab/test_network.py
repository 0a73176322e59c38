# SPDX-License-Identifier: Apache-2.0
"""The lab's bridges where another lab's are, in a network namespace of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import settings

_CALL = """
import sys
from pathlib import Path
from lab import network, settings
from sahara_docker import exceptions
lab = settings.Lab(Path(sys.argv[1]))
try:
    getattr(network, sys.argv[2])(lab)
except exceptions.SaharaDockerError as error:
    sys.exit(str(error))
"""


class BridgesTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.namespace = f"lab-test-{uuid.uuid4().hex[:6]}"
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.addCleanup(subprocess.run, ["ip", "netns", "delete", self.namespace], check=True)
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.lab, self.other = settings.Lab(directory / "this"), settings.Lab(directory / "other")

    def inside(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(["ip", "netns", "exec", self.namespace, *words], capture_output=True, text=True)

    def ask(self, action: str, lab: settings.Lab) -> str:
        """The error of doing this with a lab's bridges; empty when it went well."""
        return self.inside(sys.executable, "-c", _CALL, str(lab.state), action).stderr

    def interfaces(self) -> dict[str, str]:
        """Aliases by names, of all but loopback."""
        links = json.loads(self.inside("ip", "-json", "link", "show").stdout)
        return {link["ifname"]: link.get("ifalias", "") for link in links if link["ifname"] != "lo"}

    def plug(self) -> None:
        """Bridges of the other lab, of two hosts, with a port each as instances have them."""
        self.assertEqual("", self.ask("create", self.other))
        for command in (
            "link add sdlab1 type bridge",
            "link add sdlab1-near type veth peer name sdlab1-far",
            "link set sdlab1-near master sdlab0",
            "link set sdlab1-far master sdlab1",
            "link add tap0 type veth peer name eth0",
            "link set tap0 master sdlab0",
            "link add tap1 type veth peer name eth1",
            "link set tap1 master sdlab1",
            "link add sdlabor type bridge",
        ):
            self.assertEqual(0, self.inside("ip", *command.split()).returncode, command)

    def run_other(self) -> None:
        process = subprocess.Popen(["sleep", "60"], env={**os.environ, settings.MARK: str(self.other.state)})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def test_those_of_a_lab_whose_processes_were_killed_give_way(self):
        self.plug()
        self.assertEqual("", self.ask("create", self.lab))
        self.assertEqual({"sdlab0": self.lab.host, "sdlabor": ""}, self.interfaces())
        self.assertEqual("", self.ask("remove", self.lab))
        self.assertEqual({"sdlabor": ""}, self.interfaces())

    def test_those_of_a_lab_that_runs_stay(self):
        self.plug()
        self.run_other()
        before = self.interfaces()
        error = self.ask("create", self.lab)
        for part in ("sdlab0", self.other.host, str(self.other.state), "make demo-down"):
            self.assertThat(error, matchers.Contains(part))
        self.assertEqual(before, self.interfaces())
        self.assertEqual("", self.ask("remove", self.lab))
        self.assertEqual(before, self.interfaces())

    def test_one_that_is_nobodys_stays(self):
        self.inside("ip", "link", "add", "sdlab0", "type", "bridge")
        for alias in ("", "mine"):
            self.inside("ip", "link", "set", "sdlab0", "alias", alias)
            error = self.ask("create", self.lab)
            self.assertThat(error, matchers.Contains(f"alias {alias}" if alias else "no alias"))
            self.assertThat(error, matchers.Contains("ip link delete sdlab0"))
            self.assertEqual({"sdlab0": alias}, self.interfaces())

    def test_again_on_its_own_it_changes_nothing(self):
        self.assertEqual("", self.ask("create", self.lab))
        before = self.interfaces()
        self.assertEqual("", self.ask("create", self.lab))
        self.assertEqual(before, self.interfaces())
