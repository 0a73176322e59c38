# SPDX-License-Identifier: Apache-2.0
"""The same tests as sahara-engine runs the code: in green threads, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import testtools

REMOTE = "tests.functional.ssh.test_remote"
ENGINE = "tests.functional.engine.test_docker_engine.DockerEngineTest"


class GreenThreadsTest(testtools.TestCase):
    def run_patched(self, *tests: str) -> None:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "tests.functional.ssh.monkey_patched", *tests],
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertIn(f"Ran {len(tests)} test", done.stderr)

    def test_remote(self) -> None:
        self.run_patched(
            f"{REMOTE}.LoginTest.test_sixteen_at_once_get_through_max_startups",
            f"{REMOTE}.CommandTest.test_more_commands_at_once_than_sshd_allows_sessions",
            f"{REMOTE}.CommandTest.test_big_outputs_on_both_streams",
            f"{REMOTE}.CommandTest.test_standard_input_is_handed_over_and_ends",
            f"{REMOTE}.CommandTest.test_timeout_is_saharas_and_the_connection_stays_usable",
            f"{REMOTE}.CommandTest.test_frozen_node_ends_by_the_deadline",
            f"{REMOTE}.CommandTest.test_command_cut_in_the_middle_is_never_repeated",
            f"{REMOTE}.FilesTest.test_big_and_binary",
            f"{REMOTE}.HttpTest.test_proxy_command_carries_ssh_and_http",
        )

    def test_engine(self) -> None:
        self.run_patched(
            f"{ENGINE}.test_create_makes_nodes_that_know_one_another",
            f"{ENGINE}.test_a_failed_scaling_removes_its_new_nodes_and_says_why",
            f"{ENGINE}.test_a_wrong_password_ends_the_wait_early_and_names_the_option",
        )
