# SPDX-License-Identifier: Apache-2.0
"""The layer as Maven's stand-in on PATH lets it come out; the real Maven is part of every image build."""

from __future__ import annotations

import os
import pathlib
from xml.etree import ElementTree

import fixtures
import testtools

from lab import command
from lab.oozie import layer

_POM = "{http://maven.apache.org/POM/4.0.0}"

#: Makes an empty jar for each artifact of the project file that it is given, and notes that it ran.
_MAVEN = """#!/usr/bin/env python3
import pathlib, sys
from xml.etree import ElementTree
pom = sys.argv[sys.argv.index("--file") + 1]
target = pathlib.Path(next(word for word in sys.argv if word.startswith("-DoutputDirectory=")).partition("=")[2])
target.mkdir(parents=True, exist_ok=True)
name = "{http://maven.apache.org/POM/4.0.0}"
for item in ElementTree.parse(pom).getroot().iter(name + "artifactItem"):
    (target / f"{item.findtext(name + 'artifactId')}-{item.findtext(name + 'version').strip('${}')}.jar".replace(
        "oozie.version", "5.2.1")).write_text("")
with open(__file__ + ".runs", "a") as runs:
    runs.write("x")
"""


class LayerTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.maven = self.root / "bin" / "mvn"
        self.maven.parent.mkdir()
        self.use_maven(_MAVEN)
        self.useFixture(fixtures.EnvironmentVariable("PATH", f"{self.maven.parent}{os.pathsep}{os.environ['PATH']}"))
        self.target = self.root / "layers" / "oozie"
        self.home = self.target / "opt" / "oozie"
        self.told: list[str] = []

    def use_maven(self, script: str) -> None:
        self.maven.write_text(script)
        self.maven.chmod(0o755)

    def build(self) -> None:
        layer.build(self.target, self.told.append)

    def test_everything_is_where_the_server_looks_for_it(self) -> None:
        self.build()

        self.assertTrue(os.access(self.home / "bin" / "oozie-server", os.X_OK))
        for path in ("python/oozie_server/__main__.py", "conf/action-conf/default.xml", "webroot/webapp/index.html"):
            self.assertTrue((self.home / path).is_file(), path)
        kinds = {path.parent.name for path in (self.home / "sharelib").glob("*/*.jar")}
        self.assertEqual(set(layer.SHARELIB), kinds)

    def test_streaming_is_in_the_share_lib_only(self) -> None:
        self.build()

        self.assertEqual([], list((self.home / "lib").glob("*streaming*")))
        self.assertEqual(2, len(list((self.home / "sharelib" / "mapreduce-streaming").glob("*.jar"))))

    def test_jars_are_fetched_once(self) -> None:
        self.build()
        self.build()

        self.assertEqual("x", pathlib.Path(f"{self.maven}.runs").read_text())

    def test_a_fetch_that_failed_is_told_and_made_up_for(self) -> None:
        self.use_maven("#!/bin/sh\necho no route to the repository\nexit 1\n")

        error = self.assertRaises(command.CommandFailed, self.build)

        self.assertIn("no route to the repository", str(error))
        self.use_maven(_MAVEN)
        self.build()
        self.assertNotEqual([], list((self.home / "lib").glob("oozie-core-*.jar")))


class ProjectFileTest(testtools.TestCase):
    def test_each_artifact_has_a_version_of_its_own(self) -> None:
        root = ElementTree.parse(layer.HERE / "pom.xml").getroot()
        properties = {item.tag.removeprefix(_POM): item.text for item in root.find(f"{_POM}properties") or ()}

        for item in root.iter(f"{_POM}artifactItem"):
            version = item.findtext(f"{_POM}version", "")
            version = properties.get(version.strip("${}"), version)
            self.assertRegex(version or "", r"^\d[\w.-]*$", item.findtext(f"{_POM}artifactId"))
