# SPDX-License-Identifier: Apache-2.0
"""An instance's use of the host, for ``openstack server show --diagnostics``.

What the daemon has to tell depends on the host's control groups: "ContainerStats" of the Docker Engine API says what of
it is there on cgroup v1 only.
"""

from __future__ import annotations

import os
from typing import Any, Mapping

from nova import objects
from nova.objects import fields
from oslo_utils import timeutils

from sahara_docker.nova import guest, hypervisor, network

_STATES = {"running": "running", "paused": "paused", "exited": "shutdown", "created": "shutdown", "dead": "crashed"}
_COUNTERS = {"rx": "tx", "tx": "rx"}  # what the guest receives, the host's end of its interface sends


def collect(daemon: hypervisor.Hypervisor, its_guest: guest.Guest, instance: Any, vifs: list[Any]) -> Any:
    """Return nova.objects.Diagnostics of an instance; a stopped one has no usage to show.

    :raises nova.exception.InstanceNotFound: it has no container.
    """
    with hypervisor.explained("cannot read the container's usage", instance):
        found = daemon.api.inspect_container(its_guest.workload)
        stats = daemon.api.stats(its_guest.workload, stream=False) if found["State"]["Running"] else {}
    result = objects.Diagnostics(
        state=_STATES.get(found["State"]["Status"], "crashed"),
        driver=fields.HypervisorDriver.LIBVIRT,  # of the names that the field takes, the one with Linux containers
        hypervisor="docker",
        hypervisor_os="linux",
        config_drive=bool(instance.config_drive),
        num_cpus=0,
        num_nics=0,
        num_disks=0,
    )
    result.memory_details = objects.MemoryDiagnostics(
        maximum=instance.flavor.memory_mb, used=_memory_in_use(stats.get("memory_stats", {})) >> 20
    )
    if stats:
        result.uptime = _seconds_since(found["State"]["StartedAt"])
        # The time of all CPUs together; a container has none of its own that could be told apart.
        result.add_cpu(id=0, time=stats["cpu_stats"]["cpu_usage"]["total_usage"])
        _add_disk(result, stats.get("blkio_stats") or {})
    for vif, interface in zip(vifs, network.interfaces(vifs)):
        result.add_nic(mac_address=vif["address"], **_counters(interface.host_device))
    return result


def as_mapping(diagnostics: Any) -> dict[str, Any]:
    """Return the same as the flat dict that compute API microversions before 2.48 show."""
    flat: dict[str, Any] = {
        "state": diagnostics.state,
        "memory": diagnostics.memory_details.maximum,
        "memory-actual": diagnostics.memory_details.used,
    }
    for number, cpu in enumerate(diagnostics.cpu_details):
        flat[f"cpu{number}_time"] = cpu.time
    for nic in diagnostics.nic_details:
        flat.update({f"{nic.mac_address}_{way}": getattr(nic, f"{way}_octets") for way in _COUNTERS})
    return flat


def _seconds_since(started_at: str) -> int:
    started = timeutils.parse_strtime(started_at[:19], "%Y-%m-%dT%H:%M:%S")
    return max(0, int((timeutils.utcnow() - started).total_seconds()))


def _memory_in_use(memory: Mapping[str, Any]) -> int:
    """Return the bytes in use without the files that the kernel keeps in memory as long as nobody needs it.

    As ``docker stats`` counts: the name of their number tells cgroup v1, which has it first, from v2.
    """
    usage, details = memory.get("usage", 0), memory.get("stats") or {}
    files = details.get("total_inactive_file", details.get("inactive_file", 0))
    return usage - files if files < usage else usage


def _add_disk(result: Any, blkio: Mapping[str, Any]) -> None:
    def totals(name: str, kind: str) -> dict[str, int]:
        # On cgroup v2 only bytes are counted; there a number of requests would be a wrong one.
        entries = blkio.get(name)
        if entries is None:
            return {}
        return {
            f"{operation}_{kind}": sum(entry["value"] for entry in entries if entry["op"].lower() == operation)
            for operation in ("read", "write")
        }

    result.add_disk(**totals("io_service_bytes_recursive", "bytes"), **totals("io_serviced_recursive", "requests"))


def _counters(device: str) -> dict[str, int]:
    """Return a guest's counters of an interface, as the kernel has them for the host's end."""
    counters = {}
    names = {"octets": "bytes", "packets": "packets", "errors": "errors", "drop": "dropped"}
    for way, on_host in _COUNTERS.items():
        for name, in_kernel in names.items():
            path = os.path.join("/sys/class/net", device, "statistics", f"{on_host}_{in_kernel}")
            try:
                with open(path, encoding="ascii") as file:
                    counters[f"{way}_{name}"] = int(file.read())
            except FileNotFoundError:
                return {}
    return counters
