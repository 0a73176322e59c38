# SPDX-License-Identifier: Apache-2.0
"""Nova's servers as the tests use them, by the API alone."""

from __future__ import annotations

import time
from typing import Any

from lab import registration, rest, settings

#: Of server creation on a chosen host (``host``).
VERSION = {"X-OpenStack-Nova-API-Version": "2.74"}
#: Of server groups with a single ``policy``.
GROUP_VERSION = {"X-OpenStack-Nova-API-Version": "2.64"}
#: Of an evacuation for which Nova finds out whether storage is shared, and of a service forced down by its id.
EVACUATION_VERSION = {"X-OpenStack-Nova-API-Version": "2.53"}
FLAVOR = "cdh.manager"


class Servers:
    """Makes servers, and remembers them for :meth:`delete_all`.

    :param cloud: the lab's.
    """

    def __init__(self, cloud: rest.Cloud) -> None:
        self.cloud = cloud
        self.made: list[str] = []
        self._groups: list[str] = []

    def create(self, name: str, host: str | None = None, group: str | None = None) -> str:
        """Ask for a server, without waiting for it; return its id."""
        flavors = self.cloud.get("nova", "/flavors")["flavors"]
        flavor = next(one["id"] for one in flavors if one["name"] == FLAVOR)
        image = self.cloud.get("glance", f"/images?name={registration.IMAGE_NAME}")["images"][0]["id"]
        network = self.cloud.get("neutron", f"/networks?name={settings.NETWORK_NAME}")["networks"][0]["id"]
        server = {"name": name, "flavorRef": flavor, "imageRef": image, "networks": [{"uuid": network}]}
        if host is not None:
            server["host"] = host
        body: dict[str, Any] = {"server": server}
        if group is not None:
            body["os:scheduler_hints"] = {"group": group}
        made = self.cloud.request("POST", "nova", "/servers", body, VERSION)["server"]["id"]
        self.made.append(made)
        return made

    def group(self, policy: str) -> str:
        """Make a server group; return its id."""
        body = {"server_group": {"name": f"tests-{policy}", "policy": policy}}
        made = self.cloud.request("POST", "nova", "/os-server-groups", body, GROUP_VERSION)["server_group"]["id"]
        self._groups.append(made)
        return made

    def show(self, server: str) -> dict[str, Any]:
        """A server as Nova shows it now."""
        return self.cloud.get("nova", f"/servers/{server}")["server"]

    def host(self, server: str) -> str:
        """The compute host that a server is on."""
        return self.show(server)["OS-EXT-SRV-ATTR:host"]

    def address(self, server: str) -> str:
        """The first fixed address of a server."""
        return self.show(server)["addresses"][settings.NETWORK_NAME][0]["addr"]

    def act(self, server: str, action: str, argument: Any = None) -> None:
        """Post one of Nova's server actions."""
        self.cloud.post("nova", f"/servers/{server}/action", {action: argument})

    def force_down(self, host: str, down: bool) -> None:
        """Tell Nova that a compute host is down for certain, or that it is no longer."""
        listing = "/os-services?binary=nova-compute"
        services = self.cloud.request("GET", "nova", listing, headers=EVACUATION_VERSION)["services"]
        service = next(one["id"] for one in services if one["host"] == host)
        self.cloud.request("PUT", "nova", f"/os-services/{service}", {"forced_down": down}, EVACUATION_VERSION)

    def evacuate(self, server: str) -> None:
        """Have a server of a host that is down made anew on another."""
        self.cloud.request("POST", "nova", f"/servers/{server}/action", {"evacuate": {}}, EVACUATION_VERSION)

    def settled(self, server: str, *wanted: str, timeout: float = 120) -> dict[str, Any]:
        """Wait until a server's status is one of *wanted* and no task is on; return it.

        :raises AssertionError: with what Nova says instead.
        """
        deadline = time.monotonic() + timeout
        while True:
            seen = self.show(server)
            if seen["status"] in wanted and seen["OS-EXT-STS:task_state"] is None:
                return seen
            late = time.monotonic() > deadline
            if late or (seen["status"] == "ERROR" and "ERROR" not in wanted):
                raise AssertionError(
                    f"server {seen['name']} is {seen['status']}, task {seen['OS-EXT-STS:task_state']}, wanted "
                    f"{' or '.join(wanted)}: {seen.get('fault', {}).get('message', 'no fault')}"
                )
            time.sleep(0.3)

    def delete(self, server: str, timeout: float = 90) -> None:
        """Delete a server and wait until it is gone; one that is gone already is fine.

        :raises AssertionError: when it is not gone in time.
        """
        deadline = time.monotonic() + timeout
        try:
            self.cloud.request("DELETE", "nova", f"/servers/{server}")
            while time.monotonic() < deadline:
                self.show(server)
                time.sleep(0.3)
        except rest.RestError as error:
            if error.status != 404:
                raise
            return
        raise AssertionError(f"server {server} is not gone after {timeout:.0f} s")

    def delete_all(self) -> None:
        """Delete everything that was made."""
        for server in self.made:
            self.delete(server)
        for group in self._groups:
            self.cloud.request("DELETE", "nova", f"/os-server-groups/{group}")
        self.made, self._groups = [], []
