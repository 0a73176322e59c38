# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import testtools

from sahara_docker.ssh import os_release

DEBIAN = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
ID=debian
# comment=1

HOME_URL="https://www.debian.org/"
"""


class OsReleaseTest(testtools.TestCase):
    def test_name_and_version(self) -> None:
        self.assertEqual("debian", os_release.distribution(DEBIAN))
        self.assertEqual("12", os_release.version(DEBIAN))

    def test_names_are_those_that_sahara_compares_with(self) -> None:
        for text, name in (
            ("ID=ubuntu\nID_LIKE=debian", "ubuntu"),
            ('ID="centos"\nID_LIKE="rhel fedora"', "centos"),
            ('ID="rhel"\nID_LIKE="fedora"', "redhat"),
            ('ID="rocky"\nID_LIKE="rhel centos fedora"', "centos"),
            ("ID=fedora", "fedora"),
            ("ID=plan9", "plan9"),
        ):
            self.assertEqual(name, os_release.distribution(text))

    def test_a_rolling_distribution_has_no_version(self) -> None:
        self.assertEqual("", os_release.version("ID=arch\n"))
