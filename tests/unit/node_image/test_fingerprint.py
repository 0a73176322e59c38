# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import fixtures
import testtools

from lab import fingerprint


class FingerprintTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        (self.directory / "bin").mkdir()
        (self.directory / "bin" / "start").write_text("one")
        self.before = fingerprint.of(self.directory)

    def test_time_and_compiled_files_do_not_count(self) -> None:
        os.utime(self.directory / "bin" / "start", (1, 1))
        (self.directory / "__pycache__").mkdir()
        (self.directory / "__pycache__" / "start.pyc").write_text("compiled")
        self.assertEqual(self.before, fingerprint.of(self.directory))

    def test_content_counts(self) -> None:
        (self.directory / "bin" / "start").write_text("two")
        self.assertNotEqual(self.before, fingerprint.of(self.directory))

    def test_the_execute_bit_counts(self) -> None:
        (self.directory / "bin" / "start").chmod(0o755)
        self.assertNotEqual(self.before, fingerprint.of(self.directory))

    def test_the_path_counts(self) -> None:
        (self.directory / "bin" / "start").rename(self.directory / "start")
        self.assertNotEqual(self.before, fingerprint.of(self.directory))

    def test_a_link_counts_by_where_it_points(self) -> None:
        (self.directory / "lib").symlink_to("bin")
        first = fingerprint.of(self.directory)
        self.assertNotEqual(self.before, first)
        (self.directory / "lib").unlink()
        (self.directory / "lib").symlink_to("sbin")
        self.assertNotEqual(first, fingerprint.of(self.directory))

    def test_where_one_input_ends_counts(self) -> None:
        self.assertNotEqual(fingerprint.of("ab", "c"), fingerprint.of("a", "bc"))

    def test_an_absent_file_is_an_input_too(self) -> None:
        file = self.directory / "later"
        before = fingerprint.of(file)
        file.write_text("")
        self.assertNotEqual(before, fingerprint.of(file))
