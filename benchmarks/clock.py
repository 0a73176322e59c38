# SPDX-License-Identifier: Apache-2.0
"""How long something takes, and how much of a processor."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import NamedTuple


class Taken(NamedTuple):
    """Seconds.

    :param wall: by the clock.
    :param cpu: of this process and of its children that have ended.
    """

    wall: float
    cpu: float


def timed(action: Callable[[], object]) -> Taken:
    """Run *action*."""
    cpu, began = _cpu(), time.perf_counter()
    action()
    return Taken(time.perf_counter() - began, _cpu() - cpu)


def _cpu() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
