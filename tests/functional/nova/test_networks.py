# SPDX-License-Identifier: Apache-2.0
"""Neutron ports in real network namespaces, on a bridge that the test makes."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
from typing import Any

import docker.errors
import testtools
from nova import exception
from nova.compute import power_state
from nova.network import model
from testtools import matchers

from sahara_docker.nova import privileged
from tests.functional.nova import environment
from tests.unit.nova import neutron

_BRIDGE = "nova-test-br"
_MAC = "fa:16:3e:aa:00:07"


class NetworkTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.useFixture(environment.Bridge(_BRIDGE, ("10.97.0.1/24", "fd97::1/64")))
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.node_image()

    def port(self, last: int = 7, **attributes: Any) -> model.VIF:
        return neutron.port(
            _BRIDGE,
            neutron.subnet("10.97.0.0/24", f"10.97.0.{last}", gateway="10.97.0.1", dns=("10.97.0.1",)),
            neutron.subnet("fd97::/64", f"fd97::{last}", gateway="fd97::1"),
            mac=f"fa:16:3e:aa:00:{last:02x}",
            **attributes,
        )

    def spawned(self, *ports: model.VIF) -> Any:
        instance = self.compute.instance(self.image)
        self.addCleanup(self.driver.unplug_vifs, instance, list(ports))
        self.compute.spawn(instance, self.image, model.NetworkInfo(ports))
        return instance

    def links(self, instance: Any) -> dict[str, Any]:
        """Return name -> what ``ip -json address`` says, for the instance's interfaces but lo."""
        found = json.loads(self.compute.run(instance, "ip -json address"))
        return {link["ifname"]: link for link in found if link and link["ifname"] != "lo"}

    def addresses(self, instance: Any, device: str) -> set[str]:
        info = self.links(instance)[device]["addr_info"]
        return {f"{a['local']}/{a['prefixlen']}" for a in info if a["scope"] == "global"}

    def assert_reachable(self, address: str) -> None:
        """The node's sshd greets at the address; sshd may still be starting."""
        with socket.create_connection((address, 22), timeout=10) as connection:
            self.assertThat(connection.recv(100), matchers.StartsWith(b"SSH-2.0"))

    def wait_for_sshd(self, instance: Any) -> None:
        self.compute.run(
            instance, "for i in $(seq 100); do grep -q ':0016 ' /proc/net/tcp && exit; sleep 0.1; done; exit 1"
        )

    def host_device(self, port: model.VIF) -> list[Any]:
        return privileged.links(device=f"tap{port['id'][:11]}")

    def test_address_mac_mtu_and_routes_are_neutron_s(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        link = self.links(instance)["eth0"]
        self.assertEqual((_MAC, 1400, "UP"), (link["address"], link["mtu"], link["operstate"]))
        self.assertEqual({"10.97.0.7/24", "fd97::7/64"}, self.addresses(instance, "eth0"))
        self.assertIn("default via 10.97.0.1 dev eth0", self.compute.run(instance, "ip route"))
        self.assertIn("default via fd97::1 dev eth0", self.compute.run(instance, "ip -6 route"))
        (host,) = self.host_device(port)
        self.assertEqual((_BRIDGE, 1400), (host["master"], host["mtu"]))
        self.wait_for_sshd(instance)
        for address in ("10.97.0.7", "fd97::7"):
            self.assert_reachable(address)

    def test_names_and_resolver_come_from_the_port(self) -> None:
        instance = self.spawned(self.port())
        self.assertEqual(
            "10.97.0.7", self.compute.run(instance, "getent ahostsv4 node-1 | head -n 1 | cut -d ' ' -f 1").strip()
        )
        self.assertIn("10.97.0.7 node-1.novalocal node-1", self.compute.run(instance, "cat /etc/hosts"))
        self.assertIn("nameserver 10.97.0.1", self.compute.run(instance, "cat /etc/resolv.conf"))

    def test_network_is_there_before_the_first_process(self) -> None:
        instance = self.compute.instance(self.image)
        port = self.port()
        self.addCleanup(self.driver.unplug_vifs, instance, [port])
        self.compute.spawn(instance, self.image, model.NetworkInfo([port]), power_on=False)
        sandbox = self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox")
        status, out = sandbox.exec_run(["cat", "/proc/net/dev"])
        self.assertEqual((0, True), (status, b"eth0" in out))

    def test_two_ports_and_one_default_route(self) -> None:
        instance = self.spawned(self.port(7), self.port(8))
        self.assertEqual({"10.97.0.8/24", "fd97::8/64"}, self.addresses(instance, "eth1"))
        self.assertEqual(1, self.compute.run(instance, "ip route show default").count("default"))

    def test_several_addresses_and_routes_of_a_subnet(self) -> None:
        subnet = neutron.subnet(
            "10.97.0.0/24", "10.97.0.7", "10.97.0.17", gateway="10.97.0.1", routes=[("10.200.0.0/16", "10.97.0.2")]
        )
        instance = self.spawned(neutron.port(_BRIDGE, subnet, mac=_MAC))
        self.assertEqual({"10.97.0.7/24", "10.97.0.17/24"}, self.addresses(instance, "eth0"))
        self.assertIn("10.200.0.0/16 via 10.97.0.2", self.compute.run(instance, "ip route"))

    def test_network_survives_restart_and_crash_of_the_workload(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        before = self.links(instance)["eth0"]["ifindex"]
        self.compute.container(instance).kill()
        self.driver.power_on(self.compute.context, instance, [port])
        self.driver.reboot(self.compute.context, instance, [port], "HARD")
        self.assertEqual(before, self.links(instance)["eth0"]["ifindex"])

    def test_plug_again_changes_nothing(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        before = self.compute.run(instance, "ip address; ip route; ip -6 route")
        self.driver.plug_vifs(instance, [port])
        after = self.compute.run(instance, "ip address; ip route; ip -6 route")
        ours = [line for line in before.splitlines() if "tentative" not in line and "link" not in line]
        self.assertThat(after.splitlines(), matchers.ContainsAll(ours))

    def test_plug_mends_a_lost_pair(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        subprocess.run(["ip", "link", "del", f"tap{port['id'][:11]}"], check=True)
        self.assertEqual({}, self.links(instance))
        self.driver.plug_vifs(instance, [port])
        self.assertEqual({"10.97.0.7/24", "fd97::7/64"}, self.addresses(instance, "eth0"))
        self.assertEqual(_BRIDGE, self.host_device(port)[0]["master"])

    def test_plug_replaces_a_foreign_device_in_its_place(self) -> None:
        port = self.port()
        name = f"tap{port['id'][:11]}"
        subprocess.run(["ip", "link", "add", name, "type", "veth", "peer", "name", "nova-test-peer"], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", name], capture_output=True)
        instance = self.spawned(port)
        self.assertEqual({"10.97.0.7/24", "fd97::7/64"}, self.addresses(instance, "eth0"))

    def test_instance_comes_back_after_the_daemon_stopped_everything(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        for name in (f"nova-{instance.uuid}", f"nova-{instance.uuid}-sandbox"):
            self.compute.daemon.containers.get(name).kill()
        self.driver.plug_vifs(instance, [port])
        self.assertEqual(power_state.SHUTDOWN, self.driver.get_info(instance).state)
        self.driver.resume_state_on_host_boot(self.compute.context, instance, [port], None)
        self.assertEqual(power_state.RUNNING, self.driver.get_info(instance).state)
        self.assertEqual((_MAC, {"10.97.0.7/24", "fd97::7/64"}),
                         (self.links(instance)["eth0"]["address"], self.addresses(instance, "eth0")))  # fmt: skip

    def test_reboot_brings_the_network_back_after_the_sandbox_alone_ended(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").kill()
        self.driver.power_on(self.compute.context, instance, [port])
        self.assertEqual({"10.97.0.7/24", "fd97::7/64"}, self.addresses(instance, "eth0"))

    def test_attach_and_detach_while_running(self) -> None:
        first, second = self.port(7), self.port(8)
        instance = self.spawned(first)
        self.driver.attach_interface(self.compute.context, instance, self.image, second)
        self.assertEqual({"eth0", "eth1"}, set(self.links(instance)))
        self.driver.detach_interface(self.compute.context, instance, second)
        self.assertEqual(({"eth0"}, []), (set(self.links(instance)), self.host_device(second)))

    def test_destroy_takes_the_devices_away(self) -> None:
        port = self.port()
        instance = self.spawned(port)
        self.driver.destroy(self.compute.context, instance, [port])
        self.assertEqual([], self.host_device(port))

    def test_waits_for_neutron_only_for_ports_that_are_not_active(self) -> None:
        ready, waiting = self.port(7), self.port(8, active=False)
        self.spawned(ready, waiting)
        self.assertEqual([("network-vif-plugged", waiting["id"])], self.compute.virtapi.waited_for)

    def test_failed_plug_leaves_nothing(self) -> None:
        good = self.port(7)
        for bad in (
            self.port(8, details={"bridge_name": "nova-test-none"}),
            self.port(8, type=model.VIF_TYPE_BINDING_FAILED),
        ):
            instance = self.compute.instance(self.image)
            error = self.assertRaises(
                exception.VirtualInterfacePlugException,
                self.compute.spawn,
                instance,
                self.image,
                model.NetworkInfo([good, bad]),
            )
            self.assertThat(str(error), matchers.MatchesRegex(r".*(nova-test-none|binding_failed)"))
            self.assertEqual(([], []), (self.host_device(good), self.host_device(bad)))
            self.assertEqual([], self.driver.list_instances())
            self.assertRaises(docker.errors.NotFound, self.compute.daemon.volumes.get, f"nova-{instance.uuid}-data")
            self.assertNotIn(instance.uuid, os.listdir(self.compute.directory))

    def test_plug_of_an_unknown_instance_raises_what_nova_can_bear(self) -> None:
        unknown = self.compute.instance(self.image)
        self.assertRaises(exception.VirtualInterfacePlugException, self.driver.plug_vifs, unknown, [self.port()])


class PrivsepTest(testtools.TestCase):
    def test_steps_run_in_a_helper_when_nova_is_not_root(self) -> None:
        """The helper starts without sudo here, because the tests are root already."""
        self.useFixture(environment.Compute())
        checkout = pathlib.Path(__file__).parents[3]
        command = f"env PYTHONPATH={checkout} {sys.exec_prefix}/bin/privsep-helper"
        environment.CONF.set_override("helper_command", command, group="docker_privileged")
        context = privileged.context
        context.set_client_mode(True)
        self.addCleanup(context.set_client_mode, False)
        self.addCleanup(context.stop)
        self.useFixture(environment.Bridge("nova-test-priv", ()))
        (link,) = privileged.links(device="nova-test-priv")
        self.assertEqual("nova-test-priv", link["ifname"])
        privileged.ip_batch(["link set dev nova-test-priv mtu 1234"])
        self.assertEqual(1234, privileged.links(device="nova-test-priv")[0]["mtu"])
        self.assertEqual(0, len(privileged.links(device="nova-test-none")))
