# SPDX-License-Identifier: Apache-2.0
"""Host keys in Sahara's database, seen by one engine process after another."""

from __future__ import annotations

import fixtures

from sahara_docker import cluster_extra
from sahara_docker.ssh import errors, host_keys
from tests.functional.ssh import base, nodes


class KeptHostKeysTest(base.RemoteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container = self.node()
        self.cluster = nodes.cluster({"worker": self.container.address})
        self.stale = nodes.of(self.cluster)[0]

    def kept(self) -> dict[str, str]:
        return cluster_extra.current(self.cluster.id, "host_keys") or {}

    def change_host_keys(self) -> None:
        self.container.stop_sshd()
        self.container.new_host_keys()
        self.container.start_sshd()

    def test_the_first_login_keeps_algorithm_and_fingerprint(self) -> None:
        self.remotes.remote(self.stale).check_login(20)
        kept = self.kept()[self.stale.instance_id]
        shown = self.container.run("cat /etc/ssh/*.pub | ssh-keygen -l -f -")
        self.assertIn(kept.split(" ")[1], shown)
        self.assertLess(len(kept), 80)

    def test_another_process_checks_it_before_any_secret_is_sent(self) -> None:
        self.remotes.remote(self.stale).check_login(20)
        attempts = self.container.attempts()
        self.assertEqual(1, len(attempts))
        self.change_host_keys()
        # As loaded by that other process, and as loaded before the key was kept.
        for instance in (nodes.of(nodes.reload(self.cluster))[0], self.stale):
            failure = self.assertRaises(errors.HostKeyChanged, self.new_remotes().remote(instance).check_login, 20)
            self.assertIn(self.kept()[instance.instance_id], str(failure))
        self.assertEqual(attempts, self.container.attempts())

    def test_the_same_key_is_fine_for_another_process(self) -> None:
        self.remotes.remote(self.stale).check_login(20)
        kept = self.kept()
        self.new_remotes().remote(self.stale).check_login(20)
        self.assertEqual(kept, self.kept())

    def test_another_process_asks_for_the_kept_algorithm(self) -> None:
        self.container.run("sed -i '/^HostKey/d' $(find /etc/ssh -name '*.conf' -o -name sshd_config)")
        self.container.run("mkdir /root/aside && mv /etc/ssh/ssh_host_e* /root/aside/")
        self.container.stop_sshd()
        self.container.start_sshd()
        self.remotes.remote(self.stale).check_login(20)
        self.assertEqual("ssh-rsa", host_keys.algorithm(self.kept()[self.stale.instance_id]))
        self.container.run("mv /root/aside/* /etc/ssh/")
        self.container.stop_sshd()
        self.container.start_sshd()
        self.new_remotes().remote(self.stale).check_login(20)

    def test_a_node_that_is_gone_is_forgotten(self) -> None:
        nodes.add(self.cluster.node_groups[0], self.node().address)
        first, second = nodes.of(nodes.reload(self.cluster))
        for instance in (first, second):
            self.remotes.remote(instance).check_login(20)
        host_keys.forget_kept(self.cluster.id, [first.instance_id])
        self.assertEqual({second.instance_id}, set(self.kept()))

    def test_what_does_not_fit_is_remembered_by_the_process(self) -> None:
        self.useFixture(fixtures.MonkeyPatch("sahara_docker.ssh.host_keys.ROOM", 60))
        log = self.useFixture(fixtures.FakeLogger())
        self.remotes.remote(self.stale).check_login(20)
        self.assertEqual({}, self.kept())
        self.assertIn("too many nodes", log.output)
        self.change_host_keys()
        self.assertRaises(errors.HostKeyChanged, self.remotes.remote(self.stale).check_login, 20)
        self.new_remotes().remote(self.stale).check_login(20)

    def test_four_hundred_nodes_fit(self) -> None:
        entry = {"x" * 36: "ecdsa-sha2-nistp256 SHA256:" + "x" * 43}
        self.assertGreater(host_keys.ROOM // len(str(entry)), 400)
