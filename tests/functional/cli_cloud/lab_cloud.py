# SPDX-License-Identifier: Apache-2.0
"""The lab's cloud for tests of the command, which ``make test`` has brought up."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import time
import uuid
from typing import Any, Callable, Iterator

import fixtures

from lab import docker_engine, installation, settings
from sahara_docker.cli import cloud, cluster
from sahara_docker.cli.doctor import site

LAB = settings.Lab(settings.default_state())
#: For those who work on these tests: a cluster of the lab to use, instead of one that is made and deleted.
CLUSTER = "SAHARA_DOCKER_TEST_CLUSTER"
_PLUGIN = {"plugin_name": "cdh_docker", "hadoop_version": "5.13.0"}
_MASTER = ["CLOUDERA_MANAGER", "HDFS_NAMENODE", "HDFS_SECONDARYNAMENODE", "YARN_RESOURCEMANAGER", "YARN_JOBHISTORY"]
_GROUPS = {"cdh.master": _MASTER, "cdh.worker": ["HDFS_DATANODE", "YARN_NODEMANAGER"]}
_CREATE_TIMEOUT = 300


def environ() -> dict[str, str]:
    """The lab's openrc."""
    return {name: value for name, value in installation.client_environment(LAB).items() if name.startswith("OS_")}


@functools.lru_cache
def connect() -> cloud.Cloud:
    """The lab's cloud, logged in to as its admin."""
    found = cloud.connect(None, settings.REGION, environ())
    found.login()
    return found


def place(**arguments: Any) -> site.Site:
    """What the doctor sees on the lab's machine."""
    return site.Site(**{"environ": environ(), "connect": connect, **arguments})


@contextlib.contextmanager
def posted(service: str, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An object that is made by a POST to *path* and deleted at the end."""
    (made,) = connect().request("POST", service, path, json=body).json().values()
    try:
        yield made
    finally:
        connect().request("DELETE", service, f"{path}/{made['id']}")


class Cluster(fixtures.Fixture):
    """A cluster with one master and two workers; ``name`` is its name.

    :param flavor: of the master, instead of the lab's.
    :param wanted: the status to wait for.
    :param own: make one also where an existing one may be used.
    :param while_made: called with its name as soon as it is asked for.
    """

    def __init__(
        self,
        flavor: str = "",
        wanted: str = "Active",
        own: bool = False,
        while_made: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._flavor, self._wanted, self._own, self._while_made = flavor, wanted, own, while_made

    def _setUp(self) -> None:
        self.name = os.environ.get(CLUSTER, "") if self._wanted == "Active" and not self._own else ""
        if self.name:
            return
        self.name = f"doctor-{uuid.uuid4().hex[:6]}"
        openstack = connect()
        flavors = {one["name"]: one["id"] for one in openstack.get("compute", "/flavors")["flavors"]}
        image = next(i for i in openstack.get("data-processing", "/images")["images"] if "cdh_docker" in i["tags"])
        network = openstack.get("network", f"/networks?name={settings.NETWORK_NAME}")["networks"][0]
        groups = [
            {"name": name.partition(".")[2], "flavor_id": flavors[name], "node_processes": processes, "count": count}
            for (name, processes), count in zip(_GROUPS.items(), (1, 2))
        ]
        groups[0]["flavor_id"] = self._flavor or groups[0]["flavor_id"]
        body = {
            **_PLUGIN, "name": self.name, "node_groups": groups, "default_image_id": image["id"],
            "neutron_management_network": network["id"], "cluster_configs": {"HDFS": {"dfs_replication": 1}},
        }  # fmt: skip
        made = openstack.request("POST", "data-processing", "/clusters", json=body).json()["cluster"]
        self.addCleanup(self._delete, made["id"])
        self._while_made(self.name)
        deadline = time.monotonic() + _CREATE_TIMEOUT
        while (found := cluster.find(openstack, self.name)).status != self._wanted:
            assert found.status not in ("Active", "Error") and time.monotonic() < deadline, (
                f"{found.status}: {found.reason}"
            )
            time.sleep(1)

    def _delete(self, identifier: str) -> None:
        openstack = connect()
        openstack.request("DELETE", "data-processing", f"/clusters/{identifier}")
        deadline = time.monotonic() + _CREATE_TIMEOUT
        while any(one["id"] == identifier for one in openstack.get("data-processing", "/clusters")["clusters"]):
            assert time.monotonic() < deadline, "the cluster is not deleted"
            time.sleep(1)


def run_in(node: cluster.Node, script: str) -> None:
    """Run a shell script as root in a node's container."""
    docker_engine.client(docker_engine.host(LAB), "exec", f"nova-{node.instance_id}", "bash", "-c", script)


def network_of(node: cluster.Node, *words: str) -> None:
    """Run a command of this machine in a node's network namespace."""
    address = docker_engine.host(LAB)
    pid = docker_engine.client(address, "inspect", "--format", "{{.State.Pid}}", f"nova-{node.instance_id}").strip()
    subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *words], check=True, capture_output=True)
