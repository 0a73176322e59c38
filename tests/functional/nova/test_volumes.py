# SPDX-License-Identifier: Apache-2.0
"""Cinder volumes by os-brick's connector for local devices: real loop devices, file systems and mounts."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import uuid
from typing import Any

import fixtures
import testtools
from nova import exception
from os_brick import privileged
from os_brick.remotefs import remotefs

from tests.functional.nova import environment


class Volume(fixtures.Fixture):
    """A block device of 64 MiB, as a volume that is connected to this host already."""

    def _setUp(self) -> None:
        self.file = os.path.join(self.useFixture(fixtures.TempDir()).path, "volume")
        with open(self.file, "wb") as file:
            file.truncate(64 << 20)
        command = ["losetup", "--find", "--show", self.file]
        self.device = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", self.device], check=True)
        self.connection_info = {
            "driver_volume_type": "local",
            "serial": str(uuid.uuid4()),
            "data": {"device_path": self.device},
        }

    def run(self, *command: str) -> None:
        subprocess.run([*command, self.device], check=True, capture_output=True)

    def content(self) -> bytes:
        with open(self.device, "rb") as file:
            return file.read()


class VolumeTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.small_image()
        self.volume = self.useFixture(Volume())

    def spawned(self, *volumes: Volume) -> Any:
        instance = self.compute.instance(self.image)
        info = self.mapping(*volumes)
        self.addCleanup(self.driver.destroy, self.compute.context, instance, [], info)
        self.compute.spawn(instance, self.image, block_device_info=info)
        return instance

    def mapping(self, *volumes: Volume) -> dict[str, Any]:
        devices = [
            {"connection_info": v.connection_info, "mount_device": f"/dev/vd{letter}"}
            for v, letter in zip(volumes, "bcdefg")
        ]
        return {"block_device_mapping": devices}

    def attach(self, instance: Any, volume: Volume, device: str = "/dev/vdb") -> None:
        self.driver.attach_volume(self.compute.context, volume.connection_info, instance, device)

    def detach(self, instance: Any, volume: Volume, device: str = "/dev/vdb") -> None:
        self.driver.detach_volume(self.compute.context, volume.connection_info, instance, device)

    def mounts(self, instance: Any) -> str:
        return self.compute.run(instance, "cat /proc/mounts")

    def test_empty_volume_is_formatted_and_appears_in_the_running_instance(self) -> None:
        instance = self.spawned()
        self.attach(instance, self.volume)
        self.assertRegex(self.mounts(instance), rf"{self.volume.device} /volumes/disk1 ext4 \S*nosuid,nodev")
        self.compute.run(instance, "echo kept > /volumes/disk1/file")
        self.detach(instance, self.volume)
        self.assertNotIn("/volumes/disk1", self.mounts(instance))
        self.assertEqual("", self.compute.run(instance, "ls /volumes"))
        self.attach(instance, self.volume, "/dev/vdd")
        self.assertEqual("kept\n", self.compute.run(instance, "cat /volumes/disk3/file"))

    def test_volumes_given_at_boot_are_there_for_the_first_process(self) -> None:
        second = self.useFixture(Volume())
        instance = self.spawned(self.volume, second)
        mounts = self.mounts(instance)
        self.assertIn(f"{self.volume.device} /volumes/disk1 ", mounts)
        self.assertIn(f"{second.device} /volumes/disk2 ", mounts)

    def test_volumes_come_back_after_a_boot_of_the_host(self) -> None:
        instance = self.spawned(self.volume)
        self.compute.run(instance, "echo kept > /volumes/disk1/file")
        self.driver.power_off(instance)
        environment.unmount_below(self.compute.directory)
        self.driver.init_host(self.compute.host)
        self.driver.power_on(self.compute.context, instance, [], self.mapping(self.volume))
        self.assertEqual("kept\n", self.compute.run(instance, "cat /volumes/disk1/file"))

    def test_restart_of_nova_compute_does_not_cut_running_instances_off(self) -> None:
        instance = self.spawned()
        self.driver.init_host(self.compute.host)
        self.attach(instance, self.volume)
        self.assertIn(f"{self.volume.device} /volumes/disk1 ", self.mounts(instance))

    def test_what_is_on_a_volume_is_never_overwritten(self) -> None:
        instance = self.spawned()
        for what, prepare in (
            ("partition table", self._write_partition_table),
            ("swap", lambda: self.volume.run("mkswap")),
            ("something unknown", self._write_unknown),
        ):
            subprocess.run(["wipefs", "-qa", self.volume.device], check=True)
            prepare()
            before = self.volume.content()
            error = self.assertRaises(exception.VolumeAttachFailed, self.attach, instance, self.volume)
            self.assertIn(what, str(error))
            self.assertEqual(before, self.volume.content())
            self.assertNotIn("/volumes/disk1", self.mounts(instance))

    def _write_partition_table(self) -> None:
        with open(self.volume.device, "r+b") as file:
            # One primary partition of Linux from sector 2048 on, in the master boot record.
            file.write(bytes(446) + struct.pack("<B3sB3sII", 0, b"\0" * 3, 0x83, b"\0" * 3, 2048, 65536))
            file.write(bytes(48) + b"\x55\xaa")

    def _write_unknown(self) -> None:
        with open(self.volume.device, "r+b") as file:
            file.write(bytes(1 << 20))
            file.seek((64 << 20) - 7)
            file.write(b"at end")

    def test_file_system_of_the_tenant_s_is_mounted_as_it_is(self) -> None:
        self.volume.run("mke2fs", "-q", "-t", "ext3", "-L", "mine")
        instance = self.spawned(self.volume)
        self.assertIn(f"{self.volume.device} /volumes/disk1 ext3 ", self.mounts(instance))

    def test_volume_in_use_stays(self) -> None:
        instance = self.spawned(self.volume)
        self.compute.run(instance, "exec 3> /volumes/disk1/open; sleep 60 <&3 >/dev/null 2>&1 &")
        self.assertRaises(exception.DeviceDetachFailed, self.detach, instance, self.volume)
        self.compute.run(instance, "echo alive > /volumes/disk1/file")
        self.driver.power_off(instance)
        self.detach(instance, self.volume)

    def test_destroy_leaves_no_mount(self) -> None:
        instance = self.spawned(self.volume)
        self.driver.destroy(self.compute.context, instance, [], self.mapping(self.volume))
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertNotIn(instance.uuid, mounts.read())
        self.assertEqual([], os.listdir(os.path.join(self.compute.directory, "volumes")))

    def test_volume_that_cannot_be_mounted_takes_the_spawn_back(self) -> None:
        self.volume.run("mkswap")
        instance = self.compute.instance(self.image)
        info = self.mapping(self.volume)
        self.assertRaises(
            exception.VolumeAttachFailed, self.compute.spawn, instance, self.image, block_device_info=info
        )
        self.assertEqual([], self.driver.list_instances())

    def test_encrypted_volume_is_refused(self) -> None:
        instance = self.compute.instance(self.image)
        self.assertRaises(
            exception.VolumeEncryptionNotSupported,
            self.driver.attach_volume,
            self.compute.context,
            self.volume.connection_info,
            instance,
            "/dev/vdb",
            encryption={"provider": "luks"},
        )

    def let_os_brick_be_root(self) -> None:
        helper = f"{sys.exec_prefix}/bin/privsep-helper"  # os-brick's default is by sudo and rootwrap
        environment.CONF.set_override("helper_command", helper, group="privsep_osbrick")
        self.addCleanup(privileged.default.stop)

    def nfs_volume(self, **data: Any) -> dict[str, Any]:
        """A file in a share that os-brick finds mounted where it would mount it: in the place of NFS is a tmpfs."""
        share = "nfs.example.org:/volumes"
        client = remotefs.RemoteFsClient("nfs", "", nfs_mount_point_base=f"{self.compute.directory}/mnt")
        place = client.get_mount_point(share)
        os.makedirs(place)
        subprocess.run(["mount", "-t", "tmpfs", share, place], check=True)
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        with open(f"{place}/volume-1", "wb") as file:
            file.truncate(64 << 20)
        of_share = {"export": share, "name": "volume-1", "options": None, "format": "raw", **data}
        return {
            "driver_volume_type": "nfs", "serial": str(uuid.uuid4()), "data": of_share, "mount_point_base": "/cinder"
        }  # fmt: skip

    def test_volume_that_is_a_file_of_a_share(self) -> None:
        self.let_os_brick_be_root()
        self.volume.connection_info = self.nfs_volume()
        instance = self.spawned()
        self.attach(instance, self.volume)
        self.assertRegex(self.mounts(instance), r"/dev/loop\d+ /volumes/disk1 ext4 \S*nosuid,nodev")
        self.compute.run(instance, "echo kept > /volumes/disk1/file")
        self.detach(instance, self.volume)
        self.attach(instance, self.volume)
        self.assertEqual("kept\n", self.compute.run(instance, "cat /volumes/disk1/file"))
        self.detach(instance, self.volume)

    def test_file_that_cannot_be_mounted_is_refused(self) -> None:
        self.volume.connection_info = self.nfs_volume(format="qcow2")
        error = self.assertRaises(exception.VolumeAttachFailed, self.attach, self.spawned(), self.volume)
        self.assertIn("its file is qcow2", str(error))

    def test_program_that_is_missing_is_named(self) -> None:
        self.let_os_brick_be_root()
        instance = self.spawned()
        programs = self.useFixture(fixtures.TempDir()).path
        for program in ("mount", "mkdir", "which", "ip"):
            os.symlink(f"/bin/{program}", f"{programs}/{program}")
        self.useFixture(fixtures.EnvironmentVariable("PATH", programs))
        target = {"target_portal": "127.0.0.1:1", "target_iqn": "iqn.2026-01.org.example:v", "target_lun": 1}
        for kind, data, program, package in (
            ("iscsi", target, "iscsiadm", "open-iscsi"),
            ("nfs", {"export": "127.0.0.1:/volumes", "name": "volume-1"}, "mount.nfs", "nfs-common"),
            ("rbd", {"name": "pool/volume-1", "auth_enabled": False}, "rbd", "ceph-common"),
        ):
            self.volume.connection_info = {"driver_volume_type": kind, "serial": str(uuid.uuid4()), "data": data}
            error = self.assertRaises(exception.VolumeAttachFailed, self.attach, instance, self.volume)
            self.assertIn(f"; {program} is not in nova-compute's PATH: install {package}", str(error))

    def test_connector_names_this_host(self) -> None:
        self.let_os_brick_be_root()
        self.assertEqual(self.compute.host, self.driver.get_volume_connector(None)["host"])
