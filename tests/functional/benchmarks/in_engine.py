# SPDX-License-Identifier: Apache-2.0
"""What the test has the engine processes do."""

from __future__ import annotations

import resource

from benchmarks import configuration, engine_process


def hosts(cluster_id: str) -> str:
    """/etc/hosts of the first node."""
    return engine_process.instances(cluster_id)[0].remote().execute_command("cat /etc/hosts")[1]


def configures_by_children(cluster_id: str) -> bool:
    """Configure the nodes; whether children of this process have worked for it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    configuration.configure(cluster_id)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > before


def fail(words: str) -> None:
    raise ValueError(words)
