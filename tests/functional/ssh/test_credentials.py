# SPDX-License-Identifier: Apache-2.0
"""Keys and passwords of new nodes, on real sshds, with a key manager whose references are no secrets."""

from __future__ import annotations

import types
from typing import Any

import fixtures
from castellan.tests.unit.key_manager import mock_key_manager
from sahara.utils import crypto

from sahara_docker import cluster_extra
from sahara_docker.engine import credentials, fan_out
from sahara_docker.ssh import authentication, driver, errors, node_password, remote
from tests.functional.ssh import base, nodes, sshd

USERS_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl user@example"
OWN_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBjRmN0P8jpDiRkwYPCOnQ9jd4Ct3PZb3ZkMrdr7P7W9 image"


class CredentialsTestCase(base.RemoteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.keys = mock_key_manager.MockKeyManager()
        self.useFixture(fixtures.MonkeyPatch("castellan.key_manager.API", lambda: self.keys))
        keypair = types.SimpleNamespace(public_key=f"{USERS_KEY}\n")
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.openstack.nova.get_keypair", lambda name: keypair))
        remote_driver = driver.DockerRemoteDriver()
        remote_driver.remotes = self.remotes
        self.useFixture(fixtures.MonkeyPatch("sahara.utils.remote.DRIVER", remote_driver))
        self.private, self.public = crypto.generate_key_pair()

    def cluster(self, node: sshd.SshdContainer, **values: Any) -> Any:
        return nodes.cluster(
            {"worker": node.address},
            private_key=self.private,
            management_public_key=self.public,
            user_keypair_id="users",
            **values,
        )

    def log_in(self, cluster: Any) -> None:
        nodes.of(cluster)[0].remote().check_login(20)

    def secure(self, cluster: Any) -> None:
        self.log_in(cluster)
        credentials.secure(cluster, nodes.of(cluster))

    def accepted(
        self, cluster: Any, remotes: remote.Remotes | None = None
    ) -> authentication.Key | authentication.Password:
        """What an engine process that has just started logs in with."""
        return (remotes or self.new_remotes()).remote(nodes.of(cluster)[0]).log_in_again(60)

    def secret(self, cluster: Any) -> str:
        secret = node_password.read(cluster.id)
        assert secret is not None
        return secret


class SecureTest(CredentialsTestCase):
    def test_the_key_goes_in_and_the_images_password_out(self) -> None:
        node = self.node()
        node.run(
            f"install -d -o cdh -g cdh -m 755 /home/cdh/.ssh; printf '{OWN_KEY}' > /home/cdh/.ssh/authorized_keys;"
            " chown cdh: /home/cdh/.ssh/authorized_keys"
        )
        cluster = self.cluster(node)
        self.log_in(cluster)
        before = next(iter(self.remotes.connections._kept.values()))
        for _ in range(2):
            credentials.secure(cluster, nodes.of(cluster))

        lines = node.run("cat /home/cdh/.ssh/authorized_keys").splitlines()
        self.assertEqual([OWN_KEY, self.public.strip(), USERS_KEY], lines)
        self.assertEqual(
            "700 cdh cdh\n600 cdh cdh\n", node.run("cd /home/cdh/.ssh; stat -c '%a %U %G' . authorized_keys")
        )
        # `cluster` was loaded before anything was stored with it.
        self.assertIsInstance(self.accepted(cluster), authentication.Key)
        self.assertTrue(before.alive)
        self.assertIs(before, next(iter(self.remotes.connections._kept.values())))

        without_key = nodes.cluster({"worker": node.address}, name="other")
        failure = self.assertRaises(
            errors.PasswordRefused, self.new_remotes().remote(nodes.of(without_key)[0]).check_login, 30
        )
        self.assertIn("[sahara_docker] ssh_password", str(failure))

    def test_without_key_login_the_nodes_own_password_is_next(self) -> None:
        node = self.node(sshd_options=("PubkeyAuthentication no",))
        log = self.useFixture(fixtures.FakeLogger())
        cluster = self.cluster(node)
        self.secure(cluster)
        self.assertEqual(1, log.output.count("refuse its key"))
        method = self.accepted(cluster)
        self.assertEqual(node_password.ORIGIN, method.origin)
        self.assertEqual([], [line for line in node.attempts() if line.startswith("Failed")])

    def test_a_node_cannot_use_its_password_elsewhere(self) -> None:
        self.assertNotEqual(node_password.derive("secret", "node-1"), node_password.derive("secret", "node-2"))

    def test_without_rotation_the_key_goes_in_and_the_password_stays(self) -> None:
        self.set_option("rotate_password", False)
        node = self.node()
        cluster = self.cluster(node)
        self.secure(cluster)
        self.assertIsInstance(self.accepted(cluster), authentication.Key)
        self.assertIsNone(cluster_extra.current(cluster.id, "node_passwords"))
        self.assertEqual({}, self.keys.keys)
        self.assertEqual("cdh\n", self.remote(node, name="other").execute_command("id -un")[1])


class InterruptedTest(CredentialsTestCase):
    """An engine process that dies leaves every node reachable for the next one."""

    def test_after_the_secret_was_stored(self) -> None:
        node = self.node()
        cluster = self.cluster(node)
        self.log_in(cluster)
        node_password.create(cluster)
        self.assertEqual("[sahara_docker] ssh_password", self.accepted(cluster).origin)

    def test_after_the_password_was_replaced_where_keys_are_off(self) -> None:
        node = self.node(sshd_options=("PubkeyAuthentication no",))
        cluster = self.cluster(node)
        self.log_in(cluster)
        password = node_password.derive(node_password.create(cluster), nodes.of(cluster)[0].instance_id)
        node.run(f"echo cdh:{password} | chpasswd")
        self.assertEqual(node_password.ORIGIN, self.accepted(cluster).origin)
        # And the whole work may be done again.
        credentials.secure(cluster, nodes.of(cluster))

    def test_without_the_key_manager_the_key_still_works(self) -> None:
        cluster = self.cluster(self.node())
        self.secure(cluster)
        self.keys.keys.clear()
        self.assertIsInstance(self.accepted(cluster), authentication.Key)


class KeyManagerTest(CredentialsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.made = nodes.cluster({"worker": "192.0.2.1"})

    def test_one_secret_a_cluster_and_a_reference_with_it(self) -> None:
        secret = node_password.create(self.made)
        self.assertEqual(secret, node_password.create(self.made))
        self.assertEqual([cluster_extra.current(self.made.id, "node_passwords")], list(self.keys.keys))
        self.assertNotIn(secret, str(nodes.reload(self.made).extra))

    def test_the_slower_of_two_engines_takes_the_others_secret(self) -> None:
        store = self.keys.store
        quicker = []

        def overtaken(*arguments: Any, **values: Any) -> str:
            self.keys.store = store
            quicker.append(node_password.create(self.made))
            return store(*arguments, **values)

        self.keys.store = overtaken
        self.assertEqual(quicker, [node_password.create(self.made)])
        self.assertEqual(1, len(self.keys.keys))

    def test_removed_with_the_cluster(self) -> None:
        node_password.create(self.made)
        credentials.remove(self.made)
        self.assertEqual({}, self.keys.keys)
        self.assertIsNone(node_password.read(self.made.id))
        credentials.remove(self.made)

    def test_what_cannot_be_removed_stops_nothing_and_shows_nothing(self) -> None:
        log = self.useFixture(fixtures.FakeLogger())
        secret = node_password.create(self.made)
        self.keys.delete = _failing(f"cannot delete {secret}")
        credentials.remove(self.made)
        self.assertIn(self.made.id, log.output)
        self.assertNotIn(secret, log.output)

    def test_nothing_happens_to_nodes_when_it_cannot_be_stored(self) -> None:
        self.keys.store = _failing("down")
        self.assertRaises(node_password.KeyManagerFailed, credentials.secure, self.made, nodes.of(self.made))
        self.assertIsNone(cluster_extra.current(self.made.id, "node_passwords"))


class UnfitImageTest(CredentialsTestCase):
    """Each is told with what to do about it, and leaves the node as it was."""

    def refusal(self, prepare: str) -> str:
        node = self.node()
        node.run(prepare)
        cluster = self.cluster(node)
        failure = self.assertRaises(fan_out.NodesFailed, self.secure, cluster)
        self.assertIsInstance(failure.causes["demo-worker-0"], credentials.CredentialsRefused)
        self.assertNotIn(node_password.derive(self.secret(cluster), nodes.of(cluster)[0].instance_id), str(failure))
        # The image's password is what still works.
        self.assertEqual("cdh\n", self.remote(node, name="other").execute_command("id -un")[1])
        return str(failure)

    def test_no_chpasswd(self) -> None:
        text = self.refusal("rm $(command -v chpasswd)")
        self.assertIn("no chpasswd", text)
        self.assertIn("rotate_password = false", text)

    def test_no_sudo(self) -> None:
        self.assertIn("sudo asks for a password", self.refusal("rm -f /etc/sudoers.d/*; sed -i /cdh/d /etc/sudoers"))

    def test_home_of_somebody_else(self) -> None:
        self.assertIn("authorized_keys cannot be written", self.refusal("rm -rf /home/cdh/.ssh; chown root /home/cdh"))

    def test_pam_refuses(self) -> None:
        text = self.refusal("echo 'password requisite pam_deny.so' > /etc/pam.d/chpasswd")
        self.assertIn("the new password was refused", text)
        self.assertIn("PAM", text)


def _failing(text: str) -> Any:
    def fail(*arguments: Any, **values: Any) -> None:
        raise RuntimeError(text)

    return fail
