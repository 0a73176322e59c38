# SPDX-License-Identifier: Apache-2.0
"""Neutron's bindings on what they are bound to: a real Open vSwitch, a real OVN, Linux bridges of os-vif."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import nova.conf
import testtools
from nova import exception
from nova.network import model, os_vif_util
from testtools import matchers
from vif_plug_linux_bridge import privsep

from sahara_docker.nova import privileged
from tests.functional.nova import environment, open_vswitch, ovn
from tests.unit.nova import neutron

_BRIDGE = "nova-test-int"


class OpenVSwitchCase(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        self.compute = self.useFixture(environment.Compute())
        self.driver = self.compute.driver
        self.image = self.compute.node_image()
        self.switch = self.useFixture(open_vswitch.OpenVSwitch(_BRIDGE))

    def port(self, last: int, *, hybrid: bool = False, **attributes: Any) -> model.VIF:
        """A port as ML2/OVS and OVN bind it, or as ML2/OVS does with the iptables firewall."""
        details = {"port_filter": not hybrid, "ovs_hybrid_plug": hybrid, "datapath_type": "netdev"}
        port = neutron.port(
            _BRIDGE,
            neutron.subnet("10.96.0.0/24", f"10.96.0.{last}", gateway="10.96.0.1"),
            neutron.subnet("fd96::/64", f"fd96::{last}"),
            mac=f"fa:16:3e:bb:00:{last:02x}",
            **{"type": model.VIF_TYPE_OVS, "details": details, **attributes},
        )
        port["network"]["bridge"] = _BRIDGE
        port["ovs_interfaceid"] = port["id"]
        return port

    def spawned(self, *ports: model.VIF, hostname: str = "node-1") -> Any:
        instance = self.compute.instance(self.image, hostname=hostname)
        self.addCleanup(self.driver.destroy, self.compute.context, instance, list(ports))
        self.compute.spawn(instance, self.image, model.NetworkInfo(ports))
        return instance

    def device(self, port: model.VIF, prefix: str = "tap") -> str:
        return f"{prefix}{port['id']}"[: model.NIC_NAME_LEN]

    def assert_talk(self, instance: Any, address: str, attempts: int = 30) -> None:
        """The instance reads the greeting of the sshd at *address*."""
        self.compute.run(
            instance,
            f"for i in $(seq {attempts}); do"
            f" timeout 2 bash -c 'exec 3<>/dev/tcp/{address}/22 && head -c 7 <&3' 2>/dev/null | grep -q SSH- && exit;"
            " sleep 0.2; done; exit 1",
        )


class OpenVSwitchTest(OpenVSwitchCase):
    def test_port_is_wired_as_neutron_s_agent_expects(self) -> None:
        port = self.port(7)
        instance = self.spawned(port)
        self.assertEqual([self.device(port)], self.switch.ports())
        found = self.switch.interface(self.device(port))
        self.assertEqual(
            {
                "iface-id": port["id"],
                "attached-mac": port["address"],
                "vm-uuid": instance.uuid,
                "iface-status": "active",
            },
            found["external_ids"],
        )
        self.assertThat(found["ofport"], matchers.GreaterThan(0))
        self.assertEqual(1400, privileged.links(device=self.device(port))[0]["mtu"])

    def test_instances_talk_over_both_ways_of_plugging(self) -> None:
        first = self.spawned(self.port(7), hostname="node-1")
        self.spawned(self.port(8, hybrid=True), hostname="node-2")
        for address in ("10.96.0.8", "fd96::8"):
            self.assert_talk(first, address)

    def test_several_ports_attach_and_detach(self) -> None:
        one, two, three = self.port(7), self.port(8), self.port(9, hybrid=True)
        instance = self.spawned(one, two)
        self.driver.attach_interface(self.compute.context, instance, self.image, three)
        self.assertEqual({self.device(one), self.device(two), self.device(three, "qvo")}, set(self.switch.ports()))
        self.driver.detach_interface(self.compute.context, instance, two)
        self.driver.detach_interface(self.compute.context, instance, three)
        self.assertEqual([self.device(one)], self.switch.ports())
        self.assertIn("eth0", self.compute.run(instance, "ls /sys/class/net"))

    def test_restart_of_the_instance_keeps_the_port(self) -> None:
        port = self.port(7)
        instance = self.spawned(port)
        before = self.switch.interface(self.device(port))["ofport"]
        self.driver.reboot(self.compute.context, instance, [port], "HARD")
        self.assertEqual(before, self.switch.interface(self.device(port))["ofport"])

    def test_port_is_mended_after_the_sandbox_ended(self) -> None:
        port, other = self.port(7), self.port(8)
        instance = self.spawned(port)
        second = self.spawned(other, hostname="node-2")
        self.compute.daemon.containers.get(f"nova-{instance.uuid}-sandbox").kill()
        self.driver.power_on(self.compute.context, instance, [port])
        self.assert_talk(second, "10.96.0.7")

    def test_nothing_is_left_after_destroy(self) -> None:
        ports = [self.port(7), self.port(8, hybrid=True)]
        instance = self.spawned(*ports)
        self.driver.destroy(self.compute.context, instance, ports)
        self.assertEqual([], self.switch.ports())
        left = {link["ifname"] for link in privileged.links()}
        for port in ports:
            self.assertEqual(set(), {self.device(port, p) for p in ("tap", "qbr", "qvo", "qvb")} & left)


class OvnTest(OpenVSwitchCase):
    def setUp(self) -> None:
        super().setUp()
        self.ovn = self.useFixture(ovn.OVN(self.switch))
        details = {"port_filter": True, "connectivity": "l2", "bound_drivers": {"0": "ovn"}, "bridge_name": _BRIDGE}
        self.one, self.two = (
            self.port(last, active=False, details={**details, "datapath_type": "netdev"}) for last in (7, 8)
        )
        self.ovn.add_switch("net", self.one, self.two)
        self.first = self.spawned(self.one)
        self.second = self.spawned(self.two, hostname="node-2")

    def test_ports_are_claimed_switched_and_released(self) -> None:
        for port in (self.one, self.two):
            self.ovn.wait_for(port, up=True)
        for address in ("10.96.0.8", "fd96::8"):
            self.assert_talk(self.first, address)
        self.driver.destroy(self.compute.context, self.second, [self.two])
        self.ovn.wait_for(self.two, up=False)

    def test_another_network_is_not_reached(self) -> None:
        self.assert_talk(self.first, "10.96.0.8")
        self.ovn.nbctl("lsp-del", self.two["id"])
        self.ovn.add_switch("other", self.two)
        self.ovn.wait_for(self.two, up=True)
        self.assertRaises(AssertionError, self.assert_talk, self.first, "10.96.0.8", attempts=3)

    def test_port_security_holds_an_instance_to_its_address(self) -> None:
        namespace = f"--net=/proc/{self.compute.container(self.first).attrs['State']['Pid']}/ns/net"
        false = ["ip", "address", "add", "10.96.0.99/24", "dev", "eth0"]
        subprocess.run(["nsenter", namespace, *false], check=True)  # its root could only send raw packets from there
        self.assert_talk(self.second, "10.96.0.7")
        self.assertRaises(AssertionError, self.assert_talk, self.second, "10.96.0.99", attempts=3)
        self.ovn.nbctl("lsp-set-port-security", self.one["id"])
        self.assert_talk(self.second, "10.96.0.99")


class LinuxBridgeTest(testtools.TestCase):
    """The binding of ML2/Linuxbridge, which Nova has up to 33."""

    def test_os_vif_makes_the_bridge_and_the_port_joins_it(self) -> None:
        compute = self.useFixture(environment.Compute())
        nova.conf.CONF.set_override(
            "helper_command", f"{sys.exec_prefix}/bin/privsep-helper", group="vif_plug_linux_bridge_privileged"
        )
        self.addCleanup(privsep.vif_plug.stop)
        port = neutron.port(
            _BRIDGE,
            neutron.subnet("10.95.0.0/24", "10.95.0.7"),
            mac="fa:16:3e:bb:01:07",
            type=model.VIF_TYPE_BRIDGE,
            details={"port_filter": True},
        )
        port["network"]["bridge"] = "nova-test-brq"
        port["network"]["meta"]["should_create_bridge"] = True
        self.addCleanup(subprocess.run, ["ip", "link", "del", "nova-test-brq"], check=False, capture_output=True)
        image = compute.small_image()
        instance = compute.instance(image)
        if not hasattr(os_vif_util, "_nova_to_osvif_vif_bridge"):
            spawn = (compute.spawn, instance, image, model.NetworkInfo([port]))
            self.assertRaises(exception.VirtualInterfacePlugException, *spawn)
            return
        compute.spawn(instance, image, model.NetworkInfo([port]))
        (device,) = privileged.links(device=f"tap{port['id']}"[: model.NIC_NAME_LEN])
        self.assertEqual("nova-test-brq", device["master"])
        compute.driver.destroy(compute.context, instance, [port])
        self.assertEqual([], list(privileged.links(device=device["ifname"])))
