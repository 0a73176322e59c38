# SPDX-License-Identifier: Apache-2.0
"""The scripts, run by this machine's shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import fixtures
import testtools

from sahara_docker.ssh import files


class ScriptTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.path = self.directory / "it's a file"

    def run_script(self, script: str, data: bytes = b"") -> subprocess.CompletedProcess:
        return subprocess.run(["sh", "-c", script], input=data, capture_output=True, cwd=self.directory, check=False)

    def test_data_that_arrives_in_part_changes_nothing(self) -> None:
        self.path.write_text("old")
        for script in (files.write, files.append, files.prepend):
            done = self.run_script(script(str(self.path), 10), b"only")
            self.assertEqual((74, b"only 4 of 10 bytes arrived\n"), (done.returncode, done.stderr))
            self.assertEqual("old", self.path.read_text())

    def test_write_append_prepend(self) -> None:
        for script, data, content in (
            (files.write, b"two", "two"),
            (files.append, b"three", "twothree"),
            (files.prepend, b"one", "onetwothree"),
        ):
            self.assertEqual(0, self.run_script(script(str(self.path), len(data)), data).returncode)
            self.assertEqual(content, self.path.read_text())

    def test_replaced_strings_are_patterns_and_replacements_are_literal(self) -> None:
        self.path.write_text("server_host=localhost\nport=7182\n")
        done = self.run_script(*files.replace_string(str(self.path), "server_host=.*", r"server_host=a&b\1/,'x'"))
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("server_host=a&b\\1/,'x'\nport=7182\n", self.path.read_text())

    def test_replaced_line(self) -> None:
        self.path.write_text("a=1\nb=2 # x\n")
        self.run_script(*files.replace_line(str(self.path), "b=", "b=/p,q\nc=3"))
        self.assertEqual("a=1\nb=/p,q\nc=3\n", self.path.read_text())

    def test_replacing_in_no_file_fails_and_makes_none(self) -> None:
        self.assertNotEqual(0, self.run_script(*files.replace_string(str(self.path), "a", "b")).returncode)
        self.assertFalse(self.path.exists())
