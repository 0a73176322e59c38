# SPDX-License-Identifier: Apache-2.0
"""Makes the containers of an instance: for a spawn, after a move, for a rescue."""

from __future__ import annotations

import os
from typing import Any

import nova.conf

from sahara_docker.nova import data, guest, hypervisor, identity, limits, network

CONF = nova.conf.CONF


def directory(instance: Any) -> str:
    """Return where the host keeps an instance's files."""
    return os.path.join(CONF.instances_path, instance.uuid)


def names(instance: Any) -> identity.Hostname:
    """Return the names that an instance has for itself."""
    return identity.hostname(instance.hostname or instance.name, CONF.api.dhcp_domain)


def create_sandbox(its_guest: guest.Guest, docker_image: str, instance: Any) -> None:
    """Create the sandbox from an image of the instance's.

    :raises nova.exception.InstanceExists: the instance has one.
    """
    its_guest.create_sandbox(docker_image, names(instance), CONF.docker.sandbox_command)


def create_workload(
    daemon: hypervisor.Hypervisor, its_guest: guest.Guest, docker_image: str, instance: Any, vifs: list[Any]
) -> None:
    """Create the workload, with the limits of the instance's flavor; its sandbox is there.

    :param vifs: the instance's ports, whose addresses go into its hosts file.
    """
    own = names(instance)
    addresses = [a.split("/")[0] for i in network.interfaces(vifs) for a in i.addresses]
    files = identity.write(
        directory(instance),
        identity.hosts(own, addresses),
        identity.resolv_conf(network.nameservers(vifs), own.fqdn.partition(".")[2]),
    )
    its_guest.create_workload(
        docker_image,
        limits=limits.host_config(instance.flavor, CONF.docker, daemon.ceilings),
        files=files,
        data_path=CONF.docker.data_path,
        data_options=data.volume_options(directory(instance), instance.flavor),
        environment=CONF.docker.environment,
        init=CONF.docker.init,
    )
