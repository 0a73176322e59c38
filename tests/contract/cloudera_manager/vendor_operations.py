# SPDX-License-Identifier: Apache-2.0
"""The operations of Cloudera Manager's API, read from the vendor's generated client: what each takes and answers."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re

from cm_client import apis

_CALL = re.compile(r"call_api\('([^']+)', '(\w+)',.*?response_type=(?:'([^']*)'|None)", re.DOTALL)
_BODY = re.compile(r":param (\S+) body:")

#: What operations took and answered before the version in which the vendor changed their types.
_EARLIER = {"ApiUser2": ("ApiUser", 18), "ApiUser2List": ("ApiUserList", 18)}


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation: names of cm-client's models, or None where it takes or answers nothing."""

    method: str
    path: str
    takes: str | None
    answers: str | None

    def type_of(self, kind: str | None, version: int) -> str | None:
        """Return the type that stood in the place of *kind* in an API version."""
        earlier, changed = _EARLIER.get(kind or "", (kind, 0))
        return earlier if version < changed else kind


@functools.cache
def _operations() -> list[tuple[str, re.Pattern[str], Operation]]:
    found = []
    for file in sorted(pathlib.Path(apis.__path__[0]).glob("*_api.py")):
        # Every operation is two methods, of which the second has the call.
        for text in re.split(r"\n    def ", file.read_text(encoding="utf-8")):
            call, body = _CALL.search(text), _BODY.search(text)
            if call:
                path, method, answers = call.groups()
                pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"\Z")
                found.append((method, pattern, Operation(method, path, body and body[1], answers)))
    # What is spelled out goes before what a placeholder stands for.
    return sorted(found, key=lambda entry: entry[2].path.count("{"))


def find(method: str, path: str) -> Operation:
    """Return the operation of a request, by its path below the version.

    :raises AssertionError: the vendor's API has none.
    """
    for known, pattern, operation in _operations():
        if known == method and pattern.match(path):
            return operation
    raise AssertionError(f"Cloudera Manager's API has no {method} {path}")
