# SPDX-License-Identifier: Apache-2.0
"""Things that checks look at: found when the first one asks, and once, however many ask at the same time."""

from __future__ import annotations

import functools
import threading
from typing import Any, Callable

from sahara_docker import exceptions
from sahara_docker.cli.doctor import check


class Finder:
    """Base of a class with properties that are declared with :func:`once`."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Any, Exception | None]] = {}
        self.locks: dict[str, threading.Lock] = {}
        self.lock = threading.Lock()


def once(find: Callable[[Any], Any]) -> Any:
    """Make a property of a :class:`Finder` that is computed once; what it raises is raised again each time."""
    name = find.__name__

    @functools.wraps(find)
    def found(self: Finder) -> Any:
        with self.lock:
            lock = self.locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self.known:
                try:
                    self.known[name] = (find(self), None)
                except (check.NotHere, exceptions.SaharaDockerError) as error:
                    self.known[name] = (None, error)
        value, trouble = self.known[name]
        if trouble is not None:
            raise trouble
        return value

    return property(found)
