# SPDX-License-Identifier: Apache-2.0
"""How connections are kept, shared, broken and closed."""

from __future__ import annotations

import threading
import time
from typing import Any

import fixtures
from sahara import exceptions as sahara_exceptions

from sahara_docker.ssh import authentication, deadline, errors, pool, route
from tests.functional.ssh import base


class ConnectionTest(base.OneNodeTestCase):
    def test_one_connection_for_all_commands(self) -> None:
        for _ in range(3):
            with self.node_remote as again:
                again.execute_command("true")
        self.assertEqual(1, len(self.remotes.connections))
        self.assertEqual(1, self.sessions())

    def test_more_commands_at_once_than_sshd_allows_sessions(self) -> None:
        outputs: list[str] = []
        threads = [
            threading.Thread(target=lambda: outputs.append(self.node_remote.execute_command("sleep 0.2; echo done")[1]))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(["done\n"] * 20, outputs)
        self.assertEqual(1, self.sessions())

    def test_frozen_node_ends_by_the_deadline(self) -> None:
        self.node_remote.check_login(20)
        self.container.container.pause()
        try:
            self.assertRaises(sahara_exceptions.TimeoutException, self.node_remote.execute_command, "true", timeout=2)
        finally:
            self.container.container.unpause()
        self.assertEqual((0, "ok\n"), self.node_remote.execute_command("echo ok"))

    def test_sshd_restarted_between_commands(self) -> None:
        self.node_remote.execute_command("true")
        self.container.stop_sshd()
        starting = threading.Timer(0.5, self.container.start_sshd)
        starting.start()
        self.addCleanup(starting.join)
        self.assertEqual((0, "again\n"), self.node_remote.execute_command("echo again"))

    def test_connection_cut_before_a_command_is_reopened(self) -> None:
        self.node_remote.execute_command("true")
        connection = next(iter(self.remotes.connections._kept.values()))
        connection.abort()
        # A cut that nobody has noticed: the connection still looks alive when it is lent.
        with fixtures.MonkeyPatch("sahara_docker.ssh.connection.Connection.alive", property(_alive_once())):
            self.assertEqual((0, "again\n"), self.node_remote.execute_command("echo again"))

    def test_command_cut_in_the_middle_is_never_repeated(self) -> None:
        def cut() -> None:
            while "started" not in self.container.run("cat /tmp/log 2>/dev/null || true"):
                time.sleep(0.05)
            self.container.stop_sshd()
            self.container.start_sshd()

        cutting = threading.Thread(target=cut)
        cutting.start()
        self.addCleanup(cutting.join)
        failure = self.assertRaises(
            errors.ConnectionLost, self.node_remote.execute_command, "echo started >> /tmp/log; sleep 60"
        )
        cutting.join()
        self.assertIn("may or may not", str(failure))
        self.assertEqual("started\n", self.node_remote.execute_command("cat /tmp/log")[1])

    def test_forgotten_instance_is_disconnected(self) -> None:
        self.node_remote.execute_command("true")
        self.remotes.forget(self.instance)
        self.assertEqual(0, len(self.remotes.connections))
        for _ in range(100):
            if self.sessions() == 0:
                return
            time.sleep(0.05)
        self.fail("the session is still open")


class ReconnectTest(base.RemoteTestCase):
    def test_the_next_login_sees_what_a_login_reads(self) -> None:
        node = self.remote(self.node())
        node.execute_command("echo GREETING=hello | sudo tee -a /etc/environment")
        self.assertEqual((0, "\n"), node.execute_command("echo $GREETING"))
        node.reconnect()
        self.assertEqual((0, "hello\n"), node.execute_command("echo $GREETING"))

    def test_what_runs_goes_on_to_its_end(self) -> None:
        node = self.remote(self.node())
        outcome: list[Any] = []
        begun = "/tmp/begun"
        command = f"touch {begun}; sleep 2; echo done"
        worker = threading.Thread(target=lambda: outcome.append(node.execute_command(command)))
        worker.start()
        while node.execute_command(f"test -e {begun}", raise_when_error=False)[0]:
            time.sleep(0.05)
        node.reconnect()
        self.assertEqual((0, "new\n"), node.execute_command("echo new"))
        worker.join(20)
        self.assertEqual([(0, "done\n")], outcome)


class PoolTest(base.RemoteTestCase):
    def test_the_longest_idle_connection_makes_room(self) -> None:
        node = self.node()
        connections = pool.ConnectionPool(limit=2)
        self.addCleanup(connections.close)
        password = authentication.Password(self.password, origin="the image's password", remedy="")
        login = route.Login("cdh", lambda acquainted: [password])
        known = [route.Node(str(number), f"node-{number}", node.address, login) for number in range(3)]
        with connections.lend(known[0], deadline.Deadline(20), 5) as first:
            with connections.lend(known[1], deadline.Deadline(20), 5) as second:
                self.assertRaises(
                    errors.DeadlineExceeded, connections.lend(known[2], deadline.Deadline(0.5), 5).__enter__
                )
            with connections.lend(known[2], deadline.Deadline(20), 5):
                self.assertTrue(first.alive)
                self.assertFalse(second.alive)
                self.assertEqual(2, len(connections))


def _alive_once() -> Any:
    answers = iter([True])
    return lambda connection: next(answers, connection._transport.is_active())
