# SPDX-License-Identifier: Apache-2.0
"""The Nova driver's own spawn, beside what the Docker daemon takes to create and start the same two containers."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker
import docker.errors

from benchmarks import clock, engines, results

# Instances at a time, and how often.
_ROUNDS = {1: 8, 8: 4, 20: 4}
_MANY = 20
_TIMES_THE_FLOOR = 1.5
_REMOVED_AT_ONCE = 4
_BRIDGE = "sdbench0"
_LIMIT = 600.0
COMPUTE = "benchmarks.compute_process"
# Of the sandbox, whose network the workload joins; Docker refuses them beside that.
_OF_THE_NETWORK = ("Hostname", "Domainname", "MacAddress", "ExposedPorts")


def run(place: engines.Place) -> list[results.Result]:
    """Driver and floor take turns, each before the other as often as behind it."""
    rows, host = [], f"{place.lab.host}-bench"
    with driver(place, host) as compute, contextlib.closing(Floor(compute, host)) as floor:
        turns: dict[str, Callable[[int], float]] = {
            "ours": lambda count: compute.call(f"{COMPUTE}:spawn", count, timeout=_LIMIT),
            "floor": floor.start,
        }
        for count, rounds in _ROUNDS.items():
            taken: dict[str, list[float]] = {name: [] for name in turns}
            for number in range(rounds):
                for name in sorted(turns, reverse=bool(number % 2)):
                    print(f"  {count} at a time: {name}", flush=True)
                    taken[name].append(turns[name](count))
                    floor.remove()
                    compute.call(f"{COMPUTE}:remove", timeout=_LIMIT)
            medians = {name: 1000 * statistics.median(seconds) / count for name, seconds in taken.items()}
            target = _TIMES_THE_FLOOR if count == _MANY else None
            rows.append(
                results.Result(
                    f"spawn, {count} at a time", "ms each", stock=None, n=rounds, times_the_floor=target, **medians
                )
            )
    return rows


class _Pair(NamedTuple):
    name: str
    sandbox: dict[str, Any]
    workload: dict[str, Any]


@contextlib.contextmanager
def driver(place: engines.Place, host: str, image: str = "node_image") -> Iterator[engines.Process]:
    """A compute host's driver, beside a bridge of its own."""
    words = ["ip", "link", "delete", _BRIDGE]
    subprocess.run(words, check=False, capture_output=True)  # of a run that was killed
    subprocess.run(["ip", "link", "add", _BRIDGE, "type", "bridge"], check=True)
    process = engines.Process("compute_process", "compute", place.lab)
    try:
        subprocess.run(["ip", "link", "set", _BRIDGE, "up"], check=True)
        process.call(f"{COMPUTE}:prepare", host, _BRIDGE, image)
        yield process
    finally:
        with contextlib.suppress(engines.ProcessFailed):
            process.call(f"{COMPUTE}:end")
        process.stop()
        subprocess.run(words, check=False)


class Floor:
    """Creates and starts pairs of containers like those of an instance of the driver's, and does nothing else."""

    def __init__(self, compute: engines.Process, host: str) -> None:
        self._client = docker.APIClient(
            base_url=os.environ.get("DOCKER_HOST"), version="auto", timeout=_LIMIT, max_pool_size=_MANY
        )
        self._directory = tempfile.TemporaryDirectory()
        self._pairs: list[_Pair] = []
        compute.call(f"{COMPUTE}:spawn", 1, timeout=_LIMIT)  # which also loads the image
        (self._uuid,) = compute.call(f"{COMPUTE}:spawned")
        found = [self._client.inspect_container(f"nova-{self._uuid}{part}") for part in ("-sandbox", "")]
        # Under another host's name: the driver watches what happens to its own.
        self._pattern = json.dumps([self._body(one) for one in found]).replace(host, f"{host}-floor")
        compute.call(f"{COMPUTE}:remove", timeout=_LIMIT)

    def _body(self, found: dict[str, Any]) -> dict[str, Any]:
        """What such a container is created from; what it has of the host, all of them share."""
        config = {name: value for name, value in found["Config"].items() if name not in _OF_THE_NETWORK}
        if found["HostConfig"]["NetworkMode"] == "none":
            config |= {name: found["Config"][name] for name in _OF_THE_NETWORK[:2]}
        else:
            found["HostConfig"]["NetworkMode"] = f"container:nova-{self._uuid}-sandbox"
        for number, mount in enumerate(found["HostConfig"].get("Mounts") or []):
            if mount["Type"] == "bind":
                source = Path(mount["Source"])
                if source.is_dir():
                    mount["Source"] = str(source.parent)  # below it are the instances' volumes
                else:
                    mount["Source"] = shutil.copyfile(source, f"{self._directory.name}/{number}")
        return {**config, "HostConfig": found["HostConfig"]}

    def start(self, count: int) -> float:
        """Create and start pairs at the same time; seconds until the last one runs."""
        for _ in range(count):
            name = str(uuid.uuid4())
            sandbox, workload = json.loads(self._pattern.replace(self._uuid, name))
            self._pairs.append(_Pair(f"nova-{name}", sandbox, workload))
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return clock.timed(lambda: list(pool.map(self._start, self._pairs))).wall

    def _start(self, pair: _Pair) -> None:
        for name, body in ((f"{pair.name}-sandbox", pair.sandbox), (pair.name, pair.workload)):
            self._client.create_container_from_config(body, name)
            self._client.start(name)

    def remove(self) -> None:
        """Take the pairs away, with their volumes."""
        with concurrent.futures.ThreadPoolExecutor(_REMOVED_AT_ONCE) as pool:
            for _ in pool.map(self._remove, self._pairs):
                pass
        self._pairs.clear()

    def _remove(self, pair: _Pair) -> None:
        for name in (pair.name, f"{pair.name}-sandbox"):
            with contextlib.suppress(docker.errors.NotFound):
                self._client.remove_container(name, force=True, v=True)
        for mount in pair.workload["HostConfig"].get("Mounts") or []:
            if mount["Type"] == "volume":
                self._client.remove_volume(mount["Source"], force=True)

    def close(self) -> None:
        """Take everything away."""
        self.remove()
        self._client.close()
        self._directory.cleanup()
