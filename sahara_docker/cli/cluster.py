# SPDX-License-Identifier: Apache-2.0
"""A cluster as Sahara's API shows it (version 1.1)."""

from __future__ import annotations

import dataclasses
from typing import Any

from sahara_docker import exceptions
from sahara_docker.cli import cloud as openstack

PLUGIN = "cdh_docker"


@dataclasses.dataclass(frozen=True)
class Node:
    """A node: its names, where it is, and what Sahara wants to run on it."""

    name: str
    instance_id: str
    address: str
    internal_address: str
    group: str
    processes: tuple[str, ...]
    flavor_id: str

    def __str__(self) -> str:
        return f"{self.name} {self.address}".strip()


class Cluster:
    """A cluster's document with its parts by name."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.id: str = document["id"]
        self.name: str = document["name"]
        self.status: str = document["status"]
        self.reason: str = document.get("status_description") or ""
        self.plugin: str = document["plugin_name"]
        self.version: str = document.get("hadoop_version") or document.get("plugin_version") or ""
        self.info: dict[str, dict[str, str]] = document.get("info") or {}
        self.steps: list[dict[str, Any]] = document.get("provision_progress") or []
        self.nodes = [
            Node(
                instance["instance_name"],
                instance["instance_id"] or "",
                instance.get("management_ip") or "",
                instance.get("internal_ip") or "",
                group["name"],
                tuple(group["node_processes"]),
                group["flavor_id"],
            )
            for group in document["node_groups"]
            for instance in group.get("instances", [])
        ]

    def configs(self, target: str) -> dict[str, Any]:
        """The cluster's own configs for *target*, such as ``general``."""
        return (self.document.get("cluster_configs") or {}).get(target) or {}

    def with_process(self, process: str) -> list[Node]:
        """Nodes on which *process* is to run."""
        return [node for node in self.nodes if process in node.processes]

    @property
    def manager(self) -> Node | None:
        """Cloudera Manager's node."""
        return next(iter(self.with_process("CLOUDERA_MANAGER")), None)


def find(cloud: openstack.Cloud, name: str, *, progress: bool = False) -> Cluster:
    """Return the cluster of that name or id.

    :param progress: with the steps of its provisioning and their events.
    :raises SaharaDockerError: there is none, or more than one.
    """
    found = [one for one in cloud.get("data-processing", "/clusters")["clusters"] if name in (one["name"], one["id"])]
    if len(found) != 1:
        raise exceptions.SaharaDockerError(
            "there is no such cluster" if not found else "more than one cluster has this name",
            where=name,
            remedy="openstack dataprocessing cluster list",
        )
    query = "?show_progress=true" if progress else ""
    return Cluster(cloud.get("data-processing", f"/clusters/{found[0]['id']}{query}")["cluster"])


def job_error(job: dict[str, Any]) -> str:
    """Why a job execution failed, in one line without Java's stack frames; empty where the plugin had nothing to say.

    The stock client shows a job's status and leaves out the rest of ``info``, where the plugin has written it.
    """
    lines = [line.strip() for line in str((job.get("info") or {}).get("error", "")).splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith("at "))
