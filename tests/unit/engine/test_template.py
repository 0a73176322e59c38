# SPDX-License-Identifier: Apache-2.0
"""The flat template."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fixtures
import testtools
import yaml  # type: ignore[import]
from oslo_config import cfg

from sahara_docker.engine import template
from tests.unit.engine import clusters


class FlatTemplateTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        cfg.CONF.set_override("heat_enable_wait_condition", False)
        self.addCleanup(cfg.CONF.clear_override, "heat_enable_wait_condition")
        self.useFixture(
            fixtures.MonkeyPatch(
                "sahara.utils.openstack.neutron.get_private_network_cidrs", lambda cluster: ["10.0.0.0/16"]
            )
        )

    def resources(self, cluster: Any, masters: list[int], workers: list[int]) -> dict[str, Any]:
        members = {"master-group-id": masters, "worker-group-id": workers}
        flat = template.FlatTemplate(cluster, members, lambda group: f"script of {group.name}")
        document = yaml.safe_load(flat.text())
        self.check_references(document)
        resources = document["resources"]
        del resources["before-nodes"]
        del resources["after-nodes"]
        return resources

    def check_references(self, document: dict[str, Any]) -> None:
        """Every reference inside the template has its target in it."""

        def walk(value: Any) -> None:
            if isinstance(value, dict):
                if "get_resource" in value:
                    self.assertIn(value["get_resource"], document["resources"])
                if "get_attr" in value:
                    self.assertIn(value["get_attr"][0], document["resources"])
                if "get_param" in value:
                    self.assertIn(value["get_param"], document["parameters"])
                for item in value.values():
                    walk(item)
            elif isinstance(value, list):
                for item in value:
                    walk(item)

        walk(document["resources"])

    def test_one_server_a_node_and_nothing_else(self) -> None:
        resources = self.resources(clusters.cluster(), [0], [0, 2])
        self.assertEqual({"master-0", "worker-0", "worker-2"}, set(resources))
        server = resources["worker-2"]["properties"]
        self.assertEqual({"list_join": ["-", ["demo", "worker", "2"]]}, server["name"])
        self.assertEqual([{"network": clusters.NETWORK}], server["networks"])
        self.assertEqual({"get_param": "worker-user-data"}, server["user_data"])
        self.assertEqual("RAW", server["user_data_format"])

    def test_a_nodes_definition_does_not_depend_on_the_others(self) -> None:
        cluster = clusters.cluster(
            anti_affinity=["worker"], anti_affinity_ratio=2, group={"auto_security_group": True, "open_ports": [7180]}
        )
        small, large = self.resources(cluster, [0], [1]), self.resources(cluster, [0, 1, 2], [0, 1, 2, 3])
        self.assertEqual(small["worker-1"], large["worker-1"])
        self.assertEqual(small["master-0"], large["master-0"])

    def test_security_groups(self) -> None:
        group = {"auto_security_group": True, "security_groups": ["mine"], "open_ports": [7180]}
        resources = self.resources(clusters.cluster(group=group), [0], [0])
        ours = next(name for name, r in resources.items() if r["type"] == "OS::Neutron::SecurityGroup")
        self.assertEqual(["mine", {"get_resource": ours}], resources["worker-0"]["properties"]["security_groups"])
        self.assertNotIn("security_groups", resources["master-0"]["properties"])

    def test_anti_affinity_spreads_over_its_server_groups(self) -> None:
        cluster = clusters.cluster(anti_affinity=["worker"], anti_affinity_ratio=2)
        resources = self.resources(cluster, [0], [0, 1])
        chosen = [
            resources[f"worker-{number}"]["properties"]["scheduler_hints"]["group"]["get_resource"] for number in (0, 1)
        ]
        self.assertEqual({"demo-aa-group-1", "demo-aa-group-2"}, set(chosen))
        self.assertNotIn("scheduler_hints", resources["master-0"]["properties"])

    def test_floating_address_needs_a_port(self) -> None:
        resources = self.resources(clusters.cluster(group={"floating_ip_pool": "public"}), [0], [3])
        self.assertEqual([{"port": {"get_resource": "worker-3-port"}}], resources["worker-3"]["properties"]["networks"])
        self.assertEqual({"get_resource": "worker-3-port"}, resources["worker-3-floating_ip"]["properties"]["port_id"])

    def test_volumes_belong_to_their_server(self) -> None:
        group = {"volumes_per_node": 2, "volumes_size": 10}
        resources = self.resources(clusters.cluster(group=group), [0], [1])
        properties = resources["worker-1-worker"]["properties"]["resource_def"]["properties"]
        self.assertEqual({"get_resource": "worker-1"}, properties["instance"])
        self.assertEqual("1", properties["instance_index"])
        self.assertEqual("%index%", properties["volume_index"])

    def test_an_emptied_group_leaves_nothing(self) -> None:
        self.assertEqual({"master-0"}, set(self.resources(clusters.cluster(), [0], [])))

    def parsed(self, flat: template.FlatTemplate) -> list[list[str]]:
        """Pairs of a resource and one that it needs, as Heat's own parser finds them."""
        parser = Path(__file__).with_name("heat_parser.py")
        done = subprocess.run(
            [sys.executable, str(parser)], input=json.dumps([flat.text()]), capture_output=True, text=True, check=False
        )
        self.assertEqual(0, done.returncode, done.stderr)
        return json.loads(done.stdout)[0]

    def test_designate_records_belong_to_addresses_that_a_node_has(self) -> None:
        cfg.CONF.set_override("use_designate", True)
        self.addCleanup(cfg.CONF.clear_override, "use_designate")
        internal = {"worker-0-internal_designate_record", "worker-0-internal_designate_reverse_record"}
        external = {"worker-0-external_designate_record", "worker-0-external_designate_reverse_record"}
        for pool, expected in ((None, internal), ("public", internal | external)):
            cluster = clusters.cluster(domain_name="example.org.", group={"floating_ip_pool": pool})
            resources = self.resources(cluster, [], [0])
            records = {name for name, one in resources.items() if one["type"] == "OS::Designate::Record"}
            self.assertEqual(expected, records)
            members = {"master-group-id": [], "worker-group-id": [0]}
            needed = self.parsed(template.FlatTemplate(cluster, members, lambda group: "script"))
            for name in internal:
                self.assertIn([name, "worker-0"], needed)
            for name in expected & external:
                self.assertIn([name, "worker-0-floating_ip"], needed)

    def test_heats_own_parser_finds_one_beginning_one_end_and_the_order_between(self) -> None:
        group = {
            "auto_security_group": True,
            "open_ports": [7180],
            "floating_ip_pool": "public",
            "volumes_per_node": 1,
            "volumes_size": 10,
        }
        cluster = clusters.cluster(anti_affinity=["worker"], group=group)
        self.resources(cluster, [0], [0])
        flat = template.FlatTemplate(cluster, {"master-group-id": [0], "worker-group-id": [0]}, lambda group: "script")
        requirements = self.parsed(flat)
        security_group = "demo-worker-worker-g"
        names = {name for pair in requirements for name in pair} - {"before-nodes", "after-nodes"}
        self.assertEqual(names, {name for name, required in requirements if required == "before-nodes"})
        self.assertEqual(names, {required for name, required in requirements if name == "after-nodes"})
        self.assertEqual(
            [
                ["worker-0", "demo-aa-group-1"],
                ["worker-0", "worker-0-port"],
                ["worker-0-floating_ip", "worker-0-port"],
                ["worker-0-port", security_group],
                ["worker-0-worker", "worker-0"],
            ],
            [pair for pair in requirements if not {"before-nodes", "after-nodes"} & set(pair)],
        )
