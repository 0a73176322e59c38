# SPDX-License-Identifier: Apache-2.0
"""The node image in Glance, and in Sahara's image registry, by the command that an operator uses for it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lab import command, compute_hosts, node_image, rest, settings

IMAGE_NAME = "cdh-5.13.0"
USER_NAME = "cdh"
TAGS = ("cdh_docker", "5.13.0")
_AGGREGATE = "docker"
#: Seconds for some 900 MB to a Glance on the same machine, and for what Sahara is told.
_TIMEOUT = 600


def register(lab: settings.Lab, cloud: rest.Cloud, image: node_image.Image, client: Mapping[str, str]) -> None:
    """Upload *image* unless the very same is there, tell Sahara its user and tags, and have the hosts load it.

    They load it while templates are made; the first instance need not wait for it.

    :param client: variables of the environment that name the cloud and its user.
    :raises lab.command.CommandFailed: with the command's own words.
    """
    _provide_aggregate(lab, cloud)
    _, version = TAGS
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(lab.data),
        **client,
        # Not an argument, which every user of the machine can read. docs/security.md says how Glance hides it.
        "SAHARA_DOCKER_IMAGE_PASSWORD": lab.node_password,
    }
    command.run(
        [lab.venv / "bin" / "sahara-docker", "image", "register", image.archive,
         "--version", version, "--name", IMAGE_NAME, "--user", USER_NAME, "--visibility", "public",
         "--preload", _AGGREGATE],
        log=lab.log / "image-register.log", what="registering the node image", timeout=_TIMEOUT,
        environment=environment,
    )  # fmt: skip


def _provide_aggregate(lab: settings.Lab, cloud: rest.Cloud) -> None:
    """Have all compute hosts in the aggregate by which Nova's image cache API knows them."""
    known = cloud.get("nova", "/os-aggregates")["aggregates"]
    found = next((one for one in known if one["name"] == _AGGREGATE), None)
    if found is None:
        body = {"aggregate": {"name": _AGGREGATE, "availability_zone": None}}
        found = cloud.post("nova", "/os-aggregates", body)["aggregate"]
    for host in compute_hosts.all_of(lab):
        if host.name not in found.get("hosts", []):
            cloud.post("nova", f"/os-aggregates/{found['id']}/action", {"add_host": {"host": host.name}})
