# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import inspect
import socket

import fixtures
import testtools
from sahara import exceptions as sahara_exceptions
from sahara.utils import remote as sahara_remote
from sahara.utils import ssh_remote

from sahara_docker.ssh import authentication, command, connection, deadline, errors, host_keys, remote, route

# These look addresses up and run nothing.
KEPT = {"get_neutron_info"}


class InterfaceTest(testtools.TestCase):
    def test_nothing_of_the_stock_helper_that_starts_a_process_is_left(self) -> None:
        for name, stock in inspect.getmembers(ssh_remote.InstanceInteropHelper, inspect.isfunction):
            if not name.startswith("_") and name not in KEPT:
                self.assertIsNot(stock, getattr(remote.NodeRemote, name), name)

    def test_signatures_accept_what_the_stock_ones_do(self) -> None:
        for name, stock in inspect.getmembers(ssh_remote.InstanceInteropHelper, inspect.isfunction):
            if name.startswith("_") or name in KEPT:
                continue
            ours = inspect.signature(getattr(remote.NodeRemote, name)).parameters
            for position, parameter in enumerate(inspect.signature(stock).parameters):
                self.assertEqual(parameter, list(ours)[position], name)

    def test_is_saharas_remote(self) -> None:
        self.assertTrue(issubclass(remote.NodeRemote, sahara_remote.Remote))


class ErrorTest(testtools.TestCase):
    def test_failed_command_is_both_of_saharas_exceptions(self) -> None:
        failure = errors.RemoteCommandFailed("ls x", 2, "", "no\x00 such file\n", where="node-1 10.0.0.3")
        self.assertIsInstance(failure, sahara_exceptions.RemoteCommandException)
        self.assertIsInstance(failure, sahara_exceptions.SubprocessException)
        self.assertIn("[node-1 10.0.0.3] command failed, exit code 2: ls x\nstderr: no such file", str(failure))

    def test_what_waiting_may_mend(self) -> None:
        self.assertEqual(
            {errors.PasswordRefused, errors.NoPasswordKnown, errors.HostKeyChanged},
            {cause for cause in errors.SshError.__subclasses__() if not cause.transient},
        )


class DialTest(testtools.TestCase):
    """Failures of the network that a test cannot bring about."""

    def dial(self, failure: OSError) -> Exception:
        def refuse(address: tuple, timeout: float) -> None:
            raise failure

        self.useFixture(fixtures.MonkeyPatch("socket.create_connection", refuse))
        node = route.Node("id", "node-1", "10.0.0.3", route.Login("cdh", lambda acquainted: []))
        return self.assertRaises(errors.SshError, connection.connect, node, host_keys.HostKeys(), deadline.Deadline(5))

    def test_no_route(self) -> None:
        for code in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            failure = self.dial(OSError(code, "No route to host"))
            self.assertIsInstance(failure, errors.NoRoute)
            self.assertIn("[node-1 10.0.0.3] no route", str(failure))
        self.assertIsInstance(self.dial(socket.gaierror(-2, "Name or service not known")), errors.NoRoute)

    def test_not_up(self) -> None:
        self.assertIsInstance(self.dial(socket.timeout("timed out")), errors.NodeNotUp)
        refused = self.dial(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
        self.assertIsInstance(refused, errors.NodeNotUp)


class SecretsTest(testtools.TestCase):
    def test_a_login_shows_no_secret(self) -> None:
        methods = [authentication.Password("s3cret", "the image's password", ""), authentication.Key("s3cret-key")]
        self.assertNotIn("s3cret", repr(methods))
        self.assertNotIn("s3cret", repr(route.Node("id", "n", "h", route.Login("cdh", lambda acquainted: methods))))


class RootTest(testtools.TestCase):
    def test_command_reaches_roots_shell_as_it_stands(self) -> None:
        self.assertEqual("sudo -n bash -c 'echo $HOME `id` \"x\"'", command.as_root('echo $HOME `id` "x"', "cdh"))

    def test_root_needs_no_sudo(self) -> None:
        self.assertEqual("id", command.as_root("id", "root"))
