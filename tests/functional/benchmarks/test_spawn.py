# SPDX-License-Identifier: Apache-2.0
"""What the driver's spawn is compared with is the same containers."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import docker
import testtools

from benchmarks import engines, spawn
from lab import settings

_HOST = "sahara-docker-test-bench"
# Of the one pair or the other by nature.
_OWN = ("NetworkMode", "Mounts")


class SpawnTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = engines.Place(settings.Lab(Path(directory.name)), "sahara-docker.test=benchmarks")
        self.docker = docker.from_env()
        self.addCleanup(self.docker.close)

    def made(self, host: str, uuid: str, part: str) -> tuple[Any, ...]:
        """What Docker says of a running container that a comparison of instances must not see."""
        found = self.docker.api.inspect_container(f"nova-{uuid}{part}")
        self.assertTrue(found["State"]["Running"])
        text = json.dumps([found["Config"], found["HostConfig"]]).replace(uuid, "UUID").replace(host, "HOST")
        config, host_config = json.loads(text)
        mounts = sorted(mount["Target"] for mount in host_config.get("Mounts") or [])
        config.pop("Hostname")
        return config, {name: value for name, value in host_config.items() if name not in _OWN}, mounts

    def test_the_floor_runs_the_same_containers_and_both_leave_nothing(self) -> None:
        compute_host = spawn.driver(self.place, _HOST, "small_image")
        with compute_host as compute, contextlib.closing(spawn.Floor(compute, _HOST)) as floor:
            self.assertGreater(compute.call(f"{spawn.COMPUTE}:spawn", 1), 0)
            self.assertGreater(floor.start(1), 0)
            (uuid,) = compute.call(f"{spawn.COMPUTE}:spawned")
            other = f"{_HOST}-floor"
            (sandbox,) = self.docker.containers.list(filters={"label": [f"nova.host={other}", "nova.role=sandbox"]})
            for part in ("-sandbox", ""):
                ours = self.made(_HOST, uuid, part)
                self.assertEqual(ours, self.made(other, sandbox.labels["nova.uuid"], part))
        for host in (_HOST, other):
            label = {"label": f"nova.host={host}"}
            self.assertEqual([], self.docker.containers.list(all=True, filters=label))
            self.assertEqual([], self.docker.volumes.list(filters=label))
