# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import preflight, settings


class PreflightTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.lab = settings.Lab(self.directory / "state")

    def unfit(self) -> str:
        return str(self.assertRaises(preflight.Unfit, preflight.check, self.lab, running=False))

    def test_a_taken_port_is_named_with_its_holder(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.useFixture(fixtures.MonkeyPatch("lab.settings.PORTS", {"keystone": port}))
            text = self.unfit()
        self.assertThat(text, matchers.Contains(f"{port} (keystone)"))
        self.assertThat(text, matchers.Contains(f"process {os.getpid()}"))

    def test_too_little_memory_says_how_much_there_is(self):
        meminfo = self.directory / "meminfo"
        meminfo.write_text("MemTotal: 2097152 kB\nMemAvailable: 2000000 kB\n")
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.memory_mb", lambda read=preflight.memory_mb: read(meminfo)))
        self.assertThat(self.unfit(), matchers.Contains("1953 MB available"))

    def test_a_control_group_bounds_the_memory(self):
        meminfo, group = self.directory / "meminfo", self.directory / "cgroup"
        meminfo.write_text("MemTotal: 33554432 kB\nMemAvailable: 33554432 kB\n")
        group.mkdir()
        (group / "memory.max").write_text(f"{3 * 2**30}\n")
        self.assertEqual(3072, preflight.memory_mb(meminfo, group))
        (group / "memory.max").write_text("max\n")
        self.assertEqual(32768, preflight.memory_mb(meminfo, group))

    def test_too_little_disk_says_where(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.DISK_FIRST_GB", 10**9))
        self.assertThat(self.unfit(), matchers.MatchesAll(matchers.Contains("GB free"), matchers.Contains("LAB_STATE")))

    def test_a_path_too_long_for_sockets(self):
        self.lab = settings.Lab(Path("/" + "x" * 80))
        self.assertThat(self.unfit(), matchers.Contains("too long for Unix sockets"))

    def test_several_problems_are_all_told(self):
        self.lab = settings.Lab(Path("/" + "x" * 80))
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.MEMORY_MB", 10**9))
        self.assertThat(
            self.unfit(), matchers.MatchesAll(matchers.Contains("too long"), matchers.Contains("not enough memory"))
        )
