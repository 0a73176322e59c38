# SPDX-License-Identifier: Apache-2.0
"""Checks of nova.conf and sahara.conf: real files, read by oslo.config as the services read them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fixtures

from sahara_docker.cli import host
from tests.unit.cli import doctoring

NOVA = """
[DEFAULT]
compute_driver = docker.DockerDriver
resume_guests_state_on_host_boot = true
[docker]
host = unix:///nowhere
"""
SAHARA = """
[DEFAULT]
plugins = cdh_docker
remote = docker
[sahara_docker]
ssh_password = secret
"""


class SettingsTest(doctoring.DoctorTest):
    def setUp(self):
        super().setUp()
        self.root = Path(self.useFixture(fixtures.TempDir()).path)

    def site(self, *, nova=None, sahara=None, **more):
        for name, text in (("nova/nova.conf", nova), ("sahara/sahara.conf", sahara)):
            if text is not None:
                path = self.root / "etc" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                path.chmod(0o640)
        return doctoring.place(root=str(self.root), **more)

    def test_compute_driver(self):
        self.assert_well("nova.driver", self.site(nova=NOVA))
        broken = NOVA.replace("docker.DockerDriver", "libvirt.LibvirtDriver")
        self.assert_named("nova.driver", self.site(nova=broken), "libvirt.LibvirtDriver", "nova.conf")

    def test_driver_that_is_not_installed_beside_nova(self):
        nova = self.root / "site-packages" / "nova" / "virt"
        nova.mkdir(parents=True)
        for package in (nova.parent, nova):
            (package / "__init__.py").touch()
        self.useFixture(fixtures.MonkeyPatch("sys.path", [str(nova.parent.parent)]))
        self.assert_named("nova.driver", self.site(nova=NOVA), "virt/docker.py", "missing", "pip install")
        (nova / "docker.py").touch()
        self.assert_well("nova.driver", self.site(nova=NOVA))

    def test_ulimits(self):
        self.assert_well("nova.ulimits", self.site(nova=NOVA))
        self.assert_named("nova.ulimits", self.site(nova=NOVA + "ulimits = nofile=1024\n"), "none for nproc")

    def test_resume(self):
        self.assert_well("nova.resume", self.site(nova=NOVA))
        broken = NOVA.replace("resume_guests_state_on_host_boot = true", "")
        self.assert_named("nova.resume", self.site(nova=broken), "false")

    def test_without_nova_there_is_nothing_to_say(self):
        self.assert_not_here("nova.driver", self.site(), "nova-compute does not run here")

    def test_configuration_that_makes_no_sense(self):
        self.assert_named("nova.driver", self.site(nova="[DEFAULT]\nno equals sign\n"), "cannot be read")

    def test_plugins(self):
        self.assert_well("sahara.plugins", self.site(sahara=SAHARA))
        broken = SAHARA.replace("remote = docker", "").replace("plugins = cdh_docker", "plugins = vanilla,cdh")
        self.assert_named("sahara.plugins", self.site(sahara=broken), "plugins: vanilla,cdh", "remote: ssh")

    def test_password(self):
        self.assert_well("sahara.password", self.site(sahara=SAHARA))

    def test_password_that_everybody_can_read(self):
        site = self.site(sahara=SAHARA)
        (self.root / "etc/sahara/sahara.conf").chmod(0o644)
        finding = self.assert_named("sahara.password", site, "every user", "chmod o=")
        self.assertNotIn("secret", str(finding.result))

    def test_files_of_a_running_process_go_first(self):
        path = self.root / "other.conf"
        path.write_text(SAHARA)
        path.chmod(0o600)
        script = self.root / "sahara-engine"
        script.write_text("import time\nprint('runs', flush=True)\ntime.sleep(60)\n")
        words = [sys.executable, str(script), "--config-file", str(path)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        # Between its start and its first word, /proc shows no arguments for a moment.
        self.assertEqual(b"runs\n", process.stdout.readline())
        found = next(one for one in host.Host().processes("sahara-engine") if one.pid == process.pid)
        self.assertEqual([path], found.configuration_files())
        self.assertEqual(os.getuid(), found.uid)
