# SPDX-License-Identifier: Apache-2.0
"""Flavor and options -> what the Docker daemon is asked to enforce on an instance.

Only an operator's words count here: nova.conf and the flavor. An image has no say beyond its own instances' namespaces.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
from typing import Any, Iterable, Iterator, Mapping, NamedTuple
from urllib import parse

import docker.types
from nova import exception
from oslo_log import log as logging
from oslo_utils import strutils

LOG = logging.getLogger(__name__)

UNLIMITED = -1
_CAP_SYS_RESOURCE = 24
# Docker's names of limits -> those of /proc/<pid>/limits, for the ones whose units agree.
_PROC_NAMES = {
    "core": "Max core file size",
    "memlock": "Max locked memory",
    "nofile": "Max open files",
    "nproc": "Max processes",
    "stack": "Max stack size",
}
_SHARES_OF_A_CPU = 1024
_MOST_SHARES = 262144  # the kernel's own bound of cpu.shares
_DEFAULT_CPU_PERIOD_US = 100_000
_NETWORK_SYSCTLS = "net."
_HEALTHCHECK_PAUSE_NS = 1_000_000_000
_RESERVED_PORTS = "net.ipv4.ip_local_reserved_ports"
# Half of what one write to such a file can hold.
_RESERVED_PORTS_LENGTH = 2048


class Ulimit(NamedTuple):
    """One resource limit, as ``setrlimit`` has it; -1 is unlimited."""

    name: str
    soft: int
    hard: int

    @classmethod
    def parse(cls, text: str) -> Ulimit:
        """Read ``name=soft:hard`` or ``name=value``.

        :raises ValueError: it is neither.
        """
        name, _, values = text.strip().partition("=")
        soft, _, hard = values.partition(":")
        try:
            limit = cls(name, int(soft), int(hard or soft))
        except ValueError:
            limit = cls("", 0, 0)
        if not limit.name or min(limit.soft, limit.hard) < UNLIMITED or _above(limit.soft, limit.hard):
            raise ValueError(f'"{text}" is not a limit: write name=soft:hard or name=value, soft no higher than hard')
        return limit

    def bounded(self, ceiling: int) -> Ulimit:
        """Return this limit, lowered to *ceiling* where it is above it."""
        return self._replace(
            soft=ceiling if _above(self.soft, ceiling) else self.soft,
            hard=ceiling if _above(self.hard, ceiling) else self.hard,
        )


def _above(value: int, bound: int) -> bool:
    return bound != UNLIMITED and (value == UNLIMITED or value > bound)


def ulimits(lists: Iterable[Iterable[str]], ceilings: Mapping[str, int]) -> list[Ulimit]:
    """Merge lists of limits, a later one over an earlier one, and lower each to its ceiling.

    :raises ValueError: an item is not a limit.
    """
    merged = {limit.name: limit for items in lists for limit in map(Ulimit.parse, items)}
    return [limit.bounded(ceilings.get(limit.name, UNLIMITED)) for limit in merged.values()]


def daemon_ceilings(url: str, proc: str = "/proc") -> dict[str, int]:
    """Return the hard limits above which the daemon at *url* cannot start a container: {} where it can raise limits
    itself.

    Raising a hard limit takes CAP_SYS_RESOURCE. A daemon without it (a container host inside a container or a small VM)
    fails at *start*, not at creation, when it is asked for more than it has. The process that listens on the daemon's
    socket tells: its capabilities and limits are public in /proc. Nothing is known of a daemon on another host.
    """
    pid = _listener(url)
    if not pid:
        return {}
    ceilings = {"nofile": _read_number(os.path.join(proc, "sys/fs/nr_open"))}  # holds for everyone
    try:
        with open(os.path.join(proc, str(pid), "status"), encoding="ascii", errors="replace") as status:
            bounding = next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd:"))
        if not bounding >> _CAP_SYS_RESOURCE & 1:
            with open(os.path.join(proc, str(pid), "limits"), encoding="ascii", errors="replace") as lines:
                own = _hard_limits(lines)
            ceilings.update({name: own[title] for name, title in _PROC_NAMES.items() if title in own})
    except (OSError, StopIteration, ValueError) as error:
        LOG.warning("Cannot read the limits of the Docker daemon (process %s): %s", pid, error)
    return {name: ceiling for name, ceiling in ceilings.items() if ceiling != UNLIMITED}


def _listener(url: str) -> int:
    address = parse.urlsplit(url)
    if address.scheme != "unix":
        return 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(10)
        try:
            client.connect(address.path)
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return 0
    return struct.unpack("3i", credentials)[0]


def _hard_limits(lines: Iterable[str]) -> dict[str, int]:
    """Parse /proc/<pid>/limits: a name of several words, then soft, hard, and for most of them a unit."""
    limits = {}
    for line in lines:
        title, values = line[:25].strip(), line[25:].split()
        if len(values) >= 2 and (values[1] == "unlimited" or values[1].isdigit()):
            limits[title] = UNLIMITED if values[1] == "unlimited" else int(values[1])
    return limits


def _read_number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return UNLIMITED


def host_config(flavor: Any, options: Any, ceilings: Mapping[str, int], *, root_quota: bool = False) -> dict[str, Any]:
    """Return the limits of an instance as arguments of docker-py's ``create_host_config``.

    Memory is the flavor's; swap is the flavor's too, and none by default. CPUs are a share by default. The flavor's
    ``docker:cpu_cap`` caps them at its vCPUs; ``quota:cpu_shares`` replaces the share and ``quota:cpu_quota``
    (microseconds of each ``quota:cpu_period`` that one CPU may run) the cap, as they do for libvirt.

    :param flavor: nova.objects.Flavor of the instance.
    :param options: the ``[docker]`` group.
    :param ceilings: of :func:`daemon_ceilings`.
    :param root_quota: whether the daemon can hold the root file system to the flavor's size.
    :raises nova.exception.InvalidInput: an option or an extra spec of the flavor makes no sense.
    """
    specs = _specs(flavor)
    with _sensible(flavor):
        memory = flavor.memory_mb << 20
        config: dict[str, Any] = {
            "mem_limit": memory,
            "memswap_limit": memory + (flavor.swap << 20),
            "cpu_shares": min(int(specs.get("quota:cpu_shares", flavor.vcpus * _SHARES_OF_A_CPU)), _MOST_SHARES),
            "pids_limit": int(specs.get("docker:pids_limit", options.pids_limit)),
            "shm_size": int(specs.get("docker:shm_size_mb", options.shm_size_mb)) << 20,
            "ulimits": [
                docker.types.Ulimit(**u._asdict())
                for u in ulimits([options.ulimits, _list(specs, "docker:ulimits")], ceilings)
            ],
            "sysctls": {k: v for k, v in sysctls(flavor, options).items() if not k.startswith(_NETWORK_SYSCTLS)},
            "cap_add": [*options.cap_add, *_list(specs, "docker:cap_add")],
            "cap_drop": _list(specs, "docker:cap_drop"),
            "devices": [*options.devices, *_list(specs, "docker:devices")],
            "privileged": _flag(specs, "docker:privileged", options.privileged),
        }
        period = int(specs.get("quota:cpu_period", 0)) or _DEFAULT_CPU_PERIOD_US
        quota = int(specs.get("quota:cpu_quota", 0))
        if not quota and _flag(specs, "docker:cpu_cap", options.cpu_cap):
            quota = period
        if quota > 0:
            config.update(cpu_period=period, cpu_quota=quota * flavor.vcpus)
    if root_quota and flavor.root_gb:
        config["storage_opt"] = {"size": f"{flavor.root_gb}G"}
    return config


def healthcheck(image: Mapping[str, Any]) -> docker.types.Healthcheck | None:
    """Return an image's health check with longer pauses when it would run all the time, else None: to leave it alone.

    Each check costs the host a process that does not count as the instance's.

    :param image: ``ImageInspect`` of the Docker Engine API.
    """
    wanted = (image.get("Config") or {}).get("Healthcheck") or {}
    short = {name for name in ("Interval", "StartInterval") if 0 < wanted.get(name, 0) < _HEALTHCHECK_PAUSE_NS}
    if not short:
        return None
    check = docker.types.Healthcheck()
    check.update({**wanted, **dict.fromkeys(short, _HEALTHCHECK_PAUSE_NS)})
    return check


def reserved_ports(image: Mapping[str, Any]) -> dict[str, str]:
    """Return the kernel parameter that keeps an image's ports free for who is to listen on them.

    Half of CDH's ports, such as the DataNode's 50010, are among those that the kernel gives to outgoing connections,
    and a daemon whose port is taken does not start. Reserving prevents only that (Linux, ip-sysctl,
    ip_local_reserved_ports).

    :param image: ``ImageInspect`` of the Docker Engine API; its ``ExposedPorts`` count.
    """
    exposed = (image.get("Config") or {}).get("ExposedPorts") or {}
    ports = sorted({int(port.partition("/")[0]) for port in exposed})
    runs = [[port for _, port in run] for _, run in itertools.groupby(enumerate(ports), lambda pair: pair[1] - pair[0])]
    text = ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return {_RESERVED_PORTS: text} if 0 < len(text) <= _RESERVED_PORTS_LENGTH else {}


def sysctls(flavor: Any, options: Any) -> dict[str, str]:
    """Return the kernel parameters of an instance's namespaces: the options', then the flavor's.

    :raises nova.exception.InvalidInput: an item is not ``name=value``.
    """
    with _sensible(flavor):
        return dict(map(_assignment, [*options.sysctls, *_list(_specs(flavor), "docker:sysctls")]))


def network_sysctls(flavor: Any, options: Any) -> dict[str, str]:
    """Return those of :func:`sysctls` that belong to the network namespace, which is the sandbox's."""
    return {name: value for name, value in sysctls(flavor, options).items() if name.startswith(_NETWORK_SYSCTLS)}


def data_gb(flavor: Any) -> int:
    """Return the size of an instance's data volume in GiB: ``docker:data_gb``, else the flavor's ephemeral disk, else
    its root disk; 0 when the flavor has no disk at all.

    :raises nova.exception.InvalidInput: it is more than the disk that Placement has counted for the flavor.
    """
    counted = flavor.root_gb + flavor.ephemeral_gb
    with _sensible(flavor):
        size = int(_specs(flavor).get("docker:data_gb", 0)) or flavor.ephemeral_gb or flavor.root_gb
        if not 0 <= size <= counted:
            raise ValueError(f"docker:data_gb is {size}, the root and ephemeral disk that it is a part of {counted}")
    return size


def _specs(flavor: Any) -> dict[str, str]:
    return dict(flavor.extra_specs) if flavor.obj_attr_is_set("extra_specs") else {}


def _list(specs: Mapping[str, str], name: str) -> list[str]:
    return [item.strip() for item in specs.get(name, "").split(",") if item.strip()]


def _flag(specs: Mapping[str, str], name: str, default: bool) -> bool:
    return strutils.bool_from_string(specs.get(name, default), strict=True)


def _assignment(text: str) -> tuple[str, str]:
    name, _, value = (part.strip() for part in text.partition("="))
    if not name or not value:
        raise ValueError(f'"{text}" is not a kernel parameter: write name=value')
    return name, value


@contextlib.contextmanager
def _sensible(flavor: Any) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        reason = f"[docker] options or extra specs of flavor {flavor.name}: {error}"
        raise exception.InvalidInput(reason=reason) from error
