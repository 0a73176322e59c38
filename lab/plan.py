# SPDX-License-Identifier: Apache-2.0
"""Steps that need one another, run side by side as far as their needs allow."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Sequence


@dataclasses.dataclass(frozen=True)
class Step:
    """One piece of work.

    :param name: unique within its plan.
    :param run: does the work; raises when it cannot.
    :param needs: names of the steps that must have ended well before this one starts.
    """

    name: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Event:
    """A step began (``seconds`` is None), ended well, or failed (``error``)."""

    step: str
    seconds: float | None = None
    error: BaseException | None = None


class StepFailed(Exception):
    """A step raised; ``__cause__`` holds its error."""

    def __init__(self, step: str, cause: BaseException) -> None:
        self.step = step
        self.__cause__ = cause
        super().__init__(f"{step}: {cause}")


def ordered(steps: Iterable[Step]) -> list[Step]:
    """*steps* with every step behind its needs.

    :raises ValueError: for an unknown need, a name used twice or a circle.
    """
    left = list(steps)
    names = [step.name for step in left]
    if len(set(names)) < len(names):
        raise ValueError(f"names used twice: {sorted({n for n in names if names.count(n) > 1})}")
    unknown = {need for step in left for need in step.needs} - set(names)
    if unknown:
        raise ValueError(f"needs that no step provides: {sorted(unknown)}")
    done: list[Step] = []
    while left:
        free = [step for step in left if set(step.needs) <= {other.name for other in done}]
        if not free:
            raise ValueError(f"steps that wait for each other: {[step.name for step in left]}")
        done += free
        left = [step for step in left if step not in free]
    return done


def run(steps: Sequence[Step], notify: Callable[[Event], None], cancelled: threading.Event | None = None) -> None:
    """Run *steps*, each in a thread of its own once its needs are met.

    After a failure no further step starts; the running ones are waited for. *notify* is called from the threads, one
    call at a time.

    :raises StepFailed: with the first step that failed.
    """
    stop = cancelled or threading.Event()
    finished = {step.name: threading.Event() for step in ordered(steps)}
    lock = threading.Lock()
    failures: list[StepFailed] = []

    def tell(event: Event) -> None:
        with lock:
            notify(event)

    def work(step: Step) -> None:
        for need in step.needs:
            while not finished[need].wait(0.2):
                if stop.is_set():
                    return
        if stop.is_set():
            return
        began = time.monotonic()
        try:
            tell(Event(step.name))
            step.run()
            tell(Event(step.name, time.monotonic() - began))
            finished[step.name].set()
        except BaseException as error:
            failures.append(StepFailed(step.name, error))
            stop.set()
            with contextlib.suppress(Exception):
                tell(Event(step.name, time.monotonic() - began, error))

    threads = [threading.Thread(target=work, args=(step,), name=step.name, daemon=True) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)
    if failures:
        raise failures[0]
