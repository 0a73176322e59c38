# SPDX-License-Identifier: Apache-2.0
"""Runs checks side by side, none for longer than all may take."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from typing import Any, Callable, Iterable

from sahara_docker import exceptions
from sahara_docker.cli.doctor import check

_WORKERS = 12


@dataclasses.dataclass(frozen=True)
class Finding:
    """A check with its result and the seconds that it took."""

    declared: check.Check
    result: check.Result
    seconds: float

    @property
    def remedy(self) -> str:
        """What to do; empty when there is nothing to do."""
        return self.result.remedy or self.declared.remedy if self.result.status in (check.WARN, check.FAIL) else ""


def run(
    checks: Iterable[check.Check], site: Any, *, timeout: float, progress: Callable[[Finding], None] = lambda _: None
) -> list[Finding]:
    """Run *checks* against *site* and return what they found, in their own order.

    :param timeout: seconds after which checks that have not ended count as failed.
    :param progress: called with each finding as it comes, in this thread.
    """
    checks = list(checks)
    todo: queue.SimpleQueue[check.Check] = queue.SimpleQueue()
    done: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    for one in checks:
        todo.put(one)

    def work() -> None:
        while True:
            try:
                one = todo.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            done.put(Finding(one, _result(one, site), time.monotonic() - began))

    # Daemons, so that a probe which hangs in a foreign service does not keep the command from ending.
    for _ in range(min(_WORKERS, len(checks))):
        threading.Thread(target=work, daemon=True).start()
    deadline = time.monotonic() + timeout
    found: dict[str, Finding] = {}
    while len(found) < len(checks):
        try:
            finding = done.get(timeout=max(deadline - time.monotonic(), 0))
        except queue.Empty:
            break
        found[finding.declared.name] = finding
        progress(finding)
    for one in checks:
        if one.name not in found:
            result = check.Result(check.FAIL, one.title, f"no answer within {timeout:g} s")
            found[one.name] = Finding(one, result, timeout)
            progress(found[one.name])
    return [found[one.name] for one in checks]


def _result(one: check.Check, site: Any) -> check.Result:
    try:
        return one.probe(site)
    except check.NotHere as reason:
        return check.Result(check.NOT_APPLICABLE, one.title, str(reason))
    except exceptions.SaharaDockerError as error:
        seen = f"{error.what}: {error.observed}" if error.observed else error.what
        return check.Result(check.FAIL, error.where or one.title, seen, error.remedy)
    except Exception as error:  # a defect of the check must not hide what the others found
        return check.Result(check.FAIL, one.title, f"the check itself failed: {type(error).__name__}: {error}")


def worst(findings: Iterable[Finding]) -> str:
    """Return the worst status of all."""
    return max((finding.result.status for finding in findings), key=check.STATUSES.index, default=check.OK)
