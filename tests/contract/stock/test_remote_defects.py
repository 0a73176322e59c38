# SPDX-License-Identifier: Apache-2.0
"""Defects of Sahara's remote, proven in it and proven mended in ours, against a real sshd in a container."""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import fixtures
import testtools
from oslo_config import cfg
from sahara import exceptions as sahara_exceptions
from sahara.utils import crypto, procutils, ssh_remote

from sahara_docker.ssh import remote
from tests.contract.stock import defects, sahara_process
from tests.functional.ssh import nodes, sshd


class Ours:
    """Our remote."""

    def remote(self, instance: Any) -> Any:
        return remote.Remotes(cfg.CONF).remote(instance)


class Stock:
    """Sahara's remote, with its child process."""

    def remote(self, instance: Any) -> Any:
        driver = ssh_remote.SshRemoteDriver()
        driver.setup_remote(None)
        return driver.get_remote(instance)


class Question:
    """A dialogue for a command that asks one thing."""

    def get_response(self, text: str) -> str | None:
        return "blue" if text.rstrip().endswith("colour?") else None

    def is_eof(self, text: str) -> bool:
        return "answer=blue" in text


@defects.proven(Ours, Stock)
class RemoteDefectsTest(testtools.TestCase):
    """The node accepts the cluster's key, so that stock's login works."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.node = sshd.SshdContainer()
        cls.node.setUp()
        cls.addClassCleanup(cls.node.cleanUp)
        cls.private_key, public_key = crypto.generate_key_pair()
        cls.node.run(
            f"install -d -o {sshd.LOGIN_USER} -m 700 /home/{sshd.LOGIN_USER}/.ssh"
            f" && echo '{public_key.strip()}' > /home/{sshd.LOGIN_USER}/.ssh/authorized_keys"
        )

    def setUp(self):
        super().setUp()
        process = self.useFixture(sahara_process.SaharaProcess())
        password = sshd.required("SAHARA_DOCKER_TEST_PASSWORD")
        process.options.config(ssh_password=password, group="sahara_docker")
        # Stock looks for its child's program beside the parent's.
        program = pathlib.Path(sys.executable).with_name("sahara-engine")
        self.useFixture(fixtures.MonkeyPatch("sys.argv", [str(program)]))

    def remote(self, implementation, private_key=None):
        key = self.private_key if private_key is None else private_key
        return implementation.remote(nodes.instance(self.node.address, private_key=key))

    @defects.defect("py3compat")
    def files_cannot_be_written(self, implementation):
        self.remote(implementation).write_file_to("/tmp/a-file", "of text\n")
        self.assertEqual("of text\n", self.node.run("cat /tmp/a-file"))

    @defects.defect("(Device or resource busy|SubprocessException)")
    def line_of_a_mounted_file_cannot_be_replaced(self, implementation):
        self.remote(implementation).replace_remote_line("/etc/hosts", "127.0.0.1", "127.0.0.1 localhost marked")
        self.assertIn("localhost marked", self.node.run("cat /etc/hosts"))

    @defects.defect("(linux_distribution|SubprocessException)")
    def distribution_is_unknown(self, implementation):
        self.assertEqual("debian", self.remote(implementation).get_os_distrib())

    @defects.defect("UnpicklingError|SubprocessException|EOFError")
    def output_of_more_than_a_pipe_is_lost(self, implementation):
        _, output = self.remote(implementation).execute_command("head -c 200000 /dev/zero | tr '\\0' x")
        self.assertEqual(200000, len(output))

    @defects.defect("TimeoutException")
    def much_on_standard_error_stops_the_command(self, implementation):
        command = "head -c 5000000 /dev/zero | tr '\\0' x >&2; echo done"
        self.assertEqual((0, "done\n"), self.remote(implementation).execute_command(command, timeout=15))

    @defects.defect("UnicodeDecodeError|SubprocessException")
    def output_that_is_not_utf8_is_an_error(self, implementation):
        _, output = self.remote(implementation).execute_command(r"printf 'a\377b'")
        self.assertEqual(("a", "b"), (output[0], output[-1]))

    @defects.defect("TypeError|SubprocessException")
    def dialogues_mix_text_and_bytes(self, implementation):
        # What is typed is echoed, so that the answer stands in the output only when the command has taken it.
        command = "printf 'colour?'; read colour; echo answer=$colour"
        self.remote(implementation).execute_on_vm_interactive(command, Question(), timeout=30)

    @defects.defect("SubprocessException")
    def failed_command_raises_something_else(self, implementation):
        error = None
        try:
            self.remote(implementation).execute_command("exit 3")
        except sahara_exceptions.RemoteCommandException as failure:
            error = failure
        self.assertEqual(3, error.ret_code)

    @defects.defect("AuthenticationException|SubprocessException")
    def login_needs_a_key_that_nobody_brings(self, implementation):
        private_key, _ = crypto.generate_key_pair()
        self.assertEqual((0, "hello\n"), self.remote(implementation, private_key).execute_command("echo hello"))

    @defects.defect("EOFError: Ran out of input")
    def program_beside_another_parent_is_not_found(self, implementation):
        self.useFixture(fixtures.MonkeyPatch("sys.argv", ["/usr/bin/uwsgi"]))
        self.assertEqual((0, "hello\n"), self.remote(implementation).execute_command("echo hello"))

    @defects.defect("MismatchError")
    def every_command_starts_a_process(self, implementation):
        started = []
        real = procutils.start_subprocess
        self.useFixture(
            fixtures.MonkeyPatch("sahara.utils.procutils.start_subprocess", lambda: started.append(1) or real())
        )
        self.remote(implementation).execute_command("true")
        self.assertEqual([], started)
