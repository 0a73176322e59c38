# SPDX-License-Identifier: Apache-2.0
"""Memory and cores from a node's flavor: for YARN, and for the heaps of the daemons beside it.

Inside a container ``/proc/meminfo`` and ``/proc/cpuinfo`` are the host's, so neither CDH nor Hadoop can size itself.
The stock recommendation gives YARN all of a small flavor's memory, cuts it in pieces too small for a Java task, and
takes the scheduler's limit from the ResourceManager's own flavor, where no container ever runs.
"""

from __future__ import annotations

from typing import Any

from sahara.plugins import utils as plugin_utils
from sahara_plugin_cdh.plugins.cdh import plugin_utils as stock

from sahara_docker import cluster_extra
from sahara_docker.plugins.cdh_docker import heaps

# A Java task with less is killed for its memory outside the heap.
SMALLEST_CONTAINER = 512
MOST_CONTAINERS_PER_CORE = 2
NODE_MANAGER = "YARN_NODEMANAGER"

_MEMORY, _CORES = "yarn_nodemanager_resource_memory_mb", "yarn_nodemanager_resource_cpu_vcores"
NODE_MANAGER_LIMITS = frozenset((_MEMORY, _CORES))

SCHEMA = {
    "node_configs": {
        **stock.AUTO_CONFIGURATION_SCHEMA["node_configs"],
        "yarn.nodemanager.resource.cpu-vcores": ("NODEMANAGER", _CORES),
    },
    "cluster_configs": stock.AUTO_CONFIGURATION_SCHEMA["cluster_configs"],
}


# What YARN gets, for which the user's word is all or nothing as in the stock plugin.
_YARN = frozenset(SCHEMA["node_configs"]) | frozenset(SCHEMA["cluster_configs"])


def yarn_memory(flavor_ram: int) -> int:
    """Return the MiB of a node of *flavor_ram* MiB that YARN may hand out.

    Half of a small node and at most 8 GiB of a large one stay with the operating system, the agent, the DataNode and
    the NodeManager, whose heaps alone take up to 2 GiB by CDH's defaults.
    """
    kept = min(max(flavor_ram // 2, 1024) if flavor_ram < 4096 else max(2048, flavor_ram // 5), 8192)
    return max(flavor_ram - kept, SMALLEST_CONTAINER) // SMALLEST_CONTAINER * SMALLEST_CONTAINER


def node_manager_limits(node_group: Any) -> dict[str, int]:
    """Return the memory in MiB and the cores that a node of *node_group* may hand out, by its flavor.

    Also for a cluster without auto-configuration: CDH's own defaults are 8 GiB and 8 cores on a node of any size.
    """
    flavor = plugin_utils.get_flavor(id=node_group.flavor_id)
    return {_MEMORY: yarn_memory(flavor.ram), _CORES: flavor.vcpus}


class AutoConfiguration(stock.CDHPluginAutoConfigsProvider):
    """Recommends the settings of :data:`SCHEMA` for node groups that leave them to the plugin."""

    def __init__(self, plugin_configs: list[Any], cluster: Any, scaling: bool) -> None:
        super().__init__({**SCHEMA, "node_configs": dict(SCHEMA["node_configs"])}, plugin_configs, cluster, scaling)

    def _can_be_recommended(self, configs_list: list[str], node_group: Any = None) -> bool:
        return super()._can_be_recommended([name for name in configs_list if name in _YARN], node_group)

    def _get_default_config_value(self, config_name: str) -> Any:
        """Return a default as a number where it is one: CDH's own are text, which Sahara compares with a count."""
        value = super()._get_default_config_value(config_name)
        return int(value) if isinstance(value, str) and value.isdigit() else value

    def _get_node_group_data(self, node_group: Any) -> dict[str, int]:
        flavor = self._container_flavor(node_group)
        memory = yarn_memory(flavor.ram)
        containers = max(1, min(MOST_CONTAINERS_PER_CORE * flavor.vcpus, memory // SMALLEST_CONTAINER))
        container = min(2048, memory // containers // SMALLEST_CONTAINER * SMALLEST_CONTAINER)
        return {
            "containers": containers,
            "ramPerContainer": container,
            "mapMemory": container,
            "reduceMemory": min(2 * container, memory),
            "amMemory": container,
        }

    def _get_recommended_node_configs(self, node_group: Any) -> dict[str, Any]:
        configs = super()._get_recommended_node_configs(node_group)
        if configs:
            flavor = self._container_flavor(node_group)
            memory = yarn_memory(flavor.ram)
            configs["yarn.nodemanager.resource.memory-mb"] = memory
            configs["yarn.nodemanager.resource.cpu-vcores"] = flavor.vcpus
            configs["yarn.scheduler.maximum-allocation-mb"] = memory
        return {**configs, **self._recommended_heaps(node_group)}

    def _recommended_heaps(self, node_group: Any) -> dict[str, str]:
        """Return heaps by names of their own, and add what these stand for to the schema."""
        ram = self._flavor(node_group).ram
        for_tasks = yarn_memory(ram) if NODE_MANAGER in node_group.node_processes else 0
        given = {
            (section, name): value
            for configs in (self.cluster.cluster_configs, node_group.node_configs)
            for section, values in configs.to_dict().items()
            for name, value in (values or {}).items()
        }
        here = heaps.heaps_of(node_group.node_processes, self.plugin_configs)
        for_manager = min(heaps.MANAGER, ram // 2) if "CLOUDERA_MANAGER" in node_group.node_processes else 0
        shares = heaps.recommend(here, given, ram - heaps.SYSTEM - for_tasks - for_manager)
        secondary = next((heap for heap in shares if heap.section == "SECONDARYNAMENODE"), None)
        if secondary and any("HDFS_JOURNALNODE" in group.node_processes for group in self.cluster.node_groups):
            # Cloudera Manager makes it the standby NameNode, which then has its place.
            shares.update(dict.fromkeys(heaps.heaps_of(["HDFS_NAMENODE"], self.plugin_configs), shares[secondary]))
        self.node_configs_to_update.update({heap.name: (heap.section, heap.name) for heap in shares})
        return {heap.name: heap.value(mebibytes) for heap, mebibytes in shares.items()}

    def finalize_autoconfiguration(self) -> None:
        """Mark the cluster as Sahara does, but without writing back the rest of its ``extra``."""
        if self.cluster.use_autoconfig:
            cluster_extra.change_item(self.cluster.id, "auto-configured", lambda _: True)

    def _container_flavor(self, node_group: Any) -> Any:
        """Return the flavor that decides for *node_group*: its own, or for a master the largest of the workers'."""
        if NODE_MANAGER in node_group.node_processes:
            return self._flavor(node_group)
        workers = [group for group in self.cluster.node_groups if NODE_MANAGER in group.node_processes]
        return max(map(self._flavor, workers or [node_group]), key=lambda flavor: flavor.ram)

    def _flavor(self, node_group: Any) -> Any:
        if node_group.flavor_id not in self.requested_flavors:
            self.requested_flavors[node_group.flavor_id] = plugin_utils.get_flavor(id=node_group.flavor_id)
        return self.requested_flavors[node_group.flavor_id]
