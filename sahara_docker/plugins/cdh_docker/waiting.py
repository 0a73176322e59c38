# SPDX-License-Identifier: Apache-2.0
"""Bounded waits that start short, back off and say what they are still waiting for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sahara.plugins import context

from sahara_docker import exceptions

T = TypeVar("T")

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
PAUSE_GROWTH = 1.5
REPORT_EVERY = 10.0


class NotYet(Exception):
    """What a probe raises while its condition does not hold; the text is what it observed."""


class WaitTimedOut(exceptions.SaharaDockerError):
    """A condition did not come true in time; ``observed`` is the probe's last observation."""


def wait_for(
    probe: Callable[[], T],
    *,
    what: str,
    timeout: float,
    where: str = "",
    remedy: str = "",
    report: Callable[[str], None] | None = None,
    longest_pause: float = LONGEST_PAUSE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = context.sleep,
) -> T:
    """Call *probe* until it returns instead of raising :class:`NotYet`, and return its result.

    :param what: the awaited condition, as in "waiting for *what*".
    :param timeout: seconds until the wait is given up; the probe runs once at least.
    :param report: told every ten seconds what is still missing, and an empty text at its end, of whatever kind.
    :param longest_pause: seconds between two probes at most.
    :raises WaitTimedOut: when *timeout* seconds are over.
    """
    started = clock()
    pause, reported = FIRST_PAUSE, started
    try:
        while True:
            try:
                return probe()
            except NotYet as cause:
                observed = str(cause)
            now = clock()
            left = started + timeout - now
            if left <= 0:
                text = f"{what} not reached in {timeout:g} s"
                raise WaitTimedOut(text, where=where, observed=observed, remedy=remedy)
            if report and now - reported >= REPORT_EVERY:
                reported = now
                report(f"Waiting for {what}, {now - started:.0f} of {timeout:g} s: {observed}")
            sleep(min(pause, left))
            pause = min(pause * PAUSE_GROWTH, longest_pause)
    finally:
        if report and reported > started:
            report("")
