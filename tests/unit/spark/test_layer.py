# SPDX-License-Identifier: Apache-2.0
"""The layer from an archive with names alone; the real one is part of every image build."""

from __future__ import annotations

import io
import os
import pathlib
import tarfile

import fixtures
import testtools

from lab.spark import layer
from sahara_docker import exceptions

KEPT = ("spark-core_2.12-3.5.9.jar", "spark-sql_2.12-3.5.9.jar", "hive-storage-api-2.8.1.jar", "commons-lang-2.6.jar")


def dropped() -> list[str]:
    """A name for each pattern."""
    patterns = [pattern for patterns in layer.DROPPED.values() for pattern in patterns]
    return [pattern.replace("[!s]", "x").replace("*", "-1.0.jar") for pattern in patterns]


class LayerTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.target = root / "layers" / "spark"
        self.home = self.target / "opt" / "spark"
        self.hadoop = root / "hadoop-1"
        self.hadoop.mkdir()
        for artifact in layer.LINKED:
            (self.hadoop / f"{artifact}-1.0.jar").touch()
        self.archive = root / "pyspark" / "archive.tar.gz"
        self.told: list[str] = []

    def pack(self, *jars: str) -> None:
        self.archive.parent.mkdir()
        paths = [f"deps/jars/{name}" for name in jars]
        paths += ["deps/bin/spark-submit", "deps/bin/spark-shell", "deps/licenses/LICENSE-kryo.txt", "setup.py"]
        paths += ["lib/pyspark.zip", "lib/py4j-0.10.9.7-src.zip", "deps/examples/pi.py", "pyspark/rdd.py"]
        with tarfile.open(self.archive, "w:gz") as tar:
            for path in paths:
                member = tarfile.TarInfo(f"pyspark-3.5.9/{path}")
                member.size = len(path)
                tar.addfile(member, io.BytesIO(path.encode()))

    def build(self) -> None:
        layer.fetch(self.target, self.hadoop.name, self.told.append)
        layer.build(self.target, self.hadoop, self.told.append)

    def test_what_a_job_needs_is_there_and_nothing_else(self) -> None:
        self.pack(*KEPT, *dropped())

        self.build()

        jars = self.home / "jars"
        self.assertEqual(set(KEPT), {path.name for path in jars.iterdir() if not path.is_symlink()})
        links = {path.name: os.readlink(path) for path in jars.iterdir() if path.is_symlink()}
        self.assertEqual({f"{name}-1.0.jar": f"/opt/hadoop/lib/{name}-1.0.jar" for name in layer.LINKED}, links)
        files = {str(path.relative_to(self.target)) for path in self.target.rglob("*") if path.parent != jars}
        for path in ("opt/spark/bin/spark-submit", "opt/spark/python/lib/pyspark.zip", "usr/bin/spark-submit"):
            self.assertIn(path, files)
            self.assertEqual(path.endswith("spark-submit"), os.access(self.target / path, os.X_OK), path)
        self.assertNotIn("opt/spark/bin/spark-shell", files)
        self.assertFalse(self.archive.exists())

    def test_it_is_made_once_for_each_hadoop(self) -> None:
        self.pack(*KEPT, *dropped())
        self.build()
        self.build()
        self.assertEqual(["unpacking Spark"], self.told)
        self.hadoop = self.hadoop.rename(self.hadoop.with_name("hadoop-2"))
        self.pack(*KEPT, *dropped())
        self.build()
        self.assertEqual(["unpacking Spark"] * 2, self.told)

    def test_a_version_without_a_jar_of_the_table_is_refused(self) -> None:
        names = dropped()
        self.pack(*names[1:])
        error = self.assertRaises(exceptions.SaharaDockerError, self.build)
        self.assertIn("no jar is called hadoop-*", str(error))

    def test_a_hadoop_without_a_jar_of_the_table_is_refused(self) -> None:
        self.pack(*KEPT, *dropped())
        (self.hadoop / "hadoop-yarn-client-1.0.jar").unlink()
        error = self.assertRaises(exceptions.SaharaDockerError, self.build)
        self.assertIn("0 jars of hadoop-yarn-client", str(error))
        self.assertRaises(exceptions.SaharaDockerError, self.build)
