# SPDX-License-Identifier: Apache-2.0
"""What must be so before the lab touches anything; each miss is one clear line."""

from __future__ import annotations

import errno
import ipaddress
import os
import platform
import re
import shutil
import socket
import subprocess
from pathlib import Path

from lab import dashboard, docker_engine, object_store, packages, settings
from sahara_docker import exceptions

#: The services hold 1.7 GB; the flavors allow the four nodes 9.5 GB, which the demonstration does not fill.
MEMORY_MB = 8000
#: The state directory holds 3.6 GB after a run; the first one also needs room for packages and for building.
DISK_FIRST_GB, DISK_AGAIN_GB = 8, 3
#: What apt downloads and unpacks, and where.
DISK_APT_GB, APT_PLACE = 2, Path("/")
LOOP_CONTROL = Path("/dev/loop-control")
#: Linux takes at most 107 bytes for the path of a Unix socket; the longest below the state directory takes 50.
LONGEST_PATH = 57
#: What every tool that the path is handed to takes literally: shells, configuration files, URLs, database addresses.
PLAIN = re.compile(r"[A-Za-z0-9/._+@-]")


class Unfit(exceptions.SaharaDockerError):
    """This machine cannot run the lab as it is."""


def check(lab: settings.Lab, *, running: bool, openstack: bool = True) -> None:
    """Look at everything and change nothing.

    :param running: whether this lab is up, so that its own ports and memory are not held against it.
    :param openstack: whether OpenStack's services are going to be started, or only containers.
    :raises Unfit: with all that is wrong, a line each.
    """
    checks = [_system, lambda: _path(lab)]
    if not running:
        checks += [_memory, lambda: _disk(lab), lambda: _apt_disk(lab), _loop_devices, lambda: _engine(lab)]
    if not running and openstack:
        checks += [lambda: _ports(lab), _network]
    problems = []
    for one in checks:
        try:
            one()
        except Unfit as problem:
            problems.append(problem)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Unfit("this machine cannot run the lab", observed="".join(f"\n  - {problem}" for problem in problems))


def _system() -> None:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        raise Unfit("the lab needs Linux on x86_64 or aarch64", observed=f"{platform.system()} {platform.machine()}")


def _path(lab: settings.Lab) -> None:
    length = len(os.fsencode(lab.state))
    if length > LONGEST_PATH:
        raise Unfit(
            "the path of the state directory is too long for Unix sockets",
            where=str(lab.state),
            observed=f"{length} bytes, at most {LONGEST_PATH}",
            remedy="clone to a shorter path, or set LAB_STATE to a shorter one",
        )
    strange = sorted({character for character in str(lab.state) if not PLAIN.fullmatch(character)})
    if strange:
        raise Unfit(
            "the path of the state directory has characters that tools of the lab misread",
            where=ascii(str(lab.state)),
            observed=" ".join(map(ascii, strange)),
            remedy="clone to a path of letters, digits and /._+@- only, or set LAB_STATE to such a one",
        )


def memory_mb(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory that is free for use, in MB, bounded by the control group that this process is in."""
    fields = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) // 1024
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        limit = cgroup / name
        if limit.exists() and limit.read_text().strip().isdigit():
            available = min(available, int(limit.read_text()) // 2**20)
    return available


def _memory() -> None:
    available = memory_mb()
    if available < MEMORY_MB:
        raise Unfit(
            "not enough memory for OpenStack and four Hadoop nodes",
            observed=f"{available} MB available, {MEMORY_MB} MB needed",
            remedy="stop something, or take a machine with 12 GB or more",
        )


def _disk(lab: settings.Lab) -> None:
    # The directory alone says nothing: a run that failed early leaves one too.
    again = any(lab.node_image.glob("node-*.tar"))
    needed = DISK_AGAIN_GB if again else DISK_FIRST_GB
    _demand_disk(_existing(lab.state), needed, "free some, or set LAB_STATE to a directory on a larger disk")


def _apt_disk(lab: settings.Lab) -> None:
    missing = packages.missing(store=object_store.is_chosen(lab))
    if missing and APT_PLACE.stat().st_dev != _existing(lab.state).stat().st_dev:
        _demand_disk(APT_PLACE, DISK_APT_GB, "free some, for the packages that apt will install")


def _loop_devices() -> None:
    if not LOOP_CONTROL.exists():
        raise Unfit(
            "no loop devices, by which each container has a data disk of its flavor's size",
            where=str(LOOP_CONTROL),
            remedy="modprobe loop; a container that the lab runs in has to be given them",
        )


def _existing(place: Path) -> Path:
    while not place.exists():
        place = place.parent
    return place


def _demand_disk(place: Path, needed: int, remedy: str) -> None:
    free = shutil.disk_usage(place).free / 2**30
    if free < needed:
        raise Unfit(
            "not enough disk space",
            where=str(place),
            observed=f"{free:.1f} GB free, {needed} GB needed",
            remedy=remedy,
        )


def _ports(lab: settings.Lab) -> None:
    ports = dict(settings.PORTS)
    if object_store.is_chosen(lab):
        ports |= settings.STORE_PORTS
    if dashboard.is_chosen(lab):
        ports |= settings.DASHBOARD_PORTS
    taken = [f"{port} ({name}){holder(port)}" for name, port in ports.items() if is_taken(port)]
    if taken:
        raise Unfit(
            "ports that the lab listens on are taken",
            where="127.0.0.1",
            observed=", ".join(taken),
            remedy="stop what holds them (`ss -ltnp` shows it)",
        )


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def holder(port: int) -> str:
    """`` by NAME, process PID`` of who listens on *port* of loopback, or nothing when that cannot be seen."""
    sockets = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":
            sockets.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if any(os.readlink(link) in sockets for link in (process / "fd").iterdir()):
                    return f" by {(process / 'comm').read_text().strip()}, process {process.name}"
            except OSError:
                continue
    return ""


def _network() -> None:
    if not shutil.which("ip"):
        return  # on the list of packages to install; a new machine has no routes that matter
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, timeout=10, check=False).stdout
    for line in routes.splitlines():
        target = line.split()[0]
        if target != "default" and settings.BRIDGE not in line:
            try:
                network = ipaddress.ip_network(target, strict=False)
            except ValueError:
                continue
            if network.overlaps(settings.SUBNET):
                raise Unfit(
                    "the lab's network is in use on this machine", where=str(settings.SUBNET), observed=f"route {line}"
                )


def _engine(lab: settings.Lab) -> None:
    """The driver plugs the containers' interfaces on this machine, so the daemon must be here too."""
    named = os.environ.get("DOCKER_HOST")
    if not named or named == docker_engine.own_host(lab):  # the lab's own, which comes up with it
        return
    if not named.startswith("unix://"):
        observed = "another address than unix://, while the driver plugs network interfaces on this machine"
    elif not docker_engine.answers(named):
        observed = "no daemon answers there"
    else:
        return
    raise Unfit(
        "the lab cannot use the Docker daemon that DOCKER_HOST names",
        where=named,
        observed=observed,
        remedy="unset DOCKER_HOST, or name the socket of a daemon of this machine",
    )
