# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import os_vif
import testtools
from nova import exception
from nova.network import model
from oslo_config import cfg

from sahara_docker.nova import network
from tests.unit.nova import neutron

MAC = "fa:16:3e:00:00:01"


class InterfacesTest(testtools.TestCase):
    def test_all_addresses_and_routes(self) -> None:
        first = neutron.subnet(
            "10.0.0.0/24", "10.0.0.7", "10.0.0.8", gateway="10.0.0.1", routes=[("10.9.0.0/16", "10.0.0.2")]
        )
        second = neutron.subnet("fd00::/64", "fd00::7", gateway="fd00::1")
        (interface,) = network.interfaces([neutron.port("br", first, second, mac=MAC.upper(), mtu=1442)])
        self.assertEqual(("10.0.0.7/24", "10.0.0.8/24", "fd00::7/64"), interface.addresses)
        self.assertEqual(
            {("10.9.0.0/16", "10.0.0.2"), ("0.0.0.0/0", "10.0.0.1"), ("::/0", "fd00::1")}, set(interface.routes)
        )
        self.assertEqual((MAC, 1442), (interface.mac, interface.mtu))

    def test_one_default_route_in_all_the_first_port_s(self) -> None:
        ports = [
            neutron.port("br", neutron.subnet(f"10.{n}.0.0/24", f"10.{n}.0.7", gateway=f"10.{n}.0.1"), mac=MAC)
            for n in range(2)
        ]
        self.assertEqual([(("0.0.0.0/0", "10.0.0.1"),), ()], [i.routes for i in network.interfaces(ports)])

    def test_subnet_without_an_address_or_gateway(self) -> None:
        unused = neutron.subnet("10.1.0.0/24", gateway="10.1.0.1")
        isolated = neutron.subnet("10.2.0.0/24", "10.2.0.7")
        (interface,) = network.interfaces([neutron.port("br", unused, isolated, mac=MAC)])
        self.assertEqual((("10.2.0.7/24",), ()), (interface.addresses, interface.routes))

    def test_host_device_is_neutron_s(self) -> None:
        port = neutron.port("br", mac=MAC)
        self.assertEqual(f"tap{port['id'][:11]}", network.interfaces([port])[0].host_device)
        port["devname"] = "tapother"
        self.assertEqual("tapother", network.interfaces([port])[0].host_device)

    def test_nameservers_in_order(self) -> None:
        subnet = neutron.subnet("10.0.0.0/24", "10.0.0.7", dns=("10.0.0.2", "8.8.8.8"))
        ports = [neutron.port("br", subnet, mac=MAC)]
        self.assertEqual(["10.0.0.2", "8.8.8.8"], network.nameservers(ports))


class DeviceTest(testtools.TestCase):
    interface = network.Interface("id", "tap0", MAC, 1400, ("10.0.0.7/24", "fd00::7/64"), (("0.0.0.0/0", "10.0.0.1"),))

    def test_a_port_keeps_its_device_and_a_new_one_gets_the_first_free(self) -> None:
        present = {"lo": {}, "eth0": {"address": "fa:16:3e:00:00:09"}, "eth5": {"address": MAC}}
        self.assertEqual("eth5", network._device_of(self.interface, present))
        self.assertEqual("eth1", network._device_of(self.interface._replace(mac="fa:16:3e:00:00:02"), present))

    def test_pair_has_the_guest_s_mac_inside_and_never_the_lowest_outside(self) -> None:
        self.assertEqual(
            "link add name tap0 mtu 1400 address fe:16:3e:00:00:01 type veth"
            " peer name eth0 mtu 1400 address fa:16:3e:00:00:01 netns 42",
            network._creation(self.interface, "eth0", 42),
        )

    def test_addresses_come_before_the_link_is_up_and_routes_after(self) -> None:
        self.assertEqual(
            [
                "address replace 10.0.0.7/24 dev eth0",
                "address replace fd00::7/64 dev eth0 nodad",
                "link set dev eth0 up",
                "route replace 0.0.0.0/0 via 10.0.0.1 dev eth0 onlink",
            ],
            network._guest_steps(self.interface, "eth0"),
        )


class BindingTest(testtools.TestCase):
    def setUp(self) -> None:
        super().setUp()
        cfg.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        os_vif.initialize()

    def port(self, **attributes: Any) -> model.VIF:
        return neutron.port("br-int", neutron.subnet("10.0.0.0/24", "10.0.0.7"), mac=MAC, **attributes)

    def test_ovs_port_is_added_by_os_vif_without_a_tap_of_its_own(self) -> None:
        vif = self.port(type=model.VIF_TYPE_OVS, details={})
        vif["network"]["bridge"] = "br-int"
        port = network._os_vif_object(vif)
        self.assertEqual((f"tap{vif['id'][:11]}", True), (port.vif_name, port.port_profile.create_port))
        self.assertFalse("create_tap" in port.port_profile and port.port_profile.create_tap)

    def test_hybrid_port_joins_its_own_bridge(self) -> None:
        vif = self.port(type=model.VIF_TYPE_OVS, details={"ovs_hybrid_plug": True, "port_filter": True})
        self.assertEqual(f"qbr{vif['id'][:11]}", network._os_vif_object(vif).bridge_name)

    def test_agentless_bridge_and_tap(self) -> None:
        self.assertEqual("br-lab", network._connect(None, self.port(details={"bridge_name": "br-lab"})))
        self.assertIsNone(network._connect(None, self.port(type=model.VIF_TYPE_TAP)))

    def test_bindings_that_no_container_can_have_are_named(self) -> None:
        for vif in (
            self.port(type=model.VIF_TYPE_BINDING_FAILED),
            self.port(type=model.VIF_TYPE_UNBOUND),
            self.port(type=model.VIF_TYPE_VHOSTUSER),
            self.port(details={}),
        ):
            error = self.assertRaises(exception.VirtualInterfacePlugException, network._check, vif)
            self.assertIn(f'"{vif["type"]}"', str(error))

    def test_ovs_port_of_a_network_card_s_own_is_refused(self) -> None:
        vif = self.port(type=model.VIF_TYPE_OVS, vnic_type=model.VNIC_TYPE_DIRECT, profile={"pci_slot": "0000:0a:00.1"})
        self.assertIn(
            "VIFHostDevice",
            str(self.assertRaises(exception.VirtualInterfacePlugException, network._os_vif_object, vif)),
        )
