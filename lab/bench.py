# SPDX-License-Identifier: Apache-2.0
"""``make bench``: what this package costs beside stock Sahara, measured on this machine."""

from __future__ import annotations

from pathlib import Path

from lab import console, control, docker_engine, installation, node_image, parts, preflight, settings, teardown, testing

RESULTS = settings.CHECKOUT / "build" / "bench.json"
LABEL = "sahara-docker.benchmark"
#: Seconds for all of them, also on a slow and busy machine.
LIMIT = 3600


def run(lab: settings.Lab, names: list[str]) -> None:
    """Measure, print a table and write :data:`RESULTS`.

    It needs a Docker daemon and the node image, not OpenStack. A lab that runs goes on running; where there was none,
    none is left.

    :param names: of :data:`benchmarks.MODULES`; all when empty.
    :raises SaharaDockerError: when something failed; a missed target is no failure.
    """
    there = docker_engine.is_chosen(lab)
    running = control.is_up(lab)
    preflight.check(lab, running=running, openstack=False)
    installation.announce(lab, "test")
    try:
        tools = testing.prepare(lab)
        with docker_engine.running(lab):
            _measure(lab, tools, names)
    finally:
        if not there:
            teardown.down(lab)
    console.step(f"the results are in {RESULTS}")


def _measure(lab: settings.Lab, tools: Path, names: list[str]) -> None:
    address, label = docker_engine.host(lab), f"{LABEL}={lab.host}"
    image = node_image.build(lab.node_image, address, lab.node_password, lambda text: console.step(f"  {text}"))
    environment = {**testing.variables(lab, tools), **testing.node_variables(lab, image)}
    words = [tools / "python", "-m", "benchmarks", "--output", RESULTS, "--state", lab.state, "--label", label, *names]
    _clear(lab, address, label)  # of a run that was killed
    try:
        parts.run(parts.Part("benchmarks", words, environment, LIMIT))
    finally:
        _clear(lab, address, label)


def _clear(lab: settings.Lab, address: str, label: str) -> None:
    # Benchmarks of the driver have a compute host of their own, and containers that look like one's.
    for one in (label, f"nova.host={lab.host}-bench", f"nova.host={lab.host}-bench-floor"):
        docker_engine.remove_labelled(address, one)
