# SPDX-License-Identifier: Apache-2.0
"""The step that configures a node, on a real one."""

from __future__ import annotations

import logging
import types
from typing import Any

import fixtures
from oslo_config import cfg
from sahara import main as sahara_main  # noqa: F401 - registers Sahara's options
from sahara.tests.unit import base

from sahara_docker import conf
from sahara_docker.engine import node_setup
from sahara_docker.ssh import remote
from tests.functional.ssh import nodes, sshd

HOSTS = "127.0.0.1 localhost\n10.0.0.7 demo-worker-0.novalocal demo-worker-0\n"


class NodeSetupTest(base.SaharaWithDbTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.setup_context()
        conf.register_sahara_opts(cfg.CONF)
        cfg.CONF.set_override("ssh_password", sshd.required("SAHARA_DOCKER_TEST_PASSWORD"), "sahara_docker")
        self.addCleanup(cfg.CONF.clear_override, "ssh_password", "sahara_docker")
        self.remotes = remote.Remotes(cfg.CONF)
        self.addCleanup(self.remotes.connections.close)

    def instance(self, node: sshd.SshdContainer, volumes: int = 0) -> Any:
        group = types.SimpleNamespace(
            image_username=sshd.LOGIN_USER, volumes_per_node=volumes, volume_mount_prefix="/volumes/disk"
        )
        node_remote = self.remotes.remote(nodes.instance(node.address))
        return types.SimpleNamespace(
            node_group=group,
            hostname=lambda: "demo-worker-0",
            fqdn=lambda: "demo-worker-0.novalocal",
            remote=lambda: node_remote,
        )

    def test_resolver_shell_and_volumes(self) -> None:
        mounts = ("/volumes/disk1", "/volumes/disk2", "/volumes/disk4")
        node = self.useFixture(sshd.SshdContainer("demo-worker-0", mounts=mounts))
        node.run("echo 'search example.org\nnameserver 192.0.2.1' > /etc/resolv.conf; usermod -s /bin/sh cdh")

        for _ in range(2):
            report = node_setup.apply(self.instance(node, volumes=3), HOSTS, ["192.0.2.1", "192.0.2.2"])

        self.assertEqual(node_setup.Report(other_hostname=None, volumes=2), report)
        self.assertEqual(HOSTS, node.run("cat /etc/hosts"))
        self.assertEqual(
            "nameserver 192.0.2.2\nsearch example.org\nnameserver 192.0.2.1\n", node.run("cat /etc/resolv.conf")
        )
        self.assertEqual("/bin/bash\n", node.run("getent passwd cdh | cut -d: -f7"))

    def test_one_command_a_node(self) -> None:
        log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        node = self.useFixture(sshd.SshdContainer("demo-worker-0"))
        node_setup.apply(self.instance(node), HOSTS, [])
        self.assertEqual(1, log.output.count("took"))

    def test_no_device_is_looked_at_or_changed(self) -> None:
        mounts = ("/volumes/disk1", "/volumes/disk2")
        node = self.useFixture(sshd.SshdContainer("demo-worker-0", mounts=mounts))
        tools = (
            "lsblk",
            "blkid",
            "fdisk",
            "sfdisk",
            "parted",
            "mkfs",
            "mkfs.ext4",
            "mkfs.xfs",
            "mount",
            "umount",
            "df",
        )
        # In sudo's path before the system's own; each tells that it was called and does nothing.
        for tool in (*tools, "trap-works"):
            node.run(f"printf '#!/bin/sh\\necho {tool} >> /called\\n' > /usr/local/sbin/{tool}")
        node.run("chmod +x /usr/local/sbin/*; touch /called")
        instance = self.instance(node, volumes=2)
        instance.remote().execute_command("trap-works", run_as_root=True)

        report = node_setup.apply(instance, HOSTS, [])

        self.assertEqual(2, report.volumes)
        self.assertEqual("trap-works\n", node.run("cat /called"))
