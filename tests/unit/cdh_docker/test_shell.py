# SPDX-License-Identifier: Apache-2.0
"""Scripts with a secret, run by this machine's own shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import fixtures
import testtools

from sahara_docker.plugins.cdh_docker import shell

SECRET = "first line\nsécond line\n"


class LocalRemote:
    """Runs what a node would run as root, with another directory in place of /run.

    :ivar commands: what was run.
    """

    def __init__(self, directory: str, *, lost: int = 0) -> None:
        self.commands: list[str] = []
        self._directory = directory
        self._lost = lost

    def execute_command(self, cmd, raise_when_error=True, timeout=None, stdin=""):
        self.commands.append(cmd)
        local = cmd.removeprefix("sudo ").replace("mktemp /run/", f"mktemp {self._directory}/")
        sent = stdin.encode()[: len(stdin.encode()) - self._lost]
        done = subprocess.run(["sh", "-c", local], input=sent, stdout=subprocess.PIPE, timeout=30)
        return done.returncode, done.stdout.decode()


class SecretTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = self.useFixture(fixtures.TempDir()).path

    def run_script(self, script, *arguments, **remote):
        self.remote = LocalRemote(self.directory, **remote)
        outcome = shell.run_with_secret(self.remote, script, SECRET, *arguments)
        self.assertEqual([], list(Path(self.directory).iterdir()))
        return outcome

    def test_it_comes_in_one_round_trip_in_a_file_of_its_own(self):
        outcome = self.run_script('stat -c %a "$1"; wc -c <"$1"; echo "$2"', "it's $HOME")
        self.assertEqual((0, f"600\n{len(SECRET.encode())}\nit's $HOME\n"), outcome)
        (command,) = self.remote.commands
        self.assertNotIn("second", command)
        self.assertNotIn("first", command)

    def test_it_is_gone_whatever_the_script_does(self):
        self.assertEqual(3, self.run_script("trap 'true' EXIT; exit 3").code)
        self.assertNotEqual(0, self.run_script("kill -TERM $PPID; sleep 1").code)

    def test_it_is_not_shown(self):
        self.assertEqual("***\n***\n", self.run_script('cat "$1"').output)

    def test_a_part_of_it_is_not_used(self):
        outcome = self.run_script("echo used", lost=3)
        self.assertEqual((1, "the input ended too early\n"), outcome)
