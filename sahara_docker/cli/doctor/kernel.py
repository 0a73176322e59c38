# SPDX-License-Identifier: Apache-2.0
"""This host's kernel: containers share it, and cannot change it."""

from __future__ import annotations

import ctypes
import os

from sahara_docker import exceptions
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_SYSCTL_FILE = "/etc/sysctl.d/90-sahara-docker.conf"
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"
#: What a host of some twenty JVMs needs; Cloudera asks for a swappiness of 1, others of Hadoop for 10 at most.
_MOST_SWAPPINESS = 10
_INOTIFY = {"fs.inotify.max_user_instances": 1024, "fs.inotify.max_user_watches": 65536}
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 256  # struct timex has 208 on 64-bit Linux


def _need_compute_host(site: Site) -> None:
    """Raise NotHere unless containers share this host's kernel."""
    if not any(one.url.startswith("unix:") for one in site.daemons):
        raise check.NotHere("the Docker daemons are on other hosts: run this there")


def _path(name: str) -> str:
    return "/proc/sys/" + name.replace(".", "/")


def _set(site: Site, values: dict[str, int]) -> None:
    kept = site.host.read(_SYSCTL_FILE).splitlines() if site.host.exists(_SYSCTL_FILE) else []
    kept = [line for line in kept if line.partition("=")[0].strip() not in values]
    for name, value in values.items():
        site.host.write(_path(name), f"{value}\n")
    site.host.write(_SYSCTL_FILE, "".join(f"{line}\n" for line in [*kept, *(f"{n} = {v}" for n, v in values.items())]))


def _advise_huge_pages(site: Site) -> None:
    for name in ("enabled", "defrag"):
        site.host.write(f"{_HUGE_PAGES}/{name}", "madvise\n")


def _below(site: Site) -> dict[str, int]:
    """The limits of inotify that are too low, with the values that they should have."""
    return {name: least for name, least in _INOTIFY.items() if int(site.host.read(_path(name))) < least}


@check.declare(
    "kernel.swappiness",
    "how readily the host swaps",
    covers=("swappiness",),
    remedy=f"sysctl -w vm.swappiness=1 && echo 'vm.swappiness = 1' >> {_SYSCTL_FILE}",
    fix=check.Fix(f"set vm.swappiness to 1, now and in {_SYSCTL_FILE}?", lambda site: _set(site, {"vm.swappiness": 1})),
)
def swappiness(site: Site) -> check.Result:
    _need_compute_host(site)
    value = int(site.host.read(_path("vm.swappiness")))
    return check.judge(value <= _MOST_SWAPPINESS, "vm.swappiness", str(value), otherwise=check.WARN)


@check.declare(
    "kernel.huge-pages",
    "transparent huge pages, which stall JVMs while memory is compacted",
    covers=("swappiness",),
    remedy=f"echo madvise | tee {_HUGE_PAGES}/{{enabled,defrag}}; at boot: transparent_hugepage=madvise",
    fix=check.Fix(
        "set transparent huge pages to madvise until the next boot?",
        _advise_huge_pages,
    ),
)
def huge_pages(site: Site) -> check.Result:
    _need_compute_host(site)
    if not site.host.exists(_HUGE_PAGES):
        raise check.NotHere("this kernel has no transparent huge pages")
    values = {name: site.host.read(f"{_HUGE_PAGES}/{name}") for name in ("enabled", "defrag")}
    wrong = {name: value for name, value in values.items() if "[always]" in value}
    return check.findings(wrong, _HUGE_PAGES, "not always on", otherwise=check.WARN)


@check.declare(
    "kernel.inotify",
    "limits of inotify, which all containers of a user share",
    covers=("inotify",),
    remedy="sysctl -w " + " ".join(f"{name}={least}" for name, least in _INOTIFY.items()),
    fix=check.Fix(f"raise the limits of inotify, now and in {_SYSCTL_FILE}?", lambda site: _set(site, _below(site))),
)
def inotify(site: Site) -> check.Result:
    _need_compute_host(site)
    wrong = {name: f"{site.host.read(_path(name))}, {least} are needed" for name, least in _below(site).items()}
    return check.findings(wrong, "fs.inotify", "high enough", otherwise=check.WARN)


@check.declare(
    "kernel.clock",
    "whether the host's clock, which containers share, is kept right",
    covers=("clock",),
    remedy="run chrony or systemd-timesyncd on the host, never in a container",
)
def clock(site: Site) -> check.Result:
    _need_compute_host(site)
    state = clock_state()
    seen = "synchronised" if state != _TIME_ERROR else "not synchronised"
    return check.judge(state != _TIME_ERROR, "adjtimex", seen, otherwise=check.WARN)


def clock_state() -> int:
    """Return the kernel's word about its clock, as adjtimex(2) with no change returns it.

    :raises SaharaDockerError: the kernel does not answer.
    """
    library = ctypes.CDLL(None, use_errno=True)
    state = library.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if state < 0:
        raise exceptions.SaharaDockerError(
            "the kernel does not tell about its clock", where="adjtimex", observed=os.strerror(ctypes.get_errno())
        )
    return state
