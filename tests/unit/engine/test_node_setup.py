# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import fixtures
import testtools
from oslo_config import cfg

from sahara_docker.engine import fan_out, node_setup
from tests.unit.engine import clusters


class HostsTextTest(testtools.TestCase):
    def test_names_of_all_nodes_and_services_but_no_address_as_a_name(self) -> None:
        services = {"identity": "127.0.0.1 127.0.0.1\n", "object-store": "192.0.2.7 swift.example.org\n"}
        self.useFixture(
            fixtures.MonkeyPatch("sahara.utils.cluster.etc_hosts_entry_for_service", lambda service: services[service])
        )
        cfg.CONF.set_override("node_domain", "novalocal")
        self.addCleanup(cfg.CONF.clear_override, "node_domain")
        self.assertEqual(
            "127.0.0.1 localhost\n"
            "10.0.6.0 demo-master-0.novalocal demo-master-0\n"
            "10.0.6.0 demo-worker-0.novalocal demo-worker-0\n"
            "192.0.2.7 swift.example.org\n",
            node_setup.hosts_text(clusters.cluster(1)),
        )


class NodesFailedTest(testtools.TestCase):
    def test_the_first_causes_are_told_and_the_rest_counted(self) -> None:
        causes = {f"node-{number}": RuntimeError("broken") for number in range(7)}
        text = str(fan_out.NodesFailed("login", 9, dict(causes)))
        self.assertIn("login failed on 7 of 9 nodes: [node-0] broken; [node-1] broken", text)
        self.assertTrue(text.endswith("and 2 more"))
