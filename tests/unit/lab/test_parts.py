# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import command, parts
from lab.parts import Part
from sahara_docker import exceptions


class RunTest(testtools.TestCase):
    def test_part_that_fails_is_named_with_its_status(self) -> None:
        parts.run(Part("a part", ["true"]))
        with testtools.ExpectedException(exceptions.SaharaDockerError, "a part failed.*exit status 1;"):
            parts.run(Part("a part", ["false"]))

    def test_part_that_takes_too_long_is_ended(self) -> None:
        with testtools.ExpectedException(exceptions.SaharaDockerError, "a part failed.*not done in 1 s"):
            parts.run(Part("a part", ["sleep", "600"], timeout=0.6))


class SideBySideTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.output = self.useFixture(fixtures.StringStream("stdout")).stream
        self.useFixture(fixtures.MonkeyPatch("sys.stdout", self.output))

    def run_them(self, *scripts: str, failed: list[str] | None = None) -> None:
        them = [Part(f"part/{number}", ["sh", "-c", text]) for number, text in enumerate(scripts, 1)]
        parts.run_side_by_side(them, 2, self.directory / "log", failed)

    def printed(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def waits_for(self, name: str) -> str:
        return f"for i in $(seq 300); do test -e {self.directory}/{name} && exit 0; sleep 0.1; done; exit 1"

    def test_two_run_at_a_time(self) -> None:
        first, second = (f"touch {self.directory}/{mine};" for mine in "ab")
        self.run_them(first + self.waits_for("b"), second + self.waits_for("a"))

    def test_never_three(self) -> None:
        alone = f"mkdir {self.directory}/third || exit 1; sleep 0.5; rmdir {self.directory}/third"
        self.run_them("sleep 1.2", alone, alone, alone)

    def test_output_of_each_is_shown_in_one_piece(self) -> None:
        self.run_them("echo one; sleep 0.5; echo more", "echo two >&2; sleep 0.5; echo less")
        self.assertThat(self.printed(), matchers.Contains("one\nmore\n"))
        self.assertThat(self.printed(), matchers.Contains("two\nless\n"))

    def test_first_failure_is_shown_and_ends_the_others(self) -> None:
        pid = self.directory / "pid"
        waits = f"until test -s {pid}; do sleep 0.1; done; echo its last words; exit 3"
        with testtools.ExpectedException(exceptions.SaharaDockerError, "part/2 failed.*exit status 3"):
            self.run_them(f"echo $$ > {pid}; exec sleep 600", waits, f"touch {self.directory}/never")
        self.assertIn("its last words", self.printed())
        self.assertRaises(ProcessLookupError, os.kill, int(pid.read_text()), 0)
        self.assertFalse((self.directory / "never").exists())

    def test_one_that_is_ended_can_take_away_what_it_has_made(self) -> None:
        made = self.directory / "made"
        suite = f"trap 'rm {made}; exit 130' INT; touch {made}; while true; do sleep 0.1; done"
        waits = f"until test -e {made}; do sleep 0.1; done; exit 3"
        with testtools.ExpectedException(exceptions.SaharaDockerError, "part/2 failed"):
            self.run_them(suite, waits)
        self.assertFalse(made.exists())

    def test_failures_are_collected_when_the_others_shall_go_on(self) -> None:
        self.useFixture(fixtures.MonkeyPatch("sys.stderr", self.output))
        failed: list[str] = []
        self.run_them("false", "echo the second", "exit 3", "echo the last", failed=failed)
        self.assertThat(failed, matchers.SameMembers(["part/1", "part/3"]))
        self.assertThat(self.printed(), matchers.Contains("the last"))

    def test_interrupt_ends_them_all(self) -> None:
        self.addCleanup(command.interrupted.clear)
        command.interrupted.set()
        began = time.monotonic()
        self.assertRaises(KeyboardInterrupt, self.run_them, "exec sleep 600", "exec sleep 600")
        self.assertThat(time.monotonic() - began, matchers.LessThan(60))
