# SPDX-License-Identifier: Apache-2.0
"""Three compute hosts: images, scheduling, migration, and what dies on one of them.

The first test brings the hosts up and the last takes the lab down; their names give the order.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import testtools
from testtools import matchers

from lab import compute_hosts, control, docker_engine, network, rest, settings
from tests import follower
from tests.end_to_end import demo, servers

LAB = settings.Lab(settings.default_state())
HOSTS = 3


def make(*words: str) -> None:
    status, output = demo.make(*words)
    assert status == 0, output


def until(check, timeout: float = 90) -> None:
    rest.wait_until(check, timeout=timeout)


def containers(host: compute_hosts.ComputeHost, server: str) -> list[str]:
    """Ids of the containers that a host has of a server, ended ones included."""
    return docker_engine.client(
        host.docker, "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label=nova.uuid={server}"
    ).split()


def workloads(host: compute_hosts.ComputeHost, server: str) -> list[str]:
    """Ids of the workloads of a server that run on a host."""
    label = f"label=nova.uuid={server}"
    return docker_engine.client(
        host.docker, "ps", "--quiet", "--filter", label, "--filter", "label=nova.role=workload"
    ).split()


class HostsTest(testtools.TestCase):
    def setUp(self):
        super().setUp()
        self.cloud = rest.Cloud(LAB)
        self.hosts = compute_hosts.all_of(LAB)
        self.servers = servers.Servers(self.cloud)
        self.addCleanup(self.servers.delete_all)

    def host_of(self, server: str) -> compute_hosts.ComputeHost:
        name = self.servers.host(server)
        return next(host for host in self.hosts if host.name == name)

    def inside(self, server: str, *command: str) -> str:
        """Run a command in a server's container, past SSH."""
        host = self.host_of(server)
        found = workloads(host, server)
        self.assertThat(found, matchers.HasLength(1))
        return docker_engine.client(host.docker, "exec", found[0], *command)

    def assert_nothing_left_of(self, server: str) -> None:
        for host in self.hosts:
            self.assertEqual([], containers(host, server), f"containers of {server} on {host.name}")
            volumes = docker_engine.client(
                host.docker, "volume", "ls", "--quiet", "--filter", f"label=nova.uuid={server}"
            )
            self.assertEqual("", volumes, f"volumes of {server} on {host.name}")
        self.assertEqual({}, self.cloud.get("placement", f"/allocations/{server}")["allocations"])
        ports = self.cloud.get("neutron", f"/ports?device_id={server}")["ports"]
        self.assertEqual([], ports)

    def killed(self, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Kill a service of the lab without mercy and wait until it is back.

        :param meanwhile: called until it succeeds, before that.
        """
        victim = control.read(LAB)["services"][name]
        os.kill(victim["pid"], signal.SIGKILL)
        until(meanwhile)

        def back() -> bool:
            now = control.read(LAB)["services"][name]
            return now["state"] == "up" and now["restarts"] > victim["restarts"]

        until(back)

    def test_01_three_hosts_share_the_machine(self):
        make("demo-up", f"HOSTS={HOSTS}")
        hosts = compute_hosts.all_of(LAB)
        self.assertThat(hosts, matchers.HasLength(HOSTS))
        seen = rest.Cloud(LAB).get("nova", "/os-hypervisors/detail")["hypervisors"]
        self.assertEqual({host.name for host in hosts}, {one["service"]["host"] for one in seen})
        self.assertEqual({"up"}, {one["state"] for one in seen})
        self.assertThat(len({host.docker for host in hosts}), matchers.Equals(HOSTS))
        for host in hosts:
            self.assertTrue(network.exists(host.bridge))

    def test_02_the_image_is_on_all_of_them_before_an_instance_asks(self):
        image = self.cloud.get("glance", "/images?name=cdh-5.13.0")["images"][0]["id"]

        def everywhere() -> bool:
            return all(
                docker_engine.client(host.docker, "images", "--quiet", f"nova/{image}").strip() for host in self.hosts
            )

        until(everywhere, timeout=180)

    def test_03_anti_affinity_and_capacity_decide_where_an_instance_goes(self):
        group = self.servers.group("anti-affinity")
        apart = [self.servers.create(f"apart-{number}", group=group) for number in range(HOSTS)]
        for server in apart:
            self.servers.settled(server, "ACTIVE")
        self.assertThat({self.servers.host(server) for server in apart}, matchers.HasLength(HOSTS))
        one_too_many = self.servers.create("apart-too", group=group)
        fault = self.servers.settled(one_too_many, "ERROR")["fault"]["message"]
        self.assertThat(fault, matchers.Contains("No valid host"))
        # Instances on different hosts reach one another, through two bridges and the cable between them.
        for server in apart:
            for other in apart:
                address = self.servers.address(other)
                until(lambda: self.inside(server, "timeout", "5", "bash", "-c", f"</dev/tcp/{address}/22") == "")  # noqa: B023

    def test_04_a_host_takes_no_more_memory_than_it_has(self):
        providers = self.cloud.get("placement", "/resource_providers")["resource_providers"]
        for provider in providers:
            inventory = self.cloud.get("placement", f"/resource_providers/{provider['uuid']}/inventories")
            memory = inventory["inventories"]["MEMORY_MB"]
            free = memory["total"] - memory["reserved"]
            machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
            self.assertThat(free, matchers.LessThan(machine // HOSTS))
            self.assertThat(free, matchers.GreaterThan(0))

    def test_05_a_cold_migration_takes_root_data_and_address_along(self):
        server = self.servers.create("mover", host=self.hosts[0].name)
        self.servers.settled(server, "ACTIVE")
        address = self.servers.address(server)
        self.inside(server, "sh", "-c", "echo root > /root/kept && echo data > /mnt/kept")
        stand_ins = {"compute-1": self.hosts[0].name, "SERVER": server}
        page = follower.Page(self.useFixture(follower.Desk(LAB)), "docs/upgrade.md", stand_ins)
        page.follow("openstack compute service set --disable")
        services = self.cloud.get("nova", f"/os-services?binary=nova-compute&host={self.hosts[0].name}")["services"]
        self.assertEqual(["disabled"], [one["status"] for one in services])
        page.follow("openstack server migrate SERVER")
        self.servers.settled(server, "VERIFY_RESIZE", timeout=180)
        self.assertNotEqual(self.hosts[0].name, self.servers.host(server))
        self.assertEqual("root\ndata\n", self.inside(server, "cat", "/root/kept", "/mnt/kept"))
        self.assertThat(self.inside(server, "ip", "-4", "address", "show"), matchers.Contains(f" {address}/"))
        with page:
            page.follow()
        self.servers.settled(server, "ACTIVE")
        self.assertEqual([], containers(self.hosts[0], server))
        self.servers.delete(server)
        self.assert_nothing_left_of(server)

    def test_06_a_migration_can_be_taken_back(self):
        server = self.servers.create("returner", host=self.hosts[1].name)
        self.servers.settled(server, "ACTIVE")
        self.inside(server, "sh", "-c", "echo before > /mnt/kept")
        self.servers.act(server, "migrate")
        self.servers.settled(server, "VERIFY_RESIZE", timeout=180)
        self.inside(server, "sh", "-c", "echo after > /mnt/kept")
        self.servers.act(server, "revertResize")
        self.servers.settled(server, "ACTIVE")
        self.assertEqual(self.hosts[1].name, self.servers.host(server))
        self.assertEqual("before\n", self.inside(server, "cat", "/mnt/kept"))
        self.servers.delete(server)
        self.assert_nothing_left_of(server)

    def test_07_a_daemon_that_dies_comes_back_with_its_instances(self):
        host = self.hosts[1]
        server = self.servers.create("survivor", host=host.name)
        self.servers.settled(server, "ACTIVE")
        address = self.servers.address(server)
        self.inside(server, "sh", "-c", "echo data > /mnt/kept")
        self.killed(host.unique("docker"))

        # The daemon answers before the instance runs again; once that runs, its interface is there.
        until(lambda: workloads(host, server) != [], timeout=150)
        self.assertThat(self.inside(server, "ip", "-4", "address", "show"), matchers.Contains(f" {address}/"))
        self.assertEqual("data\n", self.inside(server, "cat", "/mnt/kept"))

    def test_08_a_daemon_that_dies_during_spawns_leaves_nothing_behind(self):
        host = self.hosts[2]
        spawning = [self.servers.create(f"unlucky-{number}", host=host.name) for number in range(3)]
        until(lambda: any(containers(host, server) for server in spawning))
        self.killed(host.unique("docker"))
        for server in spawning:
            self.servers.settled(server, "ACTIVE", "ERROR", timeout=180)
        for server in spawning:
            self.servers.delete(server)
            self.assert_nothing_left_of(server)

    def test_09_nova_compute_killed_at_any_phase_of_a_spawn_leaves_nothing_behind(self):
        host = self.hosts[2]

        phases = {
            "asked for": lambda server: True,
            "sandbox made": lambda server: len(containers(host, server)) >= 1,
            "workload made": lambda server: len(containers(host, server)) >= 2,
            "workload runs": lambda server: bool(workloads(host, server)),
        }
        for phase, reached in phases.items():
            server = self.servers.create(f"killed-{phase.replace(' ', '-')}", host=host.name)
            deadline = time.monotonic() + 60
            while not reached(server):
                self.assertThat(time.monotonic(), matchers.LessThan(deadline), phase)
                time.sleep(0.01)
            self.killed(host.unique("nova-compute"))
            seen = self.servers.settled(server, "ACTIVE", "ERROR", timeout=120)
            if seen["status"] == "ACTIVE":
                self.assertNotEqual([], workloads(host, server), f"{phase}: Nova says ACTIVE, and nothing runs")
            self.servers.delete(server)
            self.assert_nothing_left_of(server)

    def test_10_an_instance_of_a_dead_host_is_made_anew_on_another(self):
        host = self.hosts[1]
        server = self.servers.create("evacuated", host=host.name)
        self.servers.settled(server, "ACTIVE")
        address = self.servers.address(server)
        # A host that has died: its nova-compute does nothing any more, and what it ran has ended.
        dead = control.read(LAB)["services"][host.unique("nova-compute")]
        os.kill(dead["pid"], signal.SIGSTOP)
        try:
            self.killed(host.unique("docker"))
            self.servers.force_down(host.name, True)
            self.servers.evacuate(server)
            until(lambda: self.servers.host(server) != host.name, timeout=120)
            self.servers.settled(server, "ACTIVE")
            self.assertNotEqual([], containers(host, server))
        finally:
            # Nova lets a host be up again only after it has seen to what was evacuated.
            self.killed(host.unique("nova-compute"), lambda: self.servers.force_down(host.name, False))
        # It comes back, and removes what it had.
        until(lambda: containers(host, server) == [])
        self.assertThat(self.inside(server, "ip", "-4", "address", "show"), matchers.Contains(f" {address}/"))
        self.servers.delete(server)
        self.assert_nothing_left_of(server)

    def test_11_the_other_hosts_bridges_and_daemons_go_with_the_lab(self):
        bridges = [host.bridge for host in self.hosts]
        make("demo-down")
        for bridge in bridges:
            self.assertFalse(network.exists(bridge), bridge)
