# SPDX-License-Identifier: Apache-2.0
"""The demonstration's cluster, made with the ordinary client and shown while Sahara works on it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from lab import client, command, console, registration, rest, settings
from lab.hdfs import Hdfs
from sahara_docker import exceptions

NAME = "demo"
PLUGIN, VERSION = registration.TAGS
#: Node processes by node group, and how many nodes the group has.
PROCESSES = {
    "manager": ("CLOUDERA_MANAGER",),
    "master": (
        "HDFS_NAMENODE",
        "HDFS_SECONDARYNAMENODE",
        "YARN_RESOURCEMANAGER",
        "YARN_JOBHISTORY",
        "OOZIE_SERVER",
        "SPARK_YARN_HISTORY_SERVER",
    ),
    "worker": ("HDFS_DATANODE", "YARN_NODEMANAGER"),
}
GROUPS = {"manager": 1, "master": 1, "worker": 2}
CREATE_TIMEOUT, DELETE_TIMEOUT, ANSWER_TIMEOUT = 600, 180, 60


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    group: str
    address: str

    @property
    def fqdn(self) -> str:
        return f"{self.name}.novalocal"


class Cluster:
    """A Sahara cluster as the API shows it."""

    def __init__(self, cloud: rest.Cloud, document: dict[str, Any]) -> None:
        self.cloud = cloud
        self.id: str = document["id"]
        self.name: str = document["name"]
        self.status: str = document["status"]
        self.reason: str = document.get("status_description") or ""
        self.info: dict[str, dict[str, str]] = document.get("info") or {}
        self.steps: list[dict[str, Any]] = document.get("provision_progress") or []
        self.nodes = [
            Node(instance["instance_name"], group["name"].removeprefix("cdh-"), instance["management_ip"] or "")
            for group in document["node_groups"]
            for instance in group["instances"]
        ]

    def node(self, group: str) -> Node:
        """The first node of *group*."""
        return next(node for node in self.nodes if node.group == group)

    def hdfs(self) -> Hdfs:
        """The cluster's file system."""
        addresses = {name: node.address for node in self.nodes for name in (node.name, node.fqdn)}
        return Hdfs(self.node("master").address, addresses)

    def web_pages(self) -> dict[str, str]:
        """Addresses to look at in a browser."""
        manager, master = self.node("manager").address, self.node("master").address
        return {
            "Cloudera Manager (stand-in)": f"http://{manager}:7180",
            "HDFS NameNode": f"http://{master}:50070",
            "YARN ResourceManager": f"http://{master}:8088",
            "Job history": f"http://{master}:19888",
            "Oozie": f"http://{master}:11000/oozie",
            "Spark history": f"http://{master}:18088",
        }

    def answers(self) -> bool:
        """Whether the daemons that a job needs answer; a cluster can be Active in the database and dead in fact."""
        master = self.node("master").address
        try:
            rest.call("GET", f"http://{master}:50070/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus", timeout=5)
            metrics = rest.call("GET", f"http://{master}:8088/ws/v1/cluster/metrics", timeout=5)[1]["clusterMetrics"]
            oozie = rest.call("GET", f"http://{master}:11000/oozie/v1/admin/status", timeout=5)[1]
        except (rest.RestError, KeyError, TypeError):
            return False
        workers = sum(node.group == "worker" for node in self.nodes)
        return metrics["activeNodes"] == workers and oozie.get("systemMode") == "NORMAL"


def find(cloud: rest.Cloud, name: str = NAME, *, progress: bool = False) -> Cluster | None:
    """The cluster of that name, or None."""
    found = [one for one in cloud.get("sahara", "/clusters")["clusters"] if one["name"] == name]
    if not found:
        return None
    path = f"/clusters/{found[0]['id']}" + ("?show_progress=true" if progress else "")
    try:
        return Cluster(cloud, cloud.get("sahara", path)["cluster"])
    except rest.RestError as error:
        if error.status == 404:
            return None
        raise


def ensure(lab: settings.Lab, cloud: rest.Cloud) -> tuple[Cluster, float | None]:
    """The demonstration's cluster, Active and answering; made anew unless it is there.

    :returns: the cluster, and the seconds from its creation to Active, None when it was there.
    """
    known = find(cloud)
    if known is not None:
        if known.status == "Active" and _comes_to_answer(known):
            console.step(f"cluster {NAME} is there and answers")
            return known, None
        console.step(f"cluster {NAME} is {known.status} and not fit for work: deleting it")
        delete(lab, cloud)
    _templates(lab, cloud)
    began = time.monotonic()
    client.openstack(
        lab,
        f"dataprocessing cluster create --name {NAME} --cluster-template cdh-on-docker",
        *("--image", registration.IMAGE_NAME, "--neutron-network", settings.NETWORK_NAME),
    )
    return _await_active(lab, cloud, began), time.monotonic() - began


def _comes_to_answer(known: Cluster) -> bool:
    """Whether the daemons answer, now or soon: after a restart of their containers they need their time."""
    try:
        rest.wait_until(known.answers, timeout=ANSWER_TIMEOUT)
    except TimeoutError:
        return False
    return True


def _templates(lab: settings.Lab, cloud: rest.Cloud) -> None:
    kind = "node_group_templates"
    known = {one["name"] for one in cloud.get("sahara", f"/{kind.replace('_', '-')}")[kind]}
    for group, processes in PROCESSES.items():
        if f"cdh-{group}" not in known:
            create = f"dataprocessing node group template create --name cdh-{group} --flavor cdh.{group}"
            configs = f"examples/{group}-configs.json"
            words = ["--configs", configs] if (settings.CHECKOUT / configs).exists() else []
            plugin = ("--plugin", PLUGIN, "--plugin-version", VERSION)
            client.openstack(lab, create, *plugin, *words, "--processes", *processes)
    known = {one["name"] for one in cloud.get("sahara", "/cluster-templates")["cluster_templates"]}
    if "cdh-on-docker" not in known:
        groups = [f"cdh-{group}:{count}" for group, count in GROUPS.items()]
        create = "dataprocessing cluster template create --name cdh-on-docker --configs examples/cluster-configs.json"
        client.openstack(lab, f"{create} --node-groups", *groups)


def _await_active(lab: settings.Lab, cloud: rest.Cloud, began: float) -> Cluster:
    remedy = f"read {lab.log}/sahara.log and nova-compute.log; `make demo` tries again"
    shown: dict[str, str] = {}
    status = reason = ""
    deadline = began + CREATE_TIMEOUT
    while time.monotonic() < deadline:
        cluster = find(cloud, progress=True)
        if cluster is None:
            raise exceptions.SaharaDockerError("the cluster has gone while it was being made", where=NAME)
        reason = cluster.reason
        if cluster.status != status:
            status = cluster.status
            console.step(f"  cluster is {status}")
        for step in cluster.steps:
            _show_step(step, shown)
        if status == "Active":
            return cluster
        if status == "Error":
            what = "the cluster is in Error"
            raise exceptions.SaharaDockerError(what, where=NAME, observed=cluster.reason, remedy=remedy)
        if command.interrupted.is_set():
            raise KeyboardInterrupt
        time.sleep(0.5)
    raise exceptions.SaharaDockerError(
        f"the cluster is not Active after {CREATE_TIMEOUT} s",
        where=NAME,
        observed=f"{status}: {reason}",
        remedy=remedy,
    )


def _show_step(step: dict[str, Any], shown: dict[str, str]) -> None:
    """One line when a step of Sahara's event log has begun to count or has ended."""
    events = step.get("events") or []
    done = sum(1 for event in events if event.get("successful"))
    ended = {True: "done", False: "FAILED", None: f"{done} of {step.get('total')}"}[step.get("successful")]
    if shown.get(step["id"]) == ended or not (events or step.get("successful") is not None):
        return
    shown[step["id"]] = ended
    console.step(f"    {step['step_name']}: {ended}")
    for event in events:
        if event.get("successful") is False:
            console.say(f"               {event.get('instance_name')}: {event.get('event_info')}")


def delete(lab: settings.Lab, cloud: rest.Cloud, name: str = NAME) -> None:
    """Delete the cluster of that name, if there is one, and wait until it is gone.

    :raises SaharaDockerError: when it is still there after the time allowed.
    """
    deadline = time.monotonic() + DELETE_TIMEOUT
    asked = 0.0
    while (known := find(cloud, name)) is not None:
        if known.status != "Deleting" or time.monotonic() - asked > 60:
            cloud.request("DELETE", "sahara", f"/clusters/{known.id}")
            asked = time.monotonic()
        if time.monotonic() > deadline:
            raise exceptions.SaharaDockerError(
                f"the cluster is still there {DELETE_TIMEOUT} s after its deletion was asked for",
                where=known.name,
                observed=f"{known.status}: {known.reason}",
            )
        if command.interrupted.is_set():
            raise KeyboardInterrupt
        time.sleep(0.5)
