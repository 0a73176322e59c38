# SPDX-License-Identifier: Apache-2.0
"""What the first login shows when it does not work."""

from __future__ import annotations

import threading
from typing import Any

from sahara.utils import crypto

from sahara_docker.ssh import errors
from tests.functional.ssh import base, nodes


class LoginTest(base.RemoteTestCase):
    def test_password(self) -> None:
        self.assertEqual((0, "cdh\n"), self.remote(self.node()).execute_command("id -un"))

    def test_wrong_password_is_told_from_everything_else_and_not_shown(self) -> None:
        self.set_option("ssh_password", "not-the-password")
        node = self.node()
        failure = self.assertRaises(errors.PasswordRefused, self.remote(node).check_login, 20)
        self.assertIn(node.address, str(failure))
        self.assertIn("'cdh'", str(failure))
        self.assertNotIn("not-the-password", str(failure))

    def test_no_password_known(self) -> None:
        self.set_option("ssh_password", None)
        failure = self.assertRaises(errors.NoPasswordKnown, self.remote(self.node()).check_login, 20)
        self.assertIn("[sahara_docker] ssh_password", str(failure))

    def test_key_where_passwords_are_off(self) -> None:
        private, public = crypto.generate_key_pair()
        node = self.node(sshd_options=("PasswordAuthentication no",))
        node.run(
            f"install -d -o cdh -m 700 /home/cdh/.ssh && echo '{public.strip()}' > /home/cdh/.ssh/authorized_keys"
            " && chown cdh /home/cdh/.ssh/authorized_keys"
        )
        self.assertEqual("cdh\n", self.remote(node, private_key=private).execute_command("id -un")[1])

    def test_nothing_listens(self) -> None:
        failure = self.assertRaises(errors.NodeNotUp, self.remote(self.node(listening=False)).check_login, 20)
        self.assertIn("refused", str(failure))
        self.assertTrue(failure.transient)

    def test_no_address_yet(self) -> None:
        self.assertRaises(errors.NodeNotUp, self.remotes.remote(nodes.instance("")).check_login, 20)

    def test_changed_host_key_gets_no_password(self) -> None:
        node = self.node()
        instance = nodes.instance(node.address)
        self.remotes.remote(instance).check_login(20)
        node.stop_sshd()
        node.new_host_keys()
        node.start_sshd()
        failure = self.assertRaises(errors.HostKeyChanged, self.remotes.remote(instance).check_login, 20)
        self.assertIn("SHA256:", str(failure))
        # Another server at the same address is another node, with a key of its own.
        self.remotes.remote(nodes.instance(node.address)).check_login(20)

    def test_remembered_key_is_asked_for_when_the_node_has_several(self) -> None:
        node = self.node()
        instance = nodes.instance(node.address)
        # Without lines of its own sshd takes every key that it finds.
        node.run("sed -i '/^HostKey/d' $(find /etc/ssh -name '*.conf' -o -name sshd_config)")
        node.run("mkdir /root/aside && mv /etc/ssh/ssh_host_e* /root/aside/")
        node.stop_sshd()
        node.start_sshd()
        self.remotes.remote(instance).check_login(20)
        node.run("mv /root/aside/* /etc/ssh/")
        node.stop_sshd()
        node.start_sshd()
        self.remotes.remote(instance).check_login(20)

    def test_sixteen_at_once_get_through_max_startups(self) -> None:
        node = self.node()
        failures: list[Exception] = []

        def login(node_remote: Any) -> None:
            try:
                node_remote.execute_command("true")
            except Exception as failure:
                failures.append(failure)

        remotes = [self.remote(node) for _ in range(16)]
        threads = [threading.Thread(target=login, args=[one]) for one in remotes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual(16, len(self.remotes.connections))
