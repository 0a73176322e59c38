# SPDX-License-Identifier: Apache-2.0
"""The lab's compute hosts: one, or several on this machine, each with a Docker daemon and a bridge of its own."""

from __future__ import annotations

import dataclasses
import os

from lab import docker_engine, settings
from sahara_docker import exceptions

MOST = 9
#: How many hosts a new lab shall have; set by ``make demo HOSTS=3``.
VARIABLE = "HOSTS"


@dataclasses.dataclass(frozen=True)
class ComputeHost:
    """One compute host.

    :param number: 1 for the first, whose daemon can be the machine's own; that of the others is the lab's.
    """

    lab: settings.Lab
    number: int

    @property
    def name(self) -> str:
        """As Nova and Docker's labels have it."""
        return settings.host_name(self.lab, self.number)

    @property
    def bridge(self) -> str:
        return settings.bridge(self.name)

    @property
    def docker(self) -> str:
        """Address of its Docker daemon."""
        return docker_engine.host(self.lab, self.number)

    @property
    def has_own_docker(self) -> bool:
        """Whether that daemon is the lab's, and not the machine's."""
        return docker_engine.is_ours(self.lab, self.number)

    def unique(self, word: str) -> str:
        """*word* for the first host, with the number behind it for the others: names of services and files."""
        return settings.numbered(word, self.number)


def choose(lab: settings.Lab) -> int:
    """Decide how many hosts the lab has, and remember it; more may be asked for later, but not fewer.

    :returns: their number.
    :raises SaharaDockerError: when what was asked for cannot be had.
    """
    asked = os.environ.get(VARIABLE) or ""
    there = _number(lab)
    if asked and not (asked.isdigit() and 1 <= int(asked) <= MOST):
        raise exceptions.SaharaDockerError(
            f"{VARIABLE} is not a number of compute hosts", observed=asked, remedy=f"give one from 1 to {MOST}"
        )
    if asked and int(asked) < there:
        raise exceptions.SaharaDockerError(
            f"the lab has {there} compute hosts and cannot have fewer",
            observed=f"{VARIABLE}={asked}",
            remedy="run `make demo-down` before",
        )
    wanted = int(asked or there or 1)
    _file(lab).parent.mkdir(parents=True, exist_ok=True)
    _file(lab).write_text(f"{wanted}\n")
    return wanted


def all_of(lab: settings.Lab) -> list[ComputeHost]:
    """The lab's compute hosts, the first one first."""
    return [ComputeHost(lab, number) for number in range(1, (_number(lab) or 1) + 1)]


def _number(lab: settings.Lab) -> int:
    """How many :func:`choose` decided on; 0 when it has not been called for this lab."""
    try:
        return int(_file(lab).read_text())
    except FileNotFoundError:
        return 0


def _file(lab: settings.Lab):
    return lab.data / "hosts"
