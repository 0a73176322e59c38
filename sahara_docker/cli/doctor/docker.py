# SPDX-License-Identifier: Apache-2.0
"""The Docker daemon of a compute host."""

from __future__ import annotations

import re
from typing import Any, Mapping

from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_OLDEST_API = (1, 40)  # Docker 19.03
_LEAST_FREE = 0.10
_GIB = 1 << 30
_CAP_SYS_RESOURCE = 24
_PROC_NAMES = {"nofile": "Max open files", "nproc": "Max processes", "memlock": "Max locked memory"}
_UNLIMITED = 1 << 62


@check.declare(
    "docker.daemon",
    "whether the Docker daemon answers and is new enough",
    covers=(),
    remedy="install Docker Engine 19.03 or later and start it: systemctl enable --now docker",
)
def daemon(site: Site) -> check.Result:
    wrong, fine = {}, []
    for one in site.daemons:
        info = one.info()
        with one.client() as api:
            version = api.version()["ApiVersion"]
        if tuple(map(int, version.split("."))) < _OLDEST_API or info.get("OSType") != "linux":
            wrong[one.url] = f"Docker {info['ServerVersion']}, API {version}, {info.get('OSType')}"
        fine.append(f"Docker {info['ServerVersion']}, {info['Driver']}, cgroup v{info.get('CgroupVersion', '1')}")
    return check.findings(wrong, ", ".join(one.url for one in site.daemons), "; ".join(fine))


@check.declare(
    "docker.live-restore",
    "whether containers outlive a restart of the Docker daemon",
    covers=("addresses", "cluster-id"),
    remedy='set "live-restore": true in /etc/docker/daemon.json, then systemctl reload docker',
)
def live_restore(site: Site) -> check.Result:
    wrong = {url: "off" for url, info in _infos(site).items() if not info.get("LiveRestoreEnabled")}
    return check.findings(wrong, "live-restore", "on", otherwise=check.WARN)


@check.declare(
    "docker.controllers",
    "whether the daemon can limit memory, CPUs and processes",
    covers=(1, "memory"),
    remedy=(
        "boot the kernel with cgroup_enable=memory; the controllers memory, cpu and pids have to be mounted; on cgroup "
        "v2, in cgroup.controllers of the group that Docker runs in"
    ),
)
def controllers(site: Site) -> check.Result:
    wrong = {}
    for url, info in _infos(site).items():
        missing = [name for name in ("MemoryLimit", "CPUShares", "PidsLimit") if info.get(name) is False]
        if missing:
            wrong[url] = f"no {', '.join(missing)}"
    return check.findings(wrong, "docker info", "memory, CPUs and processes can be limited")


@check.declare(
    "docker.proxy",
    "whether the daemon has the proxy that this host needs",
    covers=(16,),
    remedy=(
        'systemctl edit docker: [Service] Environment="HTTP_PROXY=http://proxy:port" "HTTPS_PROXY=..." "NO_PROXY=..."; '
        "systemctl restart docker"
    ),
)
def proxy(site: Site) -> check.Result:
    wanted = _proxies(site)
    if not wanted:
        return check.Result(check.OK, "proxy variables, /etc/environment", "this host uses no proxy")
    wrong = {}
    for url, info in _infos(site).items():
        missing = [name for name in wanted if not info.get({"http": "HttpProxy", "https": "HttpsProxy"}[name])]
        if missing and url.startswith("unix:"):
            wrong[url] = (
                f"this host has a proxy for {' and '.join(wanted)}, the daemon has none for {' and '.join(missing)}"
            )
    return check.findings(wrong, "docker info", "the daemon has a proxy, as the host")


def _proxies(site: Site) -> list[str]:
    """Which of http and https go through a proxy on this host, by its environment or /etc/environment."""
    text = site.host.read("/etc/environment") if site.host.exists("/etc/environment") else ""
    names = {name.lower() for name, value in site.environ.items() if value}
    names |= {match.lower() for match in re.findall(r"^\s*(?:export\s+)?(\w+)=.", text, re.MULTILINE)}
    return [name for name in ("http", "https") if f"{name}_proxy" in names]


@check.declare(
    "docker.ceilings",
    "whether the daemon can grant the limits that instances are meant to get",
    covers=(8, "database-session"),
    remedy="LimitNOFILE=1048576 and LimitNPROC=infinity for docker.service, or lower [docker] ulimits in nova.conf",
)
def ceilings(site: Site) -> check.Result:
    options, files = site.nova
    wanted = {}
    for item in options.docker.ulimits:
        name, _, values = item.strip().partition("=")
        hard = values.rpartition(":")[2]
        wanted[name] = _UNLIMITED if hard == "-1" else int(hard)
    pid = site.daemons[0].process()
    if not pid:
        raise check.NotHere("the Docker daemon is not a process of this host")
    status = dict(line.split(":", 1) for line in site.host.read(f"/proc/{pid}/status").splitlines())
    if int(status["CapBnd"], 16) >> _CAP_SYS_RESOURCE & 1:
        return check.Result(check.OK, f"[docker] ulimits in {files}", "the daemon may raise every limit")
    own = _hard_limits(site.host.read(f"/proc/{pid}/limits"))
    wrong = {
        name: f"{'unlimited' if value == _UNLIMITED else value} wanted, instances get {own[_PROC_NAMES[name]]}"
        for name, value in wanted.items()
        if name in _PROC_NAMES and own.get(_PROC_NAMES[name], _UNLIMITED) < value
    }
    return check.findings(wrong, f"[docker] ulimits in {files}", "the daemon can grant them", otherwise=check.WARN)


def _hard_limits(text: str) -> dict[str, int]:
    """Parse /proc/<pid>/limits: a title of 25 characters, then soft, hard and mostly a unit."""
    rows = ((line[:25].strip(), line[25:].split()) for line in text.splitlines()[1:])
    return {title: _UNLIMITED if values[1] == "unlimited" else int(values[1]) for title, values in rows}


@check.declare(
    "docker.storage",
    "the disk under the Docker daemon",
    covers=(13, "disk-threshold"),
    remedy="free space: docker system df, docker image prune; or move data-root to a larger disk",
)
def storage(site: Site) -> check.Result:
    wrong, fine = {}, []
    for url, info in _infos(site).items():
        status = dict(pair for pair in info.get("DriverStatus") or [] if len(pair) == 2)
        root = info["DockerRootDir"]
        if info["Driver"] == "devicemapper":
            wrong[url] = f"devicemapper gives each container {status.get('Base Device Size', '10 GB')}: use overlay2"
        elif url.startswith("unix:") and site.host.exists(root):
            total, free = site.host.disk(root)
            seen = f"{free / _GIB:.0f} of {total / _GIB:.0f} GiB free"
            if free < _LEAST_FREE * total:
                wrong[root] = f"{seen}; NodeManagers give up when 90 % are used"
            fine.append(f"{root}: {seen}")
    return check.findings(wrong, "docker info, df", ", ".join(fine) or "on other hosts")


def _infos(site: Site) -> Mapping[str, Mapping[str, Any]]:
    return site.answers
