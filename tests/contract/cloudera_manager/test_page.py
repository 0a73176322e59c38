# SPDX-License-Identifier: Apache-2.0
"""The stand-in's pages in a real browser."""

from __future__ import annotations

import time
import urllib.parse

import testtools
from sahara_plugin_cdh.plugins.cdh.client import api_client, clusters, types

from lab.cloudera_manager import BANNER
from tests.browser import Browser
from tests.contract.cloudera_manager.managers import StandIn

MASTER, WORKER = "master.contract.test", "worker.contract.test"
SCRIPT = "<script>document.title = 'taken over'</script>"


class PageTest(testtools.TestCase):
    def set_up(self, *hosts: str, width: int = 1200) -> None:
        self.stand_in = self.useFixture(StandIn(list(hosts)))
        self.browser = self.useFixture(Browser(width=width))
        address = urllib.parse.urlsplit(self.stand_in.url)
        self.api = api_client.ApiResource(address.hostname, address.port, "admin", "admin", version=8)

    def cluster(self, name: str) -> clusters.ApiCluster:
        cluster = self.api.create_cluster(name, fullVersion="5.13.0")
        hdfs = cluster.create_service("hdfs01", "HDFS")
        for role, kind, host in (("NN", "NAMENODE", MASTER), ("DN", "DATANODE", WORKER), ("GW", "GATEWAY", WORKER)):
            hdfs.create_role(role, kind, host)
        return cluster

    def finish(self, command: types.ApiCommand) -> types.ApiCommand:
        deadline = time.monotonic() + 120
        while command.active:
            self.assertLess(time.monotonic(), deadline, command.name)
            time.sleep(0.1)
            command = command.fetch()
        return command

    def log_in(self, path: str = "/") -> None:
        self.browser.open(self.stand_in.url.replace("http://", "http://admin:admin@") + path)

    def assert_sound(self) -> None:
        """The browser has nothing to complain of, and no two elements have the same name."""
        self.assertEqual([], self.browser.complaints())
        names = [element.get_attribute("id") for element in self.browser.all("[id]")]
        self.assertEqual(sorted(set(names)), sorted(names))
        self.assertEqual("CSS1Compat", self.browser.driver.execute_script("return document.compatMode"))
        self.assertEqual(BANNER + ".", self.browser.text().splitlines()[0])

    def test_a_login_is_needed(self):
        self.set_up(MASTER)
        for credentials in ("", "admin:wrong@"):
            self.browser.open(self.stand_in.url.replace("http://", f"http://{credentials}"))
            self.assertEqual("", self.browser.text())  # the browser asks for a login, of which there is no screen
        self.browser.complaints()  # of the answer 401
        self.log_in()
        self.assertIn(MASTER, self.browser.text())
        self.browser.open(self.stand_in.url)  # the browser remembers the login
        self.assertIn(MASTER, self.browser.text())
        self.assert_sound()

    def test_hosts_roles_health_commands_and_logs(self):
        self.set_up(MASTER, WORKER)
        started = self.finish(self.cluster("c1").first_run())
        self.assertTrue(started.success, started.resultMessage)
        self.log_in()
        self.assert_sound()
        rows = {row.get_attribute("id"): row.text for row in self.browser.all("tbody tr")}
        for name, words in (
            (f"host-{MASTER}", ("127.0.0.1", "GOOD", "s ago")),
            ("role-NN", ("NAMENODE", MASTER, "STARTED", "GOOD", "log")),
            ("role-DN", ("DATANODE", WORKER, "STARTED", "GOOD", "log")),
            ("role-GW", ("GATEWAY", WORKER, "NA")),
            (f"command-{started.id}", ("FirstRun", "c1", "success")),
        ):
            for word in words:
                self.assertIn(word, rows[name])
        self.assertIn("hdfs01, HDFS, started", self.browser.one("#service-hdfs01").text)
        self.assertEqual([], self.browser.all("#role-GW td:last-child a"))

        self.browser.follow("#role-DN td:last-child a")
        self.assert_sound()
        self.assertIn(f"DN on {WORKER}", self.browser.one("h1").text)
        self.assertIn("is not Hadoop, it waits", self.browser.one("pre").text)
        self.browser.follow("nav a")
        self.browser.follow(f"#command-{started.id} a")
        self.assert_sound()
        tree = self.browser.one("ul.tree").text
        for words in ("Format c1 hdfs01 NN", "Start c1 hdfs01 DN", "DeployClientConfig", "success"):
            self.assertIn(words, tree)
        self.assertGreater(len(self.browser.all("ul.tree ul > li")), 3)
        self.assertEqual([], self.browser.all("meta[http-equiv=refresh]"))

    def test_a_daemon_that_ended_and_a_log_that_is_not_there(self):
        self.set_up(MASTER, WORKER)
        cluster = self.cluster("c1")
        self.finish(cluster.first_run())
        self.finish(cluster.stop())
        self.log_in("/clusters/c1/services/hdfs01/roles/GW/logs/full")
        self.assertIn("GW has not been started on this host", self.browser.text())
        self.assert_sound()
        self.log_in()
        self.assertIn("DISABLED", self.browser.one("#role-NN").text)

    def test_names_are_shown_as_they_are(self):
        host = f"{SCRIPT}&amp;.contract.test"
        self.set_up(MASTER, WORKER, host)
        self.api.create_cluster(SCRIPT, fullVersion="5.13.0")
        self.log_in()
        self.assert_sound()
        self.assertEqual([], self.browser.all("script"))
        self.assertEqual("Cloudera Manager stand-in - stand-in for Cloudera Manager", self.browser.driver.title)
        self.assertIn(f"Cluster {SCRIPT}, CDH 5.13.0", self.browser.text())
        self.assertIn(host, self.browser.text())

    def test_a_narrow_screen_needs_no_scrolling_to_the_side(self):
        self.set_up(MASTER, WORKER, width=500)
        self.finish(self.cluster("c1").first_run())
        for path in ("/", "/commands/1"):
            self.log_in(path)
            self.assert_sound()
            measured = self.browser.driver.execute_script("return [document.body.scrollWidth, window.innerWidth]")
            self.assertLessEqual(*measured)
