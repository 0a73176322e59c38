# SPDX-License-Identifier: Apache-2.0
"""Heaps of a node's daemons that fit its flavor.

CDH's defaults, 1 GiB and more for each daemon, are for machines with tens of GiB. A container has a hard limit instead,
and the kernel kills what grows over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sahara_docker.plugins.cdh_docker import topology, user_values

MIB = 1024 * 1024
# Measured on a Debian node with the lab's agent; Cloudera's agent and supervisor take about the same.
SYSTEM = 192
# What a small Hadoop daemon takes beside its heap: code, threads, buffers.
OVERHEAD = 120
SMALLEST = 128
# Cloudera Manager with its database and monitoring, on a node that has room for it.
MANAGER = 2048

# Names of the settings in the stock plugin's files of options, the same in all versions; in MiB or in bytes.
_SETTINGS = {
    "AGENT": "agent_java_heapsize",
    "CATALOGSERVER": "catalogd_embedded_jvm_heapsize",
    "DATANODE": "datanode_java_heapsize",
    "HBASE_INDEXER": "hbase_indexer_java_heapsize",
    "HIVEMETASTORE": "hive_metastore_java_heapsize",
    "HIVESERVER2": "hiveserver2_java_heapsize",
    "JOBHISTORY": "mr2_jobhistory_java_heapsize",
    "JOURNALNODE": "journalNode_java_heapsize",
    "KAFKA_BROKER": "broker_max_heap_size",
    "KMS": "kms_heap_size",
    "MASTER": "hbase_master_java_heapsize",
    "NAMENODE": "namenode_java_heapsize",
    "NODEMANAGER": "node_manager_java_heapsize",
    "OOZIE_SERVER": "oozie_java_heapsize",
    "REGIONSERVER": "hbase_regionserver_java_heapsize",
    "RESOURCEMANAGER": "resource_manager_java_heapsize",
    "SECONDARYNAMENODE": "secondary_namenode_java_heapsize",
    "SENTRY_SERVER": "sentry_server_java_heapsize",
    "SERVER": "zookeeper_server_java_heapsize",
    "SOLR_SERVER": "solr_java_heapsize",
    "SPARK_YARN_HISTORY_SERVER": "history_server_max_heapsize",
    "SQOOP_SERVER": "sqoop_java_heapsize",
    "WEBHCAT": "hive_webhcat_java_heapsize",
}
_IN_MIB = frozenset({"broker_max_heap_size"})
_SECTION_OF_ROLE = {role: section for section, role in topology.ROLE_OF_CONFIG_SECTION.items()}


@dataclass(frozen=True)
class Heap:
    """The heap of one daemon of a node group.

    :param section: under which a user sets it.
    :param name: of the setting.
    :param default: CDH's own, in MiB.
    """

    section: str
    name: str
    default: int

    @property
    def unit(self) -> int:
        """Bytes in one of the setting's units."""
        return MIB if self.name in _IN_MIB else 1

    def value(self, mebibytes: int) -> str:
        """Return what to set."""
        return str(mebibytes * MIB // self.unit)


def heaps_of(processes: Iterable[str], plugin_configs: Iterable[Any]) -> list[Heap]:
    """Return the heaps that a node with these processes has.

    :param plugin_configs: the version's options, for CDH's defaults.
    """
    defaults = {(config.applicable_target, config.name): config.default_value for config in plugin_configs}
    heaps = []
    for role in sorted({topology.ROLE_OF_PROCESS.get(process, process) for process in processes}):
        section, name = _SECTION_OF_ROLE.get(role, role), _SETTINGS.get(role, "")
        if name and defaults.get((section, name)):
            heap = Heap(section, name, 0)
            heaps.append(Heap(section, name, int(float(defaults[section, name])) * heap.unit // MIB))
    return heaps


def recommend(heaps: Iterable[Heap], given: Mapping[tuple[str, str], Any], memory: int) -> dict[Heap, int]:
    """Return MiB for those of *heaps* that the user has not given.

    All get the same, but none more than CDH's default, which gives the rest of a large node to those that want most.

    :param given: the user's values by section and name.
    :param memory: MiB for all of the node's daemons.
    :raises InvalidConfig: when a user's value is no number.
    """
    heaps = list(heaps)
    left = memory - OVERHEAD * len(heaps)
    wanted = []
    for heap in sorted(heaps, key=lambda heap: heap.default):
        own = given.get((heap.section, heap.name))
        if own is None:
            wanted.append(heap)
        else:
            left -= user_values.check_number(f"{heap.name} of {heap.section}", own, least=1) * heap.unit // MIB
    shares = {}
    for index, heap in enumerate(wanted):
        shares[heap] = max(SMALLEST, min(heap.default, left // (len(wanted) - index)))
        left -= shares[heap]
    return shares
