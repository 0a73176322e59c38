# SPDX-License-Identifier: Apache-2.0
"""Checks of the kernel, on a root directory of the test's own: a test must not change the host's settings."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import fixtures

from sahara_docker.cli.doctor import check, kernel
from tests.unit.cli import doctoring

_HEALTHY = {
    "proc/sys/vm/swappiness": "1\n",
    "proc/sys/fs/inotify/max_user_instances": "1024\n",
    "proc/sys/fs/inotify/max_user_watches": "524288\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "sys/kernel/mm/transparent_hugepage/defrag": "always defer defer+madvise [madvise] never\n",
}


class KernelTest(doctoring.DoctorTest):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)
        for name, text in _HEALTHY.items():
            self.write(name, text)
        self.site = doctoring.place(root=str(self.root), docker_hosts=("unix:///nowhere",))

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test_swappiness(self):
        self.assert_well("kernel.swappiness", self.site)
        self.write("proc/sys/vm/swappiness", "60\n")
        self.assert_named("kernel.swappiness", self.site, "60", "sysctl -w vm.swappiness=1")

    def test_swappiness_is_mended_now_and_for_the_next_boot(self):
        self.write("proc/sys/vm/swappiness", "60\n")
        self.write("etc/sysctl.d/90-sahara-docker.conf", "vm.swappiness = 30\nnet.core.somaxconn = 1024\n")
        check.CHECKS["kernel.swappiness"].fix.apply(self.site)
        self.assert_well("kernel.swappiness", self.site)
        kept = (self.root / "etc/sysctl.d/90-sahara-docker.conf").read_text()
        self.assertEqual("net.core.somaxconn = 1024\nvm.swappiness = 1\n", kept)

    def test_huge_pages(self):
        self.assert_well("kernel.huge-pages", self.site)
        self.write("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n")
        self.assert_named("kernel.huge-pages", self.site, "enabled: [always]")
        check.CHECKS["kernel.huge-pages"].fix.apply(self.site)
        self.assertEqual("madvise\n", (self.root / "sys/kernel/mm/transparent_hugepage/enabled").read_text())

    def test_inotify(self):
        self.assert_well("kernel.inotify", self.site)
        self.write("proc/sys/fs/inotify/max_user_instances", "128\n")
        self.assert_named("kernel.inotify", self.site, "max_user_instances: 128, 1024 are needed")
        check.CHECKS["kernel.inotify"].fix.apply(self.site)
        self.assert_well("kernel.inotify", self.site)

    def test_clock(self):
        # Whether the machine's own clock is kept right is not the test's to say.
        with mock.patch.object(kernel, "clock_state", return_value=0):
            self.assert_well("kernel.clock", self.site)
        with mock.patch.object(kernel, "clock_state", return_value=5):
            self.assert_named("kernel.clock", self.site, "not synchronised", "chrony")
        self.assertIn(kernel.clock_state(), range(6))

    def test_of_a_host_without_docker_nothing_is_wanted(self):
        self.assert_not_here("kernel.swappiness", doctoring.place(root=str(self.root)), "no compute host")
        remote = doctoring.place(root=str(self.root), docker_hosts=("tcp://10.0.0.1:2376",))
        self.assert_not_here("kernel.inotify", remote, "on other hosts")
