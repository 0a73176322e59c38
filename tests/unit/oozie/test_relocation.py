# SPDX-License-Identifier: Apache-2.0
"""What a package's move leaves of its classes, as Java sees it."""

from __future__ import annotations

import subprocess
import tempfile
import zipfile
from pathlib import Path

import testtools

from lab.oozie import relocation
from sahara_docker import exceptions

SOURCES = {
    # A Long and a Double take two places each in the constant pool; the string is longer under the new name.
    "org/old/Value.java": """package org.old;
        public class Value {
            public static final String ALPHABET = "äöü";
            public String text() { return ALPHABET + Long.MAX_VALUE + Double.MAX_VALUE; }
        }""",
    "org/old/deep/Twice.java": """package org.old.deep;
        public class Twice extends org.old.Value implements java.util.function.Supplier<String> {
            public String get() { Runnable r = () -> {}; r.run(); return text() + getClass().getName(); }
            public static void main(String[] given) { System.out.print(new Twice().get()); }
        }""",
    "org/older/Other.java": "package org.older; public class Other {}",
}


class RelocationTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)

    def compiled(self) -> Path:
        for name, source in SOURCES.items():
            path = self.scratch / "source" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        classes = self.scratch / "classes"
        sources = [self.scratch / "source" / name for name in SOURCES]
        subprocess.run(["javac", "-encoding", "utf-8", "-d", classes, *sources], check=True, timeout=120)
        jar = self.scratch / "old.jar"
        with zipfile.ZipFile(jar, "w") as archive:
            for path in classes.rglob("*.class"):
                archive.write(path, path.relative_to(classes))
        return jar

    def test_classes_run_under_their_new_name_and_only_they_are_there(self):
        new = self.scratch / "new.jar"

        relocation.relocate(self.compiled(), "org.old", "a.much.longer.name.org.old", new)

        command = ["java", "-Dstdout.encoding=utf-8", "-cp", new, "a.much.longer.name.org.old.deep.Twice"]
        done = subprocess.run(command, check=True, timeout=120, capture_output=True, encoding="utf-8")
        expected = "äöü92233720368547758071.7976931348623157E308a.much.longer.name.org.old.deep.Twice"
        self.assertEqual(expected, done.stdout)
        with zipfile.ZipFile(new) as archive:
            names = {"Value.class", "deep/Twice.class"}
            self.assertEqual({f"a/much/longer/name/org/old/{name}" for name in names}, set(archive.namelist()))

    def test_the_same_jar_makes_the_same_jar(self):
        jar = self.compiled()
        for name in ("one.jar", "other.jar"):
            relocation.relocate(jar, "org.old", "org.fresh", self.scratch / name)
        self.assertEqual((self.scratch / "one.jar").read_bytes(), (self.scratch / "other.jar").read_bytes())

    def test_a_package_that_is_not_there_is_named(self):
        failure = self.assertRaises(
            exceptions.SaharaDockerError,
            relocation.relocate, self.compiled(), "org.absent", "org.fresh", self.scratch / "new.jar",
        )  # fmt: skip
        self.assertIn("no class of org.absent", str(failure))

    def test_what_is_no_class_file_is_named(self):
        jar = self.scratch / "bad.jar"
        with zipfile.ZipFile(jar, "w") as archive:
            archive.writestr("org/old/Bad.class", b"\xca\xfe\xba\xbe\0\0\0\x34\0\x02\x63")
        failure = self.assertRaises(
            exceptions.SaharaDockerError,
            relocation.relocate, jar, "org.old", "org.fresh", self.scratch / "new.jar",
        )  # fmt: skip
        self.assertIn("org/old/Bad.class is no class file", str(failure))
