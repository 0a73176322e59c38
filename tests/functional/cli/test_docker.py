# SPDX-License-Identifier: Apache-2.0
"""Checks of the Docker daemon, against real ones: the machine's, and ones that are started wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fixtures

from sahara_docker.cli import daemon
from sahara_docker.cli.doctor import check
from tests.functional.cli import dockerd
from tests.unit.cli import doctoring

PROXY = "http://proxy.example.org:3128"
MIB = 1 << 20


def test_daemon() -> daemon.Daemon:
    return daemon.Daemon(os.environ.get("DOCKER_HOST") or daemon.DEFAULT_HOST)


class DockerTest(doctoring.DoctorTest):
    def site(self, *daemons, **more):
        return doctoring.place(docker_hosts=tuple(one.url for one in daemons or (test_daemon(),)), **more)

    def test_daemon_that_is_there(self):
        self.assert_well("docker.daemon", self.site())
        self.assert_well("docker.controllers", self.site())

    def test_daemon_that_is_not_there(self):
        site = self.site(daemon.Daemon("unix:///nonexistent/docker.sock"))
        self.assert_named("docker.daemon", site, "does not answer", "systemctl start docker")
        self.assert_not_here("docker.controllers", site, "see the check docker.daemon")

    def test_daemon_on_a_port_where_nobody_listens(self):
        self.assert_named("docker.daemon", self.site(daemon.Daemon("tcp://127.0.0.1:9")), "tcp://127.0.0.1:9")

    def test_proxy_that_the_daemon_lacks(self):
        bare = self.useFixture(dockerd.Dockerd()).daemon
        self.assert_well("docker.proxy", self.site(bare))
        self.assert_named(
            "docker.proxy", self.site(bare, environ={"https_proxy": PROXY}), "https", "systemctl edit docker"
        )

    def test_proxy_of_etc_environment(self):
        root = Path(self.useFixture(fixtures.TempDir()).path)
        (root / "etc").mkdir()
        (root / "etc/environment").write_text(f'http_proxy="{PROXY}"\n')
        bare = self.useFixture(dockerd.Dockerd()).daemon
        self.assert_named("docker.proxy", self.site(bare, root=str(root)), "the daemon has none for http")

    def test_proxy_that_the_daemon_has(self):
        variables = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}
        equipped = self.useFixture(dockerd.Dockerd(environment=variables)).daemon
        self.assert_well("docker.proxy", self.site(equipped, environ={"http_proxy": PROXY, "https_proxy": PROXY}))

    def test_live_restore(self):
        self.assert_named("docker.live-restore", self.site(self.useFixture(dockerd.Dockerd()).daemon), "daemon.json")
        keeping = self.useFixture(dockerd.Dockerd("--live-restore")).daemon
        self.assert_well("docker.live-restore", self.site(keeping))

    def test_full_disk(self):
        small = self.useFixture(fixtures.TempDir()).path
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "--lazy", small], check=True)
        on_it = self.useFixture(dockerd.Dockerd(data_root=small)).daemon
        self.assert_well("docker.storage", self.site(on_it))
        Path(small, "filler").write_bytes(bytes(60 * MIB))
        self.assert_named("docker.storage", self.site(on_it), small, "90 %", "docker image prune")

    def test_limits_that_the_daemon_cannot_grant(self):
        bounded = self.useFixture(dockerd.Dockerd(command=("setpriv", "--bounding-set=-sys_resource"))).daemon
        root = Path(self.useFixture(fixtures.TempDir()).path)
        (root / "etc/nova").mkdir(parents=True)
        (root / "proc").symlink_to("/proc")
        for wanted, expect in (("nofile=64,nproc=64", None), ("nofile=99999999", "99999999 wanted")):
            (root / "etc/nova/nova.conf").write_text(f"[docker]\nhost = {bounded.url}\nulimits = {wanted}\n")
            # Not the nova-compute that may run on this machine.
            site = doctoring.place(root=str(root))
            site.host.processes = lambda *names: iter(())
            if expect:
                self.assert_named("docker.ceilings", site, expect, "LimitNOFILE")
            else:
                self.assert_well("docker.ceilings", site)

    def test_kernel_without_a_memory_controller(self):
        # Cannot be provoked without booting another kernel.
        site = self.site()
        site.answers[test_daemon().url]["MemoryLimit"] = False
        self.assert_named("docker.controllers", site, "no MemoryLimit", "cgroup_enable=memory")


class SocketTest(doctoring.DoctorTest):
    """May nova-compute use the daemon? A process of that name runs as another user."""

    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.directory.chmod(0o755)
        (self.directory / "proc").mkdir()
        self.socket = test_daemon().url.partition("unix://")[2]
        configuration = self.directory / "nova.conf"
        configuration.write_text(f"[docker]\nhost = unix://{self.socket}\n")
        script = self.directory / "nova-compute"
        script.write_text("import time\ntime.sleep(300)\n")
        self.words = [sys.executable, str(script), "--config-file", str(configuration)]

    def site_with(self, user, groups):
        process = subprocess.Popen(self.words, user=user, extra_groups=groups, group=user, cwd="/")
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # This machine's own nova-compute stays out of sight.
        for link in (self.directory / "proc").iterdir():
            link.unlink()
        (self.directory / "proc" / str(process.pid)).symlink_to(f"/proc/{process.pid}")
        return doctoring.place(root=str(self.directory))

    def test_user_without_the_group(self):
        self.assert_named("nova.socket", self.site_with(65534, []), "may not use it", "usermod")

    def test_user_with_the_group(self):
        self.assert_well("nova.socket", self.site_with(65534, [os.stat(self.socket).st_gid]))

    def test_socket_that_is_not_there(self):
        (self.directory / "nova.conf").write_text("[docker]\nhost = unix:///nonexistent\n")
        self.assert_named("nova.socket", self.site_with(65534, []), "no such socket", "systemctl start docker")


assert check
