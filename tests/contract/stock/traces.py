# SPDX-License-Identifier: Apache-2.0
"""What a plugin asks of Cloudera Manager over a cluster's life, in a form in which two plugins can be compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from tests.contract.stock import recording_cm, sahara_process

PHASES = ("create", "start", "scale", "decommission")

MASTER = [
    "HDFS_NAMENODE",
    "YARN_RESOURCEMANAGER",
    "YARN_JOBHISTORY",
    "OOZIE_SERVER",
    "HIVE_METASTORE",
    "HIVE_SERVER2",
    "HIVE_WEBHCAT",
    "HUE_SERVER",
    "SPARK_YARN_HISTORY_SERVER",
    "ZOOKEEPER_SERVER",
    "HBASE_MASTER",
    "SENTRY_SERVER",
    "SOLR_SERVER",
    "SQOOP_SERVER",
    "FLUME_AGENT",
    "KEY_VALUE_STORE_INDEXER",
    "IMPALA_CATALOGSERVER",
    "IMPALA_STATESTORE",
    "KAFKA_BROKER",
]
EVERYTHING = {
    "manager": (["CLOUDERA_MANAGER", "KMS"], 1),
    "master": (MASTER, 1),
    "second": (["HDFS_SECONDARYNAMENODE"], 1),
    "worker": (["HDFS_DATANODE", "YARN_NODEMANAGER", "HBASE_REGIONSERVER", "IMPALAD"], 2),
}
SMALLEST = {
    "manager": (["CLOUDERA_MANAGER"], 1),
    "master": (["HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "YARN_RESOURCEMANAGER", "YARN_JOBHISTORY"], 1),
    "worker": (["HDFS_DATANODE", "YARN_NODEMANAGER"], 2),
}
HIGHLY_AVAILABLE = {
    **EVERYTHING,
    "second": (["HDFS_SECONDARYNAMENODE", "YARN_STANDBYRM"], 1),
    "journal": (["HDFS_JOURNALNODE", "ZOOKEEPER_SERVER"], 3),
}
# Stock's Swift is on by default and then asks Keystone.
NO_SWIFT = {"general": {"Enable Swift": False}}
CONFIGS: dict[str, Any] = {
    "cluster_configs": {
        **NO_SWIFT,
        "HDFS": {"dfs_replication": 2},
        "HBASE": {"hbase_superuser": "hbase"},
    },
    "node_configs": {
        "worker": {"YARN_GATEWAY": {"io_sort_mb": 64}, "NODEMANAGER": {"yarn_nodemanager_resource_memory_mb": 1024}},
        "master": {"HUE": {"hue_http_port": 8889}, "OOZIE": {"oozie_java_heapsize": 1073741824}},
    },
}


@dataclasses.dataclass
class Trace:
    """What one plugin did in one phase.

    :ivar facts: what is there in the end, by what it is about: services, roles, their settings, arguments of commands.
    :ivar steps: names of the commands in order; what is repeated at once counts once.
    :ivar histories: what was done to each object, in order; a command on the cluster is one on all its objects.
    :ivar nodes: what was done on nodes.
    """

    facts: dict[str, str]
    steps: list[str]
    histories: dict[str, list[str]]
    nodes: list[sahara_process.Asked]


def run(plugin: Any, process: sahara_process.SaharaProcess, groups: Any, version: str, **values: Any) -> Any:
    """Drive a plugin through a cluster's life.

    :returns: a :class:`Trace` for each phase.
    """
    cm = process.useFixture(recording_cm.RecordingCM())
    cluster = process.cluster(groups, cm.address, hadoop_version=version, plugin_name="cdh", **values)
    cm.hosts = [instance.fqdn() for group in cluster.node_groups for instance in group.instances]
    traces = {}

    def phase(name: str, action: Any, *arguments: Any) -> None:
        del cm.calls[:], process.nodes.asked[:]
        with sahara_process.Hurried():
            action(process.reload(cluster), *arguments)
        traces[name] = _trace(cm, list(process.nodes.asked))

    phase("create", plugin.configure_cluster)
    phase("start", plugin.start_cluster)
    added = process.add_instance(cluster, "worker", cm.address)
    cm.hosts.append(added.fqdn())
    phase("scale", plugin.scale_cluster, [added])
    phase("decommission", plugin.decommission_nodes, [added])
    return traces


def _trace(cm: recording_cm.RecordingCM, nodes: list[sahara_process.Asked]) -> Trace:
    trace = Trace({}, [], {}, nodes)
    for call in cm.calls:
        body = call.body or {}
        for subject, action, details in _events(call, body):
            trace.histories.setdefault(subject, []).append(action)
            for name, value in details.items():
                # Passwords are made up for every cluster, addresses for every run.
                shown = "a password" if "password" in name else str(value).replace(cm.address, "the manager")
                trace.facts[f"{subject} {action} {name}"] = shown
        if "commands" in call.words[:-1] or "roleCommands" in call.words:
            if call.method == "POST" and trace.steps[-1:] != call.words[-1:]:
                trace.steps.append(call.words[-1])
            if call.method == "POST" and call.words[2:3] == ["commands"]:
                for history in trace.histories.values():
                    history.append(call.words[-1])
    return trace


def _events(call: recording_cm.Call, body: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What a call does: to what, its name, and its details."""
    words = call.words
    last = words[-1]
    items = body.get("items", [])
    # An object is named as in a path below its cluster: services/hdfs01/roles/DN_x.
    place = "/".join(words[2:] if words[0] == "clusters" and len(words) > 2 else words)
    if call.method == "DELETE":
        yield place, "removed", {}
    elif call.method == "PUT" and last == "config":
        # Stock sends also what is empty.
        if items:
            yield place.rpartition("/")[0], "configured", {item["name"]: item["value"] for item in items}
    elif call.method == "PUT" and call.path == "/cm/service":
        for role in body["roles"]:
            yield f"management/{role['type']}", "created", {"name": role["name"], **role["hostRef"]}
    elif call.method == "PUT":
        yield place, "changed", {key: value for key, value in body.items() if value is not None}
    elif call.method == "POST" and last in ("clusters", "services", "roles"):
        for item in items:
            yield f"{place}/{item['name']}", "created", {**item, **item.pop("hostRef", {})}
    elif call.method == "POST":
        target = place.rpartition("ommands/")[0].rpartition("/")[0]
        if items:
            for item in items:
                yield f"{target}/roles/{item}".replace("cm/roles", "hosts"), last, {}
        elif words[2:3] == ["commands"]:
            yield "cluster", f"{last} sent", {key: value for key, value in body.items() if value is not None}
        else:
            yield target, last, {key: value for key, value in body.items() if value is not None}


def differences(ours: dict[str, Trace], stock: dict[str, Trace]) -> list[str]:
    """What differs between two plugins, a line for each fact, each object's history and each phase's order."""
    found = []
    for phase in PHASES:
        mine, theirs = ours[phase], stock[phase]
        for kind in ("facts", "histories"):
            pair = (getattr(mine, kind), getattr(theirs, kind))
            for subject in sorted(pair[0].keys() | pair[1].keys()):
                values = [each.get(subject) for each in pair]
                if values[0] != values[1]:
                    found.append(f"{phase}: {subject}: ours {values[0]}, stock {values[1]}")
        if mine.steps != theirs.steps:
            found.append(f"{phase}: steps: ours {mine.steps}, stock {theirs.steps}")
    return found
