# SPDX-License-Identifier: Apache-2.0
"""Where the time went: from what services note while they work to seconds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

# Sahara's log has local time; it names the cluster in some of these lines only.
_STATUS = re.compile(
    r"^([0-9-]+ [0-9:.]+) .* Cluster status has been changed\. New status=(\w+(?:: \w+)?)", re.MULTILINE
)


class Change(NamedTuple):
    """A cluster's status from a moment (seconds since 1970) on."""

    moment: float
    status: str


class Part(NamedTuple):
    """A command of Cloudera Manager, or a part of one: its name, its role (may be empty), and when it was in work."""

    name: str
    role: str
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


def changes(log: str, since: float) -> list[Change]:
    """Return the changes of a cluster's status in Sahara's log from a moment on."""
    found = [
        Change(datetime.datetime.strptime(when, "%Y-%m-%d %H:%M:%S.%f").timestamp(), status)
        for when, status in _STATUS.findall(log)
    ]
    return [change for change in found if change.moment >= since]


def phases(began: float, found: Iterable[Change], ended: float) -> dict[str, float]:
    """Return the seconds in each status between two moments, in order; those before the first are ``requested``."""
    seconds: dict[str, float] = {}
    last = Change(began, "requested")
    for change in [*found, Change(ended, "")]:
        until = min(change.moment, ended)
        if until > last.moment:
            seconds[last.status] = seconds.get(last.status, 0.0) + until - last.moment
        last = change
    return seconds


def parts(command: Mapping[str, Any]) -> Iterator[Part]:
    """Yield a command of Cloudera Manager's REST API that has ended, and its children."""
    children = (command.get("children") or {}).get("items") or []
    for one in (command, *children):
        role = (one.get("roleRef") or {}).get("roleName", "")
        yield Part(one["name"], role, _moment(one["startTime"]), _moment(one["endTime"]))


def longest_starts(found: Iterable[Part], kinds: Mapping[str, str]) -> dict[str, float]:
    """Return how long the slowest start of each type of role took until its daemon answered.

    :param kinds: the type of each role by its name.
    """
    longest: dict[str, float] = {}
    for part in found:
        if part.name == "Start" and part.role in kinds:
            kind = kinds[part.role]
            longest[kind] = max(part.seconds, longest.get(kind, 0.0))
    return longest


def _moment(text: str) -> float:
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()
