# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fixtures
import testtools

from lab import control, leftovers, settings

_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


class LeftoversTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.lab = settings.Lab(Path(self.useFixture(fixtures.TempDir()).path))

    def start(self, state: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", _STUBBORN],
            stdout=subprocess.PIPE,
            env={**os.environ, settings.MARK: state},
        )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdout.readline()
        return process

    def test_only_processes_with_this_labs_mark_are_found(self):
        mine, another = self.start(str(self.lab.state)), self.start(f"{self.lab.state}-2")
        self.assertEqual([mine.pid], leftovers.find(self.lab))
        self.assertIsNone(another.poll())

    def test_one_that_ignores_sigterm_is_killed(self):
        mine, another = self.start(str(self.lab.state)), self.start(f"{self.lab.state}-2")
        self.assertEqual(1, leftovers.end(self.lab, patience=0.3))
        self.assertEqual(-9, mine.wait(5))
        self.assertIsNone(another.poll())


class StateTest(testtools.TestCase):
    def test_the_pid_of_a_dead_supervisor_counts_for_nothing(self):
        lab = settings.Lab(Path(self.useFixture(fixtures.TempDir()).path))
        lab.run.mkdir()
        # A process that lives and is no supervisor: what a reused number looks like.
        (lab.run / "supervisor.json").write_text(
            f'{{"pid": {os.getpid()}, "phase": "ready", "steps": {{}}, "services": {{}}}}'
        )
        self.assertEqual("down", control.read(lab)["phase"])

    def test_no_file_is_no_lab(self):
        lab = settings.Lab(Path(self.useFixture(fixtures.TempDir()).path))
        self.assertEqual("down", control.read(lab)["phase"])

    def test_passwords_are_random_private_and_stay(self):
        lab = settings.Lab(Path(self.useFixture(fixtures.TempDir()).path))
        first = lab.secrets
        self.assertEqual(len(first), len(set(first.values())))
        self.assertEqual(first, settings.Lab(lab.state).secrets)
        self.assertEqual(0o600, (lab.data / "secrets.json").stat().st_mode & 0o777)
