# SPDX-License-Identifier: Apache-2.0
"""A stranger's tool on the lab: the scenario runner that Sahara's own project tests clouds with."""

from __future__ import annotations

import os
import subprocess

import fixtures
import testtools

from lab import installation, packages, settings
from tests.end_to_end.demo import LAB, make
from tests.end_to_end.test_lab import NOTHING, left_behind

SCENARIO = settings.CHECKOUT / "examples" / "scenario.yaml"


class ScenarioTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.tools = packages.install_environment(LAB, "scenario", "scenario.txt") / "bin"
        status, output = make("demo-up")
        self.assertEqual(0, status, output)
        self.addCleanup(make, "demo-down")

    def test_cluster_is_made_used_scaled_used_again_and_deleted(self) -> None:
        environment = {
            "PATH": f"{self.tools}:{os.environ['PATH']}",
            "HOME": str(LAB.data),
            **installation.client_environment(LAB),
        }
        done = subprocess.run(
            [self.tools / "sahara-scenario", SCENARIO],
            cwd=self.useFixture(fixtures.TempDir()).path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertRegex(done.stdout, "Passed: 1\n")
        self.assertEqual(NOTHING, left_behind())
