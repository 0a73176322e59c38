# SPDX-License-Identifier: Apache-2.0
"""What the data volume of an instance is made of: by default a directory of the Docker daemon, or a disk of its own.

A disk is an ext4 file system in a sparse file of the instance's directory. It is attached to a loop device, and a
symbolic link beside the file names that device. Docker's volume mounts the link's target whenever a container with the
volume starts, so the volume stays what it is while the number of the loop device changes with every boot.

Made without any right but one: attaching a file to a loop device.
"""

from __future__ import annotations

import contextlib
import glob
import os
from typing import Any

import nova.conf
from nova import exception
from oslo_concurrency import processutils
from oslo_log import log as logging

from sahara_docker import exceptions
from sahara_docker.nova import limits, privileged

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

_FILE = "data.ext4"
# The instance's root writes here and users of the host must not: neither programs of root nor devices work on it.
# What is deleted in the instance is given back to the host, and what has not been used stays a hole in the file: the
# kernel would write zeros to all inode tables, 160 MB of 10 GiB.
MOUNT_OPTIONS = "nosuid,nodev,discard,noinit_itable"
# Without blocks reserved for root, whom the instance has too; no program of the host is to find room by them. The new
# file reads as zeros, so that its journal need not be written with them.
_MKE2FS = ("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E", "root_owner=0:0,nodiscard,lazy_journal_init=1")


class DataError(exceptions.SaharaDockerError, exception.NovaException):
    """A data volume cannot be made, attached or grown; its text becomes the instance's fault."""


class Disk:
    """The disk of one instance.

    :param directory: where the host keeps the instance's files.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._file = os.path.join(directory, _FILE)
        self._link = os.path.join(directory, "data.device")

    def exists(self) -> bool:
        """Return whether the instance has one; an instance keeps the kind of data volume that it was made with."""
        return os.path.exists(self._file)

    def make(self, size_gb: int) -> dict[str, str]:
        """Make and attach the disk; return the options of Docker's volume driver ``local`` that mount it.

        :raises DataError: mke2fs or losetup fail, or are not there.
        """
        with self._explained("cannot make the data disk"):
            with open(self._file, "wb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.truncate(size_gb << 30)
            processutils.execute(*_MKE2FS, self._file)
        self.attach()
        return {"type": "ext4", "device": self._link, "o": MOUNT_OPTIONS}

    def attach(self) -> None:
        """Attach the disk to a loop device unless it is.

        :raises DataError: losetup fails.
        """
        if not self.exists():
            return
        with self._explained("cannot attach the data disk to a loop device"):
            device = privileged.loop_attach(self._file)
            if not (os.path.islink(self._link) and os.readlink(self._link) == device):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(self._link)
                os.symlink(device, self._link)

    def size_gb(self) -> int:
        """Return the size in GiB; 0 when there is none."""
        return os.path.getsize(self._file) >> 30 if self.exists() else 0

    def grow(self, size_gb: int) -> None:
        """Make the disk of a stopped instance larger, unless it is.

        :raises DataError: the file system is broken; what is on the disk stays.
        """
        if self.exists() and size_gb > self.size_gb():
            self.detach()
            try:
                with self._explained("cannot grow the data disk"):
                    self._check()
                    os.truncate(self._file, size_gb << 30)
                    processutils.execute("resize2fs", self._file)
            finally:
                self.attach()

    def shrink(self, size_gb: int) -> None:
        """Take back what :meth:`grow` gave to the disk of a stopped instance.

        :raises DataError: there is more on it by now than fits; the disk is as it was.
        """
        if self.exists() and 0 < size_gb < self.size_gb():
            self.detach()
            try:
                with self._explained("cannot make the data disk smaller"):
                    self._check()
                    processutils.execute("resize2fs", self._file, f"{size_gb}G")
                    os.truncate(self._file, size_gb << 30)
            finally:
                self.attach()

    def _check(self) -> None:
        # 1: it found something to mend and did.
        processutils.execute("e2fsck", "-f", "-p", self._file, check_exit_code=[0, 1])

    def detach(self) -> None:
        """Take the disk from its loop device, when no container has it mounted any more; no harm when it is not on one.

        :raises DataError: losetup fails.
        """
        with self._explained("cannot detach the data disk"):
            if self.exists():
                privileged.loop_detach(self._file)

    @contextlib.contextmanager
    def _explained(self, what: str) -> Any:
        try:
            yield
        except processutils.ProcessExecutionError as error:
            observed = (error.stderr or error.stdout or str(error)).strip()
            raise DataError(what, where=self._file, observed=observed) from error
        except OSError as error:
            remedy = "install e2fsprogs and util-linux" if isinstance(error, FileNotFoundError) else ""
            raise DataError(what, where=self._file, observed=str(error), remedy=remedy) from error


def attach_all(instances_path: str) -> None:
    """Attach the disks of this host's instances, as after a boot of the host; one that fails is only logged."""
    for file in glob.glob(os.path.join(glob.escape(instances_path), "*", _FILE)):
        try:
            Disk(os.path.dirname(file)).attach()
        except DataError as error:
            LOG.error("An instance cannot start: %s", error)


def is_sized() -> bool:
    """Return whether this host gives new instances a disk for their data."""
    return CONF.docker.data_backend == "loop" and bool(CONF.docker.data_path)


def volume_options(directory: str, flavor: Any) -> dict[str, str]:
    """Make what the data volume of a new instance needs; return the options for Docker's volume driver ``local``.

    :raises DataError: see :meth:`Disk.make`.
    :raises nova.exception.InvalidInput: the flavor's ``docker:data_gb`` makes no sense.
    """
    size = limits.data_gb(flavor)
    return Disk(directory).make(size) if size and is_sized() else {}
