# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import fixtures
import testtools

from lab import node_image
from sahara_docker import exceptions


class PasswordTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.salt = Path(self.useFixture(fixtures.TempDir()).path) / "salt"

    def test_the_same_password_has_the_same_hash_in_one_place(self) -> None:
        first = node_image.crypted("ünlikely 'word'", self.salt)
        self.assertTrue(first.startswith("$6$"), first)
        self.assertEqual(first, node_image.crypted("ünlikely 'word'", self.salt))
        self.assertNotEqual(first, node_image.crypted("another", self.salt))

    def test_the_same_password_has_another_hash_in_another_place(self) -> None:
        first = node_image.crypted("word", self.salt)
        self.assertNotEqual(first, node_image.crypted("word", self.salt.with_name("salt-2")))

    def test_the_hash_is_of_the_password(self) -> None:
        hashed = node_image.crypted("word", self.salt)
        _, kind, salt, _ = hashed.split("$")
        check = subprocess.run(["openssl", "passwd", f"-{kind}", "-salt", salt, "word"], capture_output=True, text=True)
        self.assertEqual(hashed, check.stdout.strip())

    def test_the_salt_is_nobody_else_s(self) -> None:
        node_image.crypted("word", self.salt)
        self.assertEqual(0o600, stat.S_IMODE(self.salt.stat().st_mode))

    def test_what_could_not_be_typed_at_a_login_is_refused(self) -> None:
        for password in ("", "two\nlines", "nul\0"):
            self.assertRaises(exceptions.SaharaDockerError, node_image.crypted, password, self.salt)


class ContextTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        (self.home / "recipe").mkdir()
        (self.home / "recipe" / "Dockerfile").write_text("FROM scratch\n")

    def test_a_failed_build_leaves_no_secret_behind(self) -> None:
        def fail() -> None:
            with node_image.build_context(self.home / "context", self.home / "recipe") as context:
                self.assertTrue((context / "Dockerfile").exists())
                node_image.write_secret(context / "secret" / "login", "cdh:hash")
                self.assertEqual(0o600, stat.S_IMODE((context / "secret" / "login").stat().st_mode))
                raise RuntimeError("the builder failed")

        self.assertRaises(RuntimeError, fail)
        self.assertFalse((self.home / "context").exists())

    def test_what_an_interrupted_build_left_is_not_built(self) -> None:
        (self.home / "context").mkdir()
        (self.home / "context" / "old").write_text("")
        with node_image.build_context(self.home / "context", self.home / "recipe") as context:
            self.assertFalse((context / "old").exists())


class EngineTest(testtools.TestCase):
    def test_without_a_daemon_nothing_is_fetched(self) -> None:
        home = Path(self.useFixture(fixtures.TempDir()).path)
        lines: list[str] = []
        error = self.assertRaises(
            exceptions.SaharaDockerError, node_image.build, home, f"unix://{home}/no.sock", "word", lines.append
        )
        self.assertIn(f"{home}/no.sock", str(error))
        self.assertEqual([], lines)
