# SPDX-License-Identifier: Apache-2.0
"""nova-compute's settings on this host, and what the cloud knows of its compute hosts."""

from __future__ import annotations

import grp
import importlib.machinery
import os
import pwd
import stat
from typing import Any

from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

DRIVER = "docker.DockerDriver"
_TRAIT = "CUSTOM_HYPERVISOR_DOCKER"


@check.declare(
    "nova.driver",
    "whether nova-compute uses the Docker driver, and can load it",
    covers=(1,),
    remedy=f"pip install 'sahara-docker[nova]' beside nova; [DEFAULT] compute_driver = {DRIVER}; restart it",
)
def driver(site: Site) -> check.Result:
    options, files = site.nova
    if options.compute_driver != DRIVER:
        return check.Result(check.FAIL, files, f"compute_driver = {options.compute_driver}")
    found = importlib.machinery.PathFinder.find_spec("nova")
    if found is None or not found.submodule_search_locations:
        return check.Result(check.OK, files, f"compute_driver = {DRIVER}; nova is installed elsewhere")
    shims = [os.path.join(place, "virt", "docker.py") for place in found.submodule_search_locations]
    return check.judge(
        any(map(os.path.exists, shims)), shims[0], "there" if any(map(os.path.exists, shims)) else "missing"
    )


@check.declare(
    "nova.socket",
    "whether nova-compute's user may use the Docker daemon",
    covers=(),
    remedy="usermod --append --groups docker nova && systemctl restart nova-compute",
)
def socket(site: Site) -> check.Result:
    options, _ = site.nova
    if not options.docker.host.startswith("unix://"):
        raise check.NotHere(f"[docker] host is {options.docker.host}")
    process = next(site.host.processes("nova-compute"), None)
    if process is None:
        raise check.NotHere("nova-compute does not run here")
    path = options.docker.host[len("unix://") :]
    if not os.path.exists(path):
        return check.Result(check.FAIL, path, "there is no such socket", "systemctl start docker")
    found = os.stat(path)
    may = (
        process.uid == 0
        or (found.st_uid == process.uid and bool(found.st_mode & stat.S_IWUSR))
        or (found.st_gid in process.gids and bool(found.st_mode & stat.S_IWGRP))
        or bool(found.st_mode & stat.S_IWOTH)
    )
    user, group = _name(pwd.getpwuid, process.uid), _name(grp.getgrgid, found.st_gid)
    return check.judge(may, path, f"user {user} of nova-compute {'may' if may else 'may not'} use it (group {group})")


def _name(look_up: Any, number: int) -> str:
    try:
        return look_up(number)[0]
    except KeyError:
        return str(number)


@check.declare(
    "nova.ulimits",
    "limits that new instances will get",
    covers=(8, "database-session"),
    remedy="[docker] ulimits = nofile=65536,nproc=65536,memlock=-1 in nova.conf (the default), restart nova-compute",
)
def ulimits(site: Site) -> check.Result:
    options, files = site.nova
    names = {item.partition("=")[0].strip() for item in options.docker.ulimits}
    missing = [name for name in ("nofile", "nproc") if name not in names]
    seen = f"none for {' and '.join(missing)}" if missing else ",".join(options.docker.ulimits)
    return check.judge(not missing, f"[docker] ulimits in {files}", seen)


@check.declare(
    "nova.resume",
    "whether instances come back after the host was down",
    covers=("addresses", "cluster-id"),
    remedy="[DEFAULT] resume_guests_state_on_host_boot = true in nova.conf, restart nova-compute",
)
def resume(site: Site) -> check.Result:
    options, files = site.nova
    value = bool(options.resume_guests_state_on_host_boot)
    return check.judge(value, f"resume_guests_state_on_host_boot in {files}", str(value).lower(), otherwise=check.WARN)


@check.declare(
    "nova.inventory",
    "CPUs, memory and disk that Placement knows of the Docker hosts",
    covers=(1,),
    remedy="restart nova-compute on that host with the Docker driver, and read its log",
)
def inventory(site: Site) -> check.Result:
    hosts = _docker_hosts(site)
    real = {info["Name"]: info for info in site.answers.values()} if _have_daemons(site) else {}
    own = _own_name(site)
    wrong, fine = {}, []
    for provider in hosts:
        found = site.cloud.get("placement", f"/resource_providers/{provider['uuid']}/inventories")["inventories"]
        totals = {name: int(entry["total"]) for name, entry in found.items()}
        missing = [name for name in ("VCPU", "MEMORY_MB", "DISK_GB") if not totals.get(name)]
        cpus = next(iter(real.values()))["NCPU"] if provider["name"] == own and len(real) == 1 else None
        if missing:
            wrong[provider["name"]] = f"no {', '.join(missing)}"
        elif cpus is not None and totals["VCPU"] != cpus:
            wrong[provider["name"]] = f"VCPU {totals['VCPU']}, the host has {cpus}"
        fine.append(f"{provider['name']}: {totals.get('VCPU')} CPUs, {totals.get('MEMORY_MB')} MiB")
    return check.findings(wrong, "Placement's inventories", "; ".join(fine))


def _docker_hosts(site: Site) -> list[dict[str, Any]]:
    found = site.cloud.request(
        "GET",
        "placement",
        f"/resource_providers?required={_TRAIT}",
        headers={"OpenStack-API-Version": "placement 1.18"},
    ).json()["resource_providers"]
    if not found:
        raise check.NotHere(f"no resource provider has the trait {_TRAIT}: no compute host runs the Docker driver")
    return found


def _have_daemons(site: Site) -> bool:
    try:
        return bool(site.answers)
    except check.NotHere:
        return False


def _own_name(site: Site) -> str:
    try:
        return site.nova[0].host or os.uname().nodename
    except check.NotHere:
        return ""


@check.declare(
    "nova.services",
    "whether the nova-compute services of the Docker hosts are up and enabled",
    covers=(17,),
    remedy="start nova-compute on that host, or openstack compute service set --enable HOST nova-compute",
)
def services(site: Site) -> check.Result:
    names = {provider["name"] for provider in _docker_hosts(site)}
    hypervisors = site.cloud.get("compute", "/os-hypervisors/detail")["hypervisors"]
    mine = {one["service"]["host"]: one for one in hypervisors if one["hypervisor_hostname"] in names}
    wrong = {
        name: f"{one['state']}, {one['status']}"
        for name, one in mine.items()
        if (one["state"], one["status"]) != ("up", "enabled")
    }
    return check.findings(wrong, "compute services", f"{len(mine)} up and enabled", otherwise=check.WARN)
