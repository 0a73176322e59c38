# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import fixtures
import testtools

from sahara_docker import exceptions
from sahara_docker.cli.image import recipe


class PasswordTest(testtools.TestCase):
    def test_hash_is_that_of_password_and_salt(self) -> None:
        first = recipe.crypted("ünlikely 'word'", "pepper")
        self.assertTrue(first.startswith("$6$pepper$"), first)
        self.assertEqual(first, recipe.crypted("ünlikely 'word'", "pepper"))
        self.assertNotEqual(first, recipe.crypted("another", "pepper"))
        self.assertNotEqual(first, recipe.crypted("ünlikely 'word'", "cumin"))
        words = ["openssl", "passwd", "-6", "-salt", "pepper", "ünlikely 'word'"]
        self.assertEqual(first, subprocess.run(words, capture_output=True, text=True).stdout.strip())

    def test_what_could_not_be_typed_at_a_login_is_refused(self) -> None:
        for password in ("", "two\nlines", "nul\0"):
            self.assertRaises(exceptions.SaharaDockerError, recipe.crypted, password, "salt")


class ContextTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        (self.home / "recipe").mkdir()
        (self.home / "recipe" / "Dockerfile").write_text("FROM scratch\n")

    def test_a_failed_build_leaves_no_secret_behind(self) -> None:
        def fail() -> None:
            with recipe.context(self.home / "context", self.home / "recipe") as context:
                self.assertTrue((context / "Dockerfile").exists())
                recipe.write_secret(context / "secret" / "login", "cdh:hash")
                self.assertEqual(0o600, stat.S_IMODE((context / "secret" / "login").stat().st_mode))
                raise RuntimeError("the builder failed")

        self.assertRaises(RuntimeError, fail)
        self.assertFalse((self.home / "context").exists())

    def test_what_an_interrupted_build_left_is_not_built(self) -> None:
        (self.home / "context").mkdir()
        (self.home / "context" / "old").write_text("")
        with recipe.context(self.home / "context", self.home / "recipe") as context:
            self.assertFalse((context / "old").exists())
