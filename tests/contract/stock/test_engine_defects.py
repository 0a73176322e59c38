# SPDX-License-Identifier: Apache-2.0
"""Defects of Sahara's engine on containers, proven in it and proven mended in ours.

Both work through our remote here: with stock's the engine gets nowhere.
"""

from __future__ import annotations

import itertools
import types
from typing import Any
from unittest import mock

import fixtures
import testtools
from oslo_config import cfg
from sahara import exceptions as sahara_exceptions
from sahara.service.heat import heat_engine
from sahara.utils.openstack import heat

from sahara_docker.engine import docker_engine, stack
from sahara_docker.ssh import remote
from tests.contract.stock import defects, sahara_process, traces
from tests.functional.ssh import sshd


class Ours:
    """Our engine."""

    def engine(self) -> Any:
        return docker_engine.DockerEngine()

    def set_resolver(self, instance: Any, cluster: Any) -> None:
        self.engine()._configure_instance(instance, cluster)

    def wait_for_stack(self, cluster: Any) -> None:
        stack._follow("stack", "CREATE", lambda now: True, lambda line: None)


class Stock:
    """Sahara's engine."""

    def engine(self) -> Any:
        return heat_engine.HeatEngine()

    def set_resolver(self, instance: Any, cluster: Any) -> None:
        self.engine()._configure_instance_resolve_conf(instance)

    def wait_for_stack(self, cluster: Any) -> None:
        heat.wait_stack_completion(cluster)


class EngineCase(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.process = self.useFixture(sahara_process.SaharaProcess())

    def patch(self, name: str, value: Any) -> None:
        self.useFixture(fixtures.MonkeyPatch(name, value))


@defects.proven(Ours, Stock)
class NodeDefectsTest(EngineCase):
    """What an engine does to a node, which is an unprivileged container without cloud-init."""

    def setUp(self):
        super().setUp()
        # Of its own for every test: ours gives a node a key and a password of its own.
        self.node = self.useFixture(sshd.SshdContainer())
        options = self.process.options
        options.config(ssh_password=sshd.required("SAHARA_DOCKER_TEST_PASSWORD"), group="sahara_docker")
        options.config(accessible_timeout=2, group="sahara_docker")
        options.config(wait_until_accessible=2, group="timeouts")
        self.patch("sahara.utils.remote.DRIVER", types.SimpleNamespace(get_remote=remote.Remotes(cfg.CONF).remote))
        self.patch("sahara.service.networks.init_instances_ips", lambda instance: True)
        self.patch("sahara.utils.cluster.etc_hosts_entry_for_service", lambda service: "")

    def instance(self, address=None):
        groups = {"worker": (*traces.SMALLEST["worker"][:1], 1)}
        values = {"plugin_name": "cdh_docker", "hadoop_version": "5.13.0"}
        cluster = self.process.cluster(groups, address or self.node.address, **values)
        return cluster.node_groups[0].instances[0]

    @defects.defect("timed out|[Tt]imeout")
    def login_is_not_seen_without_cloud_init(self, implementation):
        instance = self.instance()
        implementation.engine()._await_networks(instance.cluster, [instance])

    @defects.defect("'refused' not in")
    def cause_of_a_failed_login_is_hidden(self, implementation):
        instance = self.instance("127.0.0.250")
        engine = implementation.engine()
        text = ""
        try:
            defects.within(30, engine._await_networks, instance.cluster, [instance])
        except Exception as failure:
            text = str(failure)
        self.assertIn("refused", text)

    @defects.defect("RemoteCommand.*hostname")
    def hostname_cannot_be_set(self, implementation):
        instance = self.instance()
        implementation.engine()._configure_instance(instance, instance.cluster)
        self.assertIn(instance.fqdn(), self.node.run("cat /etc/hosts"))

    @defects.defect("Device or resource busy")
    def resolver_cannot_be_moved_onto_its_mount(self, implementation):
        self.process.options.config(nameservers=["192.0.2.7"])
        self.patch("sahara.conductor.objects.Cluster.use_designate_feature", lambda cluster: True)
        instance = self.instance()
        implementation.set_resolver(instance, instance.cluster)
        self.assertIn("nameserver 192.0.2.7", self.node.run("cat /etc/resolv.conf"))


@defects.proven(Ours, Stock)
class WaitingDefectsTest(EngineCase):
    """What an engine does before it reaches a node."""

    def cluster(self):
        values = {"plugin_name": "cdh_docker", "hadoop_version": "5.13.0"}
        return self.process.cluster(traces.SMALLEST, "10.0.0.1", **values)

    @defects.defect("MismatchError: .*lsblk")
    def disks_of_the_host_are_looked_for(self, implementation):
        cluster = self.cluster()
        engine = implementation.engine()
        ids = [instance.id for group in cluster.node_groups for instance in group.instances]
        for step, result in (("_create_instances", ids), ("_await_networks", None), ("_configure_instances", None)):
            self.useFixture(fixtures.MockPatchObject(engine, step, return_value=result))
        engine._launch_instances(cluster, {}, ["Spawning", "Waiting", "Preparing"])
        self.assertEqual([], [asked.what for asked in self.process.nodes.asked])

    @defects.defect("MismatchError: .*2 != 3")
    def nodes_of_a_failed_scaling_stay(self, implementation):
        cluster = self.cluster()
        engine = implementation.engine()
        (group,) = (group for group in cluster.node_groups if group.name == "worker")
        new = {"physical_id": "c1-worker-2", "name": "c1-worker-2"}
        # Heat does at once what it is asked for.
        self.patch("sahara_docker.engine.stack.submit", lambda *_: {"worker-2": "c1-worker-2"})
        for part in ("service.heat.templates.ClusterStack.instantiate", "utils.openstack.heat.wait_stack_completion"):
            self.useFixture(fixtures.MockPatch(f"sahara.{part}"))
        self.patch(
            "sahara.service.heat.templates.ClusterStack.get_node_group_instances",
            lambda _, asked: [new] if asked.id == group.id else [],
        )
        for step, outcome in (
            ("_generate_user_data_script", None),
            ("_configure_instances", None),
            ("_await_networks", RuntimeError("no login")),
        ):
            self.useFixture(fixtures.MockPatchObject(engine, step, return_value="", side_effect=outcome))
        wanted = {each.id: each.count for each in cluster.node_groups}
        self.assertRaises(Exception, engine.scale_cluster, cluster, {**wanted, group.id: 3})  # noqa: B017
        (group,) = (group for group in self.process.reload(cluster).node_groups if group.name == "worker")
        self.assertEqual(2, len(group.instances))

    @defects.defect("StillWaiting")
    def stack_that_never_ends_is_waited_for_without_end(self, implementation):
        ages = itertools.count()
        now = [0.0]

        def sleep(seconds):
            now[0] += max(seconds, 1)
            if next(ages) > 24 * 3600:
                raise defects.StillWaiting("for a day")

        unfinished = mock.Mock(
            status="IN_PROGRESS", action="CREATE", stack_name="c1", stack_status="CREATE_IN_PROGRESS"
        )
        client = mock.Mock()
        client.stacks.get.return_value = unfinished
        client.stacks.list.return_value = [unfinished]
        client.resources.list.return_value = []
        self.patch("sahara.utils.openstack.heat.client", lambda: client)
        self.patch("sahara.context.sleep", sleep)
        self.patch("sahara_docker.engine.stack.time", types.SimpleNamespace(monotonic=lambda: now[0]))
        failure = None
        try:
            implementation.wait_for_stack(self.cluster())
        except sahara_exceptions.HeatStackException as stopped:
            failure = stopped
        self.assertIn("c1", str(failure))
