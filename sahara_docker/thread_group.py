# SPDX-License-Identifier: Apache-2.0
"""Green threads that end with the operation that has begun them."""

from __future__ import annotations

from typing import Any, Callable

import eventlet
from sahara import context


class ThreadGroup(context.ThreadGroup):
    """Sahara's thread group, which goes no further when the thread that waits for it is stopped.

    Sahara's leaves the threads of the group running then, at work on a cluster that is another operation's.
    """

    def __init__(self) -> None:
        super().__init__()
        self._running: set[Any] = set()
        self._stopped = False

    def spawn(self, thread_description: str, func: Callable, *args: Any, **kwargs: Any) -> None:
        super().spawn(thread_description, self._run, func, *args, **kwargs)

    def _run(self, func: Callable, *args: Any, **kwargs: Any) -> None:
        if self._stopped:
            return
        thread = eventlet.getcurrent()
        self._running.add(thread)
        try:
            func(*args, **kwargs)
        finally:
            self._running.discard(thread)

    def __exit__(self, kind: Any, *failure: Any) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._stop()
        try:
            super().__exit__(kind, *failure)
        except Exception:
            raise
        except BaseException:
            self._stop()
            raise

    def _stop(self) -> None:
        self._stopped = True  # for threads that have not begun yet
        for thread in list(self._running):
            eventlet.kill(thread)
