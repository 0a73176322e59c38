# SPDX-License-Identifier: Apache-2.0
"""The layer as Maven's stand-in on PATH lets it come out; the real Maven is part of every image build."""

from __future__ import annotations

import os
import pathlib
import zipfile
from xml.etree import ElementTree

import fixtures
import testtools

from lab import command
from lab.oozie import layer

#: Makes a jar of one class for each artifact of the project file that it is given, and notes that it ran.
_MAVEN = """#!/usr/bin/env python3
import pathlib, sys, zipfile
from xml.etree import ElementTree
pom = sys.argv[sys.argv.index("--file") + 1]
target = pathlib.Path(next(word for word in sys.argv if word.startswith("-DoutputDirectory=")).partition("=")[2])
target.mkdir(parents=True, exist_ok=True)
name = "{http://maven.apache.org/POM/4.0.0}"
for item in ElementTree.parse(pom).getroot().iter(name + "artifactItem"):
    jar = target / f"{item.findtext(name + 'artifactId')}-{item.findtext(name + 'version').strip('${}')}.jar".replace(
        "oozie.version", "5.2.1")
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("org/roaringbitmap/RoaringBitmap.class", b"\\xca\\xfe\\xba\\xbe\\0\\0\\0\\x34\\0\\x01")
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

    def test_pig_has_its_library_under_the_name_that_it_asks_for(self) -> None:
        self.build()

        (jar,) = (self.home / "sharelib" / "pig").glob("RoaringBitmap-*.jar")
        with zipfile.ZipFile(jar) as archive:
            self.assertEqual(["org/apache/pig/org/roaringbitmap/RoaringBitmap.class"], archive.namelist())

    def test_configuration_files_that_hadoops_shell_insists_on_are_beside_the_launcher(self) -> None:
        self.build()

        with zipfile.ZipFile(self.home / "sharelib" / "oozie" / "hadoop-empty-resources.jar") as archive:
            for name in ("resource-types.xml", "hdfs-rbf-default.xml", "hdfs-rbf-site.xml"):
                root = ElementTree.fromstring(archive.read(name))
                self.assertEqual(("configuration", 0), (root.tag, len(root)))

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
