# SPDX-License-Identifier: Apache-2.0
"""Another workload container in the place of an instance's: with other limits, on a new sandbox, from a rescue image.

Docker fixes most of a container at its creation, so the new one is created from what the old one is made of; its root
file system comes along as a commit, its volumes by name.
"""

from __future__ import annotations

import contextlib
import tempfile
from typing import Any, Mapping

import docker.errors

from sahara_docker.nova import guest, hypervisor, limits

# What POST /containers/{id}/update of the Docker Engine API can change (the names of HostConfig).
_UPDATABLE = frozenset(
    (
        "BlkioWeight",
        "CpuPeriod",
        "CpuQuota",
        "CpuShares",
        "CpusetCpus",
        "CpusetMems",
        "Memory",
        "MemoryReservation",
        "MemorySwap",
        "NanoCpus",
        "PidsLimit",
    )
)
# Limits that an update can set and not take back.
_UNSETTABLE = ("BlkioWeight", "CpusetCpus", "CpusetMems", "MemoryReservation", "NanoCpus", "StorageOpt")
# Of the sandbox, whose network the workload joins; Docker refuses them beside that.
_NOT_TAKEN_OVER = ("Hostname", "Domainname", "MacAddress", "ExposedPorts")
_RESCUE_PATH = "/rescue"


def set_limits(
    daemon: hypervisor.Hypervisor, its_guest: guest.Guest, host_config: Mapping[str, Any], spool: str
) -> None:
    """Give a stopped workload other limits: in its place where Docker can, else by a new container.

    :param host_config: arguments of docker-py's ``create_host_config``; those that are missing go back to Docker's
        default.
    :param spool: directory for what is copied on the way.
    """
    wanted = daemon.api.create_host_config(**host_config)
    wanted.pop("NetworkMode", None)
    with hypervisor.explained("cannot inspect the container"):
        has = daemon.api.inspect_container(its_guest.workload)["HostConfig"]
    changes = {name: value for name, value in wanted.items() if (has.get(name) or None) != (value or None)}
    if "CpuQuota" not in wanted and (has.get("CpuQuota") or 0) > 0:
        changes["CpuQuota"] = -1  # none: Docker takes 0 for "as it is"
    unset = {name: None for name in _UNSETTABLE if has.get(name) and name not in wanted}
    if not (changes or unset):
        return
    if _UPDATABLE.issuperset(changes) and not unset:
        with hypervisor.explained("cannot change the container's limits"):
            # Not docker-py's update_container: it lacks the limit of processes.
            url = daemon.api._url("/containers/{0}/update", its_guest.workload)
            daemon.api._result(daemon.api._post_json(url, data=changes), json=True)
    else:
        renew(daemon, its_guest, spool, {**changes, **unset})


def renew(
    daemon: hypervisor.Hypervisor, its_guest: guest.Guest, spool: str, changes: Mapping[str, Any] | None = None
) -> None:
    """Put a new container with the same files in the place of a stopped workload; it joins the sandbox of now.

    The old one goes last; when that was interrupted, :func:`settle` ends it.

    :param changes: of ``HostConfig`` in the Docker Engine API.
    """
    settle(daemon, its_guest)
    api, new = daemon.api, f"{its_guest.workload}-new"
    with hypervisor.explained("cannot make the container anew"):
        old = api.inspect_container(its_guest.workload)
        image = its_guest.commit(its_guest.root_image)
        _create_like(daemon, its_guest, old, new, image, dict(changes or {}))
        for path in anonymous_volumes(old):
            with tempfile.TemporaryFile(dir=spool) as file:
                for chunk in api.get_archive(its_guest.workload, f"{path}/.")[0]:
                    file.write(chunk)
                file.seek(0)
                api.put_archive(new, path, file)
        api.remove_container(old["Id"], v=True)
        api.rename(new, its_guest.workload)


def settle(daemon: hypervisor.Hypervisor, its_guest: guest.Guest) -> None:
    """End a replacement that was interrupted: the new container counts when the old one is gone."""
    api, new = daemon.api, f"{its_guest.workload}-new"
    with hypervisor.explained("cannot look for the container"):
        if not its_guest.has(new):
            return
        if its_guest.has(its_guest.workload):
            api.remove_container(new, force=True, v=True)
        else:
            api.rename(new, its_guest.workload)


def anonymous_volumes(found: Mapping[str, Any]) -> list[str]:
    """Return where a container has volumes that its image asked for, and that no other container can take over."""
    named = {mount["Target"] for mount in found["HostConfig"].get("Mounts") or []}
    return [m["Destination"] for m in found["Mounts"] if m["Type"] == "volume" and m["Destination"] not in named]


def rescue(daemon: hypervisor.Hypervisor, its_guest: guest.Guest, image: str) -> None:
    """Put a container from *image* in the place of a stopped workload, with the root file system of that at /rescue.

    The old root is mounted by the Docker daemon from the directories of its overlay, so it can be mended there.

    :raises sahara_docker.nova.hypervisor.DaemonError: the daemon's storage driver is not overlay2.
    """
    api = daemon.api
    with hypervisor.explained("cannot rescue"):
        old = api.inspect_container(its_guest.workload)
        layers = old["GraphDriver"].get("Data") or {}
        if old["GraphDriver"]["Name"] != "overlay2" or "UpperDir" not in layers:
            raise hypervisor.DaemonError(
                "a rescue needs the storage driver overlay2", observed=f"the daemon has {old['GraphDriver']['Name']}"
            )
        options = f"lowerdir={layers['LowerDir']},upperdir={layers['UpperDir']},workdir={layers['WorkDir']}"
        api.create_volume(
            its_guest.rescue_volume,
            driver="local",
            driver_opts={"type": "overlay", "device": "overlay", "o": options},
            labels=its_guest.labels("rescue"),
        )
        api.rename(its_guest.workload, its_guest.set_aside)
        mounts = [
            *(old["HostConfig"].get("Mounts") or []),
            {
                "Type": "volume",
                "Source": its_guest.rescue_volume,
                "Target": _RESCUE_PATH,
                "VolumeOptions": {"NoCopy": True},
            },
        ]
        check = limits.healthcheck(api.inspect_image(image))
        config = {"Labels": its_guest.labels("workload"), "Healthcheck": check}
        _create_like(daemon, its_guest, {**old, "Config": config}, its_guest.workload, image, {"Mounts": mounts})


def unrescue(daemon: hypervisor.Hypervisor, its_guest: guest.Guest) -> None:
    """Put the workload that was set aside back; no harm when it is back already."""
    api = daemon.api
    with hypervisor.explained("cannot end the rescue"):
        if not its_guest.has(its_guest.set_aside):
            return
        with contextlib.suppress(docker.errors.NotFound):
            api.remove_container(its_guest.workload, force=True, v=True)
        api.rename(its_guest.set_aside, its_guest.workload)
        with contextlib.suppress(docker.errors.NotFound):
            api.remove_volume(its_guest.rescue_volume, force=True)


def _create_like(
    daemon: hypervisor.Hypervisor,
    its_guest: guest.Guest,
    old: Mapping[str, Any],
    name: str,
    image: str,
    changes: Mapping[str, Any],
) -> None:
    host_config = {**old["HostConfig"], **changes, "NetworkMode": f"container:{its_guest.sandbox}"}
    config = {key: value for key, value in old["Config"].items() if key not in _NOT_TAKEN_OVER}
    daemon.api.create_container_from_config({**config, "Image": image, "HostConfig": host_config}, name)
