# SPDX-License-Identifier: Apache-2.0
"""From method and path to a function."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from .errors import ApiError
from .model import User
from .views import Views


@dataclasses.dataclass
class Request:
    """One request to the API, below ``/api/v<version>``."""

    method: str
    path: str
    version: int
    params: dict[str, str]
    body: Any
    user: User
    views: Views

    @property
    def view(self) -> str:
        """The view that was asked for, ``summary`` unless said otherwise."""
        return self.params.get("view", "summary").lower()


Endpoint = Callable[..., Any]


class Routes:
    """A table of endpoints. ``{name}`` in a path matches one segment and becomes an argument."""

    def __init__(self) -> None:
        self._table: list[tuple[str, re.Pattern[str], int, Endpoint]] = []

    def add(self, method: str, path: str, *, since: int = 1) -> Callable[[Endpoint], Endpoint]:
        """Register a function for a method and a path that exist since an API version."""
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z")

        def register(function: Endpoint) -> Endpoint:
            self._table.append((method, pattern, since, function))
            return function

        return register

    def find(self, method: str, path: str, version: int) -> tuple[Endpoint, dict[str, str]]:
        """Return the function for a request and its arguments.

        :raises ApiError: 404 for a path that the stand-in does not have, or not in this version; 405 for the method.
        """
        others = []
        for known, pattern, since, function in self._table:
            match = pattern.match(path)
            if match is None:
                continue
            if since > version:
                raise ApiError(404, f"{method} {path} exists since API v{since}; this is v{version}.")
            if known == method:
                return function, match.groupdict()
            others.append(known)
        if others:
            raise ApiError(405, f"{path} does not know {method}, only {', '.join(sorted(set(others)))}.")
        raise ApiError(404, f"The lab's stand-in for Cloudera Manager has no endpoint {method} /api/v{version}{path}.")
