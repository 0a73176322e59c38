# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import os
import pathlib

import fixtures
import testtools
from testtools import matchers

from lab import __main__ as lab_main


class RootTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.stderr = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch("sys.stderr", self.stderr))
        self.useFixture(fixtures.MonkeyPatch("signal.signal", lambda *_: None))
        self.useFixture(fixtures.MonkeyPatch("os.geteuid", lambda: 1000))
        self.bin = self.useFixture(fixtures.TempDir())
        self.useFixture(fixtures.EnvironmentVariable("PATH", self.bin.path))
        self.useFixture(fixtures.EnvironmentVariable("HOME", self.bin.path))
        state = self.useFixture(fixtures.TempDir()).path
        for name in [name for name in os.environ if name in lab_main._KEPT or name.startswith(lab_main._KEPT_PREFIXES)]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        self.useFixture(fixtures.EnvironmentVariable("LAB_STATE", state))

    def test_no_root_and_no_sudo_is_one_clear_error(self):
        self.assertEqual(1, lab_main.main(["demo"]))
        self.assertThat(self.stderr.getvalue(), matchers.Contains("there is no sudo; run it as root, or install sudo"))

    def test_sudo_gets_what_decides_where_packages_come_from(self):
        sudo = pathlib.Path(self.bin.join("sudo"))
        sudo.write_text("#!/bin/sh\n")
        sudo.chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", "http://proxy:3128"))
        started: list[list[str]] = []

        def exec_(program: str, words: list[str]) -> None:
            started.append(words)
            raise SystemExit(0)

        self.useFixture(fixtures.MonkeyPatch("os.execvp", exec_))
        self.assertRaises(SystemExit, lab_main.main, ["demo"])
        self.assertThat(started[0][:2], matchers.Equals(["sudo", "--preserve-env=LAB_STATE,http_proxy"]))
        self.assertNotIn("proxy:3128", " ".join(started[0]))
        self.assertEqual(["-m", "lab", "demo"], started[0][-3:])


class BenchTest(testtools.TestCase):
    def test_a_benchmark_that_is_not_there_is_refused_at_once_and_the_others_named(self):
        stderr = self.useFixture(fixtures.StringStream("stderr")).stream
        self.useFixture(fixtures.MonkeyPatch("sys.stderr", stderr))
        self.assertRaises(SystemExit, lab_main.main, ["bench", "remote", "speed"])
        stderr.seek(0)
        self.assertThat(stderr.read(), matchers.Contains("benchmarks are remote, configuration, memory"))
