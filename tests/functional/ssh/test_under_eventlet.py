# SPDX-License-Identifier: Apache-2.0
"""The same tests as sahara-engine runs the code: in green threads, in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import testtools

SSH = "tests.functional.ssh"
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
            f"{SSH}.test_login.LoginTest.test_sixteen_at_once_get_through_max_startups",
            f"{SSH}.test_connections.ConnectionTest.test_more_commands_at_once_than_sshd_allows_sessions",
            f"{SSH}.test_commands.CommandTest.test_big_outputs_on_both_streams",
            f"{SSH}.test_commands.CommandTest.test_standard_input_is_handed_over_and_ends",
            f"{SSH}.test_commands.CommandTest.test_timeout_is_saharas_and_the_connection_stays_usable",
            f"{SSH}.test_connections.ConnectionTest.test_frozen_node_ends_by_the_deadline",
            f"{SSH}.test_connections.ConnectionTest.test_command_cut_in_the_middle_is_never_repeated",
            f"{SSH}.test_files.FilesTest.test_big_and_binary",
            f"{SSH}.test_routes.HttpTest.test_proxy_command_carries_ssh_and_http",
        )

    def test_engine(self) -> None:
        self.run_patched(
            f"{ENGINE}.test_create_makes_nodes_that_know_one_another",
            f"{ENGINE}.test_a_failed_scaling_removes_its_new_nodes_and_says_why",
            f"{ENGINE}.test_a_wrong_password_ends_the_wait_early_and_names_the_option",
        )
