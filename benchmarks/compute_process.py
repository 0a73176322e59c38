# SPDX-License-Identifier: Apache-2.0
"""A process with the driver in it as nova-compute has it; it runs functions by request.

Docker, the bridge and Nova's client of Glance are real; Glance, the database and the message bus are not there, as in
the driver's functional tests, whose surroundings it takes.
"""

from __future__ import annotations

import concurrent.futures
from typing import Any

import nova.cmd.compute  # noqa: F401 - makes the process one of eventlet, as it does nova-compute before Nova 34
from nova.network import model

from benchmarks import clock, serving
from tests.functional.nova import environment
from tests.unit.nova import neutron

_compute: Any = None
_image: Any = None
_bridge = ""
_spawned: dict[str, Any] = {}


def prepare(host: str, bridge: str, image: str) -> None:
    """Start the driver as nova-compute does.

    :param host: name of the compute host, by which its containers are found.
    :param bridge: Linux bridge that instances are connected to.
    :param image: ``node_image``, or ``small_image`` of a few MiB.
    """
    global _compute, _image, _bridge
    _compute, _bridge = environment.Compute(name=host), bridge
    _compute.setUp()
    _image = getattr(_compute, image)()


def spawn(count: int) -> float:
    """Spawn instances at the same time; seconds until the last one runs."""
    instances = [_instance(number) for number in range(count)]
    networks = [model.NetworkInfo([_port(number)]) for number in range(count)]
    _spawned.update({instance.uuid: (instance, network) for instance, network in zip(instances, networks)})
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return clock.timed(lambda: list(pool.map(_compute.spawn, instances, [_image] * count, networks))).wall


def spawned() -> list[str]:
    """UUIDs of what was spawned and not removed."""
    return list(_spawned)


def remove() -> None:
    """Destroy all instances, a few at a time."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda one: _compute.driver.destroy(_compute.context, *one), _spawned.values()):
            pass
    _spawned.clear()
    _compute.instances.clear()


def end() -> None:
    """Take everything away."""
    _compute.cleanUp()
    environment.remove_image(environment.NODE_IMAGE_ID)


def _instance(number: int) -> Any:
    instance = _compute.instance(_image, hostname=f"bench-{number}")
    instance.key_name, instance.key_data = "bench", "ssh-ed25519 AAAA bench"
    return instance


def _port(number: int) -> Any:
    subnet = neutron.subnet("10.93.0.0/24", f"10.93.0.{10 + number}", gateway="10.93.0.1", dns=("10.93.0.1",))
    return neutron.port(_bridge, subnet, mac=f"fa:16:3e:be:00:{number:02x}")


if __name__ == "__main__":
    serving.serve(lambda: None)
