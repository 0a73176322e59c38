# SPDX-License-Identifier: Apache-2.0
"""What Nova, Neutron and Heat add around the driver's spawn, in the lab; nothing is measured while none runs.

The driver's part is what nova-compute's log says ("Took ... seconds to spawn"), and contains its wait for Neutron.
"""

from __future__ import annotations

import contextlib
import re
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from benchmarks import clock, engines, results
from lab import control, registration, rest, settings
from sahara_docker import exceptions

# Servers at a time, and how often.
_ROUNDS = {1: 5, 8: 2}
_NAME = "sahara-docker-bench"
_FLAVOR = {"name": _NAME, "vcpus": 1, "ram": 256, "disk": 1}
_LIMIT = 240.0
_TOOK = re.compile(r"\[instance: ([0-9a-f-]{36})\] Took ([0-9.]+) seconds to (spawn|build)")


class _Server(NamedTuple):
    """Seconds from its request until Nova calls it active, and of these in nova-compute and in the driver."""

    active: float
    build: float
    spawn: float


class _Surroundings(NamedTuple):
    cloud: rest.Cloud
    lab: settings.Lab
    flavor: str
    image: str
    network: str


def run(place: engines.Place) -> list[results.Result]:
    """Servers by Nova's API, then stacks of as many by Heat's."""
    if not control.is_up(place.lab):
        print("  no lab runs: nothing to measure; `make demo-up` starts one", flush=True)
        return []
    with _surroundings(place.lab) as around:
        port = [1000 * _port(around) for _ in range(_ROUNDS[1])]
        rows = [results.Result("in the lab: a port by Neutron", "ms", statistics.median(port), None, None, len(port))]
        for count, rounds in _ROUNDS.items():
            rows += _rows(around, count, rounds)
    return rows


def _rows(around: _Surroundings, count: int, rounds: int) -> list[results.Result]:
    servers: list[_Server] = []
    all_active, stacks = [], []
    for _ in range(rounds):
        print(f"  {count} at a time: by Nova, by Heat", flush=True)
        some = _by_nova(around, count)
        servers += some
        all_active.append(max(one.active for one in some))
        stacks.append(_by_heat(around, count))

    def row(what: str, seconds: list[float]) -> results.Result:
        name = f"in the lab, {count} at a time: {what}"
        return results.Result(name, "ms", 1000 * statistics.median(seconds), None, None, len(seconds))

    return [
        row("driver's spawn, with its wait for Neutron", [one.spawn for one in servers]),
        row("nova-compute around it", [one.build - one.spawn for one in servers]),
        row("Nova's API, scheduler and conductor around that", [one.active - one.build for one in servers]),
        row("Heat around the last server", [stack - nova for stack, nova in zip(stacks, all_active)]),
    ]


@contextlib.contextmanager
def _surroundings(lab: settings.Lab) -> Iterator[_Surroundings]:
    cloud = rest.Cloud(lab)
    cloud.authenticate()
    image = cloud.get("glance", f"/images?name={registration.IMAGE_NAME}")["images"][0]["id"]
    network = cloud.get("neutron", f"/networks?name={settings.NETWORK_NAME}")["networks"][0]["id"]
    for old in cloud.get("nova", "/flavors")["flavors"]:  # of a run that was killed
        if old["name"] == _NAME:
            cloud.request("DELETE", "nova", f"/flavors/{old['id']}")
    flavor = cloud.post("nova", "/flavors", {"flavor": _FLAVOR})["flavor"]["id"]
    try:
        yield _Surroundings(cloud, lab, flavor, image, network)
    finally:
        cloud.request("DELETE", "nova", f"/flavors/{flavor}")


def _port(around: _Surroundings) -> float:
    made: list[Any] = []
    body = {"port": {"network_id": around.network, "name": _NAME}}
    seconds = clock.timed(lambda: made.append(around.cloud.post("neutron", "/ports", body)["port"]["id"])).wall
    around.cloud.request("DELETE", "neutron", f"/ports/{made[0]}")
    return seconds


def _by_nova(around: _Surroundings, count: int) -> list[_Server]:
    cloud = around.cloud
    server = {"name": _NAME, "flavorRef": around.flavor, "imageRef": around.image, "min_count": count}
    active: dict[str, float] = {}

    def all_are_active() -> bool:
        for one in cloud.get("nova", f"/servers/detail?name={_NAME}")["servers"]:
            _check(one["status"] != "ERROR", "a server is in ERROR", one.get("fault", {}).get("message", ""))
            if one["status"] == "ACTIVE":
                active.setdefault(one["id"], time.perf_counter() - began)
        return len(active) == count

    began = time.perf_counter()
    try:
        cloud.post("nova", "/servers", {"server": {**server, "networks": [{"uuid": around.network}]}})
        _poll(all_are_active, f"{count} servers are not active")
        took: dict[tuple[str, str], float] = {}

        def all_are_logged() -> bool:
            for log in around.lab.log.glob("nova-compute*.log"):
                found = _TOOK.findall(log.read_text(errors="replace"))
                took.update({(uuid, step): float(seconds) for uuid, seconds, step in found})
            return {(uuid, step) for uuid in active for step in ("build", "spawn")} <= took.keys()

        _poll(all_are_logged, "nova-compute's log does not tell how long it took")
        return [_Server(seconds, took[uuid, "build"], took[uuid, "spawn"]) for uuid, seconds in active.items()]
    finally:
        for one in cloud.get("nova", f"/servers?name={_NAME}")["servers"]:
            cloud.request("DELETE", "nova", f"/servers/{one['id']}")
        _poll(lambda: not cloud.get("nova", f"/servers?name={_NAME}")["servers"], "servers are not deleted")


def _by_heat(around: _Surroundings, count: int) -> float:
    """Seconds until a stack is complete: for each server a port, as Sahara's stacks have it."""
    resources: dict[str, Any] = {}
    for number in range(count):
        port = {"network": around.network}
        server = {
            "flavor": around.flavor,
            "image": around.image,
            "networks": [{"port": {"get_resource": f"p{number}"}}],
        }
        resources[f"p{number}"] = {"type": "OS::Neutron::Port", "properties": port}
        resources[f"s{number}"] = {"type": "OS::Nova::Server", "properties": server}
    template = {"heat_template_version": "2018-08-31", "resources": resources}
    began = time.perf_counter()
    stack = around.cloud.post("heat", "/stacks", {"stack_name": _NAME, "template": template, "timeout_mins": 5})[
        "stack"
    ]
    path = f"/stacks/{_NAME}/{stack['id']}"

    def is_complete() -> bool:
        found = around.cloud.get("heat", path)["stack"]
        _check("FAILED" not in found["stack_status"], "the stack failed", found["stack_status_reason"])
        return found["stack_status"] == "CREATE_COMPLETE"

    try:
        _poll(is_complete, "the stack is not complete")
        return time.perf_counter() - began
    finally:
        around.cloud.request("DELETE", "heat", path)
        gone = "DELETE_COMPLETE"
        _poll(lambda: around.cloud.get("heat", path)["stack"]["stack_status"] == gone, "the stack is not deleted")


def _poll(done: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _LIMIT
    while not done():
        _check(time.monotonic() < deadline, otherwise, f"after {_LIMIT:g} s")
        time.sleep(0.1)


def _check(well: bool, otherwise: str, observed: str) -> None:
    if not well:
        raise exceptions.SaharaDockerError(otherwise, where="lab", observed=observed)
