# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import testtools
from sahara import main as sahara_main

from sahara_docker import conf
from sahara_docker.ssh import remote
from tests.functional.ssh import database, nodes, sshd


class RemoteTestCase(testtools.TestCase):
    """A set of remotes with the test image's password, and Sahara's database."""

    def setUp(self) -> None:
        super().setUp()
        self.conf = sahara_main.CONF
        conf.register_sahara_opts(self.conf)
        self.password = sshd.required("SAHARA_DOCKER_TEST_PASSWORD")
        self.set_option("ssh_password", self.password)
        self.useFixture(database.Database())
        self.remotes = self.new_remotes()

    def new_remotes(self) -> remote.Remotes:
        """Remotes that know nothing, as those of another engine process."""
        remotes = remote.Remotes(self.conf)
        self.addCleanup(remotes.connections.close)
        return remotes

    def set_option(self, name: str, value: Any, group: str | None = "sahara_docker") -> None:
        self.conf.set_override(name, value, group)
        self.addCleanup(self.conf.clear_override, name, group)

    def node(self, **options: Any) -> sshd.SshdContainer:
        return self.useFixture(sshd.SshdContainer(**options))

    def remote(self, node: sshd.SshdContainer, **values: Any) -> remote.NodeRemote:
        return self.remotes.remote(nodes.instance(node.address, **values))


class OneNodeTestCase(RemoteTestCase):
    """One node, and its remote."""

    def setUp(self) -> None:
        super().setUp()
        self.container = self.node()
        self.instance = nodes.instance(self.container.address)
        self.node_remote = self.remotes.remote(self.instance)

    def sessions(self) -> int:
        """How many logins the node's sshd serves."""
        return int(self.container.run("pgrep -c -f '[s]shd: cdh@notty' || true"))
