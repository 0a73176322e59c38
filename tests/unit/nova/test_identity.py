# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import fixtures
import testtools

from sahara_docker.nova import identity


class IdentityTest(testtools.TestCase):
    def test_hostname_gets_the_domain_unless_it_has_one(self) -> None:
        self.assertEqual(("n1", "n1.novalocal"), identity.hostname("n1", "novalocal"))
        self.assertEqual(("n1", "n1.example.org"), identity.hostname("n1.example.org", "novalocal"))
        self.assertEqual(("n1", "n1"), identity.hostname("n1", ""))

    def test_hosts_names_each_address_fqdn_first(self) -> None:
        lines = identity.hosts(identity.Hostname("n1", "n1.novalocal"), ["10.0.0.7", "fd00::7"]).splitlines()
        self.assertIn("127.0.0.1 localhost", lines)
        self.assertEqual(["10.0.0.7 n1.novalocal n1", "fd00::7 n1.novalocal n1"], lines[-2:])

    def test_own_name_resolves_without_an_address_and_without_a_domain(self) -> None:
        self.assertEqual("127.0.1.1 n1", identity.hosts(identity.Hostname("n1", "n1"), []).splitlines()[-1])

    def test_resolver_is_neutron_s_and_gives_up_soon(self) -> None:
        content = identity.resolv_conf(["10.0.0.2", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"], "novalocal")
        self.assertEqual(
            ["search novalocal", *(f"nameserver 10.0.0.{n}" for n in (2, 3, 4)), "options timeout:1 attempts:1"],
            content.splitlines(),
        )

    def test_resolver_without_a_server_asks_nobody_far_away(self) -> None:
        self.assertEqual("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", identity.resolv_conf([], ""))

    def test_files_are_readable_by_every_user_of_the_instance(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        mounts = identity.write(directory, "hosts content", "resolver content")
        self.assertEqual({"/etc/hosts", "/etc/resolv.conf"}, set(mounts))
        for path in mounts.values():
            self.assertEqual(0o644, os.stat(path).st_mode & 0o777)
        with open(mounts["/etc/hosts"]) as file:
            self.assertEqual("hosts content", file.read())
