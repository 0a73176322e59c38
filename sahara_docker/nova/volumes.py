# SPDX-License-Identifier: Apache-2.0
"""Cinder volumes of an instance: connected by os-brick, mounted on the host, seen in the instance as directories.

All volumes of a host are mounted below one directory, whose mounts are *shared*. An instance has its part of it as a
*slave* mount, so what is mounted later appears in the running instance, and what is unmounted goes from it.
/dev/vdb becomes ``disk1``, /dev/vdc ``disk2``.

A volume of NFS is a file, which is mounted by a loop device. One of RBD is mapped to a device by the kernel.

A volume without anything on it gets an ext4 file system. One with a file system that the host may mount is mounted;
everything else is refused and left as it is.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import Any, Iterator

import nova.conf
import nova.utils
from nova import block_device, exception
from nova.virt import driver
from os_brick.initiator import connector
from oslo_concurrency import lockutils, processutils
from oslo_log import log as logging

from sahara_docker.nova import privileged

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

_MOUNTABLE = frozenset(("ext2", "ext3", "ext4", "xfs"))
# As for the data volume: root of an instance writes here, and users of the host must not get root by it.
_MOUNT_OPTIONS = "nosuid,nodev"
_SCAN_ATTEMPTS = 5
# What os-brick starts for a type of volume, and the package of Debian's that has it.
_PROGRAMS = {
    "iscsi": ("iscsiadm", "open-iscsi"),
    "nfs": ("mount.nfs", "nfs-common"),
    "nvmeof": ("nvme", "nvme-cli"),
    "rbd": ("rbd", "ceph-common"),
}


def base() -> str:
    """Return the directory on the host below which all volumes are mounted."""
    return os.path.join(CONF.instances_path, "volumes")


def prepare() -> None:
    """Make the base, once after each boot of the host; nothing when no volumes can be attached."""
    if CONF.docker.volumes_path:
        os.makedirs(base(), mode=0o700, exist_ok=True)
        privileged.share_mounts(base())


def directory(instance: Any) -> str:
    """Return where an instance's volumes are mounted on the host, made if it is not there; "" when it has none."""
    if not CONF.docker.volumes_path:
        return ""
    path = os.path.join(base(), instance.uuid)
    os.makedirs(path, exist_ok=True)
    return path


def properties() -> dict[str, Any]:
    """Return what Cinder has to know of this host to export a volume to it."""
    return connector.get_connector_properties(
        nova.utils.get_root_helper(), CONF.my_block_storage_ip, multipath=False, enforce_multipath=False, host=CONF.host
    )


def attach_all(instance: Any, block_device_info: Any) -> None:
    """Attach the volumes that Nova lists; those that are attached stay as they are.

    :raises nova.exception.VolumeAttachFailed: see :func:`attach`.
    """
    directory(instance)  # must be there for its containers to start
    for volume in driver.block_device_info_get_mapping(block_device_info):
        attach(instance, volume["connection_info"], volume["mount_device"])


def attach(instance: Any, connection_info: Any, device_name: str) -> None:
    """Connect a volume to this host and mount it for the instance.

    :param device_name: such as /dev/vdb.
    :raises nova.exception.VolumeAttachFailed: it cannot be connected, or what is on it cannot be mounted.
    """
    target = _mount_point(instance, device_name)
    if not target:
        reason = "[docker] volumes_path is empty on this host"
        raise exception.VolumeAttachFailed(volume_id=volume_id(connection_info), reason=reason)
    with lockutils.lock(f"docker-volumes-{instance.uuid}"):
        if os.path.ismount(target):
            return
        data = connection_info["data"]
        its_connector = _connector(connection_info)
        try:
            if data.get("format") not in (None, "raw"):
                raise ValueError(f"its file is {data['format']}, and can be mounted only when it is raw")
            connected = its_connector.connect_volume(data)
            data["device_path"] = connected["path"]  # Nova keeps it; disconnecting needs it
            try:
                _mount(os.fspath(connected["path"]), target)
            except Exception:
                its_connector.disconnect_volume(data, connected)
                raise
        except Exception as error:
            words = error.stderr if isinstance(error, processutils.ProcessExecutionError) else None
            reason = (words or str(error)).strip() + _missing(connection_info["driver_volume_type"])
            raise exception.VolumeAttachFailed(volume_id=volume_id(connection_info), reason=reason) from error


def detach(instance: Any, connection_info: Any, device_name: str) -> None:
    """Unmount a volume and disconnect it from this host; no harm when it is not mounted.

    :raises nova.exception.DeviceDetachFailed: a process of the instance has files open on it.
    """
    target = _mount_point(instance, device_name)
    with lockutils.lock(f"docker-volumes-{instance.uuid}"):
        try:
            if os.path.ismount(target):
                privileged.unmount(target)
        except processutils.ProcessExecutionError as error:
            raise exception.DeviceDetachFailed(device=device_name, reason=error.stderr.strip()) from error
        with contextlib.suppress(OSError):
            os.rmdir(target)
        data = connection_info["data"]
        _connector(connection_info).disconnect_volume(data, {"type": "block", "path": data.get("device_path")})


def detach_all(instance: Any, block_device_info: Any) -> None:
    """Detach what Nova lists and unmount what else is there, of an instance whose containers are gone or stopped."""
    for volume in driver.block_device_info_get_mapping(block_device_info):
        try:
            detach(instance, volume["connection_info"], volume["mount_device"])
        except Exception:
            LOG.exception("Cannot detach %s", volume["mount_device"], instance=instance)
    own = os.path.join(base(), instance.uuid)
    for name in _listing(own):
        with contextlib.suppress(OSError, processutils.ProcessExecutionError):
            if os.path.ismount(os.path.join(own, name)):
                privileged.unmount(os.path.join(own, name))
            os.rmdir(os.path.join(own, name))
    with contextlib.suppress(OSError):
        os.rmdir(own)


def volume_id(connection_info: Any) -> str:
    """Return the volume's ID, or "-" when Nova's record does not have it."""
    return connection_info.get("serial") or connection_info["data"].get("volume_id") or "-"


def _connector(connection_info: Any) -> Any:
    return connector.InitiatorConnector.factory(
        connection_info["driver_volume_type"],
        nova.utils.get_root_helper(),
        use_multipath=False,
        device_scan_attempts=_SCAN_ATTEMPTS,
        conn=connection_info,
        do_local_attach=True,  # RBD: a device of the host's, where others let QEMU speak with Ceph
        nfs_mount_point_base=os.path.join(CONF.state_path, "mnt"),  # as Nova's other drivers; Cinder's is for its host
    )


def _missing(volume_type: str) -> str:
    """Return the end of a sentence about a program that a volume of this type needs and that is not there; else ""."""
    program, package = _PROGRAMS.get(volume_type, ("", ""))
    if not program or shutil.which(program):
        return ""
    return f"; {program} is not in nova-compute's PATH: install {package} (Debian, Ubuntu)"


def _mount_point(instance: Any, device_name: str) -> str:
    own = directory(instance)
    return os.path.join(own, f"disk{disk_number(device_name)}") if own else ""


def disk_number(device_name: str) -> int:
    """Return 1 for /dev/vdb, 25 for /dev/vdz, 26 for /dev/vdaa: /dev/vda would be the root."""
    number = 0
    for letter in block_device.get_device_letter(device_name):
        number = number * 26 + ord(letter) - ord("a") + 1
    return number - 1


def _mount(device: str, target: str) -> None:
    kind = privileged.file_system(device)
    if not kind:
        LOG.info("Making a file system on %s, which is empty", device)
        privileged.make_file_system(device)
        kind = "ext4"
    if kind not in _MOUNTABLE:
        allowed = ", ".join(sorted(_MOUNTABLE))
        raise ValueError(
            f"there is {kind} on it, which is left as it is; it has to be empty or to hold one of {allowed}"
        )
    os.makedirs(target, exist_ok=True)
    privileged.mount(device, target, kind, _MOUNT_OPTIONS)


def _listing(path: str) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        yield from os.listdir(path)
