# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import types
from unittest import mock

import docker.errors
import fixtures
import requests
import testtools
from nova import exception

from sahara_docker.nova import guest, hypervisor

INSTANCE = type("Instance", (), {"uuid": "1234"})()


def answer(status: int, explanation: str, kind: type[docker.errors.APIError] = docker.errors.APIError) -> Exception:
    response = requests.Response()
    response.status_code = status
    return kind("refused", response=response, explanation=explanation)


class ExplainedTest(testtools.TestCase):
    def explained(self, error: Exception) -> None:
        with hypervisor.explained("cannot start the container", INSTANCE):
            raise error

    def test_missing_container_is_a_missing_instance(self) -> None:
        error = answer(404, "No such container: nova-1234", docker.errors.NotFound)
        self.assertRaises(exception.InstanceNotFound, self.explained, error)

    def test_missing_image_is_not_a_missing_instance(self) -> None:
        """Nova takes a missing instance for one that its owner has deleted, and says nothing."""
        error = answer(404, "No such image: sha256:0", docker.errors.ImageNotFound)
        raised = self.assertRaises(hypervisor.DaemonError, self.explained, error)
        self.assertEqual("[instance 1234] cannot start the container: No such image: sha256:0", raised.format_message())

    def test_fault_of_an_instance_has_the_daemon_s_words(self) -> None:
        raised = self.assertRaises(hypervisor.DaemonError, self.explained, answer(500, "operation not permitted"))
        self.assertIsInstance(raised, exception.NovaException)
        self.assertIn("operation not permitted", raised.format_message())

    def test_daemon_that_does_not_answer_comes_with_a_remedy(self) -> None:
        raised = self.assertRaises(hypervisor.DaemonError, self.explained, requests.ConnectionError("refused"))
        self.assertIn("[docker] host", str(raised))


class RemovalTest(testtools.TestCase):
    def remove(self, *answers: Exception | None) -> mock.Mock:
        api = mock.Mock()
        api.containers.return_value = [{"Id": "c0", "Labels": {hypervisor.LABEL_ROLE: "workload"}}]
        api.remove_container.side_effect = answers
        guest.Guest(types.SimpleNamespace(api=api, host="host"), INSTANCE).remove()
        return api.remove_container

    def test_a_container_that_is_slow_to_die_is_removed_in_the_end(self) -> None:
        slow = answer(
            500, "Could not kill running container c0: tried to kill container, but did not receive an exit event"
        )
        busy = answer(409, "removal of container c0 is already in progress")
        self.assertEqual(3, self.remove(slow, busy, None).call_count)

    def test_a_container_that_cannot_be_removed_is_a_fault(self) -> None:
        self.assertRaises(hypervisor.DaemonError, self.remove, answer(500, "driver failed to remove root filesystem"))


class VersionTest(testtools.TestCase):
    def test_version_is_a_number_in_nova_s_database(self) -> None:
        for text, number in (("20.10.24+dfsg1", 20010024), ("29.0.0-rc.1", 29000000), ("dev", 0)):
            self.assertEqual(number, hypervisor._version_number(text))


class RootQuotaTest(testtools.TestCase):
    def can(self, driver: str, backing: str = "", mounts: str = "") -> bool:
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, "mounts")
        with open(path, "w") as file:
            file.write(f"/dev/sda1 / ext4 rw,relatime 0 0\n{mounts}")
        status = [["Backing Filesystem", backing]]
        info = {"Driver": driver, "DriverStatus": status, "DockerRootDir": "/var/lib/docker"}
        return hypervisor._can_limit_roots(info, path)

    def test_overlay_needs_xfs_with_project_quotas(self) -> None:
        for options, expected in (("rw,pquota", True), ("rw,prjquota", True), ("rw,noquota", False)):
            for point in ("/var/lib", "/var/lib/docker"):
                self.assertIs(expected, self.can("overlay2", "xfs", f"/dev/sdb {point} xfs {options} 0 0\n"))
        self.assertFalse(self.can("overlay2", "extfs"))
        self.assertFalse(self.can("overlay2", "xfs", "/dev/sdb /var/lib/docker2 xfs rw,pquota 0 0\n"))

    def test_other_drivers(self) -> None:
        for driver, expected in (("btrfs", True), ("zfs", True), ("vfs", False), ("overlayfs", False)):
            self.assertIs(expected, self.can(driver))


class ConnectTest(testtools.TestCase):
    """What a daemon says of its host's control groups ("SystemInfo" in the Docker Engine API's reference)."""

    def log_of(self, **changes: bool) -> str:
        info = {
            "OSType": "linux", "CgroupVersion": "2", "CgroupDriver": "systemd", "LiveRestoreEnabled": True,
            "MemoryLimit": True, "SwapLimit": True, "CpuCfsPeriod": True, "CpuCfsQuota": True, "CPUShares": True,
            "CPUSet": True, "PidsLimit": True, "IPv4Forwarding": True, "OomKillDisable": False, **changes,
        }  # fmt: skip
        log = self.useFixture(fixtures.FakeLogger())
        daemon = hypervisor.Hypervisor("unix:///run/docker.sock", "host")
        daemon._api = types.SimpleNamespace(info=lambda: info)
        daemon.connect()
        return log.output

    def test_v2_holds_instances_to_their_flavors(self) -> None:
        self.assertEqual("", self.log_of())

    def test_controllers_that_are_not_delegated_are_named(self) -> None:
        said = self.log_of(MemoryLimit=False, SwapLimit=False)
        self.assertEqual("The Docker daemon cannot hold instances to their flavors: no MemoryLimit, SwapLimit\n", said)
