# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import fixtures
import testtools

from lab import command, debian_base


class SourcesTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.apt = Path(self.useFixture(fixtures.TempDir()).path)
        (self.apt / "sources.list.d").mkdir()

    def _write(self, name: str, text: str) -> Path:
        path = self.apt / name
        path.write_text(text)
        return path

    def test_the_distribution_s_own_sources_are_taken_in_both_formats(self) -> None:
        old = self._write("sources.list", "deb http://mirror.example/debian bookworm main\n")
        new = self._write(
            "sources.list.d/security.sources", "Types: deb\nURIs: http://s.example\nSuites: bookworm-security\n"
        )
        self.assertEqual([old, new], debian_base.sources("bookworm", self.apt))

    def test_others_are_left_out(self) -> None:
        mine = self._write("sources.list", "deb http://mirror.example/debian bookworm main\n")
        self._write("sources.list.d/vendor.sources", "Types: deb\nURIs: http://v.example\nSuites: nodistro\n")
        self._write("sources.list.d/old.list", "# deb http://mirror.example/debian bookworm main\n")
        self._write("sources.list.d/off.list.disabled", "deb http://mirror.example/debian bookworm main\n")
        self.assertEqual([mine], debian_base.sources("bookworm", self.apt))

    def test_none_is_an_error_that_names_the_place(self) -> None:
        error = self.assertRaises(debian_base.NoBase, debian_base.sources, "bookworm", self.apt)
        self.assertIn(str(self.apt), str(error))

    def test_the_code_name_is_the_machine_s(self) -> None:
        release = self._write("os-release", 'NAME="Ubuntu"\nVERSION_CODENAME=jammy\n')
        self.assertEqual("jammy", debian_base.release(release))

    def test_a_distribution_without_code_name_is_refused(self) -> None:
        release = self._write("os-release", "NAME=Other\n")
        self.assertRaises(debian_base.NoBase, debian_base.release, release)


class FailureTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        self.archive, self.log = self.home / "state" / "base.tar", self.home / "base.log"

    def _path(self, script: str | None) -> None:
        """A PATH on which mmdebstrap is *script*, or is not there at all."""
        tools = self.home / "tools"
        tools.mkdir()
        if script is not None:
            (tools / "mmdebstrap").write_text(f"#!/bin/sh\n{script}\n")
            (tools / "mmdebstrap").chmod(0o755)
            self.useFixture(fixtures.EnvironmentVariable("PATH", f"{tools}:{os.environ['PATH']}"))
        else:
            self.useFixture(fixtures.EnvironmentVariable("PATH", str(tools)))

    def test_without_mmdebstrap_the_remedy_is_named(self) -> None:
        self._path(None)
        error = self.assertRaises(debian_base.NoBase, debian_base.make, self.archive, self.log)
        self.assertIn("install the package mmdebstrap", str(error))

    def test_a_failed_run_leaves_no_archive_and_shows_its_last_words(self) -> None:
        self._path("echo 'E: no space left on device'; exit 3")
        error = self.assertRaises(command.CommandFailed, debian_base.make, self.archive, self.log)
        self.assertIn("no space left on device", str(error))
        self.assertIn(str(self.log), str(error))
        self.assertFalse(self.archive.exists())

    def test_a_run_that_hangs_is_ended(self) -> None:
        self._path("sleep 60")
        error = self.assertRaises(command.CommandFailed, debian_base.make, self.archive, self.log, timeout=0.2)
        self.assertIn("not done", str(error))
