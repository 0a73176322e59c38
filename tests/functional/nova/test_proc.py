# SPDX-License-Identifier: Apache-2.0
"""What an instance sees of its memory and CPUs: with a real lxcfs, and without."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from typing import Any

import fixtures
import testtools

from tests.functional.nova import environment

_JVM = "JAVA_HOME= java -XshowSettings:system -XX:MaxRAMPercentage=50 -XX:+PrintFlagsFinal -version 2>&1"


class Lxcfs(fixtures.Fixture):
    """A lxcfs of the test's own, mounted at ``path``."""

    def _setUp(self) -> None:
        if not shutil.which("lxcfs"):
            raise AssertionError("lxcfs is not installed: install the package lxcfs (Debian, Ubuntu)")
        self.path = self.useFixture(fixtures.TempDir()).path
        pid_file = os.path.join(self.useFixture(fixtures.TempDir()).path, "pid")
        process = subprocess.Popen(
            ["lxcfs", "--foreground", "--enable-cfs", "--pidfile", pid_file, self.path],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait, timeout=30)
        self.addCleanup(process.terminate)
        deadline = time.monotonic() + 30
        while not os.path.exists(f"{self.path}/proc/meminfo"):
            assert process.poll() is None and time.monotonic() < deadline, "lxcfs does not mount: is there /dev/fuse?"
            time.sleep(0.05)


class ProcTest(testtools.TestCase):
    def spawned(self, lxcfs_path: str, **extra_specs: str) -> tuple[environment.Compute, Any]:
        compute = self.useFixture(environment.Compute(lxcfs_path=lxcfs_path))
        image = compute.node_image()
        instance = compute.instance(image, **extra_specs)
        compute.spawn(instance, image)
        return compute, instance

    def total_mb(self, compute: environment.Compute, instance: Any) -> int:
        """What Cloudera Manager's agent and ``free`` read."""
        return int(compute.run(instance, "sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo")) >> 10

    def cpus(self, compute: environment.Compute, instance: Any) -> int:
        return int(compute.run(instance, "grep -c ^processor /proc/cpuinfo"))

    def jvm(self, compute: environment.Compute, instance: Any) -> tuple[int, int]:
        """Return how many CPUs a JVM counts, and the MiB of the heap that it takes at half of the memory."""
        said = compute.run(instance, _JVM)
        cpus = re.search(r"Effective CPU Count: (\d+)", said)
        heap = re.search(r"MaxHeapSize\s+= (\d+)", said)
        assert cpus and heap, said
        return int(cpus[1]), int(heap[1]) >> 20

    def test_instance_sees_its_flavor(self) -> None:
        lxcfs = self.useFixture(Lxcfs())
        compute, instance = self.spawned(lxcfs.path, quota__cpu_quota="50000")  # half of each of two: one CPU
        self.assertEqual(512, self.total_mb(compute, instance))
        self.assertEqual(1, self.cpus(compute, instance))
        self.assertEqual((1, 256), self.jvm(compute, instance))

    def test_without_lxcfs_a_jvm_sees_the_flavor_and_proc_the_host(self) -> None:
        compute, instance = self.spawned("/nonexistent", quota__cpu_quota="50000")
        self.assertEqual(
            os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20, self.total_mb(compute, instance)
        )
        self.assertEqual(os.cpu_count(), self.cpus(compute, instance))
        self.assertEqual((1, 256), self.jvm(compute, instance))

    def test_without_a_cap_the_cpus_are_the_host_s(self) -> None:
        compute, instance = self.spawned("/nonexistent")
        self.assertEqual((os.cpu_count(), 256), self.jvm(compute, instance))
