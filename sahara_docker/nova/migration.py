# SPDX-License-Identifier: Apache-2.0
"""A resize on the same host, and the cold move to another one.

On the same host the containers stay and get other limits, and the data disk grows. To another host the root file system
goes as an image and each volume as a tar archive, through Glance; the containers here are stopped and stay until the
move is confirmed, so going back costs nothing. The hosts file goes too: a cluster's names may have been added to it.

What was sent stays in Glance until it has arrived whole. So a move that fails or is killed on arrival is not the end of
the instance: a hard reboot takes it up again.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any

import nova.conf
from nova import exception
from oslo_log import log as logging

from sahara_docker.nova import construction, data, guest, hypervisor, image, limits, passage, replacement, transfer

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

# In an instance's directory while it was resized on its own host and that is neither confirmed nor reverted.
_RESIZED = "resized-here"
# In an instance's directory while it arrives there.
_ARRIVING = "arriving"
_ROOT, _HOSTS = "root", "hosts"  # what is sent beside the volumes, which have paths


class Migration:
    """The part of a host in the moves of its instances.

    :param images: the host's way to Glance.
    """

    def __init__(self, daemon: hypervisor.Hypervisor, images: image.ImageStore) -> None:
        self._daemon, self._images = daemon, images
        self._transfer = transfer.Transfer(images, CONF.instances_path)

    # On the host that the instance leaves

    def check(self, instance: Any, flavor: Any) -> None:
        """Refuse a flavor that has less disk than the instance is held to, as long as nothing has happened.

        :raises nova.exception.ResizeError: with both sizes.
        :raises nova.exception.InvalidInput: the flavor makes no sense.
        """
        has, wanted = data.Disk(construction.directory(instance)).size_gb(), limits.data_gb(flavor)
        if wanted < has:
            raise exception.ResizeError(
                reason=f"the data volume has {has} GiB and cannot get smaller; flavor {flavor.name} gives it {wanted}"
            )
        if self._daemon.root_quota and 0 < flavor.root_gb < instance.flavor.root_gb:
            raise exception.ResizeError(
                reason=f"the root disk has {instance.flavor.root_gb} GiB and cannot get smaller; flavor {flavor.name} "
                f"gives it {flavor.root_gb}"
            )

    def stay(self, instance: Any) -> None:
        """Note that a stopped instance is about to be resized in its place."""
        _mark(instance, _RESIZED)

    def leave(self, context: Any, its_guest: guest.Guest, instance: Any) -> None:
        """Send a stopped instance's files off, for :meth:`arrive` on the other host."""
        self.discard(context, instance)
        _unmark(instance, _ARRIVING)
        with passage.committed(self._daemon, its_guest, instance.uuid) as docker_id:
            self._transfer.send(context, instance, _ROOT, self._images.saved(docker_id))
        for path in its_guest.volume_paths():
            self._transfer.send(context, instance, path, its_guest.archive(path))
        with open(os.path.join(construction.directory(instance), "hosts"), "rb") as file:
            self._transfer.send(context, instance, _HOSTS, file)

    def is_here(self, instance: Any) -> bool:
        """Return whether an unfinished resize left the instance on this host."""
        return _is_marked(instance, _RESIZED)

    def settle(self, instance: Any) -> None:
        """Forget a resize in place; what is there stays."""
        _unmark(instance, _RESIZED)

    def discard(self, context: Any, instance: Any) -> None:
        """End an instance's move: remove what is in Glance of it."""
        self._transfer.discard(context, instance)

    def clear(self, context: Any, instance: Any) -> None:
        """Remove what is in Glance of moves that have ended, and could not be removed then."""
        self._transfer.remove_doomed(context, instance)

    # On the host that it comes to

    def resize(self, its_guest: guest.Guest, instance: Any) -> None:
        """Give a stopped instance the limits and the disk of its flavor of now.

        :raises sahara_docker.nova.data.DataError: the data disk cannot grow; nothing has changed.
        """
        data.Disk(construction.directory(instance)).grow(limits.data_gb(instance.flavor))
        self._set_limits(its_guest, instance)

    def resize_back(self, its_guest: guest.Guest, instance: Any) -> None:
        """Give a stopped instance the limits and the disk of its flavor of now, which is the one from before.

        A data disk on which there is too much for that stays large: an instance loses nothing by a revert.
        """
        try:
            data.Disk(construction.directory(instance)).shrink(limits.data_gb(instance.flavor))
        except data.DataError as error:
            LOG.warning("The data volume stays larger than the flavor says: %s", error, instance=instance)
        self._set_limits(its_guest, instance)

    def _set_limits(self, its_guest: guest.Guest, instance: Any) -> None:
        wanted = limits.host_config(
            instance.flavor, CONF.docker, self._daemon.ceilings, root_quota=self._daemon.root_quota
        )
        replacement.set_limits(self._daemon, its_guest, wanted, CONF.instances_path)

    def is_cut_off(self, its_guest: guest.Guest, instance: Any) -> bool:
        """Return whether an instance was sent to this host and has not arrived whole.

        On the host that it left, the instance is whole.
        """
        return bool(self._transfer.sent(instance)) and (
            _is_marked(instance, _ARRIVING) or not its_guest.has(its_guest.workload)
        )

    def arrive(self, context: Any, its_guest: guest.Guest, instance: Any, vifs: list[Any]) -> None:
        """Make the containers of an instance from what :meth:`leave` sent; the workload is created and not started.

        :raises nova.exception.MigrationError: nothing was sent.
        """
        sent = self._transfer.sent(instance)
        if not sent:
            raise exception.MigrationError(
                reason=f"{CONF.my_ip} is my_ip of both hosts, so the other one took the move for a resize in place; "
                "give each host its own"
            )
        _mark(instance, _ARRIVING)
        root, hosts = sent.pop(_ROOT), sent.pop(_HOSTS)
        with self._transfer.received(context, root) as file:
            docker_id = self._images.load(file, root, its_guest.root_image)
        construction.create_sandbox(its_guest, docker_image=docker_id, instance=instance)
        its_guest.start_sandbox()
        construction.create_workload(self._daemon, its_guest, docker_id, instance, vifs)
        own = os.path.join(construction.directory(instance), "hosts")
        with self._transfer.received(context, hosts) as file, open(own, "wb") as hosts_file:
            shutil.copyfileobj(file, hosts_file)
        for path, glance_id in sent.items():
            with self._transfer.received(context, glance_id) as file:
                its_guest.unpack(path, file)
        self.discard(context, instance)
        _unmark(instance, _ARRIVING)


def _mark(instance: Any, name: str) -> None:
    with open(os.path.join(construction.make_directory(instance), name), "w", encoding="ascii"):
        pass


def _unmark(instance: Any, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(construction.directory(instance), name))


def _is_marked(instance: Any, name: str) -> bool:
    return os.path.exists(os.path.join(construction.directory(instance), name))
