# SPDX-License-Identifier: Apache-2.0
"""The node's ``spark-submit`` in front of one that says how it was called."""

from __future__ import annotations

import pathlib
import subprocess

import fixtures
import testtools

from lab.spark import layer


class SubmitTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        submit = self.home / "bin" / "spark-submit"
        submit.parent.mkdir()
        submit.write_text('#!/bin/sh\nprintf "%s\\n" "$@"; printf "%s\\n" "$PYSPARK_ARCHIVES_PATH" >&2\n')
        submit.chmod(0o755)
        for name in ("py4j.zip", "pyspark.zip"):
            library = self.home / "python" / "lib" / name
            library.parent.mkdir(parents=True, exist_ok=True)
            library.touch()

    def submit(self, *words: str) -> list[str]:
        done = subprocess.run(
            [layer.HERE / "bin" / "spark-submit", *words],
            env={"SPARK_HOME": str(self.home), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.libraries = done.stderr.strip()
        return done.stdout.splitlines()

    def test_what_sahara_passes(self) -> None:
        passed = (
            "--class",
            "Main",
            "--jars",
            "a.jar",
            "--master",
            "yarn-cluster",
            "--deploy-mode",
            "cluster",
            "app.jar",
        )
        self.assertEqual(
            ["--class", "Main", "--jars", "a.jar", "--master", "yarn", "--deploy-mode", "cluster", "--deploy-mode",
             "cluster", "app.jar", "two words", ""],
            self.submit(*passed, "two words", ""),
        )  # fmt: skip
        self.assertEqual(
            f"local:{self.home}/python/lib/py4j.zip,local:{self.home}/python/lib/pyspark.zip", self.libraries
        )

    def test_each_way_to_name_a_master(self) -> None:
        expected = ["--master", "yarn", "--deploy-mode", "client", "app.py"]
        self.assertEqual(expected, self.submit("--master", "yarn-client", "app.py"))
        self.assertEqual(expected, self.submit("--master=yarn-client", "app.py"))
        for words in (["--master", "local[2]", "app.py"], ["--master=yarn", "app.py"], ["app.py"], ["--version"], []):
            self.assertEqual(words or [""], self.submit(*words))

    def test_the_application_s_own_arguments_are_let_alone(self) -> None:
        words = ["--master", "yarn", "app.py", "--master", "yarn-client"]
        self.assertEqual(words, self.submit(*words))
