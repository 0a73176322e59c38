# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import zipfile
from pathlib import Path

import fixtures
import testtools

from lab import command, maven
from lab.hadoop import jars


class FetchTest(testtools.TestCase):
    """Maven as a script: its failures cannot be had at will otherwise."""

    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        self.directory, self.log = self.home / "hadoop", self.home / "maven.log"
        self.tools = self.home / "tools"
        self.tools.mkdir()

    def _maven(self, script: str) -> None:
        (self.tools / "mvn").write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / "mvn").chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable("PATH", f"{self.tools}:{os.environ['PATH']}"))

    def test_without_maven_the_remedy_is_named(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable("PATH", str(self.tools)))
        error = self.assertRaises(maven.NoMaven, jars.fetch, self.directory, self.log)
        self.assertIn("install the packages maven", str(error))

    def test_maven_s_last_words_and_its_log_are_shown(self) -> None:
        self._maven("echo '[ERROR] Could not transfer artifact'; exit 1")
        error = self.assertRaises(command.CommandFailed, jars.fetch, self.directory, self.log)
        self.assertIn("Could not transfer artifact", str(error))
        self.assertIn(str(self.log), str(error))
        self.assertFalse(self.directory.exists())

    def test_a_success_that_brings_nothing_is_a_failure(self) -> None:
        self._maven("exit 0")
        self.assertRaises(jars.HadoopUnavailable, jars.fetch, self.directory, self.log)
        self.assertFalse(self.directory.exists())

    def test_the_network_is_only_asked_when_the_local_repository_cannot_serve(self) -> None:
        made = self.home / "hadoop-hdfs-1-tests.jar"
        with zipfile.ZipFile(made, "w") as jar:
            jar.writestr("webapps/hdfs/index.html", "page")
        self._maven(
            f'echo "$@" >>{self.home}/calls\n'
            'for word; do case "$word" in -DoutputDirectory=*) out=${word#*=} ;; esac; done\n'
            f'cp {made} "$out"'
        )
        (self.home / "maven").mkdir()
        jars.fetch(self.directory, self.log)
        calls = (self.home / "calls").read_text().splitlines()
        self.assertEqual(1, len(calls))
        self.assertIn("--offline", calls[0])
        self.assertIn(f"-Dmaven.repo.local={self.home}/maven", calls[0])
        self.assertEqual(["hadoop-hdfs-1-webapps.jar"], os.listdir(self.directory))


class WebappsTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)

    def _jar(self, **files: str) -> Path:
        path = self.home / "tests.jar"
        with zipfile.ZipFile(path, "w") as jar:
            for name, text in files.items():
                jar.writestr(name.replace("_", "/"), text)
        return path

    def test_only_the_pages_are_kept(self) -> None:
        source = self._jar(webapps_hdfs_page="page", org_Test="class")
        target = self.home / "webapps.jar"
        jars.extract_webapps(source, target)
        with zipfile.ZipFile(target) as jar:
            self.assertEqual({"webapps/hdfs/page": b"page"}, {name: jar.read(name) for name in jar.namelist()})

    def test_a_jar_without_pages_is_refused(self) -> None:
        source = self._jar(org_Test="class")
        self.assertRaises(jars.HadoopUnavailable, jars.extract_webapps, source, self.home / "webapps.jar")
