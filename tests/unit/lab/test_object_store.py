# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import configparser
import pathlib

import fixtures
import testtools
from testtools import matchers

from lab import object_store, packages, preflight, rest, settings
from sahara_docker import exceptions


class StoreTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.lab = settings.Lab(pathlib.Path(self.useFixture(fixtures.TempDir()).path))
        self.ask("")

    def ask(self, text: str) -> None:
        self.useFixture(fixtures.EnvironmentVariable(object_store.VARIABLE, text))

    def configured(self) -> dict[str, configparser.RawConfigParser]:
        """What Swift's programs read, by file."""
        self.parts = object_store.parts(self.lab, rest.Cloud(self.lab))
        found = {}
        for path in (self.lab.etc / "swift").iterdir():
            self.assertEqual(0o600, path.stat().st_mode & 0o777, path)
            found[path.name] = configparser.RawConfigParser()
            found[path.name].read(path)
        return found

    def test_a_lab_has_none_unless_it_is_asked_for(self):
        self.assertFalse(object_store.choose(self.lab))
        self.assertFalse(object_store.is_chosen(self.lab))

    def test_a_lab_keeps_the_one_it_has(self):
        self.ask("swift")
        self.assertTrue(object_store.choose(self.lab))
        self.ask("")
        self.assertTrue(object_store.choose(self.lab))

    def test_another_than_swift_is_refused(self):
        self.ask("ceph")
        error = self.assertRaises(exceptions.SaharaDockerError, object_store.choose, self.lab)
        self.assertThat(str(error), matchers.Contains("ceph; give STORE=swift, or none"))
        self.assertFalse(object_store.is_chosen(self.lab))

    def test_nodes_reach_the_proxy_and_nothing_else_of_it(self):
        files = self.configured()
        listens = {
            name: (parsed["DEFAULT"]["bind_ip"], int(parsed["DEFAULT"]["bind_port"]))
            for name, parsed in files.items()
            if name != "swift.conf"
        }
        proxy = listens.pop("proxy-server.conf")
        self.assertEqual(self.lab.url("swift"), "http://{}:{}".format(*proxy))
        self.assertThat(settings.SUBNET, matchers.MatchesPredicate(lambda net: settings.GATEWAY in net, "%s"))
        self.assertEqual({"127.0.0.1"}, {address for address, _ in listens.values()})
        self.assertEqual(3, len(set(listens.values())))

    def test_each_filter_is_configured_and_tokens_are_read_before_s3_is(self):
        proxy = self.configured()["proxy-server.conf"]
        pipeline = proxy["pipeline:main"]["pipeline"].split()
        for name in pipeline[:-1]:
            self.assertTrue(proxy.has_section(f"filter:{name}"), name)
        ranks = [pipeline.index(name) for name in ("cache", "authtoken", "s3api", "s3token", "keystoneauth")]
        self.assertEqual(sorted(ranks), ranks)
        self.assertEqual(self.lab.secrets["swift"], proxy["filter:s3token"]["password"])

    def test_names_of_stored_files_outlast_a_restart(self):
        before = self.configured()["swift.conf"]["swift-hash"]["swift_hash_path_suffix"]
        self.lab = settings.Lab(self.lab.state)
        self.assertEqual(before, self.configured()["swift.conf"]["swift-hash"]["swift_hash_path_suffix"])

    def test_every_need_is_met(self):
        self.configured()
        names = {one.name for one in self.parts}
        needs = {need for one in self.parts for need in one.needs}
        self.assertEqual({"identity", "bridges"}, needs - names)

    def test_its_package_is_needed_with_it_only(self):
        self.useFixture(fixtures.EnvironmentVariable("PATH", ""))
        self.assertNotIn("memcached", packages.missing())
        self.assertIn("memcached", packages.missing(store=True))

    def test_its_ports_are_held_against_the_lab_with_it_only(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.is_taken", lambda port: port == 28080))
        preflight._ports(self.lab)
        self.ask("swift")
        object_store.choose(self.lab)
        error = self.assertRaises(preflight.Unfit, preflight._ports, self.lab)
        self.assertThat(str(error), matchers.Contains("28080 (swift)"))
