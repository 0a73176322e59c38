# SPDX-License-Identifier: Apache-2.0
"""What users ask Nova's API for, and what comes of it on the Docker daemon.

Not collected by pytest, as ``virt_driver_suite``; ``test_suites`` runs it.
"""

from __future__ import annotations

from typing import Any

from tests.contract.nova import services


class ServerTest(services.Cloud):
    def setUp(self) -> None:
        super().setUp()
        self.small = self._create_flavor(memory_mb=256, vcpu=1, disk=1, ephemeral=0)
        self.large = self._create_flavor(memory_mb=512, vcpu=2, disk=1, ephemeral=0)

    def _server(self) -> dict[str, Any]:
        port = {"port": self.neutron.ports[0]["id"]}
        return self._create_server(name="node-1", image_uuid=self.image, flavor_id=self.small, networks=[port])

    def test_power(self) -> None:
        server = self._server()
        port = self.neutron.ports[0]
        address, mac = port["fixed_ips"][0]["ip_address"], port["mac_address"]
        self.assertEqual("node-1", self.run_in(server, "hostname"))
        self.run_in(server, "echo kept > /kept")

        def assert_as_before() -> None:
            self.assertEqual("kept", self.run_in(server, "cat /kept"))
            self.assertIn(f"{address}/", self.run_in(server, "ip address show eth0"))
            self.assertIn(mac, self.run_in(server, "ip link show eth0"))

        assert_as_before()
        self._stop_server(server)
        self.assertEqual("exited", self.container(server).status)
        self._start_server(server)
        assert_as_before()
        for hard in (False, True):
            began = self.container(server).attrs["State"]["StartedAt"]
            self._reboot_server(server, hard=hard)
            self.assertNotEqual(began, self.container(server).attrs["State"]["StartedAt"])
            assert_as_before()
        self._act(server, {"pause": None}, "PAUSED")
        self.assertEqual("paused", self.container(server).status)
        self._act(server, {"unpause": None}, "ACTIVE")
        assert_as_before()
        self._act(server, {"rescue": {"rescue_image_ref": self.image}}, "RESCUE")
        self.assertEqual("kept", self.run_in(server, "cat /rescue/kept"))
        self._act(server, {"unrescue": None}, "ACTIVE")
        assert_as_before()
        self._delete_server(server)
        self.assert_nothing_left()

    def test_resize_confirm_and_revert(self) -> None:
        server = self._server()
        self.run_in(server, "echo kept > /kept")
        for finish, megabytes in ((self._revert_resize, 256), (self._confirm_resize, 512)):
            self._resize_server(server, self.large)
            self.assertEqual(512 << 20, self.container(server).attrs["HostConfig"]["Memory"])
            finish(server)
            self.assertEqual(megabytes << 20, self.container(server).attrs["HostConfig"]["Memory"])
            self.assertEqual("kept", self.run_in(server, "cat /kept"))
        provider = self._get_provider_uuid_by_host(self.host)
        self.assertEqual({"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 1}, self._get_provider_usages(provider))
        self._delete_server(server)
        self.assert_nothing_left()

    def test_rebuild(self) -> None:
        server = self._server()
        self.run_in(server, "echo kept > /kept")
        other = self.add_image(self.archive("ENV REBUILT=yes"))
        self._rebuild_server(server, other)
        self.assertEqual(
            "yes gone", self.run_in(server, "echo $REBUILT; test -e /kept || echo gone").replace("\n", " ")
        )
        self._delete_server(server)
        self.assert_nothing_left()

    def test_interface_is_attached_and_detached(self) -> None:
        server = self._server()
        port = self.neutron.ports[1]
        self._attach_interface(server, port["id"])
        self.assertIn(port["fixed_ips"][0]["ip_address"], self.run_in(server, "ip address show eth1"))
        self._detach_interface(server, port["id"])
        self.assertNotIn("eth1", self.run_in(server, "ip link"))
        self._delete_server(server)
        self.assert_nothing_left()

    def test_broken_image_is_the_server_s_fault(self) -> None:
        server = self._create_server(
            image_uuid=self.add_image(b"no archive"), flavor_id=self.small, networks="none", expected_state="ERROR"
        )
        self.assertIn("is unacceptable: it is not a whole archive of docker save", server["fault"]["message"])
        self._delete_server(server)
        self.assert_nothing_left()
