# SPDX-License-Identifier: Apache-2.0
"""What a check is, and the list of them all.

To add one, write a function in the module of its subject::

    @check.declare(
        "kernel.swappiness",
        "how readily the kernel swaps",
        covers=("swappiness",),
        remedy="sysctl -w vm.swappiness=1",
    )
    def swappiness(site: Site) -> check.Result:
        value = int(site.host.read("/proc/sys/vm/swappiness"))
        return check.judge(value <= 10, "vm.swappiness", str(value), otherwise=check.WARN)

The decorator is its row in ``--list`` and in docs/doctor.md. ``covers`` says which troubles it looks for: a number is
one of the blog's, a word is a key of :data:`BEYOND_THE_BLOG`; both are anchors of docs/troubles.md.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable

OK, WARN, FAIL, NOT_APPLICABLE = "ok", "warn", "fail", "not applicable"
#: From the best to the worst; the exit code goes by the worst.
STATUSES = (NOT_APPLICABLE, OK, WARN, FAIL)

BLOG = range(1, 18)
#: What else goes wrong with CDH in containers, by the name of its place in docs/troubles.md.
BEYOND_THE_BLOG = {
    "ptr": "an address resolves to another name than the node's own, and the NameNode rejects the DataNode",
    "datanode-address": "a client outside the cluster cannot reach a DataNode under the address it is given",
    "cloned-identity": "nodes share an agent's identity or a DataNode's storage id that an image brought along",
    "agent-restart": "an agent or its supervisor does not restart cleanly",
    "agent-filesystems": "an agent does not watch data directories on a file system that it does not know",
    "agent-tmpfs": "an agent may not mount its process directory",
    "database-session": "the session of Cloudera Manager's database cannot be opened",
    "swappiness": "swapping and huge pages are the host's settings",
    "memory": "a node sees the host's memory and promises it to YARN",
    "host-disk": "every DataNode reports the host's whole disk as its own",
    "disk-threshold": "NodeManagers turn unhealthy when the disk is 90 % full",
    "addresses": "addresses change when containers restart",
    "cluster-id": "a DataNode belongs to another HDFS after a restart",
    "zombies": "dead processes are not reaped",
    "log-growth": "container logs fill the host's disk",
    "clock": "containers have the host's clock",
    "inotify": "limits of inotify and the cgroup executor are the host's",
}


class NotHere(Exception):
    """What a check looks at does not exist in this place; the text says why."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a check found.

    :param status: one of :data:`STATUSES`.
    :param looked_at: the file, option, address or object.
    :param saw: what was there, in few words.
    :param remedy: what to do about it, when that is more exact than the check's general remedy.
    """

    status: str
    looked_at: str
    saw: str
    remedy: str = ""


@dataclasses.dataclass(frozen=True)
class Fix:
    """A change that ``--fix`` can make after asking.

    :param question: what it would do, as a question.
    :param apply: does it; raises SaharaDockerError or OSError when it cannot.
    """

    question: str
    apply: Callable[[Any], None]


@dataclasses.dataclass(frozen=True)
class Check:
    """A declared check.

    :param name: ``subject.what``.
    :param title: what it is about, in words that continue "looks at".
    :param covers: numbers of the blog's troubles and keys of :data:`BEYOND_THE_BLOG`.
    :param remedy: what to do when it fails.
    :param probe: looks; returns a Result, raises :class:`NotHere` or SaharaDockerError.
    :param fix: what ``--fix`` offers, None for nothing.
    """

    name: str
    title: str
    covers: tuple[int | str, ...]
    remedy: str
    probe: Callable[[Any], Result]
    fix: Fix | None = None

    @property
    def troubles(self) -> list[int]:
        """The blog's numbers among what it covers."""
        return [one for one in self.covers if isinstance(one, int)]

    @property
    def link(self) -> str:
        """Where docs/troubles.md tells more."""
        first = self.covers[0] if self.covers else ""
        anchor = f"trouble-{first}" if isinstance(first, int) else first
        return f"docs/troubles.md#{anchor}" if anchor else "docs/troubles.md"


#: Every check by its name, in the order of declaration.
CHECKS: dict[str, Check] = {}


def declare(
    name: str,
    title: str,
    *,
    covers: tuple[int | str, ...],
    remedy: str,
    fix: Fix | None = None,
    into: dict[str, Check] = CHECKS,
) -> Callable[[Callable[[Any], Result]], Callable[[Any], Result]]:
    """Add the decorated function to the checks *into*; the other parameters are those of :class:`Check`."""

    def register(probe: Callable[[Any], Result]) -> Callable[[Any], Result]:
        assert name not in into, f"two checks are called {name}"
        into[name] = Check(name, title, covers, remedy, probe, fix)
        return probe

    return register


def judge(good: bool, looked_at: str, saw: str, *, otherwise: str = FAIL, remedy: str = "") -> Result:
    """Return ok when *good*, else a result with the status *otherwise* and the more exact *remedy*."""
    return Result(OK, looked_at, saw) if good else Result(otherwise, looked_at, saw, remedy)


def findings(
    wrong: dict[str, str], looked_at: str, fine: str, *, otherwise: str = FAIL, remedy: str = "", most: int = 5
) -> Result:
    """Return ok with the words *fine* when nothing is wrong, else name what is.

    :param wrong: what is wrong, by the thing that it is wrong with.
    :param most: how many of them to name.
    """
    if not wrong:
        return Result(OK, looked_at, fine)
    saw = "; ".join(f"{thing}: {what}" for thing, what in list(wrong.items())[:most])
    return Result(otherwise, looked_at, saw + (f"; and {len(wrong) - most} more" if len(wrong) > most else ""), remedy)
