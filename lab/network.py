# SPDX-License-Identifier: Apache-2.0
"""The lab's network on this machine: a Linux bridge, whose address is the subnet's gateway, for the first compute host.

Each further host has a bridge of its own, joined to the first by a pair of interfaces as by a cable.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from lab import compute_hosts, leftovers, settings
from sahara_docker import exceptions

_BRIDGES = f"{settings.BRIDGE[:-1]}+"  # iptables' way to name them all
_RULE = ["FORWARD", "-i", _BRIDGES, "-o", _BRIDGES]
_RULE += ["-m", "comment", "--comment", "sahara-docker lab", "-j", "ACCEPT"]
_BRIDGE_FILTER = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def _gateway() -> str:
    return f"{settings.GATEWAY}/{settings.SUBNET.prefixlen}"


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)
    if check and done.returncode:
        raise exceptions.SaharaDockerError(
            "the lab's bridge cannot be set up", where=f"ip {' '.join(words)}", observed=done.stderr.strip()
        )
    return done


def exists(interface: str = settings.BRIDGE) -> bool:
    return _ip("link", "show", "dev", interface, check=False).returncode == 0


def _owner() -> str:
    """The lab that made the bridge, which the interface's alias says; empty when there is none."""
    for line in _ip("-details", "link", "show", "dev", settings.BRIDGE, check=False).stdout.splitlines():
        if line.split()[:1] == ["alias"]:
            return line.split()[1]
    return ""


def create(lab: settings.Lab) -> None:
    """Make the bridges and let traffic between their ports pass; harmless when they are there.

    What a lab left whose processes have all been killed, by a reset of the machine's processes for example, gives way.

    :raises SaharaDockerError: they are another lab's, which runs, or cannot be made.
    """
    if exists() and _owner() != lab.host:
        _clear(_owner())
    if not exists():
        _ip("link", "add", settings.BRIDGE, "type", "bridge")
        _ip("link", "set", settings.BRIDGE, "alias", lab.host)
    _ip("address", "replace", _gateway(), "dev", settings.BRIDGE)
    _ip("link", "set", settings.BRIDGE, "up")
    for host in compute_hosts.all_of(lab)[1:]:
        _join(host.bridge)
    # A Docker engine with its default settings sends bridged frames through iptables and drops what it does not know.
    filtered = _BRIDGE_FILTER.exists() and _BRIDGE_FILTER.read_text().strip() == "1"
    if filtered and not _rule("-C") and not _rule("-I"):
        raise exceptions.SaharaDockerError(
            "no rule can be made for the lab's bridge, so its nodes could not reach each other",
            where="iptables -I FORWARD",
            remedy="look at what `iptables -I FORWARD -j ACCEPT` says",
        )


def _clear(owner: str) -> None:
    """Take away the bridges of a lab that does not run, with what is plugged into them.

    :raises SaharaDockerError: it runs, or nothing says whose they are.
    """
    running = leftovers.running_labs()
    if owner in running:
        raise exceptions.SaharaDockerError(
            "the bridge belongs to another lab",
            where=settings.BRIDGE,
            observed=f"{owner}, which runs in {running[owner]}",
            remedy="run `make demo-down` in that lab's checkout",
        )
    if not owner.startswith("lab-"):
        raise exceptions.SaharaDockerError(
            "nothing says that the bridge is a lab's",
            where=settings.BRIDGE,
            observed=f"alias {owner}" if owner else "no alias",
            remedy=f"if nothing uses it, remove it: ip link delete {settings.BRIDGE}",
        )
    for bridge in _names("type", "bridge"):
        if bridge.rstrip("0123456789") == settings.BRIDGE[:-1]:
            for port in (*_names("master", bridge), bridge):
                _ip("link", "delete", port, check=False)  # the far end of a pair has gone with the near one


def _names(*selected: str) -> list[str]:
    """Names of the interfaces that ``ip link show`` selects by these words."""
    return [link["ifname"] for link in json.loads(_ip("-json", "link", "show", *selected).stdout or "[]")]


def _join(bridge: str) -> None:
    """Make another *bridge* and a cable from it to the first."""
    if not exists(bridge):
        _ip("link", "add", bridge, "type", "bridge")
    near, far = _cable(bridge)
    if not exists(near):
        _ip("link", "add", near, "type", "veth", "peer", "name", far)
    _ip("link", "set", near, "master", settings.BRIDGE, "up")
    _ip("link", "set", far, "master", bridge, "up")
    _ip("link", "set", bridge, "up")


def _cable(bridge: str) -> tuple[str, str]:
    """The ends of the cable to *bridge*: at the first bridge, and at this one."""
    return f"{bridge}-near", f"{bridge}-far"


def remove(lab: settings.Lab) -> None:
    """Take this lab's bridges and its rule away; harmless when they are not there or another lab's."""
    if exists() and _owner() == lab.host:
        while _rule("-C") and _rule("-D"):
            pass
        for host in compute_hosts.all_of(lab)[1:]:
            for interface in (_cable(host.bridge)[0], host.bridge):
                if exists(interface):
                    _ip("link", "delete", interface)
        _ip("link", "delete", settings.BRIDGE)


def _rule(action: str) -> bool:
    if not shutil.which("iptables"):
        return False
    done = subprocess.run(["iptables", "-w", "5", action, *_RULE], capture_output=True, timeout=15, check=False)
    return done.returncode == 0
