# SPDX-License-Identifier: Apache-2.0
"""A cluster of one master and three workers, in the lab: to Active, 200 MB of words counted, one worker more.

The master also has Cloudera Manager and Oozie. Nothing is measured while no lab runs.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import docker

from benchmarks import engines, managed, results, timeline, word_count
from lab import cluster, control, registration, rest, settings
from sahara_docker import exceptions

_NAME = "sahara-docker-bench"
_MASTER = [process for group in ("manager", "master") for process in cluster.PROCESSES[group]]
_WORKERS = 3
_AT_MOST = 45.0
_LIMIT = 600.0
# What Sahara calls a cluster while ...
_PHASES = {
    "Sahara takes the request": ("requested", "Validating", "Decommissioning", "Scaling"),
    "Heat, Nova and Neutron make the nodes": ("InfraUpdating", "Spawning", "Scaling: Spawning"),
    "the nodes answer and learn their names": ("Waiting", "Preparing", "Scaling: Waiting", "Scaling: Preparing"),
    "Cloudera Manager starts and is told of the cluster": ("Configuring",),
    "Hadoop starts": ("Starting",),
}
_WORKER_ROLES = ("DATANODE", "NODEMANAGER")


def run(place: engines.Place) -> list[results.Result]:
    """Create, count, scale; the floors come right behind what they are the floor of."""
    if not control.is_up(place.lab):
        print("  no lab runs: nothing to measure; `make demo-up` starts one", flush=True)
        return []
    cloud = rest.Cloud(place.lab)
    cloud.authenticate()
    with _cluster(place, cloud) as bench:
        return [*bench.created(), *word_count.run(place.lab, cloud, bench.now(), bench.container()), *bench.scaled()]


@contextlib.contextmanager
def _cluster(place: engines.Place, cloud: rest.Cloud) -> Iterator[_Bench]:
    cluster.delete(place.lab, cloud, _NAME)  # of a run that was killed
    client = docker.from_env(timeout=_LIMIT)
    try:
        yield _Bench(place, cloud, client)
    finally:
        client.close()
        cluster.delete(place.lab, cloud, _NAME)


class _Bench:
    """The cluster, and what is asked about it.

    :param client: of the Docker daemon that the cluster's nodes run on.
    """

    def __init__(self, place: engines.Place, cloud: rest.Cloud, client: docker.DockerClient) -> None:
        self._place, self._cloud, self._docker = place, cloud, client

    def now(self) -> cluster.Cluster:
        """The cluster as Sahara shows it now."""
        found = cluster.find(self._cloud, _NAME)
        if found is None:
            raise exceptions.SaharaDockerError("the cluster is not there", where=_NAME)
        return found

    def container(self) -> Any:
        """The master's container."""
        return self._containers(self.now())[0]

    def created(self) -> list[results.Result]:
        """Create the cluster, and compare it with bare containers and a start of the same daemons."""
        print(f"  1+{_WORKERS} nodes: cluster create to Active", flush=True)
        began = time.time()
        self._cloud.post("sahara", "/clusters", self._request())
        found, ended = self._await_active(began, _WORKERS)
        manager = self._manager(found)
        rows = self._phases("create", began, ended)
        parts = [part for command in manager.commands() for part in timeline.parts(command)]
        kinds = {name: role["type"] for name, role in manager.roles().items()}
        starts = timeline.longest_starts(parts, kinds)
        rows += [_row(f"create: {kind} from start to answer", seconds) for kind, seconds in starts.items()]
        used = [one.stats(stream=False)["cpu_stats"]["cpu_usage"]["total_usage"] for one in self._containers(found)]
        rows.append(_row("create: the nodes' processor time", sum(used) / 1e9))
        print("  the same containers and daemons without OpenStack", flush=True)
        floor = self._bare_containers(1 + _WORKERS) + manager.restart()
        return [_row(f"cluster of 1+{_WORKERS}, create to Active", ended - began, floor, _AT_MOST), *rows]

    def scaled(self) -> list[results.Result]:
        """Add a worker, and compare it with a bare container and a start of the same daemons."""
        print("  scale up by one", flush=True)
        before = {node.fqdn for node in self.now().nodes}
        began = time.time()
        body = {"resize_node_groups": [{"name": "worker", "count": _WORKERS + 1}]}
        self._cloud.request("PUT", "sahara", f"/clusters/{self.now().id}", body)
        found, ended = self._await_active(began, _WORKERS + 1)
        manager, rows = self._manager(found), self._phases("scale", began, ended)
        print("  the same container and daemons without OpenStack", flush=True)
        added: dict[str, list[str]] = {}
        for role in manager.roles().values():
            if role["hostRef"]["hostId"] not in before and role["type"] in _WORKER_ROLES:
                added.setdefault(role["serviceRef"]["serviceName"], []).append(role["name"])
        floor = self._bare_containers(1) + manager.restart_roles(added)
        return [_row("scale up by one, to Active", ended - began, floor), *rows]

    def _request(self) -> dict[str, Any]:
        flavors = {one["name"]: one["id"] for one in self._cloud.get("nova", "/flavors")["flavors"]}
        path = f"/images?name={registration.IMAGE_NAME}"
        groups = [
            {
                "name": name,
                "count": count,
                "flavor_id": flavors[f"cdh.{name}"],
                "node_processes": processes,
                "node_configs": _example(name),
            }
            for name, count, processes in (
                ("master", 1, _MASTER),
                ("worker", _WORKERS, list(cluster.PROCESSES["worker"])),
            )
        ]
        networks = self._cloud.get("neutron", f"/networks?name={settings.NETWORK_NAME}")["networks"]
        return {
            "name": _NAME,
            "plugin_name": cluster.PLUGIN,
            "hadoop_version": cluster.VERSION,
            "default_image_id": self._cloud.get("glance", path)["images"][0]["id"],
            "neutron_management_network": networks[0]["id"],
            "cluster_configs": _example("cluster"),
            "node_groups": groups,
        }

    def _await_active(self, began: float, workers: int) -> tuple[cluster.Cluster, float]:
        """Wait until the cluster is Active and its daemons answer; return it and that moment."""
        deadline = began + _LIMIT
        while time.time() < deadline:
            found = self.now()
            if found.status == "Error":
                raise exceptions.SaharaDockerError("the cluster is in Error", where=_NAME, observed=found.reason)
            there = sum(node.group == "worker" for node in found.nodes) == workers
            if found.status == "Active" and there and (log := self._changes(began)) and log[-1].status == "Active":
                moment = log[-1].moment
                while not found.answers():
                    moment = time.time()
                    if moment > deadline:
                        raise exceptions.SaharaDockerError("the daemons do not answer", where=_NAME)
                    time.sleep(0.1)
                return found, moment
            time.sleep(0.5)
        raise exceptions.SaharaDockerError(f"the cluster is not Active after {_LIMIT:g} s", where=_NAME)

    def _changes(self, since: float) -> list[timeline.Change]:
        log = (self._place.lab.log / "sahara.log").read_text(errors="replace")
        return timeline.changes(log, since)

    def _phases(self, what: str, began: float, ended: float) -> list[results.Result]:
        seconds = timeline.phases(began, self._changes(began), ended)
        named = {status: phase for phase, statuses in _PHASES.items() for status in statuses}
        found: dict[str, float] = {}
        for status, taken in seconds.items():
            phase = named.get(status, f"Sahara's status {status}")
            found[phase] = found.get(phase, 0.0) + taken
        return [_row(f"{what}: {phase}", taken) for phase, taken in found.items()]

    def _manager(self, found: cluster.Cluster) -> managed.Manager:
        login = found.info["Cloudera Manager"]
        return managed.Manager(found.node("master").address, login["Password"], _NAME)

    def _containers(self, found: cluster.Cluster) -> list[Any]:
        """The containers of the nodes, the master's first."""
        nodes = sorted(found.nodes, key=lambda node: node.group != "master")
        servers = self._cloud.get("nova", "/servers")["servers"]
        identifiers = {server["name"]: server["id"] for server in servers}
        return [self._docker.containers.get(f"nova-{identifiers[node.name]}") for node in nodes]

    def _bare_containers(self, count: int) -> float:
        """Seconds until as many containers of the node image run, started at the same time."""
        name, _, value = self._place.label.partition("=")
        image = os.environ["SAHARA_DOCKER_TEST_IMAGE"]

        def start(_: int) -> Any:
            return self._docker.containers.run(
                image, name=f"bench-{uuid.uuid4().hex}", detach=True, network_mode="none", labels={name: value}
            )

        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            made = list(pool.map(start, range(count)))
        seconds = time.perf_counter() - began
        for container in made:
            container.remove(force=True, v=True)
        return seconds


def _example(name: str) -> Any:
    return json.loads((settings.CHECKOUT / "examples" / f"{name}-configs.json").read_text())


def _row(what: str, seconds: float, floor: float | None = None, at_most: float | None = None) -> results.Result:
    return results.Result(what, "s", seconds, None, floor, 1, at_most)
