# SPDX-License-Identifier: Apache-2.0
"""NodeRemote against real sshds in unprivileged containers."""

from __future__ import annotations

import functools
import logging
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import fixtures
import testtools
from sahara import context
from sahara import exceptions as sahara_exceptions
from sahara import main as sahara_main
from sahara.utils import crypto

from sahara_docker import conf
from sahara_docker.ssh import deadline, errors, pool, remote, route
from tests.functional.ssh import nodes, sshd

MEGABYTES = 5_000_000


class RemoteTestCase(testtools.TestCase):
    """A set of remotes with the test image's password."""

    def setUp(self) -> None:
        super().setUp()
        self.conf = sahara_main.CONF
        conf.register_sahara_opts(self.conf)
        self.set_option("ssh_password", sshd.required("SAHARA_DOCKER_TEST_PASSWORD"))
        self.remotes = remote.Remotes(self.conf)
        self.addCleanup(self.remotes.connections.close)

    def set_option(self, name: str, value: Any) -> None:
        self.conf.set_override(name, value, "sahara_docker")
        self.addCleanup(self.conf.clear_override, name, "sahara_docker")

    def node(self, **options: Any) -> sshd.SshdContainer:
        return self.useFixture(sshd.SshdContainer(**options))

    def remote(self, node: sshd.SshdContainer, **values: Any) -> remote.NodeRemote:
        return self.remotes.remote(nodes.instance(node.address, **values))


class ReconnectTest(RemoteTestCase):
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


class LoginTest(RemoteTestCase):
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

        def login() -> None:
            try:
                self.remote(node).execute_command("true")
            except Exception as failure:
                failures.append(failure)

        threads = [threading.Thread(target=login) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual(16, len(self.remotes.connections))


class CommandTest(RemoteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container = self.node()
        self.instance = nodes.instance(self.container.address)
        self.node_remote = self.remotes.remote(self.instance)

    def sessions(self) -> int:
        return int(self.container.run("pgrep -c -f '[s]shd: cdh@notty' || true"))

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

    def test_root(self) -> None:
        self.assertEqual("root\n", self.node_remote.execute_command("id -un", run_as_root=True)[1])

    def test_roots_shell_gets_the_command_as_it_stands(self) -> None:
        command = """printf '%s|' "a b" 'c"d' \\$HOME `echo e` $(id -un) | awk -F'|' '{ print $1 $2 $3 $4 $5 }'"""
        self.assertEqual('a bc"d$HOMEeroot\n', self.node_remote.execute_command(command, run_as_root=True)[1])

    def test_a_users_command_may_use_sudo(self) -> None:
        _, output = self.node_remote.execute_command("sudo su - -c 'id -un' root")
        self.assertEqual("root\n", output)

    def test_big_outputs_on_both_streams(self) -> None:
        code, stdout, stderr = self.node_remote.execute_command(
            f"head -c {MEGABYTES} /dev/zero | tr '\\0' e >&2; head -c {MEGABYTES} /dev/zero | tr '\\0' o",
            get_stderr=True,
        )
        self.assertEqual((0, MEGABYTES, MEGABYTES), (code, stdout.count("o"), stderr.count("e")))

    def test_output_that_is_not_utf8(self) -> None:
        self.assertEqual("caf\\xe9 é\n", self.node_remote.execute_command("printf 'caf\\351 \\303\\251\\n'")[1])

    def test_failure_has_code_and_both_streams(self) -> None:
        command = "echo one; echo two >&2; exit 3"
        failure = self.assertRaises(errors.RemoteCommandFailed, self.node_remote.execute_command, command)
        self.assertEqual((command, 3), (failure.cmd, failure.ret_code))
        self.assertEqual(("one\n", "two\n"), (failure.stdout, failure.stderr))
        self.assertIsInstance(failure, sahara_exceptions.RemoteCommandException)
        self.assertIsInstance(failure, sahara_exceptions.SubprocessException)
        self.assertIn("demo-worker-0", str(failure))

    def test_failure_may_be_wanted(self) -> None:
        self.assertEqual((3, ""), self.node_remote.execute_command("exit 3", raise_when_error=False))

    def test_failure_by_a_signal_is_not_a_broken_connection(self) -> None:
        failure = self.assertRaises(errors.RemoteCommandFailed, self.node_remote.execute_command, "kill -9 $$")
        self.assertIn("ended by a signal", str(failure))

    def test_failures_text_is_bounded(self) -> None:
        failure = self.assertRaises(
            errors.RemoteCommandFailed,
            self.node_remote.execute_command,
            "head -c 100000 /dev/zero | tr '\\0' x; exit 1",
        )
        self.assertLess(len(str(failure)), 5000)
        self.assertEqual(100000, len(failure.stdout))

    def test_standard_input_is_handed_over_and_ends(self) -> None:
        self.assertEqual("42\n", self.node_remote.execute_command("wc -c", stdin="x" * 42)[1])
        self.assertEqual("0\n", self.node_remote.execute_command("wc -c")[1])
        self.assertEqual(
            f"{MEGABYTES}\n", self.node_remote.execute_command("wc -c", run_as_root=True, stdin=b"x" * MEGABYTES)[1]
        )

    def test_command_that_does_not_read_its_input(self) -> None:
        self.assertEqual((0, "done\n"), self.node_remote.execute_command("echo done", stdin=b"x" * MEGABYTES))

    def test_timeout_is_saharas_and_the_connection_stays_usable(self) -> None:
        failure = self.assertRaises(
            sahara_exceptions.TimeoutException, self.node_remote.execute_command, "sleep 60", timeout=1
        )
        self.assertIn("sleep 60", str(failure))
        self.assertEqual((0, "ok\n"), self.node_remote.execute_command("echo ok"))
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

    def test_dialogue(self) -> None:
        matcher = _Answers({"Name? ": "Ünal", "Sure? ": "yes"}, end="bye ")
        self.node_remote.execute_on_vm_interactive(
            "printf 'Name? '; read name; printf 'Sure? '; read sure; echo bye $name $sure > /tmp/said; echo 'bye '",
            matcher,
        )
        self.assertEqual("bye Ünal yes\n", self.container.run("cat /tmp/said"))

    def test_dialogue_that_ends_early_or_never(self) -> None:
        never = _Answers({}, end="never said")
        self.assertRaises(errors.ConnectionLost, self.node_remote.execute_on_vm_interactive, "exit", never, timeout=20)
        self.assertRaises(
            sahara_exceptions.TimeoutException, self.node_remote.execute_on_vm_interactive, "sleep 60", never, timeout=1
        )

    def test_secrets_are_in_no_log_and_no_error(self) -> None:
        log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        password = sshd.required("SAHARA_DOCKER_TEST_PASSWORD")
        self.node_remote.execute_command("chpasswd", run_as_root=True, stdin=f"cdh:{password}\n")
        self.node_remote.write_file_to("secret", "s3cret-content")
        self.node_remote.replace_remote_string("secret", "content", "s3cret-replacement")
        failures = [
            self.assertRaises(errors.RemoteCommandFailed, self.node_remote.execute_command, command)
            for command in (
                f"echo {password}; false",
                "psql -c \"CREATE ROLE hive PASSWORD 's3cret-sql'\"",
                "kadmin -pw s3cret-kadmin",
                "echo cdh:s3cret-pipe | chpasswd",
                "curl http://user:s3cret-url@127.0.0.1:1/",
            )
        ]
        text = log.output + "".join(str(failure) + failure.cmd for failure in failures)
        self.assertIn("chpasswd", text)
        self.assertNotIn(password, text)
        self.assertNotIn("s3cret", text.replace('"secret"', ""))


class FilesTest(RemoteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.container = self.node()
        self.node_remote = self.remote(self.container)

    def test_bind_mounted_file_is_written_through(self) -> None:
        before = self.container.run("stat -c '%i %u %a' /etc/hosts")
        mounts = self.container.run("grep -c ' /etc/hosts ' /proc/self/mounts")
        self.node_remote.write_file_to("/etc/hosts", "127.0.0.1 localhost\n", run_as_root=True)
        self.node_remote.append_to_file("/etc/hosts", "10.0.0.2 b\n", run_as_root=True)
        self.node_remote.prepend_to_file("/etc/hosts", "10.0.0.1 a\n", run_as_root=True)
        self.node_remote.replace_remote_string("/etc/hosts", r"10\.0\.0\.", "10.1.0.")
        self.node_remote.replace_remote_line("/etc/hosts", "10.1.0.2", "10.1.0.2 & \\c/d,e")
        self.assertEqual(
            "10.1.0.1 a\n127.0.0.1 localhost\n10.1.0.2 & \\c/d,e\n", self.node_remote.read_file_from("/etc/hosts")
        )
        self.assertEqual("1\n", mounts)
        self.assertEqual(before, self.container.run("stat -c '%i %u %a' /etc/hosts"))

    def test_users_files_are_relative_to_home(self) -> None:
        self.node_remote.write_files_to({"one": "1", "-two & 'three'": "2"})
        self.node_remote.append_to_files({"one": "1"})
        self.node_remote.prepend_to_file("new", "0")
        self.assertEqual("11", self.container.run("cat /home/cdh/one"))
        self.assertEqual("2", self.node_remote.read_file_from("-two & 'three'"))
        self.assertEqual("0", self.container.run("cat /home/cdh/new"))

    def test_big_and_binary(self) -> None:
        data = bytes(range(256)) * (MEGABYTES // 256)
        for root in (False, True):
            self.node_remote.write_file_to("/tmp/big", data, run_as_root=root)
            self.assertEqual(data, self.node_remote.read_file_from("/tmp/big", run_as_root=root))
            self.container.run("rm /tmp/big")

    def test_file_that_cannot_be_written_is_named(self) -> None:
        failure = self.assertRaises(errors.RemoteCommandFailed, self.node_remote.write_file_to, "/etc/hosts", "x")
        self.assertIn("/etc/hosts", str(failure))
        self.assertIn("ermission denied", failure.stderr)

    def test_transfer_that_breaks_leaves_the_file(self) -> None:
        self.node_remote.write_file_to("kept", "old")
        self.node_remote.execute_command("true")
        cutting = threading.Thread(target=self.container.stop_sshd)
        half = functools.partial(_half, cutting=cutting)
        with fixtures.MonkeyPatch("sahara_docker.ssh.command._feed", half):
            self.assertRaises(errors.ConnectionLost, self.node_remote.write_file_to, "kept", "n" * 100000)
        cutting.join()
        self.assertEqual("old", self.container.run("cat /home/cdh/kept"))

    def test_nothing_is_left_in_tmp(self) -> None:
        before = self.container.run("ls /tmp")
        self.node_remote.write_file_to("/etc/motd", "x", run_as_root=True)
        self.node_remote.replace_remote_string("/etc/motd", "x", "y")
        self.assertEqual(before, self.container.run("ls /tmp"))


class SystemTest(RemoteTestCase):
    def test_the_distribution_is_that_of_os_release(self) -> None:
        node = self.node()
        node_remote = self.remote(node)
        fields = dict(line.split("=", 1) for line in node.run("cat /etc/os-release").splitlines())
        self.assertEqual(fields["ID"], node_remote.get_os_distrib())
        self.assertEqual(fields["VERSION_ID"].strip('"'), node_remote.get_os_version())
        self.assertEqual("python3", node_remote.get_python_version())

    def test_packages_of_an_unknown_distribution(self) -> None:
        node = self.node()
        node.run("echo ID=plan9 > /etc/os-release")
        failure = self.assertRaises(
            sahara_exceptions.NotImplementedException, self.remote(node).install_packages, ["ntp"]
        )
        self.assertIn("plan9", str(failure))

    def test_installed_packages_are_fine(self) -> None:
        self.remote(self.node()).install_packages(["bash", "coreutils"])


class HttpTest(RemoteTestCase):
    def serve(self, node: sshd.SshdContainer) -> int:
        """An HTTP service at the node's address, which it shares with this host; its port."""
        command = [sys.executable, "-u", "-m", "http.server", "--bind", node.address, "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        assert server.stdout is not None
        self.addCleanup(server.stdout.close)
        return int(server.stdout.readline().split(" port ")[1].split()[0])

    def test_session_ignores_this_hosts_proxy_and_ends_with_the_node(self) -> None:
        self.useFixture(fixtures.EnvironmentVariable("http_proxy", "http://127.0.0.1:1"))
        self.useFixture(fixtures.EnvironmentVariable("no_proxy", None))
        node = self.node()
        port = self.serve(node)
        instance = nodes.instance(node.address)
        node_remote = self.remotes.remote(instance)
        session = node_remote.get_http_client(port)
        self.assertEqual(200, session.get(f"http://{node.address}:{port}/").status_code)
        self.assertIs(session, node_remote.get_http_client(port))
        node_remote.close_http_session(port)
        self.assertRaises(sahara_exceptions.NotFoundException, node_remote.close_http_session, port)
        node_remote.get_http_client(port)
        self.remotes.forget(instance)
        self.assertEqual({}, self.remotes.sessions)

    def test_proxy_command_carries_ssh_and_http(self) -> None:
        node = self.node()
        port = self.serve(node)
        relay = Path(__file__).with_name("relay.py")
        self.conf.set_override("proxy_command", f"{sys.executable} {relay} {{host}} {{port}}")
        self.addCleanup(self.conf.clear_override, "proxy_command")
        self.conf.set_override("use_rootwrap", False)
        self.addCleanup(self.conf.clear_override, "use_rootwrap")
        context.set_ctx(context.Context(tenant_id="tenant", auth_token="token", service_catalog={}))
        self.addCleanup(context.set_ctx, None)
        node_remote = self.remote(node)
        self.assertEqual((0, "cdh\n"), node_remote.execute_command("id -un"))
        session = node_remote.get_http_client(port)
        for _ in range(2):
            self.assertEqual(200, session.get(f"http://{node.address}:{port}/").status_code)

    def test_gateway_carries_ssh_and_http(self) -> None:
        gateway, inner = self.node(hostname="gateway"), self.node(hostname="inner")
        port = self.serve(inner)
        node_remote = self.remotes.remote(nodes.behind_gateway(gateway.address, inner.address))
        self.assertEqual((0, "inner\n"), node_remote.execute_command("hostname"))
        session = node_remote.get_http_client(port)
        self.assertEqual(200, session.get(f"http://{inner.address}:{port}/").status_code)
        self.assertEqual(2, len(self.remotes.connections))
        gateway.stop_sshd()
        self.assertRaises(errors.SshError, node_remote.execute_command, "hostname")


class PoolTest(RemoteTestCase):
    def test_the_longest_idle_connection_makes_room(self) -> None:
        node = self.node()
        connections = pool.ConnectionPool(limit=2)
        self.addCleanup(connections.close)
        login = route.Login("cdh", sshd.required("SAHARA_DOCKER_TEST_PASSWORD"))
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


class _Answers:
    def __init__(self, answers: dict[str, str], end: str) -> None:
        self._answers = answers
        self._end = end

    def get_response(self, text: str) -> str | None:
        for question, answer in self._answers.items():
            if text.endswith(question):
                return answer
        return None

    def is_eof(self, text: str) -> bool:
        return f"\n{self._end}" in text.replace("\r", "")


def _half(channel: Any, data: bytes, cutting: threading.Thread) -> None:
    channel.sendall(data[: len(data) // 2])
    cutting.start()


def _alive_once() -> Any:
    answers = iter([True])
    return lambda connection: next(answers, connection._transport.is_active())
