# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import testtools
from testtools import matchers

from lab import packages, testing
from sahara_docker import exceptions


class NovasTest(testtools.TestCase):
    def test_each_has_a_lock_file_with_hashes_of_that_release_and_no_addresses(self) -> None:
        for name in testing.NOVAS:
            lock = (packages.REQUIREMENTS / f"{name}.txt").read_text()
            self.assertIn(f"\nnova=={name.partition('-')[2]}.", lock)
            pins = re.findall(r"^[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+ \\\n    --hash=sha256:", lock, re.M | re.I)
            self.assertThat(pins, matchers.HasLength(len(re.findall(r"^\S", lock, re.M))))
            self.assertNotIn("://", lock)


class RunPartTest(testtools.TestCase):
    def test_part_that_fails_is_named_with_its_status(self) -> None:
        testing.run_part("a part", ["true"])
        with testtools.ExpectedException(exceptions.SaharaDockerError, "a part failed.*exit status 1;"):
            testing.run_part("a part", ["false"])

    def test_part_that_takes_too_long_is_ended(self) -> None:
        with testtools.ExpectedException(exceptions.SaharaDockerError, "a part failed.*not done in 1 s"):
            testing.run_part("a part", ["sleep", "600"], timeout=0.6)
