# SPDX-License-Identifier: Apache-2.0
"""What the remote knows of distributions."""

from __future__ import annotations

from sahara import exceptions as sahara_exceptions

from tests.functional.ssh import base


class SystemTest(base.RemoteTestCase):
    def test_the_distribution_is_that_of_os_release(self) -> None:
        node = self.node()
        node_remote = self.remote(node)
        fields = dict(line.split("=", 1) for line in node.run("cat /etc/os-release").splitlines())
        self.assertEqual(fields["ID"], node_remote.get_os_distrib())
        self.assertEqual(fields["VERSION_ID"].strip('"'), node_remote.get_os_version())
        self.assertEqual("python3", node_remote.get_python_version())

    def test_packages_of_an_unknown_distribution(self) -> None:
        node = self.node()
        node.run("echo ID=plan9 > /etc/os-release")
        failure = self.assertRaises(
            sahara_exceptions.NotImplementedException, self.remote(node).install_packages, ["ntp"]
        )
        self.assertIn("plan9", str(failure))

    def test_installed_packages_are_fine(self) -> None:
        self.remote(self.node()).install_packages(["bash", "coreutils"])
