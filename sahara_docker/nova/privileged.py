# SPDX-License-Identifier: Apache-2.0
"""The steps that need root's rights, on networks, devices and mounts, behind a privsep context of their own.

A nova-compute that runs as root takes them in its own process. As another user it starts a helper on first use, by
``[docker_privileged] helper_command`` or, when that is not set, by nova-rootwrap as Nova's own helpers.

Interfaces are made by ``ip -batch``: one process for any number of steps, no netlink socket that an event loop could
schedule away while it is in a foreign network namespace.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, Collection, Sequence

from oslo_concurrency import processutils
from oslo_log import log as logging
from oslo_privsep import capabilities, priv_context

LOG = logging.getLogger(__name__)

_MIB = 1 << 20

context = priv_context.PrivContext(
    "sahara_docker.nova",
    cfg_section="docker_privileged",
    pypath=f"{__name__}.context",
    capabilities=[capabilities.CAP_NET_ADMIN, capabilities.CAP_SYS_ADMIN],
)
context.set_client_mode(os.geteuid() != 0)


def _inside(namespace: str | None) -> list[str]:
    return ["nsenter", f"--net={namespace}"] if namespace else []


def _execute(*words: str, text: str = "", passable: Collection[int] = (0,)) -> str:
    """Run a program and return what it prints.

    Not by processutils: the hook that it gives to each child makes Python copy the service's address space for it,
    which stops the service, with every spawn in it, several times as long.

    :param text: its standard input.
    :param passable: exit statuses that are no failure.
    :raises oslo_concurrency.processutils.ProcessExecutionError: any other exit status.
    """
    LOG.debug("Running %s %s", words, text)
    done = subprocess.run(words, input=text.encode(), capture_output=True, check=False)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode not in passable:
        raise processutils.ProcessExecutionError(out, err, done.returncode, " ".join(words))
    return out


@context.entrypoint
def ip_batch(commands: list[str], namespace: str | None = None) -> None:
    """Run lines of ``ip -batch``; the first one that fails ends it.

    :param commands: such as ``link set dev lo up``.
    :param namespace: path of a network namespace; None for the host's own.
    :raises oslo_concurrency.processutils.ProcessExecutionError: with the words of ``ip``, which name the line.
    """
    _execute(*_inside(namespace), "ip", "-batch", "-", text="".join(f"{c}\n" for c in commands))


@context.entrypoint
def links(namespace: str | None = None, device: str | None = None) -> Sequence[dict[str, Any]]:
    """Return the links of a network namespace as ``ip -json`` has them, or only *device*, if it is there."""
    selected = ["dev", device] if device else []
    out = _execute(*_inside(namespace), "ip", "-json", "link", "show", *selected, passable=(0, 1))
    # "ip -json" prints an empty object for a network namespace that has nothing to show.
    return [link for link in json.loads(out or "[]") if link]


@context.entrypoint
def checksum_in_software(device: str, namespace: str) -> None:
    """Let the kernel finish the checksums of what leaves *device* in a network namespace.

    A veth leaves that to whoever takes the packet. Open vSwitch in its userspace datapath does not do it, so that every
    TCP segment and UDP datagram would arrive broken.
    """
    _execute(*_inside(namespace), "ethtool", "--offload", device, "tx", "off")


def disk(path: str) -> tuple[int, int] | None:
    """Return the bytes of the file system with *path*, all and free ones; None when there is no such path.

    :raises PermissionError: this user cannot reach it.
    """
    try:
        found = os.statvfs(path)
    except FileNotFoundError:
        return None
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


@context.entrypoint
def disk_of_root(path: str) -> tuple[int, int] | None:
    """As :func:`disk`, for a path that only root may know of, such as a directory of the Docker daemon.

    Nova's own directory is the other way round: its user's alone, and this helper's root has no right to others' files.
    """
    return disk(path)


@context.entrypoint
def loop_attach(path: str) -> str:
    """Attach a file to a loop device, unless it is on one; return the device's name."""
    found = _loop_devices(path)
    if found:
        return found[0]
    out = _execute("losetup", "--find", "--show", "--nooverlap", path)
    return out.strip()


@context.entrypoint
def loop_detach(path: str) -> None:
    """Take a file from its loop devices; one that is mounted goes when it is unmounted."""
    for device in _loop_devices(path):
        _execute("losetup", "--detach", device)


def _loop_devices(path: str) -> list[str]:
    out = _execute("losetup", "--noheadings", "--output", "NAME", "--associated", path)
    return out.split()


@context.entrypoint
def share_mounts(path: str) -> None:
    """Make a directory a mount of its own whose mounts reach those who have it as a slave; nothing when it is one."""
    # Not os.path.ismount, which does not see a directory that is mounted on itself.
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        points = {line.split()[4] for line in mounts}
    if os.path.realpath(path).replace(" ", "\\040") not in points:
        _execute("mount", "--bind", path, path)
        _execute("mount", "--make-shared", path)


@context.entrypoint
def mount(device: str, target: str, kind: str, options: str) -> None:
    """Mount a block device's file system of type *kind*."""
    _execute("mount", "-t", kind, "-o", options, device, target)


@context.entrypoint
def unmount(target: str) -> None:
    """Unmount; fails while a file below is open, in an instance too."""
    _execute("umount", target)


@context.entrypoint
def file_system(device: str) -> str:
    """Return what is on a block device: the type of a file system, or other words for what it is; "" when it is empty.

    It is empty when neither a known signature is on it nor anything but zeros in its first and last MiB.
    """
    # 2: nothing found; 8: more than one thing found, which blkid then does not name.
    out = _execute("blkid", "--probe", "--output", "export", device, passable=(0, 2, 8))
    found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    if "TYPE" in found:
        return found["TYPE"]
    if "PTTYPE" in found:
        return f"a partition table ({found['PTTYPE']})"
    with open(device, "rb") as content:
        size = content.seek(0, os.SEEK_END)
        for offset in (0, max(0, size - _MIB)):
            content.seek(offset)
            if content.read(_MIB).strip(b"\0"):
                return "something unknown"
    return ""


@context.entrypoint
def make_file_system(device: str) -> None:
    """Make an ext4 file system; mke2fs itself refuses a device that is mounted."""
    _execute("mke2fs", "-q", "-t", "ext4", "-m", "0", device)
