# SPDX-License-Identifier: Apache-2.0
"""The wheel with each of its extras, in a Python environment that has nothing else."""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

import testtools
from testtools import matchers

from lab import command, packages, settings
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor import command as doctor

LOCK = packages.REQUIREMENTS / "openstack-2023.2.txt"
PROBE = Path(__file__).with_name("probe.py")
assert doctor, "importing it declares all checks"


@functools.cache
def wheel() -> Path:
    return packages.build_wheel(settings.Lab(settings.default_state()), "test")


class _Installed:
    """The wheel with one extra in an environment of its own, with the versions of the lock file."""

    extra: str
    groups: tuple[str, ...]
    plug_points: tuple[str, ...]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lab = settings.Lab(settings.default_state())
        # Where uv's cache is: from there it links files.
        directory = tempfile.TemporaryDirectory(dir=lab.cache, prefix="packaging-")
        cls.addClassCleanup(directory.cleanup)
        cls.home = Path(directory.name) / "environment"
        wanted, built = Path(directory.name) / "wanted.txt", wheel()
        digest = hashlib.sha256(built.read_bytes()).hexdigest()
        wanted.write_text(f"sahara-docker[{cls.extra}] @ {built.as_uri()} --hash=sha256:{digest}\n")
        tool = packages.uv(lab)
        for words in (
            ["venv", "--python", packages.PYTHON, cls.home],
            ["pip", "install", "--python", cls.python(), "--require-hashes", "-r", wanted, "-c", LOCK],
        ):
            log = lab.log / "packaging.log"
            what = f"installing sahara-docker[{cls.extra}]"
            command.run([tool, *words], log=log, what=what, environment=packages.uv_environment(lab), timeout=300)
        cls.found = json.loads(cls.run_in_it(cls.python(), PROBE, *cls.groups))

    @classmethod
    def python(cls) -> Path:
        return cls.home / "bin/python"

    @classmethod
    def run_in_it(cls, *words: object) -> str:
        """Standard output of a command that has to succeed, away from the checkout and its modules."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise AssertionError(f"{words}: exit status {done.returncode}: {done.stderr}")
        return done.stdout

    def test_its_plug_points_can_be_loaded(self):
        self.assertEqual(sorted(self.plug_points), self.found["loaded"])

    def test_no_file_of_another_package_is_overwritten(self):
        self.assertIn("nova/virt/docker.py", self.found["files"])
        self.assertEqual([], self.found["shared"])

    def test_the_command_runs(self):
        program = self.home / "bin/sahara-docker"
        self.assertRegex(self.run_in_it(program, "--version"), r"^\d+\.\d+\.\d+")
        listed = json.loads(self.run_in_it(program, "doctor", "--list", "--format", "json"))
        self.assertEqual(list(check.CHECKS), [one["name"] for one in listed["checks"]])


class NovaTest(_Installed, testtools.TestCase):
    extra = "nova"
    groups = ("nova.api.extra_spec_validators", "oslo.config.opts")
    plug_points = (
        "nova.api.extra_spec_validators docker sahara_docker.nova.extra_specs",
        "oslo.config.opts sahara_docker list_sahara_opts",
        "oslo.config.opts sahara_docker.nova list_nova_opts",
    )

    def test_nova_finds_the_driver(self):
        script = "from oslo_utils import importutils; print(importutils.import_class('nova.virt.docker.DockerDriver'))"
        self.assertIn("sahara_docker.nova.driver.DockerDriver", self.run_in_it(self.python(), "-c", script))


class SaharaTest(_Installed, testtools.TestCase):
    extra = "sahara"
    groups = ("sahara.cluster.plugins", "sahara.remote", "sahara.infrastructure.engine")
    plug_points = (
        "sahara.cluster.plugins cdh_docker CDHDockerPluginProvider",
        "sahara.infrastructure.engine docker DockerEngine",
        "sahara.remote docker DockerRemoteDriver",
    )


class CommandTest(_Installed, testtools.TestCase):
    extra = "cli"
    groups = ("oslo.config.opts",)
    plug_points = (
        "oslo.config.opts sahara_docker list_sahara_opts",
        "oslo.config.opts sahara_docker.nova list_nova_opts",
    )

    def test_recipes_of_images_came_along(self):
        script = "from sahara_docker.cli.image import recipe; print(recipe.place())"
        installed = Path(self.run_in_it(self.python(), "-c", script).strip())
        self.assertThat(str(installed), matchers.StartsWith(str(self.home)))
        images = settings.CHECKOUT / "images"
        for path in (*(images / "cdh").rglob("*"), *(images / "node").rglob("*")):
            copy = installed / path.relative_to(images)
            self.assertEqual(path.stat().st_mode & 0o111, copy.stat().st_mode & 0o111, copy)
