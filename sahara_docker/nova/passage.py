# SPDX-License-Identifier: Apache-2.0
"""Images that are made of an instance on their way to Glance, for a snapshot or a move, and that nobody runs."""

from __future__ import annotations

import contextlib
from typing import Collection, Iterator

import docker.errors
from oslo_log import log as logging

from sahara_docker.nova import guest, hypervisor

LOG = logging.getLogger(__name__)

_REPOSITORY = "nova-passing/"


@contextlib.contextmanager
def committed(daemon: hypervisor.Hypervisor, its_guest: guest.Guest, uuid: str) -> Iterator[str]:
    """Make an image of an instance's root file system, and remove it after the block; the value is its Docker ID.

    :param uuid: of the instance.
    """
    docker_id = its_guest.commit(f"{_REPOSITORY}{uuid}:latest")
    try:
        yield docker_id
    finally:
        _remove(daemon, docker_id)


def remove(daemon: hypervisor.Hypervisor, uuids: Collection[str]) -> None:
    """Remove the images of these instances, which whoever made them did not come to remove."""
    with hypervisor.explained("cannot list images"):
        images = daemon.api.images(filters={"reference": f"{_REPOSITORY}*"})
    for name in [name for image in images for name in image["RepoTags"] or []]:
        if name.startswith(_REPOSITORY) and name[len(_REPOSITORY) :].partition(":")[0] in uuids:
            LOG.warning("Removing the image %s, which was on its way to Glance", name)
            _remove(daemon, name)


def _remove(daemon: hypervisor.Hypervisor, image: str) -> None:
    with hypervisor.explained(f"cannot remove the image {image}"), contextlib.suppress(docker.errors.ImageNotFound):
        daemon.api.remove_image(image, force=True)
