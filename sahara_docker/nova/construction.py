# SPDX-License-Identifier: Apache-2.0
"""Makes the containers of an instance: for a spawn, after a move, for a rescue."""

from __future__ import annotations

import os
from typing import Any

import nova.conf
from oslo_log import log as logging

from sahara_docker.nova import data, guest, hypervisor, identity, limits, network, proc, replacement, volumes

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)


def directory(instance: Any) -> str:
    """Return where the host keeps an instance's files."""
    return os.path.join(CONF.instances_path, instance.uuid)


def make_directory(instance: Any) -> str:
    """Make the directory for an instance's files, unless it is there, and return it.

    It is nova-compute's alone: what an instance's root leaves in a file of it, such as a setuid program, must not be
    within reach of the host's users.
    """
    path = directory(instance)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def names(instance: Any) -> identity.Hostname:
    """Return the names that an instance has for itself."""
    return identity.hostname(instance.hostname or instance.name, CONF.api.dhcp_domain)


def create_sandbox(its_guest: guest.Guest, docker_image: str, instance: Any) -> None:
    """Create the sandbox from an image of the instance's.

    :raises nova.exception.InstanceExists: the instance has one.
    """
    sysctls = limits.network_sysctls(instance.flavor, CONF.docker)
    its_guest.create_sandbox(docker_image, names(instance), CONF.docker.sandbox_command, sysctls)


def create_workload(
    daemon: hypervisor.Hypervisor, its_guest: guest.Guest, docker_image: str, instance: Any, vifs: list[Any]
) -> None:
    """Create the workload, with the limits of the instance's flavor; its sandbox is there.

    :param vifs: the instance's ports, whose addresses go into its hosts file.
    """
    own = names(instance)
    addresses = [a.split("/")[0] for i in network.interfaces(vifs) for a in i.addresses]
    where = make_directory(instance)
    files = identity.write(
        where,
        identity.hosts(own, addresses),
        identity.resolv_conf(network.nameservers(vifs), own.fqdn.partition(".")[2]),
    )
    its_guest.create_workload(
        docker_image,
        host_config=limits.host_config(instance.flavor, CONF.docker, daemon.ceilings, root_quota=daemon.root_quota),
        files={**files, **proc.files(CONF.docker.lxcfs_path)},
        volumes={CONF.docker.volumes_path: mounts} if (mounts := volumes.directory(instance)) else {},
        data_path=CONF.docker.data_path,
        data_options=data.volume_options(where, instance.flavor),
        environment=CONF.docker.environment,
        init=CONF.docker.init,
    )


def mend(daemon: hypervisor.Hypervisor, its_guest: guest.Guest, instance: Any) -> None:
    """Put back what somebody has removed by hand, as far as nothing is lost with it.

    :raises nova.exception.InstanceNotFound: nothing is there.
    :raises sahara_docker.nova.hypervisor.DaemonError: the instance's own container is gone, and with it its root.
    """
    replacement.settle(daemon, its_guest)
    has_sandbox = its_guest.has(its_guest.sandbox)
    if its_guest.has(its_guest.workload):
        if not has_sandbox:
            LOG.warning("The sandbox is gone; making the containers anew", instance=instance)
            its_guest.stop(0)
            create_sandbox(its_guest, its_guest.image(), instance)
            replacement.renew(daemon, its_guest, CONF.instances_path)
    elif has_sandbox:
        raise hypervisor.DaemonError(
            "somebody removed the instance's container, and its root file system with it",
            where=f"instance {instance.uuid}",
            observed=f"no container {its_guest.workload}",
            remedy=f"save what you need from the volume {its_guest.data_volume}; a rebuild starts again from the image",
        )
