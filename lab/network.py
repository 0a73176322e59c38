# SPDX-License-Identifier: Apache-2.0
"""The lab's network on this machine: one Linux bridge whose address is the subnet's gateway."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab import settings
from sahara_docker import exceptions

_RULE = ["FORWARD", "-i", settings.BRIDGE, "-o", settings.BRIDGE]
_RULE += ["-m", "comment", "--comment", "sahara-docker lab", "-j", "ACCEPT"]
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def _gateway() -> str:
    return f"{next(settings.SUBNET.hosts())}/{settings.SUBNET.prefixlen}"


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)
    if check and done.returncode:
        raise exceptions.SaharaDockerError(
            "the lab's bridge cannot be set up", where=f"ip {' '.join(words)}", observed=done.stderr.strip()
        )
    return done


def exists() -> bool:
    return _ip("link", "show", "dev", settings.BRIDGE, check=False).returncode == 0


def _owner() -> str:
    """The lab that made the bridge, which the interface's alias says; empty when there is none."""
    for line in _ip("-details", "link", "show", "dev", settings.BRIDGE, check=False).stdout.splitlines():
        if line.split()[:1] == ["alias"]:
            return line.split()[1]
    return ""


def create(lab: settings.Lab) -> None:
    """Make the bridge and let traffic between its ports pass; harmless when it is there.

    :raises SaharaDockerError: it is another lab's, or cannot be made.
    """
    if not exists():
        _ip("link", "add", settings.BRIDGE, "type", "bridge")
        _ip("link", "set", settings.BRIDGE, "alias", lab.host)
    elif _owner() != lab.host:
        raise exceptions.SaharaDockerError(
            "the bridge belongs to another lab",
            where=settings.BRIDGE,
            observed=_owner() or "no name on it",
            remedy="run `make demo-down` in that lab's checkout",
        )
    _ip("address", "replace", _gateway(), "dev", settings.BRIDGE)
    _ip("link", "set", settings.BRIDGE, "up")
    # A Docker engine with its default settings sends bridged frames through iptables and drops what it does not know.
    filtered = _BRIDGE_FILTER.exists() and _BRIDGE_FILTER.read_text().strip() == "1"
    if filtered and not _rule("-C") and not _rule("-I"):
        raise exceptions.SaharaDockerError(
            "no rule can be made for the lab's bridge, so its nodes could not reach each other",
            where="iptables -I FORWARD",
            remedy="look at what `iptables -I FORWARD -j ACCEPT` says",
        )


def remove(lab: settings.Lab) -> None:
    """Take this lab's bridge and its rule away; harmless when they are not there or another lab's."""
    if exists() and _owner() == lab.host:
        while _rule("-C") and _rule("-D"):
            pass
        _ip("link", "delete", settings.BRIDGE)


def _rule(action: str) -> bool:
    if not shutil.which("iptables"):
        return False
    done = subprocess.run(["iptables", "-w", "5", action, *_RULE], capture_output=True, timeout=15, check=False)
    return done.returncode == 0
