# SPDX-License-Identifier: Apache-2.0
"""Files on a node."""

from __future__ import annotations

import functools
import threading
from typing import Any

import fixtures

from sahara_docker.ssh import errors
from tests.functional.ssh import base

MEGABYTES = 5_000_000


class FilesTest(base.RemoteTestCase):
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


def _half(channel: Any, data: bytes, cutting: threading.Thread) -> None:
    channel.sendall(data[: len(data) // 2])
    cutting.start()
