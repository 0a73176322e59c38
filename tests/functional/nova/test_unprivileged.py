# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that runs as an ordinary user with access to the Docker daemon, and gets root's steps by privsep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import fixtures
import testtools

from tests.functional.nova import environment, root_helper, test_volumes

_BRIDGE = "nova-test-user"
_NOBODY = 65534


class Readable(fixtures.Fixture):
    """The checkout and its Python where every user can read them: they may lie in root's home."""

    def _setUp(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        os.chmod(directory, 0o755)
        self.checkout = self._bind(Path(__file__).parents[3], f"{directory}/checkout")
        self.python = f"{self._bind(sys.prefix, f'{directory}/python')}/bin/python"

    def _bind(self, source: Path | str, target: str) -> str:
        os.mkdir(target)
        subprocess.run(["mount", "--bind", source, target], check=True)
        self.addCleanup(subprocess.run, ["umount", target], check=True)
        return target


def _groups() -> list[int]:
    """The groups that may talk to the Docker daemon."""
    scheme, _, path = environment.docker_host().partition("://")
    return [os.stat(path).st_gid] if scheme == "unix" else []


class UnprivilegedTest(testtools.TestCase):
    def test_life_of_an_instance(self) -> None:
        directory = self.useFixture(fixtures.TempDir()).path
        os.chown(directory, _NOBODY, _NOBODY)
        helper = self.useFixture(root_helper.RootHelper(_NOBODY, directory))
        self.useFixture(environment.Bridge(_BRIDGE, ("10.93.0.1/24",)))
        volume = self.useFixture(test_volumes.Volume())
        readable = self.useFixture(Readable())
        self.addCleanup(environment.unmount_below, directory)
        arguments = {
            "root_helper": helper.command,
            "bridge": _BRIDGE,
            "volume": volume.device,
            "hidden": volume.file,  # in a directory of root's own
        }
        done = subprocess.run(
            [readable.python, "-m", "tests.functional.nova.unprivileged", json.dumps(arguments)],
            user=_NOBODY,
            group=_NOBODY,
            extra_groups=_groups(),
            cwd=readable.checkout,
            env={**os.environ, "TMPDIR": directory, "PYTHONPATH": readable.checkout},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertEqual({"sahara_docker.nova.privileged.context", "os_brick.privileged.default"}, set(helper.contexts))
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(directory, mounts.read())
