# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import testtools
from testtools import matchers

from lab import packages, testing


class NovasTest(testtools.TestCase):
    def test_each_has_a_lock_file_with_hashes_of_that_release_and_no_addresses(self) -> None:
        for name in testing.NOVAS:
            lock = (packages.REQUIREMENTS / f"{name}.txt").read_text()
            self.assertIn(f"\nnova=={name.partition('-')[2]}.", lock)
            pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+ \\\n    --hash=sha256:", lock, re.M | re.I)
            self.assertThat(pins, matchers.HasLength(len(re.findall(r"^\S", lock, re.M))))
            self.assertNotIn("://", lock)
