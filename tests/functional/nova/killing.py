# SPDX-License-Identifier: Apache-2.0
"""A nova-compute that is killed in the middle of its work: a copy of this process that kills itself."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, Callable

from eventlet import tpool

from sahara_docker.nova import driver
from tests.functional.nova import environment

_LONGEST_WAIT = 60  # seconds


def killed_after(compute: environment.Compute, place: Any, step: str, work: Callable[[], Any]) -> None:
    """Do *work* with a compute's driver in another process, which kills itself as the function *step* of *place* ends.

    :param place: a module or class.
    :raises AssertionError: the work ended, or failed, before that.
    """
    compute.driver.cleanup_host(compute.host)
    compute.driver._watcher._thread.join(_LONGEST_WAIT)  # else its locks would be held in the child for ever
    tpool.killall()  # threads for Nova's uploads to Glance: the child would have none of them, and wait for them
    child = os.fork()
    if not child:
        try:
            # Neither connections nor locks of threads that this process does not have.
            compute.enter()
            compute.driver = driver.DockerDriver(compute.virtapi)
            setattr(place, step, _and_then(getattr(place, step), _die))
            work()
        finally:
            os._exit(1)
    deadline = time.monotonic() + _LONGEST_WAIT
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)
            raise AssertionError(f"neither {step} nor what comes before it has ended in {_LONGEST_WAIT} s")
        time.sleep(0.02)
    status = ended[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"it ended before {step} did"


def _and_then(function: Callable[..., Any], then: Callable[[], None]) -> Callable[..., Any]:
    def both(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        finally:
            then()

    return both


def _die() -> None:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
