# SPDX-License-Identifier: Apache-2.0
"""The containers that Nova runs on a Docker daemon."""

from __future__ import annotations

from typing import Any, Callable

from sahara_docker.cli import daemon
from sahara_docker.cli.doctor import check
from sahara_docker.cli.doctor.site import Site

_LIMITS = ("nofile", "nproc")
_INITS = ("tini", "docker-init", "dumb-init", "systemd", "init", "catatonit", "s6-svscan", "node-init")
_MADE_BY_AN_OLDER_DRIVER = "delete and create the instance: it was not made by this release of the Nova driver"


def _each(site: Site, trouble: Callable[[daemon.Instance], str], what: str, fine: str, **more: Any) -> check.Result:
    """Ask *trouble* about each instance; an empty answer means that it is well."""
    found = [instance for _, instance in site.instances]
    wrong = {one.name: words for one in found if (words := trouble(one))}
    return check.findings(wrong, f"{what} of {len(found)} instances", fine, **more)


@check.declare(
    "instances.limits",
    "resource limits that containers were made with",
    covers=(8, "database-session"),
    remedy="set [docker] ulimits = nofile=65536,nproc=65536,memlock=-1 in nova.conf and create the instance anew",
)
def limits(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        has = {limit["Name"] for limit in instance.workload["HostConfig"].get("Ulimits") or []}
        missing = [name for name in _LIMITS if name not in has]
        return (
            f"no limit of its own for {' and '.join(missing)}, so a service's session may be refused" if missing else ""
        )

    return _each(site, trouble, "ulimits", "set")


@check.declare(
    "instances.privileged",
    "whether an instance runs privileged, which makes its root the host's root",
    covers=(8,),
    remedy="unset [docker] privileged in nova.conf and docker:privileged of the flavor: Hadoop needs neither",
)
def privileged(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        return "privileged" if instance.workload["HostConfig"].get("Privileged") else ""

    return _each(site, trouble, "privileges", "none is privileged", otherwise=check.WARN)


@check.declare(
    "instances.names",
    "whether containers have a hostname and a hosts file that the Nova driver owns",
    covers=(4, 5, 6, "ptr"),
    remedy=_MADE_BY_AN_OLDER_DRIVER,
)
def names(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        config = (instance.sandbox or instance.workload)["Config"]
        if not config.get("Hostname") or (instance.sandbox or instance.workload)["Id"].startswith(config["Hostname"]):
            return "its hostname is the container's number"
        mounts = {mount["Destination"]: mount for mount in instance.workload["Mounts"]}
        if "/etc/hosts" not in mounts:
            return "/etc/hosts is Docker's, which writes it anew at every start"
        return "" if mounts["/etc/hosts"]["RW"] else "/etc/hosts cannot be written"

    return _each(site, trouble, "hostname and /etc/hosts", "the driver's own")


@check.declare(
    "instances.network",
    "whether containers have the network of their sandbox, and the sandbox runs",
    covers=(12, "addresses"),
    remedy="openstack server reboot --hard SERVER",
)
def network(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        mode = instance.workload["HostConfig"]["NetworkMode"]
        if not mode.startswith("container:"):
            return f"network mode {mode}: not a network of Neutron"
        if not instance.runs:
            return ""
        if instance.sandbox is None or not instance.sandbox["State"]["Running"]:
            return "it runs, and its sandbox does not: it has no network"
        # A sandbox that started after its workload has another network namespace than the workload.
        if instance.sandbox["State"]["StartedAt"] > instance.workload["State"]["StartedAt"]:
            return "its sandbox was restarted without it: it has lost its network"
        return ""

    return _each(site, trouble, "network", "of Neutron, through a sandbox")


@check.declare(
    "instances.log-size",
    "whether container logs are bounded",
    covers=("log-growth",),
    remedy=_MADE_BY_AN_OLDER_DRIVER,
)
def log_size(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        log = instance.workload["HostConfig"]["LogConfig"]
        unbounded = log["Type"] == "json-file" and "max-size" not in (log["Config"] or {})
        return "json-file without max-size" if unbounded else ""

    return _each(site, trouble, "log settings", "bounded", otherwise=check.WARN)


@check.declare(
    "instances.init",
    "whether the first process of containers reaps the dead",
    covers=("zombies",),
    remedy="build the image with an init such as tini, or set [docker] init = true in nova.conf",
)
def init(site: Site) -> check.Result:
    def trouble(instance: daemon.Instance) -> str:
        if not instance.runs or instance.workload["HostConfig"].get("Init"):
            return ""
        first = " ".join([instance.workload["Path"], *instance.workload["Args"][:1]])
        known = any(word.rpartition("/")[2] in _INITS for word in first.split())
        return "" if known else f"its first process is {first}, which is no known init"

    return _each(site, trouble, "first process", "an init", otherwise=check.WARN)


@check.declare(
    "instances.image",
    "whether instances run the image that Glance has under that name today",
    covers=(17,),
    remedy="nothing breaks; instances that are made now use the new image",
)
def image(site: Site) -> check.Result:
    known = {image["Id"] for tags in site.images.values() for image in tags.values()}

    def trouble(instance: daemon.Instance) -> str:
        return "" if instance.workload["Image"] in known else "its image has no name any more on this host"

    return _each(site, trouble, "images", "on the host", otherwise=check.WARN)
