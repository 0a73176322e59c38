# SPDX-License-Identifier: Apache-2.0
"""What a daemon says on cgroup v1 and on v2, in the shapes of "ContainerStats" in the Docker Engine API's reference."""

from __future__ import annotations

import types
import uuid
from typing import Any

import testtools
from nova import objects

from sahara_docker.nova import diagnostics

_MIB = 1 << 20
_NONE_ON_V2 = (
    "io_serviced_recursive",
    "io_queue_recursive",
    "io_service_time_recursive",
    "io_wait_time_recursive",
    "io_merged_recursive",
    "io_time_recursive",
    "sectors_recursive",
)


def operations(first: int, second: int, *names: str) -> list[dict[str, Any]]:
    return [{"major": 8, "minor": 0, "op": name, "value": value} for name, value in zip(names, (first, second))]


V1 = {
    "cpu_stats": {
        "cpu_usage": {"total_usage": 5000, "percpu_usage": [2000, 3000], "usage_in_usermode": 4000},
        "system_cpu_usage": 90000,
        "online_cpus": 2,
    },
    "memory_stats": {
        "usage": 100 * _MIB,
        "max_usage": 120 * _MIB,
        "failcnt": 0,
        "limit": 512 * _MIB,
        "stats": {"cache": 50 * _MIB, "inactive_file": 30 * _MIB, "total_inactive_file": 40 * _MIB, "rss": 50 * _MIB},
    },
    "blkio_stats": {
        "io_service_bytes_recursive": operations(11, 22, "Read", "Write"),
        "io_serviced_recursive": operations(1, 2, "Read", "Write"),
        "sectors_recursive": [],
    },
}
V2 = {
    "cpu_stats": {
        "cpu_usage": {"total_usage": 5000, "usage_in_kernelmode": 1000, "usage_in_usermode": 4000},
        "system_cpu_usage": 90000,
        "online_cpus": 2,
    },
    "memory_stats": {
        "usage": 100 * _MIB,
        "limit": 512 * _MIB,
        "stats": {"anon": 50 * _MIB, "file": 50 * _MIB, "inactive_file": 40 * _MIB, "active_file": 10 * _MIB},
    },
    "blkio_stats": {
        "io_service_bytes_recursive": operations(11, 22, "read", "write"),
        **dict.fromkeys(_NONE_ON_V2),
    },
}


class DiagnosticsTest(testtools.TestCase):
    def collected(self, stats: dict[str, Any]) -> Any:
        objects.register_all()
        state = {"Running": True, "Status": "running", "StartedAt": "2026-01-01T00:00:00.123456789Z"}
        api = types.SimpleNamespace(
            inspect_container=lambda _name: {"State": state}, stats=lambda _name, stream: stats if not stream else None
        )
        instance = objects.Instance(uuid=str(uuid.uuid4()), config_drive="", flavor=objects.Flavor(memory_mb=512))
        guest = types.SimpleNamespace(workload="nova-1234")
        return diagnostics.collect(types.SimpleNamespace(api=api), guest, instance, [])

    def test_memory_is_without_files_that_are_only_kept(self) -> None:
        for stats in (V1, V2):
            self.assertEqual(60, self.collected(stats).memory_details.used)

    def test_processors_and_bytes_are_the_same(self) -> None:
        for stats in (V1, V2):
            found = self.collected(stats)
            self.assertEqual(5000, found.cpu_details[0].time)
            self.assertEqual((11, 22), (found.disk_details[0].read_bytes, found.disk_details[0].write_bytes))

    def test_requests_are_told_only_where_they_are_counted(self) -> None:
        (disk,) = self.collected(V1).disk_details
        self.assertEqual((1, 2), (disk.read_requests, disk.write_requests))
        (disk,) = self.collected(V2).disk_details
        self.assertEqual((None, None), (disk.read_requests, disk.write_requests))

    def test_instance_that_just_ended_has_no_numbers(self) -> None:
        """The daemon answers with empty parts when the control group is gone already."""
        found = self.collected({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}, "blkio_stats": {}})
        self.assertEqual(0, found.memory_details.used)
