# SPDX-License-Identifier: Apache-2.0
"""What a host offers: to Nova's resource tracker and to Placement."""

from __future__ import annotations

import time
from typing import Any, Callable, Mapping

import nova.conf
import os_resource_classes as orc
from nova.objects import fields
from oslo_serialization import jsonutils

from sahara_docker.nova import hypervisor

CONF = nova.conf.CONF

# Beside those that Nova derives from the driver's capabilities.
_TRAIT = "CUSTOM_HYPERVISOR_DOCKER"
ROOT_QUOTA = "CUSTOM_DOCKER_ROOT_QUOTA"  #: Roots are held to the flavor's size.
DATA_QUOTA = "CUSTOM_DOCKER_DATA_QUOTA"  #: Data volumes are.


def resources(has: hypervisor.Capacity, nodename: str) -> dict[str, Any]:
    """Return what ``ComputeDriver.get_available_resource`` returns."""
    return {
        "vcpus": has.cpus,
        "memory_mb": has.memory_mb,
        "local_gb": has.disk_gb,
        # What instances use, Nova's resource tracker adds up from their flavors.
        "vcpus_used": 0,
        "memory_mb_used": 0,
        "local_gb_used": 0,
        "disk_available_least": has.disk_free_gb,
        "hypervisor_type": fields.HVType.DOCKER,
        "hypervisor_version": has.version,
        "hypervisor_hostname": nodename,
        "cpu_info": jsonutils.dumps({}),
        "supported_instances": [(fields.Architecture.from_host(), fields.HVType.DOCKER, fields.VMMode.EXE)],
        "numa_topology": None,
    }


def update(
    provider_tree: Any,
    nodename: str,
    has: hypervisor.Capacity,
    can: Mapping[str, bool],
    *,
    reserved_disk_gb: int,
    ratios_of: Callable[[Mapping[str, Any]], Mapping[str, float]],
) -> None:
    """Write the host's inventory and traits into *provider_tree*, as ``ComputeDriver.update_provider_tree`` does.

    :param can: trait -> whether the host has it.
    :param ratios_of: inventory -> allocation ratio of each resource class.
    """
    ratios = ratios_of(provider_tree.data(nodename).inventory)
    reserved = {
        orc.VCPU: CONF.reserved_host_cpus,
        orc.MEMORY_MB: CONF.reserved_host_memory_mb,
        orc.DISK_GB: reserved_disk_gb,
    }
    totals = {orc.VCPU: has.cpus, orc.MEMORY_MB: has.memory_mb, orc.DISK_GB: has.disk_gb}
    provider_tree.update_inventory(
        nodename,
        {
            resource: {
                "total": total,
                "min_unit": 1,
                "max_unit": total,
                "step_size": 1,
                "allocation_ratio": ratios[resource],
                "reserved": reserved[resource],
            }
            for resource, total in totals.items()
            if total > 0  # Placement refuses an empty inventory
        },
    )
    provider_tree.add_traits(nodename, _TRAIT, *(trait for trait, has_it in can.items() if has_it))
    provider_tree.remove_traits(nodename, *(trait for trait, has_it in can.items() if not has_it))


def uptime() -> str:
    """Return what the program ``uptime`` would print; it is not on every host."""
    with open("/proc/uptime", encoding="ascii") as running, open("/proc/loadavg", encoding="ascii") as loadavg:
        seconds, loads = int(float(running.read().split()[0])), loadavg.read().split()[:3]
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    return f" {time.strftime('%H:%M:%S')} up {days} days, {hours:2}:{minutes:02},  load average: {', '.join(loads)}"
