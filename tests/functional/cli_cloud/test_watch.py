# SPDX-License-Identifier: Apache-2.0
"""``watch`` on a cluster of the lab while it is being made, and on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import fixtures
import testtools

from sahara_docker.cli import main
from sahara_docker.cli.watch import screen
from tests.functional.cli_cloud import lab_cloud

_WORDS = [sys.executable, "-m", "sahara_docker.cli", "watch"]


class WatchTest(testtools.TestCase):
    def environment(self):
        return {**os.environ, **lab_cloud.environ(), "COLUMNS": "100", "LINES": "30"}

    def test_cluster_from_its_first_moment_to_its_end(self):
        picture = Path(self.useFixture(fixtures.TempDir()).path) / "time.svg"
        watching = []

        def begin(name):
            words = [*_WORDS, name, "--svg", str(picture)]
            watching.append(subprocess.Popen(words, env=self.environment(), stdout=subprocess.PIPE, text=True))

        made = self.useFixture(lab_cloud.Cluster(own=True, while_made=begin))
        said, _ = watching[0].communicate(timeout=120)
        self.assertEqual(0, watching[0].returncode, said)
        for words in (
            f"cluster: {made.name} was asked for",
            "step     Create Heat stack: of 1 began",
            "waiting for ",
            "since ",
            f"nova     {made.name}-worker-0: ACTIVE",
            "CREATE_COMPLETE",
            "step     First run cluster: done",
            "cluster: Active",
            f"{made.name} is Active; 3 nodes",
            "slowest node",
        ):
            self.assertIn(words, said)
        names = {one.text for one in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")}
        self.assertTrue({"Create Heat stack", "First run cluster", f"{made.name}-worker-1"} <= names, names)
        self.on_a_terminal(made.name)

    def on_a_terminal(self, name):
        ours, theirs = pty.openpty()
        words = [*_WORDS, name, "--follow"]
        process = subprocess.Popen(words, env=self.environment(), stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        seen = b""
        deadline = time.monotonic() + 60
        while seen.count(screen.HOME_AND_CLEAR.encode()) < 3 and time.monotonic() < deadline:
            seen += os.read(ours, 65536)
        process.send_signal(2)
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            seen += more
        process.wait(30)
        os.close(ours)
        text = seen.decode()
        self.assertIn("nothing is being waited for", text)
        self.assertIn(f"{name}-worker-0", text)
        self.assertIn("GOOD", text)
        self.assertNotIn("Traceback", text)
        self.assertIn(f"{name} is Active", text)  # the summary, also after Ctrl-C

    def test_cluster_that_does_not_exist(self):
        for name, value in lab_cloud.environ().items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        self.assertEqual(main.FAILED, main.main(["watch", "nowhere"]))
