# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import socket
from typing import Any

import fixtures
import testtools
from nova import exception, objects
from oslo_config import cfg

import sahara_docker.conf
from sahara_docker.nova import limits

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max open files            1024                 20000                files
Max locked memory         8388608              8388608              bytes
Max nice priority         0                    0
"""


class UlimitTest(testtools.TestCase):
    def test_parse(self) -> None:
        self.assertEqual(limits.Ulimit("nofile", 10, 20), limits.Ulimit.parse("nofile=10:20"))
        self.assertEqual(limits.Ulimit("nproc", 5, 5), limits.Ulimit.parse(" nproc=5"))
        self.assertEqual(limits.Ulimit("memlock", -1, -1), limits.Ulimit.parse("memlock=-1"))

    def test_nonsense_is_refused_by_name(self) -> None:
        for text in (
            "",
            "nofile",
            "nofile=",
            "=5",
            "nofile=a",
            "nofile=5:a",
            "nofile=20:10",
            "nofile=-2",
            "nofile=-1:5",
        ):
            self.assertIn(text, str(self.assertRaises(ValueError, limits.Ulimit.parse, text)))

    def test_lowered_to_the_ceiling(self) -> None:
        merged = limits.ulimits(
            [["nofile=10:50", "memlock=-1", "nproc=7"], ["nproc=9"]], {"nofile": 20, "memlock": 8192}
        )
        self.assertEqual(
            [limits.Ulimit("nofile", 10, 20), limits.Ulimit("memlock", 8192, 8192), limits.Ulimit("nproc", 9, 9)],
            merged,
        )


class DaemonCeilingsTest(testtools.TestCase):
    """Against a listening socket of this process, and a /proc of the test's own for it."""

    def setUp(self) -> None:
        super().setUp()
        self.proc = self.useFixture(fixtures.TempDir()).path
        path = os.path.join(self.useFixture(fixtures.TempDir()).path, "docker.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen()
        self.url = f"unix://{path}"

    def write(self, name: str, content: str) -> None:
        path = os.path.join(self.proc, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)

    def test_daemon_without_the_capability_is_held_to_its_own_limits(self) -> None:
        self.write("sys/fs/nr_open", "1048576\n")
        self.write(f"{os.getpid()}/status", "Name:\tdockerd\nCapBnd:\t000001fffeffffff\n")
        self.write(f"{os.getpid()}/limits", LIMITS)
        self.assertEqual({"nofile": 20000, "memlock": 8388608}, limits.daemon_ceilings(self.url, self.proc))

    def test_daemon_with_the_capability_is_held_to_the_kernel_s_limit(self) -> None:
        self.write("sys/fs/nr_open", "1048576\n")
        self.write(f"{os.getpid()}/status", "Name:\tdockerd\nCapBnd:\t000001ffffffffff\n")
        self.assertEqual({"nofile": 1048576}, limits.daemon_ceilings(self.url, self.proc))

    def test_nothing_is_known_of_a_daemon_that_cannot_be_seen(self) -> None:
        self.assertEqual({}, limits.daemon_ceilings("tcp://192.0.2.1:2375", self.proc))
        self.assertEqual({}, limits.daemon_ceilings("unix:///nonexistent/docker.sock", self.proc))
        self.assertEqual({}, limits.daemon_ceilings(self.url, self.proc))


class HostConfigTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        objects.register_all()
        self.conf = cfg.ConfigOpts()
        sahara_docker.conf.register_nova_opts(self.conf)
        self.conf([])

    def override(self, name: str, value: Any) -> None:
        self.conf.set_override(name, value, group="docker")
        self.addCleanup(self.conf.clear_override, name, group="docker")  # the group's object is everybody's

    def config(self, **extra_specs: str) -> dict[str, Any]:
        return limits.host_config(self.flavor(**extra_specs), self.conf.docker, {"nofile": 20000})

    def flavor(self, swap: int = 0, root_gb: int = 10, ephemeral_gb: int = 5, **extra_specs: str) -> objects.Flavor:
        specs = {name.replace("__", ":"): value for name, value in extra_specs.items()}
        return objects.Flavor(
            name="small", vcpus=2, memory_mb=1024, swap=swap, root_gb=root_gb, ephemeral_gb=ephemeral_gb,
            extra_specs=specs,
        )  # fmt: skip

    def test_flavor_becomes_limits_without_swap_and_without_privileges(self) -> None:
        config = self.config()
        self.assertEqual((1 << 30, 1 << 30), (config["mem_limit"], config["memswap_limit"]))
        self.assertEqual((2048, 16384, 256 << 20), (config["cpu_shares"], config["pids_limit"], config["shm_size"]))
        self.assertEqual(([], False), (config["cap_add"], config["privileged"]))
        self.assertIn({"Name": "nofile", "Soft": 20000, "Hard": 20000}, config["ulimits"])
        self.assertNotIn("cpu_quota", config)

    def test_extra_specs_override(self) -> None:
        config = self.config(
            docker__ulimits="nofile=100:200, core=0",
            docker__pids_limit="99",
            docker__shm_size_mb="8",
            docker__cap_add="SYS_NICE",
            docker__privileged="true",
            quota__cpu_shares="10",
            quota__cpu_quota="5000",
        )
        self.assertIn({"Name": "nofile", "Soft": 100, "Hard": 200}, config["ulimits"])
        self.assertIn({"Name": "core", "Soft": 0, "Hard": 0}, config["ulimits"])
        self.assertEqual((99, 8 << 20, ["SYS_NICE"]), (config["pids_limit"], config["shm_size"], config["cap_add"]))
        self.assertIs(True, config["privileged"])
        # 5 ms of each 100 ms on each of two CPUs
        self.assertEqual((10, 100_000, 10_000), (config["cpu_shares"], config["cpu_period"], config["cpu_quota"]))

    def test_extra_spec_that_makes_no_sense_names_the_flavor(self) -> None:
        for name, value in (
            ("docker__privileged", "perhaps"),
            ("docker__pids_limit", "many"),
            ("docker__ulimits", "x"),
            ("docker__sysctls", "net.core.somaxconn"),
            ("docker__cpu_cap", "perhaps"),
        ):
            error = self.assertRaises(exception.InvalidInput, self.config, **{name: value})
            self.assertIn("flavor small", str(error))

    def test_shares_stay_within_the_kernel_s_bound(self) -> None:
        self.assertEqual(262144, self.config(quota__cpu_shares="999999999")["cpu_shares"])

    def test_cap_is_what_a_cpu_count_can_be_read_from(self) -> None:
        self.assertEqual((100_000, 200_000), self._cap(docker__cpu_cap="true"))
        self.assertEqual((50_000, 100_000), self._cap(docker__cpu_cap="true", quota__cpu_period="50000"))
        self.assertEqual((100_000, 20_000), self._cap(docker__cpu_cap="true", quota__cpu_quota="10000"))
        self.assertEqual((None, None), self._cap(docker__cpu_cap="true", quota__cpu_quota="-1"))
        self.override("cpu_cap", True)
        self.assertEqual((100_000, 200_000), self._cap())
        self.assertEqual((None, None), self._cap(docker__cpu_cap="no"))

    def _cap(self, **extra_specs: str) -> tuple[Any, Any]:
        config = self.config(**extra_specs)
        return config.get("cpu_period"), config.get("cpu_quota")

    def test_swap_is_the_flavor_s(self) -> None:
        config = limits.host_config(self.flavor(swap=512), self.conf.docker, {})
        self.assertEqual((1024 << 20, 1536 << 20), (config["mem_limit"], config["memswap_limit"]))

    def test_sysctls_go_to_the_container_that_owns_the_namespace(self) -> None:
        self.override("sysctls", ["net.core.somaxconn=100", "kernel.msgmax=1"])
        specs = {"docker__sysctls": "net.core.somaxconn=200, kernel.sem=250 32000 32 128"}
        flavor = self.flavor(**specs)
        self.assertEqual({"net.core.somaxconn": "200"}, limits.network_sysctls(flavor, self.conf.docker))
        self.assertEqual({"kernel.msgmax": "1", "kernel.sem": "250 32000 32 128"}, self.config(**specs)["sysctls"])

    def test_devices_and_capabilities_of_options_and_flavor(self) -> None:
        self.override("devices", ["/dev/fuse"])
        config = self.config(docker__devices="/dev/kvm:/dev/kvm:r", docker__cap_drop="NET_RAW, MKNOD")
        self.assertEqual(["/dev/fuse", "/dev/kvm:/dev/kvm:r"], config["devices"])
        self.assertEqual(["NET_RAW", "MKNOD"], config["cap_drop"])

    def test_root_is_limited_where_the_daemon_can(self) -> None:
        limited = limits.host_config(self.flavor(), self.conf.docker, {}, root_quota=True)
        self.assertEqual({"size": "10G"}, limited["storage_opt"])
        for config in (
            self.config(),
            limits.host_config(self.flavor(root_gb=0), self.conf.docker, {}, root_quota=True),
        ):
            self.assertNotIn("storage_opt", config)

    def test_data_is_a_part_of_the_disk_that_is_counted(self) -> None:
        self.assertEqual(5, limits.data_gb(self.flavor()))
        self.assertEqual(10, limits.data_gb(self.flavor(ephemeral_gb=0)))
        self.assertEqual(0, limits.data_gb(self.flavor(root_gb=0, ephemeral_gb=0)))
        self.assertEqual(15, limits.data_gb(self.flavor(docker__data_gb="15")))
        for size in ("16", "-1", "x"):
            self.assertRaises(exception.InvalidInput, limits.data_gb, self.flavor(docker__data_gb=size))


class ReservedPortsTest(testtools.TestCase):
    def reserved(self, *ports: str) -> str | None:
        return limits.reserved_ports({"Config": {"ExposedPorts": {port: {} for port in ports}}}).get(
            "net.ipv4.ip_local_reserved_ports"
        )

    def test_neighbours_are_written_as_a_range_and_protocols_do_not_matter(self) -> None:
        self.assertEqual(
            "22,50010-50012,60000",
            self.reserved("50012/tcp", "60000/udp", "22/tcp", "50010/tcp", "50011/tcp", "60000/tcp"),
        )

    def test_an_image_without_ports_reserves_none(self) -> None:
        self.assertIsNone(self.reserved())
        self.assertEqual({}, limits.reserved_ports({"Config": {"ExposedPorts": None}}))

    def test_more_than_the_kernel_reads_at_once_are_none(self) -> None:
        self.assertIsNone(self.reserved(*(f"{port}/tcp" for port in range(1, 65536, 2))))


class HealthcheckTest(testtools.TestCase):
    def bounded(self, **wanted: Any) -> Any:
        return limits.healthcheck({"Config": {"Healthcheck": {"Test": ["CMD", "true"], "Retries": 2, **wanted}}})

    def test_one_that_would_run_all_the_time_gets_pauses(self) -> None:
        second = 1_000_000_000
        self.assertEqual(
            {"Test": ["CMD", "true"], "Retries": 2, "Interval": second, "StartInterval": 5 * second},
            self.drop_none(self.bounded(Interval=1_000_000, StartInterval=5 * second)),
        )
        self.assertEqual(second, self.bounded(StartInterval=1)["StartInterval"])

    def drop_none(self, check: Any) -> dict[str, Any]:
        return {name: value for name, value in check.items() if value is not None}

    def test_others_are_left_alone(self) -> None:
        for pauses in ({}, {"Interval": 0}, {"Interval": 1_000_000_000}):
            self.assertIsNone(self.bounded(**pauses))
        for image in ({}, {"Config": None}, {"Config": {"Healthcheck": None}}):
            self.assertIsNone(limits.healthcheck(image))
