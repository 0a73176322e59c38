# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import http.server
import os
import socket
import socketserver
import threading
from pathlib import Path

import fixtures
import testtools
from testtools import matchers

from lab import docker_engine, preflight, settings


class PreflightTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.lab = settings.Lab(self.directory / "state")
        self.useFixture(fixtures.EnvironmentVariable("DOCKER_HOST"))

    def unfit(self) -> str:
        return str(self.assertRaises(preflight.Unfit, preflight.check, self.lab, running=False))

    def test_a_taken_port_is_named_with_its_holder(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.useFixture(fixtures.MonkeyPatch("lab.settings.PORTS", {"keystone": port}))
            text = self.unfit()
        self.assertThat(text, matchers.Contains(f"{port} (keystone)"))
        self.assertThat(text, matchers.Contains(f"process {os.getpid()}"))

    def test_too_little_memory_says_how_much_there_is(self):
        meminfo = self.directory / "meminfo"
        meminfo.write_text("MemTotal: 2097152 kB\nMemAvailable: 2000000 kB\n")
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.memory_mb", lambda read=preflight.memory_mb: read(meminfo)))
        self.assertThat(self.unfit(), matchers.Contains("1953 MB available"))

    def test_a_control_group_bounds_the_memory(self):
        meminfo, group = self.directory / "meminfo", self.directory / "cgroup"
        meminfo.write_text("MemTotal: 33554432 kB\nMemAvailable: 33554432 kB\n")
        group.mkdir()
        (group / "memory.max").write_text(f"{3 * 2**30}\n")
        self.assertEqual(3072, preflight.memory_mb(meminfo, group))
        (group / "memory.max").write_text("max\n")
        self.assertEqual(32768, preflight.memory_mb(meminfo, group))

    def test_too_little_disk_says_where(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.DISK_FIRST_GB", 10**9))
        self.assertThat(self.unfit(), matchers.MatchesAll(matchers.Contains("GB free"), matchers.Contains("LAB_STATE")))

    def test_no_loop_devices(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.LOOP_CONTROL", self.directory / "loop-control"))
        self.assertThat(self.unfit(), matchers.Contains("modprobe loop"))

    def test_a_path_too_long_for_sockets(self):
        self.lab = settings.Lab(Path("/" + "x" * 80))
        self.assertThat(self.unfit(), matchers.Contains("too long for Unix sockets"))

    def test_an_image_that_is_not_packed_does_not_lower_the_need(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.DISK_FIRST_GB", 10**9))
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.DISK_AGAIN_GB", 0))
        self.lab.node_image.mkdir(parents=True)
        (self.lab.node_image / "base-0123.tar").touch()
        self.assertRaises(preflight.Unfit, preflight._disk, self.lab)
        (self.lab.node_image / "node-0123.tar").touch()
        preflight._disk(self.lab)

    def test_apt_needs_room_too_where_that_is_another_disk(self):
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.APT_PLACE", Path("/proc")))  # another one, never with room
        self.useFixture(fixtures.MonkeyPatch("lab.packages.missing", lambda **_: []))
        preflight._apt_disk(self.lab)
        self.useFixture(fixtures.MonkeyPatch("lab.packages.missing", lambda **_: ["maven"]))
        self.assertThat(self.unfit(), matchers.Contains("[/proc] not enough disk space: 0.0 GB free, 2 GB needed"))
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.APT_PLACE", self.directory))
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.DISK_APT_GB", 10**9))
        preflight._apt_disk(self.lab)  # the same one, which _disk looks at

    def test_a_path_with_characters_that_tools_misread(self):
        for character in " $'\"#?:,%\nö":
            self.lab = settings.Lab(Path(f"/srv/a{character}b"))
            text = str(self.assertRaises(preflight.Unfit, preflight._path, self.lab))
            self.assertThat(text, matchers.Contains(f"misread: {character!a};"))
            self.assertNotIn("\n", text)
        preflight._path(settings.Lab(Path("/srv/Lab_1.0+a@b-c")))

    def test_a_remote_daemon_is_refused(self):
        self.useFixture(fixtures.EnvironmentVariable("DOCKER_HOST", "tcp://127.0.0.1:2375"))
        self.assertThat(
            self.unfit(),
            matchers.MatchesAll(matchers.Contains("[tcp://127.0.0.1:2375]"), matchers.Contains("unset DOCKER_HOST")),
        )

    def test_a_daemon_of_this_machine_must_answer(self):
        class Pong(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/_ping" else 404)
                self.end_headers()

            def log_message(self, *_):
                pass

        path = self.directory / "docker.sock"
        self.useFixture(fixtures.EnvironmentVariable("DOCKER_HOST", f"unix://{path}"))
        self.assertThat(self.unfit(), matchers.Contains(f"[unix://{path}] the lab cannot use the Docker daemon"))
        with socketserver.UnixStreamServer(str(path), Pong) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            try:
                preflight._engine(self.lab)
            finally:
                server.shutdown()
                thread.join()

    def test_the_labs_own_engine_may_be_named_while_it_is_down(self):
        self.useFixture(fixtures.EnvironmentVariable("DOCKER_HOST", docker_engine.own_host(self.lab)))
        preflight._engine(self.lab)

    def test_several_problems_are_all_told(self):
        self.lab = settings.Lab(Path("/" + "x" * 80))
        self.useFixture(fixtures.MonkeyPatch("lab.preflight.MEMORY_MB", 10**9))
        self.assertThat(
            self.unfit(), matchers.MatchesAll(matchers.Contains("too long"), matchers.Contains("not enough memory"))
        )
