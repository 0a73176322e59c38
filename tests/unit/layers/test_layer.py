# SPDX-License-Identifier: Apache-2.0
"""What all software beside Hadoop has in common; the real Maven is part of every image build."""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import tarfile
import zipfile
from xml.etree import ElementTree

import fixtures
import testtools

import lab
from lab import layer
from lab.hbase import layer as hbase
from lab.hive import layer as hive

LAB = pathlib.Path(lab.__file__).parent
RECIPES = ("hbase", "hive", "kafka", "oozie")
_POM = "{http://maven.apache.org/POM/4.0.0}"


class RecipeTest(testtools.TestCase):
    def test_each_artifact_has_a_pinned_version(self) -> None:
        for recipe in RECIPES:
            root = ElementTree.parse(LAB / recipe / "pom.xml").getroot()
            properties = {item.tag.removeprefix(_POM): item.text for item in root.find(f"{_POM}properties") or ()}
            for item in root.iter(f"{_POM}artifactItem"):
                version = item.findtext(f"{_POM}version", "")
                version = properties.get(version.strip("${}"), version)
                self.assertRegex(version or "", r"^\d[\w.-]*$", item.findtext(f"{_POM}artifactId"))

    def test_programs_are_files_that_can_be_run(self) -> None:
        for program in (program for recipe in RECIPES for program in (LAB / recipe / "bin").iterdir()):
            self.assertTrue(program.is_file() and not program.is_symlink(), program)
            self.assertTrue(os.access(program, os.X_OK), program)


class LayerTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        maven = root / "bin" / "mvn"
        maven.parent.mkdir()
        # Brings no jar into the directory that it is given.
        words = "for word; do case $word in -DoutputDirectory=*) mkdir -p ${word#*=} ;; esac; done"
        maven.write_text(f"#!/bin/sh\n{words}\n")
        maven.chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable("PATH", f"{maven.parent}{os.pathsep}{os.environ['PATH']}"))
        self.recipe = root / "kafka"
        shutil.copytree(LAB / "kafka", self.recipe)
        self.target = root / "layers" / "kafka"

    def build(self) -> list[str]:
        told: list[str] = []
        layer.build(self.recipe, self.target, told.append)
        return told

    def test_programs_are_on_the_path_under_their_names(self) -> None:
        self.build()
        for name in ("kafka-topics", "kafka-console-consumer", "kafka-run-class"):
            self.assertEqual(f"/opt/kafka/bin/{name}", os.readlink(self.target / "usr" / "bin" / name))
            self.assertTrue(os.access(self.target / "opt" / "kafka" / "bin" / name, os.X_OK), name)

    def test_jars_are_fetched_anew_when_the_recipe_or_its_code_changed_and_not_else(self) -> None:
        fetched = ["fetching the jars of kafka"]
        self.assertEqual(fetched, self.build())
        self.assertEqual([], self.build())
        (self.recipe / "layer.py").write_text("# arranges them in another way\n")
        self.assertEqual(fetched, self.build())
        with (self.recipe / "pom.xml").open("a") as stream:
            stream.write("<!-- another version -->\n")
        self.assertEqual(fetched, self.build())
        self.assertEqual([], self.build())


class PagesTest(testtools.TestCase):
    def test_pages_come_out_of_the_jar_of_the_tests_and_it_goes(self) -> None:
        home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (home / "lib").mkdir()
        tests = home / "lib" / "hbase-server-2.6.4-hadoop3-tests.jar"
        with zipfile.ZipFile(tests, "w") as jar:
            jar.writestr("hbase-webapps/master/index.html", "page")
            jar.writestr("org/apache/hadoop/hbase/TestIt.class", "")
        hbase.unpack_pages(home)
        self.assertEqual("page", (home / "hbase-webapps" / "master" / "index.html").read_text())
        self.assertFalse(tests.exists())
        self.assertFalse((home / "org").exists())


class TablesTest(testtools.TestCase):
    def test_tables_come_out_of_the_release_and_it_goes(self) -> None:
        home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (home / "lib").mkdir()
        release = home / "lib" / "hive-standalone-metastore-server-4.0.1-bin.tar.gz"
        scripts = "apache-hive-metastore-4.0.1-bin/scripts/metastore/upgrade"
        with tarfile.open(release, "w:gz") as archive:
            for name in ("postgres/hive-schema-4.0.0-beta-1.postgres.sql", "postgres/hive-schema-4.0.0.postgres.sql",
                         "derby/hive-schema-4.0.0.derby.sql"):  # fmt: skip
                member = tarfile.TarInfo(f"{scripts}/{name}")
                member.size = len(name)
                archive.addfile(member, io.BytesIO(name.encode()))
        hive.keep_tables(home)
        self.assertEqual("postgres/hive-schema-4.0.0.postgres.sql", (home / "metastore.sql").read_text())
        self.assertEqual([], list((home / "lib").iterdir()))
