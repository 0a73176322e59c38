# SPDX-License-Identifier: Apache-2.0
"""The demonstration and its cluster, as the tests use them."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable
from typing import Any

from lab import cluster, control, docker_engine, rest, settings

LAB = settings.Lab(settings.default_state())
#: What a health check of Sahara can come to.
COLOURS = ("GREEN", "YELLOW", "RED")


def make(*words: str, timeout: float = 600) -> tuple[int, str]:
    """Run ``make WORDS``; return its exit status and what it printed."""
    done = subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=settings.CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    print(done.stdout)
    return done.returncode, done.stdout


def in_container(node: cluster.Node, *command: str) -> str:
    """Run a command in the node's container, past Sahara and SSH, so that neither can colour what is seen."""
    address = docker_engine.host(LAB)
    listed = docker_engine.client(
        address, "ps", "--filter", f"label=nova.host={LAB.host}", "--format", '{{.ID}} {{.Label "nova.role"}}'
    )
    for line in listed.splitlines():
        container, role = line.split()
        if role == "workload":
            name = docker_engine.client(address, "exec", container, "hostname", "-f").strip()
            if name == node.fqdn:
                return docker_engine.client(address, "exec", container, *command)
    raise AssertionError(f"no container calls itself {node.fqdn}")


def await_demo(done: Callable[[cluster.Cluster | None], bool], what: str, timeout: float = 150) -> None:
    """Look at the demonstration's cluster, None when there is none, until it is as wanted."""
    deadline = time.monotonic() + timeout
    cloud = rest.Cloud(LAB)
    seen = None
    while True:
        try:
            seen = cluster.find(cloud)
            if done(seen):
                return
        except rest.RestError as error:  # Sahara starts anew
            if error.status not in (None, 503):
                raise
        if time.monotonic() > deadline:
            raise AssertionError(f"not {what} in {timeout:.0f} s: {seen and (seen.status, seen.reason)}")
        time.sleep(0.1)


def await_health(cloud: rest.Cloud, cluster_id: str, wanted: str) -> None:
    """Have Sahara look after a cluster's health until it finds the *wanted* one."""
    path = f"/clusters/{cluster_id}"

    def verification() -> dict[str, Any]:
        return cloud.get("sahara", path)["cluster"].get("verification") or {}

    def is_found() -> bool:
        before = verification().get("id")
        cloud.request("PATCH", "sahara", path, {"verification": {"status": "START"}})
        rest.wait_until(
            lambda: verification().get("id") != before and verification().get("status") in COLOURS, timeout=300
        )
        return verification()["status"] == wanted

    rest.wait_until(is_found, timeout=600)


def demo_cluster() -> cluster.Cluster:
    found = cluster.find(rest.Cloud(LAB))
    assert found is not None, "the demonstration's cluster is not there"
    return found


def there() -> cluster.Cluster:
    """The demonstration's cluster, fit for work: as it is, or by ``make demo``."""
    if control.is_up(LAB):
        found = cluster.find(rest.Cloud(LAB))
        if found is not None and found.status == "Active":
            with contextlib.suppress(TimeoutError):
                rest.wait_until(found.answers, timeout=60)
                return found
    status, output = make("demo")
    assert status == 0, output
    return demo_cluster()
