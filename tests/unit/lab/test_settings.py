# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import stat
from pathlib import Path

import fixtures
import testtools

from lab import settings


class PasswordsTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.lab = settings.Lab(Path(self.useFixture(fixtures.TempDir()).path))

    def test_they_are_the_same_as_long_as_the_lab_lives(self) -> None:
        self.assertEqual(self.lab.secrets, settings.Lab(self.lab.state).secrets)
        self.assertEqual(0o600, stat.S_IMODE((self.lab.data / "secrets.json").stat().st_mode))

    def test_a_lab_that_was_taken_down_and_came_up_again_has_new_ones(self) -> None:
        before = self.lab.secrets["admin"]
        (self.lab.data / "secrets.json").unlink()
        after = settings.Lab(self.lab.state).secrets["admin"]
        self.assertNotEqual(before, after)
        self.assertEqual(after, self.lab.secrets["admin"])
