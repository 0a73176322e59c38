# SPDX-License-Identifier: Apache-2.0
"""Oozie's configuration and command line, from the files that an agent writes."""

from __future__ import annotations

import os
import pathlib
from xml.etree import ElementTree

import fixtures
import testtools

from lab.oozie import layer
from lab.oozie.server import launch, settings


def properties_file(path: pathlib.Path, **properties: str) -> None:
    """Write a Hadoop configuration file; ``__`` in a name stands for a dot."""
    items = "".join(
        f"<property><name>{name.replace('__', '.')}</name><value>{value}</value></property>"
        for name, value in properties.items()
    )
    path.write_text(f"<configuration>{items}</configuration>")


class PlaceTest(testtools.TestCase):
    """A process directory as the agent writes one, the image's defaults as the checkout has them."""

    def setUp(self) -> None:
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.process = self.root / "12-OOZIE-OOZIE_SERVER"
        self.process.mkdir()
        properties_file(self.process / "core-site.xml", fs__defaultFS="hdfs://nn.example:8020")
        self.environ = {
            "OOZIE_CONF_DIR": str(self.process),
            "OOZIE_DATA_DIR": str(self.root / "data"),
            "OOZIE_LOG_DIR": str(self.root / "log"),
            "OOZIE_HTTP_HOSTNAME": "master.example",
            "OOZIE_HTTP_PORT": "11111",
            "OOZIE_HOME": str(layer.HERE),
        }

    def place(self) -> settings.Place:
        return settings.Place.from_environment(self.environ)


class SettingsTest(PlaceTest):
    def test_the_roles_values_win_over_the_images(self) -> None:
        properties_file(self.process / "oozie-site.xml", oozie__launcher__default__memory__mb="768", oozie__other="x")

        site = settings.site(self.place())

        self.assertEqual("768", site["oozie.launcher.default.memory.mb"])
        self.assertEqual("x", site["oozie.other"])
        self.assertEqual("true", site["oozie.service.JPAService.create.db.schema"])

    def test_what_this_start_knows_wins_over_all(self) -> None:
        properties_file(self.process / "oozie-site.xml", oozie__base__url="http://elsewhere:1/oozie")

        site = settings.site(self.place())

        self.assertEqual("http://master.example:11111/oozie", site["oozie.base.url"])
        name = "oozie.service.HadoopAccessorService.hadoop.configurations"
        self.assertEqual(f"*={self.process}", site[name])

    def test_oozie_reads_what_was_written(self) -> None:
        properties_file(self.process / "oozie-site.xml", oozie__text="a &lt; b &amp; c")
        place = self.place()

        written = settings.write(place)

        self.assertEqual(written, settings.read(place.config_dir / "oozie-site.xml"))
        self.assertEqual("a < b & c", written["oozie.text"])
        self.assertTrue((place.config_dir / "oozie-log4j.properties").is_file())

    def test_a_broken_file_is_named(self) -> None:
        (self.process / "oozie-site.xml").write_text("<configuration>")

        error = self.assertRaises(settings.SettingsError, settings.site, self.place())

        self.assertIn(str(self.process / "oozie-site.xml"), str(error))

    def test_the_process_directory_must_hold_the_clusters_files(self) -> None:
        (self.process / "core-site.xml").unlink()

        error = self.assertRaises(settings.SettingsError, self.place)

        self.assertIn("core-site.xml", str(error))

    def test_the_process_directory_must_be_given(self) -> None:
        del self.environ["OOZIE_CONF_DIR"]

        self.assertIn("OOZIE_CONF_DIR", str(self.assertRaises(settings.SettingsError, self.place)))

    def test_a_port_must_be_one(self) -> None:
        for wrong in ("", "http", "0", "65536", "-1"):
            self.environ["OOZIE_HTTP_PORT"] = wrong
            self.assertIn("OOZIE_HTTP_PORT", str(self.assertRaises(settings.SettingsError, self.place)))

    def test_a_directory_that_cannot_be_made_is_named(self) -> None:
        (self.root / "file").write_text("")
        self.environ["OOZIE_DATA_DIR"] = str(self.root / "file")

        error = self.assertRaises(settings.SettingsError, self.place)

        self.assertIn(str(self.root / "file"), str(error))


class CommandTest(PlaceTest):
    def setUp(self) -> None:
        super().setUp()
        self.hadoop = self.root / "hadoop"
        self.hadoop.mkdir()
        (self.hadoop / "classpath").write_text("/opt/hadoop/lib/a.jar:/opt/hadoop/lib/b.jar\n")

    def test_hadoop_comes_first_on_the_class_path(self) -> None:
        command = launch.command(self.place(), hadoop=self.hadoop)

        class_path = command[command.index("-cp") + 1].split(os.pathsep)
        self.assertEqual(["/opt/hadoop/lib/a.jar", "/opt/hadoop/lib/b.jar"], class_path[:2])
        self.assertIn(f"{layer.HERE}/lib/*", class_path)

    def test_the_roles_java_options_come_after_the_defaults(self) -> None:
        command = launch.command(self.place(), "-Xmx512m '-Dgreeting=good day'", hadoop=self.hadoop)

        self.assertGreater(command.index("-Xmx512m"), command.index("-Xmx256m"))
        self.assertIn("-Dgreeting=good day", command)

    def test_a_machine_without_hadoop_is_refused(self) -> None:
        absent = self.root / "absent"

        error = self.assertRaises(settings.SettingsError, launch.command, self.place(), hadoop=absent)

        self.assertIn(str(absent / "classpath"), str(error))


class DefaultsTest(testtools.TestCase):
    """Files that only Java reads are at least what they claim to be."""

    def test_each_default_is_a_property_with_a_value(self) -> None:
        for path in sorted((layer.HERE / "conf").rglob("*.xml")):
            for item in ElementTree.parse(path).getroot().iter("property"):
                self.assertTrue(
                    item.findtext("name") and item.findtext("value"), f"{path}: {ElementTree.tostring(item)!r}"
                )
