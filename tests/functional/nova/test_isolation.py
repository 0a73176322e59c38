# SPDX-License-Identifier: Apache-2.0
"""What docs/nova-security.md says of a tenant's instance, tried by its root."""

from __future__ import annotations

import glob
import os
import socket
import stat
import subprocess
from typing import Any

import testtools
from nova.network import model
from testtools import matchers

from tests.functional.nova import environment
from tests.unit.nova import neutron

# Docker's default set (its documentation, "Runtime privilege and Linux capabilities"): CHOWN, DAC_OVERRIDE, FOWNER,
# FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
_CAPABILITIES = "00000000a80425fb"
# What an image may say of itself, in the hope that somebody believes it.
_WISHES = ("docker_privileged", "docker_cap_add", "docker_devices", "docker_ulimits", "hw_privileged")


class IsolationTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.node_image()

    def spawned(self, *ports: model.VIF, hostname: str = "node-1", **extra_specs: str) -> Any:
        instance = self.compute.instance(self.image, hostname=hostname, **extra_specs)
        self.addCleanup(self.driver.destroy, self.compute.context, instance, list(ports))
        self.compute.spawn(instance, self.image, model.NetworkInfo(ports))
        return instance

    def assert_refused(self, instance: Any, command: str, why: str) -> None:
        """The command fails, and for that reason."""
        status, output = self.compute.container(instance).exec_run(["bash", "-c", command])
        self.assertNotEqual(0, status, f"{command} was not refused: {output!r}")
        self.assertThat(output.decode(), matchers.MatchesRegex(rf"(?s).*({why})"), command)

    def test_kernel(self) -> None:
        instance = self.spawned()
        own = self.compute.run(instance, "cat /proc/1/status")
        self.assertRegex(own, rf"CapEff:\s+{_CAPABILITIES}\n")
        self.assertRegex(own, rf"CapBnd:\s+{_CAPABILITIES}\n")
        self.assertRegex(own, r"Seccomp:\s+2\n")  # a filter
        denied = "Operation not permitted|Permission denied|must be superuser|permission denied"
        self.assert_refused(instance, "mount -t tmpfs none /mnt", denied)
        self.assert_refused(instance, "unshare --mount true", denied)
        self.assert_refused(instance, "unshare --user true", denied)
        self.assert_refused(instance, "nsenter --target 1 --net true", denied)
        self.assert_refused(instance, "dmesg", denied)
        self.assert_refused(instance, "date --set=@0", denied)
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/sys/kernel/anything"):
            self.assert_refused(instance, f"echo x > {path}", "Read-only file system|Permission denied")
        masked = "ls -A /sys/firmware; cat /proc/kcore /proc/keys 2>/dev/null; true"  # not every kernel has all of them
        self.assertEqual("", self.compute.run(instance, masked))

    def test_what_of_the_host_can_be_read(self) -> None:
        """The kernel tells everybody; doing something with it is another matter."""
        instance = self.spawned()
        for path in ("/proc/version", "/proc/cmdline", "/proc/partitions"):
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), self.compute.run(instance, f"cat {path}"))
        self.assertEqual(sorted(os.listdir("/sys/block")), self.compute.run(instance, "ls /sys/block").split())

    def test_devices_of_the_host(self) -> None:
        """A device file can be made, and opens nothing."""
        device = os.stat("/dev/loop0").st_rdev
        self.assert_refused(
            self.spawned(),
            f"mknod /tmp/disk b {os.major(device)} {os.minor(device)} && head -c 1 /tmp/disk",
            "Operation not permitted",
        )

    def test_root_is_root_of_the_host_s_kernel(self) -> None:
        """There is no user namespace unless the daemon has userns-remap: what the limits above hold back is all."""
        self.assertEqual(["0", "0", "4294967295"], self.compute.run(self.spawned(), "cat /proc/self/uid_map").split())

    def test_docker_socket_and_processes_of_others(self) -> None:
        first, second = self.spawned(), self.spawned(hostname="node-2")
        for place in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd"):
            self.assert_refused(first, f"ls {place}", "No such file")
        self.assertNotIn(second.uuid, self.compute.run(first, "cat /proc/*/cgroup /proc/mounts 2>/dev/null; env"))
        names = self.compute.run(first, "cat /proc/[0-9]*/comm 2>/dev/null")
        self.assertNotIn("dockerd", names)

    def test_network_of_the_host(self) -> None:
        """A service on the host's loopback, and the address of the metadata service, are nowhere to be seen."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        instance = self.spawned()
        self.assertEqual("lo\n", self.compute.run(instance, "ls /sys/class/net"))
        port = listener.getsockname()[1]
        self.assert_refused(instance, f"exec 3<>/dev/tcp/127.0.0.1/{port}", "Connection refused")
        self.assert_refused(instance, "exec 3<>/dev/tcp/169.254.169.254/80", "Network is unreachable")

    def test_program_of_its_root_does_not_reach_the_host_s_users(self) -> None:
        """Files of the driver's are mounted writable: what its root makes of them would be root's on the host."""
        instance = self.spawned()
        os.chmod(self.compute.directory, 0o755)  # as the directory of Nova's instances is on a host
        (data,) = (m["Source"] for m in self.compute.container(instance).attrs["Mounts"] if m["Destination"] == "/mnt")
        for inside, on_host in (
            ("/etc/hosts", os.path.join(self.compute.directory, instance.uuid, "hosts")),
            ("/mnt/id", os.path.join(data, "id")),
        ):
            self.compute.run(instance, f"cat /usr/bin/id > {inside} && chmod 4755 {inside} && {inside}")
            self.assertEqual(0o4755, stat.S_IMODE(os.stat(on_host).st_mode))
            nobody = {"user": 65534, "group": 65534, "extra_groups": []}
            self.assertRaises(PermissionError, subprocess.run, [on_host], check=True, **nobody)

    def test_port_leads_to_its_bridge_only(self) -> None:
        """Root can send from any address (CAP_NET_RAW): holding it to its own is the work of Neutron's bindings."""
        self.useFixture(environment.Bridge("nova-test-iso", ("10.94.0.1/24",)))
        port = neutron.port("nova-test-iso", neutron.subnet("10.94.0.0/24", "10.94.0.7"), mac="fa:16:3e:cc:00:07")
        instance = self.spawned(port)
        self.assertEqual("eth0\nlo\n", self.compute.run(instance, "ls /sys/class/net"))
        self.assert_refused(instance, "ip link set dev eth0 down", "Operation not permitted")
        self.assert_refused(instance, "ip address add 10.94.0.8/24 dev eth0", "Operation not permitted")

    def test_image_cannot_widen_anything(self) -> None:
        image = self.image
        image.properties = type(image.properties)()
        instance = self.compute.instance(image)
        instance.system_metadata = {f"image_{name}": "true" for name in _WISHES}
        self.addCleanup(self.driver.destroy, self.compute.context, instance, [])
        self.compute.spawn(instance, image)
        config = self.compute.container(instance).attrs["HostConfig"]
        self.assertEqual((False, None, []), (config["Privileged"], config["CapAdd"], config["Devices"] or []))
        self.assertIn(f"CapBnd:\t{_CAPABILITIES}", self.compute.run(instance, "cat /proc/1/status"))

    def test_image_s_own_configuration_gains_nothing(self) -> None:
        """All that an image can say of the container it wants, with labels that look like the driver's own."""
        image = self.compute.small_image(
            "LABEL nova.host=other nova.uuid=other nova.name=other nova.role=sandbox",
            "ENV DOCKER_HOST=unix:///var/run/docker.sock",
            "VOLUME /var/run/docker.sock /extra",
            "EXPOSE 22 50010-50011",
            "USER 1000",
            "ONBUILD USER 0",
            "HEALTHCHECK --interval=1ms CMD true",
        )
        instance = self.compute.instance(image)
        self.addCleanup(self.driver.destroy, self.compute.context, instance, [])
        self.compute.spawn(instance, image)
        found = self.compute.container(instance).attrs
        config = found["HostConfig"]
        self.assertEqual((False, None, None), (config["Privileged"], config["CapAdd"], config["Devices"] or None))
        self.assertEqual(({}, "", ""), (config["PortBindings"] or {}, config["PidMode"], config["UsernsMode"]))
        self.assertEqual([instance.uuid], self.driver.list_instance_uuids())
        self.assertEqual("workload", found["Config"]["Labels"]["nova.role"])
        self.assertEqual(1_000_000_000, found["Config"]["Healthcheck"]["Interval"])
        self.assertEqual(["CMD-SHELL", "true"], found["Config"]["Healthcheck"]["Test"])
        reserved = self.compute.run(instance, "cat /proc/sys/net/ipv4/ip_local_reserved_ports")
        self.assertEqual("22,50010-50011\n", reserved)
        self.assertEqual("", self.compute.run(instance, "ls -A /var/run/docker.sock; ls -A /extra"))
        self.assertIn("CapEff:\t0000000000000000", self.compute.run(instance, "cat /proc/1/status"))
        volumes = [m["Name"] for m in found["Mounts"] if m["Destination"] in ("/var/run/docker.sock", "/extra")]
        self.assertEqual(2, len(volumes))
        self.driver.destroy(self.compute.context, instance, [])
        self.assertEqual(set(), set(volumes) & {volume.name for volume in self.compute.daemon.volumes.list()})

    def test_console_cannot_fill_the_host(self) -> None:
        instance = self.spawned()
        self.compute.run(instance, "head -c 30M /dev/zero | tr '\\0' x > /proc/1/fd/1")
        log = self.compute.container(instance).attrs["LogPath"]
        sizes = [os.path.getsize(path) for path in glob.glob(f"{log}*")]
        self.assertEqual(2, len(sizes))
        self.assertThat(sum(sizes), matchers.LessThan(21 << 20))

    def test_memory_and_processes_are_limited(self) -> None:
        instance = self.spawned(docker__pids_limit="40")
        self.assert_refused(instance, "for i in $(seq 60); do sleep 5 & done", "Resource temporarily unavailable")
        status, _ = self.compute.container(instance).exec_run(
            ["bash", "-c", "head -c 900M /dev/zero | tail -c 800M | wc"]
        )
        self.assertEqual(0, status)  # of wc; tail was killed
        out = self.compute.run(
            instance, "bash -c 'set -o pipefail; head -c 900M /dev/zero | tail -c 800M | wc -c' || echo $?"
        )
        self.assertIn("137", out)

    def test_what_a_flavor_widens_and_narrows(self) -> None:
        instance = self.spawned(
            docker__cap_add="SYS_NICE",
            docker__cap_drop="NET_RAW",
            docker__devices="/dev/fuse:/dev/extra:r",
            docker__sysctls="net.core.somaxconn=777,kernel.shm_rmid_forced=1",
            docker__cpu_cap="true",
        )
        bounding = int(self.compute.run(instance, "sed -n 's/^CapBnd:\\t//p' /proc/1/status"), 16)
        nice, raw = 1 << 23, 1 << 13
        self.assertEqual(int(_CAPABILITIES, 16) & ~raw | nice, bounding)
        self.assertEqual(
            "777\n1\n", self.compute.run(instance, "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced")
        )
        self.compute.run(instance, "test -c /dev/extra")
        self.assert_refused(instance, "echo x > /dev/extra", "Operation not permitted")
        self.assertEqual(200_000, self.compute.container(instance).attrs["HostConfig"]["CpuQuota"])
