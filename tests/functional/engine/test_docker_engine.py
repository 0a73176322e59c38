# SPDX-License-Identifier: Apache-2.0
"""DockerEngine with Sahara's own objects, database and operations, on real containers."""

from __future__ import annotations

import json
from typing import Any

import fixtures
from oslo_config import cfg
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.plugins import base as plugin_base
from sahara.service import ops
from sahara.service.castellan import config as castellan
from sahara.tests.unit import base
from sahara.utils import cluster as sahara_cluster
from sahara.utils import remote as sahara_remote

from sahara_docker import cluster_extra
from sahara_docker.engine import docker_engine, fan_out, lease, recovery, scaling
from sahara_docker.ssh import driver
from tests.functional.engine import cloud
from tests.functional.ssh import sshd

NETWORK = "d1b0ea59-8a64-4a35-b4bb-7f3b5c3d4a11"
CATALOG = [
    {
        "type": "identity",
        "endpoints": [{"region": None, "publicURL": "http://127.0.0.1:5000", "internalURL": "http://127.0.0.1:5000"}],
    }
]


class DockerEngineTest(base.SaharaWithDbTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.setup_context(service_catalog=json.dumps(CATALOG))
        castellan.validate_config()  # as every Sahara process does at its start
        self.override_config("plugins", ["fake"])
        plugin_base.setup_plugins()
        remote_driver = driver.DockerRemoteDriver()
        self.override_config("ssh_password", sshd.required("SAHARA_DOCKER_TEST_PASSWORD"), "sahara_docker")
        self.addCleanup(setattr, ops, "INFRA", ops.INFRA)
        self.addCleanup(setattr, sahara_remote, "DRIVER", sahara_remote.DRIVER)
        self.addCleanup(cfg.CONF.clear_override, "heat_enable_wait_condition")
        # It would go on to the end of the process, and take over what other tests have made.
        self.useFixture(fixtures.MockPatchObject(docker_engine.DockerEngine, "watch_for_dead_engines"))
        sahara_remote.setup_remote(remote_driver, engine=None)
        self.addCleanup(remote_driver.close)
        self.engine: Any = ops.INFRA
        self.addCleanup(self.engine._keeper._held.clear)  # nothing is renewed when the database is gone
        self.nodes: dict[str, sshd.SshdContainer] = {}
        self.sshd_options: tuple[str, ...] = ()
        self.hostname_of = lambda name: name
        self.cloud = self.useFixture(cloud.Cloud(self._boot))

    def _boot(self, name: str) -> str:
        node = self.useFixture(sshd.SshdContainer(self.hostname_of(name), self.sshd_options))
        self.nodes[name] = node
        return node.address

    def _cluster(self, workers: int = 1, **values: Any) -> Any:
        cluster = conductor.API.cluster_create(
            context.ctx(),
            {
                "name": "Demo",
                "plugin_name": "fake",
                "hadoop_version": "0.1",
                "neutron_management_network": NETWORK,
                "default_image_id": "0f5c2d6e-5f3c-4a2b-8a35-2a6e9a5c7e01",
                "node_groups": [
                    self._group("master", 1),
                    self._group("worker", workers),
                ],
                **values,
            },
        )
        for group in cluster.node_groups:
            conductor.API.node_group_update(context.ctx(), group, {"image_username": sshd.LOGIN_USER})
        return self._read(cluster)

    def _group(self, name: str, count: int) -> dict[str, Any]:
        return {"name": name, "flavor_id": "1", "count": count, "node_processes": ["namenode"]}

    def _read(self, cluster: Any) -> Any:
        return conductor.API.cluster_get(context.ctx(), cluster)

    def _create(self, **values: Any) -> Any:
        cluster = self._cluster(**values)
        self.engine.create_cluster(cluster)
        return self._read(cluster)

    def _counts(self, cluster: Any, **counts: int) -> dict[str, int]:
        return {group.id: counts.get(group.name, group.count) for group in cluster.node_groups}

    def test_is_what_sahara_uses_after_its_start(self) -> None:
        self.assertEqual("docker.1.0", ops.INFRA.get_type_and_version())
        self.assertEqual("docker.1.0", sahara_remote.get_remote_type_and_version())
        self.assertFalse(cfg.CONF.heat_enable_wait_condition)

    def test_create_makes_nodes_that_know_one_another(self) -> None:
        cluster = self._create(workers=2)

        self.assertEqual(["demo-master-0", "demo-worker-0", "demo-worker-1"], sorted(self.nodes))
        self.assertEqual(self.cloud.names(cluster.stack_name), sorted(self.nodes))
        self.assertEqual({"master": 1, "worker": 2}, {group.name: group.count for group in cluster.node_groups})
        for node in self.nodes.values():
            for name, other in self.nodes.items():
                found = node.run(f"getent hosts {name}.novalocal").split()
                self.assertEqual([other.address, f"{name}.novalocal", name], found)
            self.assertNotIn("127.0.0.1 127.0.0.1", node.run("cat /etc/hosts"))
            self.assertEqual(node.hostname + "\n", node.run("cat /etc/hostname"))

    def test_create_turns_ntp_off_for_sahara_but_not_against_the_user(self) -> None:
        cluster = self._create()
        self.assertIs(False, cluster.cluster_configs["general"]["Enable NTP service"])

        wanted = self._cluster(name="other", cluster_configs={"general": {"Enable NTP service": True}})
        self.engine.create_cluster(wanted)
        self.assertIs(True, self._read(wanted).cluster_configs["general"]["Enable NTP service"])

    def test_a_foreign_hostname_becomes_an_alias(self) -> None:
        self.hostname_of = lambda name: f"container-of-{name}"
        self._create()
        node = self.nodes["demo-worker-0"]
        self.assertEqual("demo-worker-0.novalocal\n", node.run("hostname -f"))
        self.assertEqual("container-of-demo-worker-0\n", node.run("cat /etc/hostname"))

    def test_scale_up_tells_the_old_nodes_and_keeps_them(self) -> None:
        cluster = self._create()
        old = {i.instance_id for i in sahara_cluster.get_instances(cluster)}

        new = self.engine.scale_cluster(cluster, self._counts(cluster, worker=3))

        self.assertEqual(2, len(new))
        cluster = self._read(cluster)
        self.assertLess(old, {i.instance_id for i in sahara_cluster.get_instances(cluster)})
        self.assertIn("demo-worker-2.novalocal", self.nodes["demo-master-0"].run("cat /etc/hosts"))

    def test_a_cluster_with_a_dead_node_can_be_scaled(self) -> None:
        cluster = self._create(workers=2)
        self.nodes["demo-worker-0"].container.kill()

        self.engine.scale_cluster(cluster, self._counts(cluster, worker=3))

        cluster = self._read(cluster)
        self.assertEqual(4, len(sahara_cluster.get_instances(cluster)))
        self.assertIn("demo-worker-2.novalocal", self.nodes["demo-worker-1"].run("cat /etc/hosts"))
        steps = conductor.API.cluster_get(context.ctx(), cluster.id, show_progress=True).provision_progress
        told = [event for step in steps for event in step.events if not event.successful]
        self.assertEqual(["demo-worker-0"], [event.instance_name for event in told])
        self.assertIn("nothing answers", told[0].event_info)

        dead = [i for i in sahara_cluster.get_instances(cluster) if i.instance_name == "demo-worker-0"]
        self.engine.scale_cluster(cluster, self._counts(cluster, worker=2), dead)
        self.assertNotIn("demo-worker-0", self.nodes["demo-master-0"].run("cat /etc/hosts"))

    def test_scale_down_removes_the_chosen_node_and_never_reuses_its_name(self) -> None:
        cluster = self._create(workers=3)
        chosen = [i for i in sahara_cluster.get_instances(cluster) if i.instance_name == "demo-worker-1"]

        self.engine.scale_cluster(cluster, self._counts(cluster, worker=2), chosen)
        cluster = self._read(cluster)
        self.assertEqual(["demo-master-0", "demo-worker-0", "demo-worker-2"], self.cloud.names(cluster.stack_name))
        self.assertNotIn("demo-worker-1", self.nodes["demo-master-0"].run("cat /etc/hosts"))

        youngest = [i for i in sahara_cluster.get_instances(cluster) if i.instance_name == "demo-worker-2"]
        self.engine.scale_cluster(cluster, self._counts(cluster, worker=1), youngest)
        self.engine.scale_cluster(self._read(cluster), self._counts(cluster, worker=2))
        self.assertEqual(["demo-master-0", "demo-worker-0", "demo-worker-3"], self.cloud.names(cluster.stack_name))

    def test_a_failed_scaling_removes_its_new_nodes_and_says_why(self) -> None:
        cluster = self._create()
        self.override_config("accessible_timeout", 2, "sahara_docker")
        self.sshd_options = ("AllowUsers nobody",)

        failure = self.assertRaises(
            scaling.ScalingUndone, self.engine.scale_cluster, cluster, self._counts(cluster, worker=2)
        )

        self.assertIn("its new nodes were removed again", str(failure))
        self.assertIn("demo-worker-1", str(failure))
        cluster = self._read(cluster)
        self.assertEqual(["demo-master-0", "demo-worker-0"], self.cloud.names(cluster.stack_name))
        self.assertEqual({"master": 1, "worker": 1}, {group.name: group.count for group in cluster.node_groups})
        self.assertNotIn("demo-worker-1", self.nodes["demo-master-0"].run("cat /etc/hosts"))

    def test_nodes_that_the_plugin_cannot_use_are_removed_but_the_emptied_ones_stay_away(self) -> None:
        cluster = self._create(workers=2)
        group = conductor.API.node_group_add(context.ctx(), cluster, {**self._group("extra", 0), "count": 0})
        cluster = self._read(cluster)
        conductor.API.node_group_update(context.ctx(), group, {"image_username": sshd.LOGIN_USER})
        leaving = [i for i in sahara_cluster.get_instances(cluster) if i.instance_name == "demo-worker-0"]
        counts = self._counts(cluster, worker=1, extra=1)
        self.engine.scale_cluster(cluster, counts, leaving)
        self.assertIn("demo-extra-0", self.cloud.names(self._read(cluster).stack_name))

        outcome = self.engine.undo_scaling(cluster.id, RuntimeError("no agent"))

        self.assertEqual("scaling failed; its new nodes were removed again: no agent", str(outcome))
        cluster = self._read(cluster)
        self.assertEqual(["demo-master-0", "demo-worker-1"], self.cloud.names(cluster.stack_name))
        self.assertEqual({"master": 1, "worker": 1}, {group.name: group.count for group in cluster.node_groups})
        self.assertNotIn("demo-extra-0", self.nodes["demo-master-0"].run("cat /etc/hosts"))

    def test_a_scaling_whose_engine_has_died_is_undone_by_another(self) -> None:
        cluster = self._create()
        self.engine.scale_cluster(cluster, self._counts(cluster, worker=2))
        cluster = conductor.API.cluster_update(context.ctx(), cluster, {"status": "Configuring"})
        row = cluster_extra.survey(lease.KEY)[0]

        # The test is one request for Sahara; there, the scaling would be one of its own.
        recovery.Recovery(self.engine).recover(row, {**row.value, "operation": lease.SCALE})

        cluster = self._read(cluster)
        self.assertEqual("Active", cluster.status)
        self.assertIn("ended while the cluster was Configuring", cluster.status_description)
        self.assertEqual(["demo-master-0", "demo-worker-0"], self.cloud.names(cluster.stack_name))

    def test_an_undo_that_heat_fails_once_is_done_again(self) -> None:
        cluster = self._create()
        self.cloud.fail = ["No valid host was found", "resource with id 7 not found"]
        failure = self.assertRaises(
            scaling.ScalingUndone, self.engine.scale_cluster, cluster, self._counts(cluster, worker=2)
        )
        self.assertIn("No valid host was found", str(failure))
        self.assertNotIn("resource with id 7", str(failure))
        self.assertEqual(["demo-master-0", "demo-worker-0"], self.cloud.names(cluster.stack_name))

    def test_an_undo_that_heat_fails_twice_is_told_with_both_causes(self) -> None:
        cluster = self._create()
        self.cloud.fail = ["No valid host was found", "port in use", "port in use"]
        failure = self.assertRaises(
            scaling.UndoFailed, self.engine.scale_cluster, cluster, self._counts(cluster, worker=2)
        )
        self.assertIn("No valid host was found", str(failure))
        self.assertIn("port in use", str(failure))

    def test_a_deletion_whose_engine_has_died_is_taken_to_its_end(self) -> None:
        cluster = self._create()
        cluster = conductor.API.cluster_update(context.ctx(), cluster, {"status": "Deleting"})
        row = cluster_extra.survey(lease.KEY)[0]
        self.cloud.fail = ["port in use", "port in use"]
        again = recovery.Recovery(self.engine)
        record = {**row.value, "operation": lease.DELETE, "details": {"attempts": 1}}
        self.assertRaises(sahara_exceptions.HeatStackException, again.recover, row, record)
        self.assertIn("port in use", self._read(cluster).status_description)

        again.recover(row, record)

        self.assertIsNone(self._read(cluster))
        self.assertEqual({}, self.cloud.stacks)

    def test_a_deletion_that_fails_for_ever_ends_in_error(self) -> None:
        cluster = self._create()
        cluster = conductor.API.cluster_update(context.ctx(), cluster, {"status": "Deleting"})
        row = cluster_extra.survey(lease.KEY)[0]
        self.cloud.fail = ["port in use", "port in use"]
        record = {**row.value, "operation": lease.DELETE, "details": {"attempts": 3}}
        self.assertRaises(sahara_exceptions.HeatStackException, recovery.Recovery(self.engine).recover, row, record)
        cluster = self._read(cluster)
        self.assertEqual("Error", cluster.status)
        self.assertIn("Deleting failed 3 times", cluster.status_description)
        self.assertIn("port in use", cluster.status_description)

    def test_a_failed_update_of_the_stack_is_a_failed_scaling_with_heats_reason(self) -> None:
        cluster = self._create()
        self.cloud.fail = ["No valid host was found"]
        failure = self.assertRaises(
            scaling.ScalingUndone, self.engine.scale_cluster, cluster, self._counts(cluster, worker=2)
        )
        self.assertIn("No valid host was found", str(failure))
        self.assertEqual(2, len(sahara_cluster.get_instances(self._read(cluster))))

    def test_a_failed_stack_is_told_with_heats_reason(self) -> None:
        self.cloud.fail = ["No valid host was found"]
        failure = self.assertRaises(sahara_exceptions.HeatStackException, self._create)
        self.assertIn("CREATE_FAILED: No valid host was found", str(failure))

    def test_a_wrong_password_ends_the_wait_early_and_names_the_option(self) -> None:
        secret = "not-the-password"
        self.override_config("ssh_password", secret, "sahara_docker")
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.engine.access._REFUSAL_GRACE", 0))
        cluster = self._cluster()
        failure = self.assertRaises(fan_out.NodesFailed, self.engine.create_cluster, cluster)
        self.assertIn("[demo-master-0 ", str(failure))
        self.assertIn("password refused for user 'cdh'", str(failure))
        self.assertIn("[sahara_docker] ssh_password", str(failure))
        self.assertNotIn(secret, str(failure))
        progress = conductor.API.cluster_get(context.ctx(), cluster, show_progress=True).provision_progress
        steps = {step.step_name: step for step in progress}
        events = steps["Wait for instance accessibility"].events
        self.assertEqual({False}, {event.successful for event in events})
        self.assertIn("password refused", events[0].event_info)

    def test_delete_leaves_nothing_and_closes_the_connections(self) -> None:
        cluster = self._create()
        self.assertEqual(2, len(sahara_remote.DRIVER.remotes.connections))
        self.cloud.fail = ["port in use"]

        self.engine.shutdown_cluster(cluster)

        self.assertEqual({}, self.cloud.stacks)
        self.assertEqual([], sahara_cluster.get_instances(self._read(cluster)))
        self.assertEqual(0, len(sahara_remote.DRIVER.remotes.connections))

    def test_delete_of_a_cluster_without_a_stack_is_done(self) -> None:
        cluster = self._cluster()
        self.engine.shutdown_cluster(cluster)
        self.assertEqual([], self.cloud.calls)
