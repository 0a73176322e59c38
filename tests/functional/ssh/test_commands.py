# SPDX-License-Identifier: Apache-2.0
"""Commands on real sshds in unprivileged containers."""

from __future__ import annotations

from sahara import exceptions as sahara_exceptions

from sahara_docker.ssh import errors
from tests.functional.ssh import base

MEGABYTES = 5_000_000


class CommandTest(base.OneNodeTestCase):
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
