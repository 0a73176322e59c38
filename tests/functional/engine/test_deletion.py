# SPDX-License-Identifier: Apache-2.0
"""DockerEngine's deletions, and what it asks of Heat, with Sahara's own database and no nodes."""

from __future__ import annotations

from typing import Any

import eventlet
import fixtures
from eventlet import event
from sahara import conductor, context
from sahara import exceptions as sahara_exceptions
from sahara.plugins import base as plugin_base
from sahara.service.castellan import config as castellan
from sahara.tests.unit import base
from sahara.utils import cluster as sahara_cluster

from sahara_docker import cluster_extra, exceptions
from sahara_docker.engine import docker_engine, lease, recovery, scaling
from tests.functional.engine import cloud


class DeletionTest(base.SaharaWithDbTestCase):
    def setUp(self) -> None:
        super().setUp()
        castellan.validate_config()
        self.override_config("plugins", ["fake"])
        plugin_base.setup_plugins()
        self.engine = docker_engine.DockerEngine()
        self.addCleanup(self.engine._keeper._held.clear)  # nothing is renewed when the database is gone
        self.cloud = self.useFixture(cloud.Cloud(lambda name: "192.0.2.1"))

    def cluster(self, status: str) -> Any:
        group = {"name": "worker", "flavor_id": "1", "count": 1, "node_processes": ["namenode"]}
        values = {"name": "demo", "plugin_name": "fake", "hadoop_version": "0.1", "node_groups": [group]}
        cluster = conductor.API.cluster_create(
            context.ctx(), {**values, "neutron_management_network": "network", "default_image_id": "image"}
        )
        return conductor.API.cluster_update(context.ctx(), cluster, {"status": status})

    def read(self, cluster: Any) -> Any:
        return conductor.API.cluster_get(context.ctx(), cluster)

    def named(self, cluster: Any) -> Any:
        return self.engine._generate_heat_stack_name(cluster)

    def fake_stack(self, cluster: Any) -> None:
        self.cloud._create(cluster.stack_name, template="resources: {}", disable_rollback=True)

    def test_a_stack_that_was_named_meanwhile_is_deleted(self) -> None:
        stale = self.cluster("Deleting")
        self.fake_stack(self.named(stale))
        self.engine.shutdown_cluster(stale)
        self.assertEqual({}, self.cloud.stacks)

    def test_a_stack_that_a_creation_is_just_asking_for_is_waited_for(self) -> None:
        stale = self.cluster("Deleting")

        began = event.Event()

        def create() -> None:
            context.set_ctx(context.get_admin_context())
            self.engine._keeper.begin(stale.id, lease.CREATE)
            cluster = self.named(stale)
            began.send()
            try:
                eventlet.sleep(30)
            except lease.OperationLost:
                # Heat has got the request, whatever becomes of who has sent it.
                eventlet.spawn_after(0.2, self.fake_stack, cluster)
                raise

        eventlet.spawn(create)
        with eventlet.Timeout(30):
            began.wait()
        self.engine.shutdown_cluster(stale)
        self.assertEqual(["create", "delete"], [method for method, _ in self.cloud.calls])
        self.assertEqual({}, self.cloud.stacks)

    def test_only_a_deletion_is_said_to_be_tried_again(self) -> None:
        for status, told in (("Spawning", ""), ("Deleting", "Deleting failed and is tried again: ")):
            cluster = self.named(self.cluster(status))
            self.fake_stack(cluster)
            self.cloud.fail = ["port in use", "port in use"]
            self.assertRaises(sahara_exceptions.HeatStackException, self.engine.shutdown_cluster, cluster)
            text = self.read(cluster).status_description or ""
            self.assertEqual((told, told != ""), (text[: len(told)], "port in use" in text))
            conductor.API.cluster_update(context.ctx(), cluster, {"name": f"other-{status}"})

    def test_jobs_are_looked_at_before_a_deletion_is_taken_on(self) -> None:
        cluster = self.named(self.cluster("Deleting"))
        asked = self.useFixture(fixtures.MockPatch("sahara.service.edp.job_manager.update_job_statuses")).mock
        asked.side_effect = lambda cluster_id: self.assertIsNotNone(self.read(cluster_id)) or 1 / 0
        row = cluster_extra.survey(lease.KEY)[0]
        record = {"operation": lease.DELETE, "details": {"attempts": 1}}
        recovery.Recovery(self.engine).recover(row, record)
        asked.assert_called_once_with(cluster_id=cluster.id)
        self.assertIsNone(self.read(cluster))

    def test_a_failed_scaling_has_heats_reason(self) -> None:
        for step in ("_await_networks", "_configure_instances", "_generate_user_data_script"):
            self.useFixture(fixtures.MockPatchObject(self.engine, step, return_value=""))
        cluster = self.cluster("Spawning")
        self.engine.create_cluster(cluster)
        cluster = self.read(cluster)
        (group,) = cluster.node_groups
        self.cloud.fail = ["No valid host was found"]
        failure = self.assertRaises(scaling.ScalingUndone, self.engine.scale_cluster, cluster, {group.id: 2})
        self.assertIn("No valid host was found", str(failure))
        self.assertEqual(1, len(sahara_cluster.get_instances(self.read(cluster))))

    def test_new_nodes_that_the_plugin_cannot_spare_stay_and_the_cluster_works_on(self) -> None:
        for step in ("_await_networks", "_configure_instances", "_generate_user_data_script"):
            self.useFixture(fixtures.MockPatchObject(self.engine, step, return_value=""))
        cluster = self.cluster("Spawning")
        self.engine.create_cluster(cluster)
        cluster = self.read(cluster)
        (group,) = cluster.node_groups
        self.engine.scale_cluster(cluster, {group.id: 2})
        conductor.API.cluster_update(context.ctx(), cluster, {"status": "Configuring"})

        def forget_nodes(cluster: Any, instances: list) -> None:
            raise exceptions.SaharaDockerError("its blocks are nowhere else", where=instances[0].instance_name)

        plugin = plugin_base.PLUGINS.get_plugin("fake")
        plugin.forget_nodes = forget_nodes
        self.addCleanup(delattr, plugin, "forget_nodes")
        row = cluster_extra.survey(lease.KEY)[0]

        recovery.Recovery(self.engine).recover(row, {**row.value, "operation": lease.SCALE})

        cluster = self.read(cluster)
        self.assertEqual("Active", cluster.status)
        self.assertIn("its new nodes stay: [demo-worker-1] its blocks are nowhere else", cluster.status_description)
        self.assertEqual(2, len(sahara_cluster.get_instances(cluster)))
